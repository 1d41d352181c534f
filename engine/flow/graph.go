package flow

import (
	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/span"
)

// Graph is a flow as people draw and write it: an item of the section `flows`.
type Graph struct {
	Code   id.Flow        `yaml:"code" json:"code" doc:"short name, unique among flows"`
	Name   string         `yaml:"name" json:"name"`
	NameEn string         `yaml:"name_en,omitempty" json:"name_en,omitempty"`
	Medium contact.Medium `yaml:"medium,omitempty" json:"medium,omitempty" enum:"phone,wechat,chat,weibo,sms" doc:"empty is phone"`
	Start  string         `yaml:"start" json:"start" doc:"id of the first node"`
	Nodes  []Node         `yaml:"nodes" json:"nodes"`
}

// Kind says what a node does.
type Kind string

// The kinds, each with the fields it may have beside id, kind, name, name_en and served.
const (
	PlayKind     Kind = "play"     // prompts, text, text_en, interruptible, next*
	MenuKind     Kind = "menu"     // prompts, text, text_en, keys*, first, inter, retries, timeout*, invalid*, timeout_prompt, invalid_prompt, bypass
	ListenKind   Kind = "listen"   // as menu, and: keys_prompt (* in a phone flow), var, heard
	GatherKind   Kind = "gather"   // prompts, text, text_en, var*, min, max*, stop, check, first, inter, retries, timeout*, invalid*, timeout_prompt, invalid_prompt, next*
	SayKind      Kind = "say"      // say*, value*, next*
	HoursKind    Kind = "hours"    // calendar, open*, closed*, lunch, holiday
	SetKind      Kind = "set"      // set*, next*
	BranchKind   Kind = "branch"   // cases*, else*
	CityKind     Kind = "city"     // var, next*, elsewhere*, unknown*
	QueueKind    Kind = "queue"    // queue*, by_city, priority, needs, failed
	TransferKind Kind = "transfer" // to*, failed
	HangupKind   Kind = "hangup"   // outcome, cause

	VoicemailKind Kind = "voicemail" // prompts, limit, silence, stop, next*
)

// Node is one step. Which fields a kind has is said at Kind (* = required); Compile refuses the others.
// Targets (next, timeout, bypass …) are ids of nodes of the same graph.
type Node struct {
	ID     string `yaml:"id" json:"id" pattern:"^[a-z][a-z0-9_-]{0,31}$"`
	Kind   Kind   `yaml:"kind" json:"kind" enum:"play,menu,listen,gather,say,hours,set,branch,city,queue,transfer,voicemail,hangup"`
	Name   string `yaml:"name,omitempty" json:"name,omitempty" doc:"title of the card in the designer"`
	NameEn string `yaml:"name_en,omitempty" json:"name_en,omitempty"`
	Served bool   `yaml:"served,omitempty" json:"served,omitempty" doc:"whoever comes here has what they came for: it counts as self-served"`

	Prompts       []string `yaml:"prompts,omitempty" json:"prompts,omitempty" doc:"codes of prompts, played in turn"`
	Text          string   `yaml:"text,omitempty" json:"text,omitempty" doc:"what a text channel shows, and what the speech engine says in a phone flow where there are no prompts; {var} is filled in"`
	TextEn        string   `yaml:"text_en,omitempty" json:"text_en,omitempty"`
	Interruptible bool     `yaml:"interruptible,omitempty" json:"interruptible,omitempty" doc:"a key pressed meanwhile ends the prompt and counts at the next menu"`
	Next          string   `yaml:"next,omitempty" json:"next,omitempty"`

	Keys          []Key     `yaml:"keys,omitempty" json:"keys,omitempty"`
	First         span.Span `yaml:"first,omitempty" json:"first,omitempty" doc:"wait for the first key, 1s–60s; default 6s"`
	Inter         span.Span `yaml:"inter,omitempty" json:"inter,omitempty" doc:"wait between two keys, 1s–20s; default 3s"`
	Retries       *int      `yaml:"retries,omitempty" json:"retries,omitempty" minimum:"0" maximum:"5" doc:"how often a silent or mistaken person is asked again; default 2"`
	Timeout       string    `yaml:"timeout,omitempty" json:"timeout,omitempty" doc:"where a person goes who stayed silent at the last try"`
	Invalid       string    `yaml:"invalid,omitempty" json:"invalid,omitempty" doc:"where a person goes who was wrong at the last try"`
	TimeoutPrompt string    `yaml:"timeout_prompt,omitempty" json:"timeout_prompt,omitempty" doc:"played before asking a silent person again"`
	InvalidPrompt string    `yaml:"invalid_prompt,omitempty" json:"invalid_prompt,omitempty" doc:"played before asking a mistaken person again"`
	Bypass        string    `yaml:"bypass,omitempty" json:"bypass,omitempty" doc:"where the menu is skipped to while menus are switched off (GB/T 33358 advises none)"`

	KeysPrompt string `yaml:"keys_prompt,omitempty" json:"keys_prompt,omitempty" doc:"names the keys: played in place of the prompts when nobody can turn speech into text, and after what was not understood"`
	Heard      string `yaml:"heard,omitempty" json:"heard,omitempty" doc:"where a person goes who said something that is none of the words; empty: they are asked for a key"`

	Var   string `yaml:"var,omitempty" json:"var,omitempty" doc:"variable that takes the digits, or what was said (empty: said); of a city node the one with the area code keyed in, empty: by the caller's number"`
	Min   int    `yaml:"min,omitempty" json:"min,omitempty" minimum:"0" maximum:"32" doc:"fewest digits; default 1"`
	Max   int    `yaml:"max,omitempty" json:"max,omitempty" minimum:"1" maximum:"32" doc:"most digits; with so many the input ends by itself"`
	Stop  string `yaml:"stop,omitempty" json:"stop,omitempty" doc:"key that ends the input; default #"`
	Check Check  `yaml:"check,omitempty" json:"check,omitempty" enum:"area_code,mobile,phone" doc:"what the digits must be"`

	Limit   span.Span `yaml:"limit,omitempty" json:"limit,omitempty" doc:"longest message, 10s–10m; default 2m"`
	Silence span.Span `yaml:"silence,omitempty" json:"silence,omitempty" doc:"so much silence ends the message, 2s–30s; default 5s"`

	Say   What   `yaml:"say,omitempty" json:"say,omitempty" enum:"digits,number,time,date,duration,position,money"`
	Value string `yaml:"value,omitempty" json:"value,omitempty" doc:"what is said; {var} is filled in"`

	Calendar string `yaml:"calendar,omitempty" json:"calendar,omitempty" doc:"code of the calendar asked; empty is the city's own, else the number's"`
	Open     string `yaml:"open,omitempty" json:"open,omitempty"`
	Closed   string `yaml:"closed,omitempty" json:"closed,omitempty"`
	Lunch    string `yaml:"lunch,omitempty" json:"lunch,omitempty" doc:"empty: as closed"`
	Holiday  string `yaml:"holiday,omitempty" json:"holiday,omitempty" doc:"empty: as closed"`

	Set   map[string]string `yaml:"set,omitempty" json:"set,omitempty" doc:"variables to set, all from the values before; {var} is filled in"`
	Cases []Case            `yaml:"cases,omitempty" json:"cases,omitempty" doc:"the first that holds is taken"`
	Else  string            `yaml:"else,omitempty" json:"else,omitempty"`

	Elsewhere string `yaml:"elsewhere,omitempty" json:"elsewhere,omitempty" doc:"where a person goes who belongs to a city or province that is not served here, when they have heard where to call"`
	Unknown   string `yaml:"unknown,omitempty" json:"unknown,omitempty" doc:"where a person goes whose city nobody knows: to a question for the area code"`

	ByCity   bool     `yaml:"by_city,omitempty" json:"by_city,omitempty" doc:"the queue the person's city has in place of this one, where it has one"`
	Queue    id.Queue `yaml:"queue,omitempty" json:"queue,omitempty"`
	Priority int      `yaml:"priority,omitempty" json:"priority,omitempty" minimum:"-9" maximum:"9" doc:"added to the queue's own"`
	Needs    []Need   `yaml:"needs,omitempty" json:"needs,omitempty" doc:"skills beside the queue's own"`
	Failed   string   `yaml:"failed,omitempty" json:"failed,omitempty" doc:"where the person goes when the queue or target does not take them; {why} says why. Empty: the flow ends"`

	To      *contact.Target `yaml:"to,omitempty" json:"to,omitempty"`
	Outcome contact.Outcome `yaml:"outcome,omitempty" json:"outcome,omitempty" enum:"served,left,turned,failed" doc:"empty: found out from the way taken"`
	Cause   string          `yaml:"cause,omitempty" json:"cause,omitempty"`
}

// Key is one choice of a menu.
type Key struct {
	Key    string   `yaml:"key" json:"key" pattern:"^[0-9*#]$"`
	Name   string   `yaml:"name,omitempty" json:"name,omitempty"`
	NameEn string   `yaml:"name_en,omitempty" json:"name_en,omitempty"`
	Words  []string `yaml:"words,omitempty" json:"words,omitempty" doc:"what a person may write instead in a text channel, or say at a listen node"`
	To     string   `yaml:"to" json:"to" doc:"target; the menu's own id is hear-again"`
}

// Case is one way out of a branch.
type Case struct {
	Var    string   `yaml:"var" json:"var"`
	Op     Op       `yaml:"op,omitempty" json:"op,omitempty" enum:"is,not,prefix,above,below,empty" doc:"default is"`
	Values []string `yaml:"values,omitempty" json:"values,omitempty" doc:"any of them; above and below take one number, empty takes none"`
	To     string   `yaml:"to" json:"to"`
}

// Op compares a variable with the values of a case.
type Op string

// The comparisons.
const (
	Is     Op = "is"     // equals one of the values
	Not    Op = "not"    // equals none of them
	Prefix Op = "prefix" // begins with one of them
	Above  Op = "above"  // a number greater than the value
	Below  Op = "below"  // a number less than the value
	Empty  Op = "empty"  // not set, or set to nothing
)

// What says how a value is spoken.
type What string

// The ways of speaking.
const (
	Digits   What = "digits"   // one by one: 1 2 3 6 6
	Number   What = "number"   // a cardinal: 一百二十
	Time     What = "time"     // value: unix milliseconds; said as day and time of day when it is not today
	Date     What = "date"     // value: 2026-11-23
	Duration What = "duration" // value: seconds
	Position What = "position" // value: place in a queue, from 1
	Money    What = "money"    // value: yuan with up to two decimals
)

// Check says what gathered digits must be.
type Check string

// The checks; empty takes any digits of the right count.
const (
	AreaCode Check = "area_code" // a mainland area code, the leading 0 may be left out: 020, 20
	Mobile   Check = "mobile"    // a mainland mobile number
	Phone    Check = "phone"     // a mobile number, or a fixed one with area code
)

// Need is a skill the contact asks for beside the queue's own.
type Need struct {
	Skill id.Skill `yaml:"skill" json:"skill"`
	Level int      `yaml:"level" json:"level" minimum:"0" maximum:"4"`
}

// Defaults and bounds; the times are those of the 2026 menu proposal (6 s, 3 s, 2 retries).
const (
	DefaultFirst   = span.Span(6e9)
	DefaultInter   = span.Span(3e9)
	DefaultRetries = 2
	MaxNodes       = 500
	MaxSteps       = 200 // of one contact, over all its flows
	MaxVars        = 64
	MaxValue       = 512 // bytes of a variable
)
