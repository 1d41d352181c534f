package event

import (
	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
)

// AgentState is what an agent is doing. Away carries a reason code.
type AgentState string

// The states. Hold is a matter of the leg, not of the agent.
const (
	SignedOut AgentState = "signed_out"
	Ready     AgentState = "ready"
	Ringing   AgentState = "ringing"
	Talking   AgentState = "talking"
	Wrapup    AgentState = "wrapup"
	Away      AgentState = "away"
)

// AgentSignedIn opens an agent's day part; Subject is the user.
type AgentSignedIn struct {
	Endpoint contact.Endpoint `json:"endpoint"`
	Seat     id.Seat          `json:"seat,omitempty"`
}

// AgentChanged says the agent went from one state to the next. WasMs is how long the state left had lasted:
// the sum of WasMs from sign-in to sign-out is the sign-in time, to the millisecond. Contact, Queue and
// EnteredAt are those of the state left (talking, wrap-up), for handling time by queue and interval.
type AgentChanged struct {
	State     AgentState `json:"state"`
	Reason    string     `json:"reason,omitempty"`
	Was       AgentState `json:"was"`
	WasReason string     `json:"was_reason,omitempty"`
	WasSince  int64      `json:"was_since"`
	WasMs     int64      `json:"was_ms"`
	Contact   id.Contact `json:"contact,omitempty"`
	Queue     id.Queue   `json:"queue,omitempty"`
	EnteredAt int64      `json:"entered_at,omitempty"`
	With      id.Contact `json:"with,omitempty"`  // the contact of the new state
	Until     int64      `json:"until,omitempty"` // when the new state ends by itself (wrap-up, ringing); 0: open
	Next      string     `json:"next,omitempty"`  // away wanted after talk and wrap-up: its reason
	By        string     `json:"by,omitempty"`    // agent, brain (missed offers), supervisor, lost
}

// AgentSignedOut closes what AgentSignedIn opened. The last state's time is in the AgentChanged to signed_out
// that comes just before it.
type AgentSignedOut struct {
	Ms  int64  `json:"ms"` // since sign-in
	Why string `json:"why,omitempty"`
}

// AgentAskedHelp says an agent asked the team leader for help.
type AgentAskedHelp struct {
	Contact id.Contact `json:"contact,omitempty"`
	Note    string     `json:"note,omitempty"`
}

// Kinds of the agent facts.
func (AgentSignedIn) Kind() string  { return "agent.signed_in" }
func (AgentChanged) Kind() string   { return "agent.changed" }
func (AgentSignedOut) Kind() string { return "agent.signed_out" }
func (AgentAskedHelp) Kind() string { return "agent.asked_help" }
