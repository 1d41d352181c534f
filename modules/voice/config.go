package voice

import (
	"github.com/kapok-hotline/kapok/core/id"
)

// Phone is a desk phone that registers by digest under its code.
type Phone struct {
	Code     id.Phone `json:"code" minLength:"2" maxLength:"32"`
	Name     string   `json:"name,omitempty"`
	Site     id.Site  `json:"site" ref:"sites"`
	Password string   `json:"password,omitempty" writeOnly:"true" maxLength:"64"`
	Digest   string   `json:"digest,omitempty" enum:"md5,sha256," doc:"what the phone can: many give up when SHA-256 is offered beside MD5; empty: md5"`
	Remote   bool     `json:"remote,omitempty" doc:"stands at a branch: its line is asked every 1.2 s, so that calls go elsewhere within 5 s of a break"`
	Number   string   `json:"number,omitempty" maxLength:"20" doc:"a mobile or landline outside the house: it is called over the trunks of its site and registers nowhere; who lifts it takes a call by pressing 1"`
	Pin      bool     `json:"pin,omitempty" doc:"of a number outside: calls are taken by a PIN in place of 1; the password is the PIN, 4 to 8 digits"`
	// ShowCaller shows the caller where the city's number would be.
	ShowCaller bool  `json:"show_caller,omitempty" doc:"of a number outside: the phone shows the caller's number in place of the city's, where the carrier passes it on"`
	Media      Media `json:"media,omitempty" enum:"auto,srtp,plain," doc:"SRTP (RFC 4568): auto: where the phone registers over TLS, in the clear when it refuses; srtp: never without; plain: never; empty: auto"`
}

// Media says whether what is said on a phone's line is encrypted.
type Media string

// The ways. Keys stand in the session description (RFC 4568), so they are only given over TLS.
const (
	MediaAuto  Media = "auto"  // encrypted where the phone registers over TLS, in the clear when it answers 488
	MediaSRTP  Media = "srtp"  // encrypted or not at all
	MediaPlain Media = "plain" // in the clear
)

// phoneRow is a phone as it is kept: digests in place of the password.
type phoneRow struct {
	Phone
	MD5    string `json:"md5,omitempty"`    // HA1 of RFC 2617
	SHA256 string `json:"sha256,omitempty"` // HA1 of RFC 7616
}

// Trunk is a line to the telephone network: a peer known by its address, or one we register at.
type Trunk struct {
	Code     id.Trunk `json:"code" minLength:"1" maxLength:"32"`
	Name     string   `json:"name,omitempty"`
	Site     id.Site  `json:"site" ref:"sites"`
	Kind     string   `json:"kind" enum:"ip,register" doc:"ip: the peer is known by its address; register: we register at it"`
	Peers    []string `json:"peers,omitempty" doc:"host:port of the peer, in order of preference"`
	Accept   []string `json:"accept,omitempty" doc:"addresses calls may come from, as CIDR"`
	Protocol string   `json:"transport,omitempty" enum:"udp,tcp,tls,"`
	User     string   `json:"user,omitempty"`
	Password string   `json:"password,omitempty" writeOnly:"true" maxLength:"64"`
	OptionsS int      `json:"options_s,omitempty" minimum:"0" maximum:"600" doc:"seconds between health questions; 0: none"`

	CallerID  string `json:"caller_id,omitempty" maxLength:"20" doc:"number shown on calls out where the agent's city has none"`
	OwnIDOnly bool   `json:"own_id_only,omitempty" doc:"the carrier passes on no number but the trunk's own: it is shown in place of the city's"`
	MaxCalls  int    `json:"max_calls,omitempty" minimum:"0" maximum:"100000" doc:"most calls at once, both ways; 0: no limit"`
	MaxRate   int    `json:"max_rate,omitempty" minimum:"0" maximum:"10000" doc:"most new calls a second, both ways; 0: no limit"`
}

// Number is what people dial, and where that leads.
type Number struct {
	Code     id.Number `json:"code" minLength:"2" maxLength:"32"`
	Name     string    `json:"name"`
	Site     id.Site   `json:"site" ref:"sites"`
	Flow     id.Flow   `json:"flow" ref:"flows"`
	Calendar string    `json:"calendar,omitempty" ref:"calendars"`
	Trunk    id.Trunk  `json:"trunk,omitempty" ref:"trunks"`
	Notice   id.Prompt `json:"notice,omitempty" ref:"prompts" doc:"said here before recording, in place of the bureau's notice; empty: the bureau's"`
	Secret   bool      `json:"secret,omitempty" doc:"for tip-offs: nobody listens to its calls, and their recordings take a right of their own"`
	NoNotice bool      `json:"no_notice,omitempty" doc:"no notice here: the flow itself says that calls are recorded"`
}

// Prompt is something said or played; the sound of each language is shipped, uploaded or recorded in the page.
type Prompt struct {
	Code id.Prompt         `json:"code" minLength:"1" maxLength:"48"`
	Name string            `json:"name"`
	Text map[string]string `json:"text,omitempty" doc:"what is said, per language: zh, yue, en"`
}

// Settings are the house's voice settings.
type Settings struct {
	Recording   bool       `json:"recording" doc:"record what callers and agents say"`
	Notice      id.Prompt  `json:"notice,omitempty" ref:"prompts" doc:"tells callers that they are recorded: said whole before all else while recording is on; empty: none"`
	NoMenu      bool       `json:"no_menu" doc:"callers go straight to people (GB/T 33358 advises no menu)"`
	Emergency   bool       `json:"emergency" doc:"closed at once: every caller hears the emergency prompt"`
	EmergencyOf id.Prompt  `json:"emergency_prompt,omitempty" ref:"prompts"`
	Greetings   []Greeting `json:"greetings,omitempty"`
	KeyDays     int        `json:"key_days,omitempty" minimum:"0" maximum:"3650" doc:"recordings get a new master key every so many days; 0: only when asked"`
	Language    string     `json:"language" enum:"zh,yue,en"`
	// CalloutWrapupS is the wrap-up after a call out.
	CalloutWrapupS int `json:"callout_wrapup_s,omitempty" minimum:"-1" maximum:"3600" doc:"seconds of wrap-up after a call out, which has no queue; 0: 60; -1: until the agent is done"`
	ParkLimitS     int `json:"park_limit_s,omitempty" minimum:"0" maximum:"3600" doc:"seconds a person may be parked before who parked them is rung; 0: 120"`
	ConferenceMost int `json:"conference_most,omitempty" minimum:"0" maximum:"16" doc:"how many may talk in one call, person and agent included, at least 3; 0: 8"`
	HoldLimitS     int `json:"hold_limit_s,omitempty" minimum:"0" maximum:"3600" doc:"seconds on hold after which the agent is reminded, and again after as many; 0: never"`
}

// Greeting is a special greeting played before the flow within its days.
type Greeting struct {
	Prompt id.Prompt `json:"prompt" ref:"prompts"`
	From   string    `json:"from" doc:"first day, 2026-05-01"`
	To     string    `json:"to" doc:"last day"`
}
