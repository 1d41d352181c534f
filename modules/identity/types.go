package identity

import (
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
)

// Bureau is the one organisation an installation serves.
type Bureau struct {
	Name     string  `json:"name" yaml:"name" minLength:"1" maxLength:"100" doc:"名称"`
	NameEN   string  `json:"name_en,omitempty" yaml:"name_en,omitempty" maxLength:"100" doc:"英文名称"`
	Timezone string  `json:"timezone,omitempty" yaml:"timezone,omitempty" maxLength:"60" doc:"时区,如 Asia/Shanghai"`
	Site     id.Site `json:"site,omitempty" yaml:"site,omitempty" maxLength:"40" ref:"sites" doc:"本机构所在站点"`
}

// Site is a node of the tree province › city › district.
type Site struct {
	Code     id.Site `json:"code" yaml:"code" minLength:"1" maxLength:"40" pattern:"^[A-Za-z0-9_-]+$" doc:"代码"`
	Name     string  `json:"name" yaml:"name" minLength:"1" maxLength:"100" doc:"名称"`
	NameEN   string  `json:"name_en,omitempty" yaml:"name_en,omitempty" maxLength:"100" doc:"英文名称"`
	Parent   id.Site `json:"parent,omitempty" yaml:"parent,omitempty" maxLength:"40" ref:"sites" doc:"上级站点"`
	Kind     string  `json:"kind,omitempty" yaml:"kind,omitempty" enum:"province,city,district,hall" doc:"类型"`
	AreaCode string  `json:"area_code,omitempty" yaml:"area_code,omitempty" maxLength:"5" pattern:"^[0-9]*$" doc:"长途区号"`
	Timezone string  `json:"timezone,omitempty" yaml:"timezone,omitempty" maxLength:"60" doc:"时区,缺省同机构"`
}

// Seat is a place to work at.
type Seat struct {
	Code  id.Seat  `json:"code" yaml:"code" minLength:"1" maxLength:"40" pattern:"^[A-Za-z0-9_-]+$" doc:"代码"`
	Site  id.Site  `json:"site" yaml:"site" minLength:"1" maxLength:"40" ref:"sites" doc:"站点"`
	Zone  string   `json:"zone,omitempty" yaml:"zone,omitempty" maxLength:"40" doc:"区域"`
	Phone id.Phone `json:"phone,omitempty" yaml:"phone,omitempty" maxLength:"40" ref:"phones" doc:"话机"`
	// Where it stands on the map, and what is there. Kind phone is a seat that takes calls, post another place of work.
	Kind    string `json:"kind,omitempty" yaml:"kind,omitempty" enum:"phone,post," doc:"坐席或其他岗位,缺省坐席"`
	Row     int    `json:"row,omitempty" yaml:"row,omitempty" minimum:"0" maximum:"200" doc:"平面图行,0 不定"`
	Col     int    `json:"col,omitempty" yaml:"col,omitempty" minimum:"0" maximum:"200" doc:"平面图列,0 不定"`
	Port    string `json:"port,omitempty" yaml:"port,omitempty" maxLength:"40" doc:"信息点"`
	Headset string `json:"headset,omitempty" yaml:"headset,omitempty" maxLength:"40" doc:"耳机"`
	Remote  bool   `json:"remote,omitempty" yaml:"remote,omitempty" doc:"远程坐席"`
}

// Role is a set of rights.
type Role struct {
	Code   string        `json:"code" yaml:"code" minLength:"1" maxLength:"40" pattern:"^[A-Za-z0-9_-]+$" doc:"代码"`
	Name   string        `json:"name" yaml:"name" minLength:"1" maxLength:"100" doc:"名称"`
	NameEN string        `json:"name_en,omitempty" yaml:"name_en,omitempty" maxLength:"100" doc:"英文名称"`
	Rights []right.Right `json:"rights,omitempty" yaml:"rights,omitempty" maxItems:"500" doc:"权限,* 表示全部"`
}

// User is a person with a login, as configuration sees them.
type User struct {
	Code   id.User  `json:"code" yaml:"code" minLength:"1" maxLength:"40" pattern:"^[A-Za-z0-9_.@-]+$" doc:"工号"`
	Name   string   `json:"name" yaml:"name" minLength:"1" maxLength:"100" doc:"姓名"`
	Site   id.Site  `json:"site" yaml:"site" minLength:"1" maxLength:"40" ref:"sites" doc:"站点"`
	Roles  []string `json:"roles,omitempty" yaml:"roles,omitempty" ref:"roles" maxItems:"20" doc:"角色"`
	Rank   string   `json:"rank,omitempty" yaml:"rank,omitempty" maxLength:"10" doc:"职级 L0–L4"`
	Locale string   `json:"locale,omitempty" yaml:"locale,omitempty" enum:"zh,en" doc:"语言"`
	Active bool     `json:"active" yaml:"active" default:"true" doc:"在用"`
	// Password is write-only: the first one, or a new one set by an administrator.
	Password string `json:"password,omitempty" yaml:"password,omitempty" maxLength:"128" writeOnly:"true" doc:"初始口令(只写)"`
	// MustChange says whether the person has to choose another password at the next sign-in; write-only, yes when
	// a password is set.
	MustChange *bool `json:"must_change,omitempty" yaml:"must_change,omitempty" writeOnly:"true" doc:"下次登录须改口令(只写)"`
}

// Person is what others may know of a user.
type Person struct {
	Code   id.User  `json:"code"`
	Name   string   `json:"name"`
	Site   id.Site  `json:"site"`
	Roles  []string `json:"roles"`
	Rank   string   `json:"rank,omitempty"`
	Locale string   `json:"locale,omitempty"`
	Active bool     `json:"active"`
}
