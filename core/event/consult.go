package event

import (
	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
)

// Who the agent speaks with while somebody is being asked.
const (
	WithAsked  = "asked"  // the person hears music
	WithCaller = "caller" // who is asked hears music
	WithBoth   = "both"   // the asked one has come into the talk, and is a party of it
)

// ConsultBegun says that an agent asks somebody from the desk; the asked one's own leg has the role consult. Queue is
// the queue whose free agent it is, if one was asked for.
type ConsultBegun struct {
	Agent id.User        `json:"agent"`
	To    contact.Target `json:"to"` // who it became: of a queue its agent
	Queue id.Queue       `json:"queue,omitempty"`
}

// ConsultTurned says whom the agent speaks with now; the first says that the asked one has answered. With both it says
// who came into the talk, by which leg; from then on nobody is being asked. Whom a conference is passed on to is told of
// each party so.
type ConsultTurned struct {
	Agent id.User         `json:"agent"`
	With  string          `json:"with"` // asked, caller, both
	Leg   id.Leg          `json:"leg,omitempty"`
	To    *contact.Target `json:"to,omitempty"`
	Queue id.Queue        `json:"queue,omitempty"`
	Muted bool            `json:"muted,omitempty"`
}

// ConsultEnded says that nobody is being asked any more, or that the party with the leg has left the talk.
type ConsultEnded struct {
	Agent id.User `json:"agent"`
	Why   string  `json:"why"` // desk, transfer, remote, or why there was no answer: a fault's code
	Leg   id.Leg  `json:"leg,omitempty"`
}

// ConsultMuted says that a party of the talk is heard by nobody, or is heard again.
type ConsultMuted struct {
	Agent id.User `json:"agent"`
	Leg   id.Leg  `json:"leg"`
	Muted bool    `json:"muted"`
}

// LegRecalled says that a person has been on hold longer than the house allows, and that the agent was told.
type LegRecalled struct {
	Leg    id.Leg  `json:"leg"`
	Agent  id.User `json:"agent"`
	HeldMs int64   `json:"held_ms"`
}

// Kinds of the facts of asking, and of a forgotten hold.
func (ConsultBegun) Kind() string  { return "consult.begun" }
func (ConsultTurned) Kind() string { return "consult.turned" }
func (ConsultEnded) Kind() string  { return "consult.ended" }
func (ConsultMuted) Kind() string  { return "consult.muted" }
func (LegRecalled) Kind() string   { return "leg.recalled" }
