package routing

import (
	"github.com/kapok-hotline/kapok/core/id"
)

// Skill is something an agent can know and a queue can ask for.
type Skill struct {
	Code   id.Skill `json:"code" minLength:"1" maxLength:"32"`
	Name   string   `json:"name" minLength:"1"`
	NameEn string   `json:"name_en,omitempty"`
}

// Need is a skill a queue asks for, and at least how much of it.
type Need struct {
	Skill id.Skill `json:"skill" ref:"skills"`
	Level int      `json:"level" minimum:"0" maximum:"4"`
}

// Ring widens a queue: after the given wait agents of these sites may take its contacts too.
type Ring struct {
	AfterS int       `json:"after_s" minimum:"0"`
	WaitS  int       `json:"wait_s,omitempty" minimum:"0" maximum:"7200" doc:"opens at once when the estimated wait is this long; 0: by time alone"`
	Sites  []id.Site `json:"sites" ref:"sites"`
}

// Queue is where contacts wait for an agent. Times are seconds; 0 means "no such rule".
type Queue struct {
	Code          id.Queue  `json:"code" minLength:"1" maxLength:"32"`
	Name          string    `json:"name" minLength:"1"`
	NameEn        string    `json:"name_en,omitempty"`
	Site          id.Site   `json:"site" ref:"sites"`
	Needs         []Need    `json:"needs,omitempty"`
	Priority      int       `json:"priority,omitempty" minimum:"-5" maximum:"5" doc:"each step is worth a minute of waiting"`
	RelaxAfterS   int       `json:"relax_after_s,omitempty" minimum:"0" doc:"each such wait lets agents one level lower in"`
	RingS         int       `json:"ring_s" minimum:"5" maximum:"120" default:"20" doc:"how long one agent's phone rings"`
	WrapupS       int       `json:"wrapup_s" minimum:"-1" maximum:"3600" doc:"-1: until the agent is done"`
	MaxLength     int       `json:"max_length,omitempty" minimum:"0"`
	MaxWaitS      int       `json:"max_wait_s,omitempty" minimum:"0"`
	NoAgentsS     int       `json:"no_agents_s" minimum:"0" maximum:"20" doc:"with nobody signed in, the rule applies after this wait"`
	Calendar      string    `json:"calendar,omitempty" ref:"calendars" doc:"closing rule applies outside its hours; empty: always open"`
	Music         id.Prompt `json:"music,omitempty" ref:"prompts"`
	PlaceSaid     bool      `json:"place_said,omitempty" doc:"callers are told their place and about how long it takes"`
	CallbackS     int       `json:"callback_s,omitempty" minimum:"0" maximum:"3600" doc:"a callback is offered to who has waited this long; 0: not by time"`
	CallbackWaitS int       `json:"callback_wait_s,omitempty" minimum:"0" maximum:"7200" doc:"a callback is offered at once when the estimate is this long; 0: not by estimate"`
	CallbackTries int       `json:"callback_tries,omitempty" minimum:"0" maximum:"10" doc:"calls made to reach the person; 0: 3"`
	CallbackGapS  int       `json:"callback_gap_s,omitempty" minimum:"0" maximum:"14400" doc:"time between two such calls; 0: 600"`
	StickyS       int       `json:"sticky_s,omitempty" minimum:"0" maximum:"300" doc:"so long a caller waits for the agent they know, if that one is at work; 0: not at all"`
	RedialMin     int       `json:"redial_min,omitempty" minimum:"-1" maximum:"30" doc:"minutes of head start from the third call within half an hour; 0: one; -1: none"`
	AnnounceS     int       `json:"announce_s,omitempty" minimum:"0" doc:"comfort announcement every so often"`
	OnFull        id.Flow   `json:"on_full,omitempty" ref:"flows"`
	OnMaxWait     id.Flow   `json:"on_max_wait,omitempty" ref:"flows"`
	OnNoAgents    id.Flow   `json:"on_no_agents,omitempty" ref:"flows"`
	OnClosing     id.Flow   `json:"on_closing,omitempty" ref:"flows"`
	Rings         []Ring    `json:"rings,omitempty"`
	Secret        bool      `json:"secret,omitempty" doc:"for tip-offs: nobody listens to its calls, and their recordings take a right of their own"`
	NoRecording   bool      `json:"no_recording,omitempty" doc:"talks of this queue are not recorded"`
	Target        float64   `json:"target,omitempty" minimum:"0" maximum:"1" doc:"agent answer rate aimed at"`
}

// Agent is a user who takes contacts: what they know and how much at once.
type Agent struct {
	User     id.User          `json:"user" ref:"users"`
	Skills   map[id.Skill]int `json:"skills" doc:"level 0-4 per skill"`
	Capacity map[string]int   `json:"capacity,omitempty" doc:"contacts at once per medium; phone 1 when absent"`
}

// Rules are the settings of the brain as a whole.
type Rules struct {
	MissedLimit int            `json:"missed_limit" minimum:"0" maximum:"20" doc:"so many missed offers in a row make the agent away; 0: never"`
	Weights     map[string]int `json:"weights,omitempty" doc:"what a contact of each medium (phone, chat, wechat, weibo, sms) weighs of the 100 an agent carries at once, 1 to 100; absent: phone 100, the others 30"`
}
