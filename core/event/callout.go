package event

import (
	"github.com/kapok-hotline/kapok/core/id"
)

// CalloutBegun says that an agent calls a person outside; its subject, as that of all facts of a call-out, is the
// contact the call is. Purpose and Ref are whatever asked for it: desk, missed, outbound …, and the entry of its list.
type CalloutBegun struct {
	Agent   id.User `json:"agent"`
	Number  string  `json:"caller"` // called, national form; masked as the caller's is
	Purpose string  `json:"purpose,omitempty"`
	Ref     string  `json:"ref,omitempty"`
}

// CalloutAnswered says that the person answered, and talks with the agent from now on.
type CalloutAnswered struct {
	Agent   id.User  `json:"agent"`
	Purpose string   `json:"purpose,omitempty"`
	Ref     string   `json:"ref,omitempty"`
	Trunk   id.Trunk `json:"trunk"`           // the call left by
	Shown   string   `json:"shown,omitempty"` // number the person saw
	RingMs  int64    `json:"ring_ms"`         // of the person's phone
}

// CalloutHeard says who answered a call-out by the sound of it, where that was asked for: before CalloutAnswered when
// the agent is put through, and before CalloutEnded when it is a machine.
type CalloutHeard struct {
	Agent   id.User `json:"agent"`
	Purpose string  `json:"purpose,omitempty"`
	Ref     string  `json:"ref,omitempty"`
	Who     string  `json:"who"`               // person, machine, unknown (and treated as a person)
	Why     string  `json:"why"`               // pause, long, beep, silence, limit
	Ms      int64   `json:"ms"`                // listened to
	Message bool    `json:"message,omitempty"` // a message is left
}

// CalloutEnded closes a call-out: exactly one per CalloutBegun, unless the contact is lost. It comes before the
// contact's end.
type CalloutEnded struct {
	Agent   id.User `json:"agent"`
	Purpose string  `json:"purpose,omitempty"`
	Ref     string  `json:"ref,omitempty"`
	Result  string  `json:"result"`         // answered, busy, refused, no_answer, unreachable, agent, machine, failed
	Code    string  `json:"code,omitempty"` // of the fault, where there was one
}

// The results of a call-out.
const (
	OutAnswered    = "answered"
	OutBusy        = "busy"
	OutRefused     = "refused"
	OutNoAnswer    = "no_answer"
	OutUnreachable = "unreachable" // no such number, switched off, out of order
	OutAgent       = "agent"       // the agent gave up, or their own phone was not answered
	OutMachine     = "machine"     // an answering machine, by the sound of it
	OutFailed      = "failed"      // a fault of ours: no trunk had room, the process stopped
)

// Kinds of the call-out facts.
func (CalloutBegun) Kind() string    { return "callout.begun" }
func (CalloutAnswered) Kind() string { return "callout.answered" }
func (CalloutHeard) Kind() string    { return "callout.heard" }
func (CalloutEnded) Kind() string    { return "callout.ended" }
