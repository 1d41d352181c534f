package event

import (
	"github.com/kapok-hotline/kapok/core/id"
)

// CallbackAsked says that the person, waiting in a queue, would rather be called back; its subject, as that of all facts
// of a callback, is the contact they asked in. The place in the queue is kept from Since.
type CallbackAsked struct {
	Callback  string   `json:"callback"`
	Queue     id.Queue `json:"queue"`
	EnteredAt int64    `json:"entered_at"` // names the visit
	Since     int64    `json:"since"`      // unix ms
	Number    string   `json:"caller"`     // to be called, national form; masked as the caller's is
	Keyed     bool     `json:"keyed"`      // by keys; else the one they called from
}

// CallbackTried says that the person was called and not reached.
type CallbackTried struct {
	Callback string     `json:"callback"`
	Try      int        `json:"try"` // 1, 2 …
	Contact  id.Contact `json:"contact"`
	Agent    id.User    `json:"agent,omitempty"`
	Why      string     `json:"why"` // contact.busy, contact.refused, contact.unreachable, no_answer, agent
}

// CallbackReached says that the person answered and talks with the agent.
type CallbackReached struct {
	Callback string     `json:"callback"`
	Try      int        `json:"try"`
	Contact  id.Contact `json:"contact"` // the call-out
	Agent    id.User    `json:"agent"`
	WaitMs   int64      `json:"wait_ms"` // from Since
}

// CallbackEnded closes a callback: exactly one per CallbackAsked. With How came_back the contact By is the person's new
// call, which has taken the place.
type CallbackEnded struct {
	Callback  string     `json:"callback"`
	Queue     id.Queue   `json:"queue"`
	EnteredAt int64      `json:"entered_at"`
	How       string     `json:"how"` // reached, gave_up, came_back, dropped, cancelled
	Tries     int        `json:"tries"`
	By        id.Contact `json:"by,omitempty"`
	Why       string     `json:"why,omitempty"` // of cancelled: the reason; Actor is who
}

// The ways a callback ends.
const (
	BackReached  = "reached"
	BackGaveUp   = "gave_up"
	BackCameBack = "came_back"
	BackDropped  = "dropped"

	BackCancelled = "cancelled" // by hand; the person is not told
)

// Kinds of the callback facts.
func (CallbackAsked) Kind() string   { return "callback.asked" }
func (CallbackTried) Kind() string   { return "callback.tried" }
func (CallbackReached) Kind() string { return "callback.reached" }
func (CallbackEnded) Kind() string   { return "callback.ended" }
