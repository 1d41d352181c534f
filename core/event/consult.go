package event

import (
	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
)

// Who the agent speaks with while somebody is being asked.
const (
	WithAsked  = "asked"  // the person hears music
	WithCaller = "caller" // who is asked hears music
	WithBoth   = "both"   // a three-party call
)

// ConsultBegun says that an agent asks somebody from the desk; the asked one's own leg has the role consult. Queue is
// the queue whose free agent it is, if one was asked for.
type ConsultBegun struct {
	Agent id.User        `json:"agent"`
	To    contact.Target `json:"to"` // who it became: of a queue its agent
	Queue id.Queue       `json:"queue,omitempty"`
}

// ConsultTurned says whom the agent speaks with now; the first says that the asked one has answered.
type ConsultTurned struct {
	Agent id.User `json:"agent"`
	With  string  `json:"with"` // asked, caller, both
}

// ConsultEnded says that nobody is being asked any more.
type ConsultEnded struct {
	Agent id.User `json:"agent"`
	Why   string  `json:"why"` // desk, transfer, or why there was no answer: a fault's code
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
func (LegRecalled) Kind() string   { return "leg.recalled" }
