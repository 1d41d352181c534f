package event

import (
	"strings"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
)

// ContactStarted opens a contact: exactly one per contact, its first fact.
type ContactStarted struct {
	Medium    contact.Medium    `json:"medium"`
	Direction contact.Direction `json:"direction"`
	From      string            `json:"from"` // the person's number in national form ("013900000137", "02083330000"), empty when withheld
	To        string            `json:"to"`   // the number reached ("12366")
	Number    id.Number         `json:"number,omitempty"`
	Trunk     id.Trunk          `json:"trunk,omitempty"`
	CallID    string            `json:"call_id,omitempty"`
}

// ContactGuided says the contact entered a flow.
type ContactGuided struct {
	Flow    id.Flow `json:"flow"`
	Version int     `json:"version"`
	NoMenu  bool    `json:"no_menu,omitempty"` // menus that can be skipped are, for this contact
}

// ContactStepped says the flow reached a node; Key is what the person pressed there, if anything. With Why it says
// that an answer there came to nothing: silence (timeout), a mistake (invalid), speech nobody could make out (unheard) or
// turn into text (deaf). Via is the port the node was
// reached by, where the nodes alone do not tell.
type ContactStepped struct {
	Flow id.Flow `json:"flow"`
	Node string  `json:"node"`
	Step string  `json:"step"` // the node's kind: play, menu, gather …
	Key  string  `json:"key,omitempty"`
	Said bool    `json:"said,omitempty"` // the key was chosen by its words
	Why  string  `json:"why,omitempty"`
	Via  string  `json:"via,omitempty"`
}

// ContactServed says the flow reached a step marked served: the person has what they came for.
type ContactServed struct {
	Flow id.Flow `json:"flow"`
	Node string  `json:"node"`
}

// ContactQueued says the contact entered an agent queue. EnteredAt keeps its place: a re-queue after a missed
// offer is no new ContactQueued; a transfer to a queue is, with First false.
type ContactQueued struct {
	Queue     id.Queue `json:"queue"`
	Priority  int      `json:"priority"`
	EnteredAt int64    `json:"entered_at"`
	First     bool     `json:"first"`            // the person's first request for an agent in this contact
	Caller    string   `json:"caller,omitempty"` // key of the person for the caller answer rate and redials (the number)
}

// ContactOffered says an agent's endpoint is being rung.
type ContactOffered struct {
	Offer     id.Offer `json:"offer"`
	Queue     id.Queue `json:"queue"`
	Agent     id.User  `json:"agent"`
	EnteredAt int64    `json:"entered_at"`
	Relax     int      `json:"relax,omitempty"` // skill levels given way
	Ring      int      `json:"ring,omitempty"`  // widening ring of sites
	Trace     any      `json:"trace,omitempty"` // the brain's explanation: candidates, refusals, order
}

// ContactMissed says an offer came to nothing and the contact is back at its old place.
type ContactMissed struct {
	Offer id.Offer `json:"offer"`
	Queue id.Queue `json:"queue"`
	Agent id.User  `json:"agent"`
	Why   string   `json:"why"` // missed, refused, failed, withdrawn
}

// ContactAnswered says an agent took the contact out of a queue: one winner per offer.
type ContactAnswered struct {
	Offer     id.Offer `json:"offer"`
	Queue     id.Queue `json:"queue"`
	Agent     id.User  `json:"agent"`
	EnteredAt int64    `json:"entered_at"`
	WaitMs    int64    `json:"wait_ms"` // from EnteredAt to the answer, ringing included
}

// byCallback begins the offer by which a promised call back answers the visit it was promised in.
const byCallback = "callback-"

// OfferOfCallback is the offer of a callback that reached the person.
func OfferOfCallback(callback string) id.Offer { return id.Offer(byCallback + callback) }

// ByCallback says that the visit was answered later, by a call of ours: it has ended, and the call is another contact.
func (b ContactAnswered) ByCallback() bool { return strings.HasPrefix(string(b.Offer), byCallback) }

// ContactAbandoned says the person left while waiting.
type ContactAbandoned struct {
	Queue     id.Queue `json:"queue"`
	EnteredAt int64    `json:"entered_at"`
	WaitMs    int64    `json:"wait_ms"`
}

// ContactExited says a rule took the contact out of the queue.
type ContactExited struct {
	Queue     id.Queue `json:"queue"`
	EnteredAt int64    `json:"entered_at"`
	WaitMs    int64    `json:"wait_ms"`
	Why       string   `json:"why"`  // full, max_wait, closing, no_agents, transferred
	Rule      string   `json:"rule"` // message, callback, closing_text, flow
}

// ContactTransferred says an agent gave the contact on.
type ContactTransferred struct {
	Agent id.User        `json:"agent"`
	To    contact.Target `json:"to"`
}

// ContactEnded closes a contact: exactly one ContactEnded or ContactLost per contact, its last fact but for
// recordings and wrap-up.
type ContactEnded struct {
	By      contact.Party   `json:"by"`
	Outcome contact.Outcome `json:"outcome"`
	Cause   string          `json:"cause,omitempty"` // "sip 487", "rtp timeout" …
	Ms      int64           `json:"ms"`              // start to end
}

// ContactLost closes a contact whose node died; it ended when it was last heard of.
type ContactLost struct {
	LastHeard int64 `json:"last_heard"`
	Ms        int64 `json:"ms"`
}

// Kinds of the contact facts.
func (ContactStarted) Kind() string     { return "contact.started" }
func (ContactGuided) Kind() string      { return "contact.guided" }
func (ContactStepped) Kind() string     { return "contact.stepped" }
func (ContactServed) Kind() string      { return "contact.served" }
func (ContactQueued) Kind() string      { return "contact.queued" }
func (ContactOffered) Kind() string     { return "contact.offered" }
func (ContactMissed) Kind() string      { return "contact.missed" }
func (ContactAnswered) Kind() string    { return "contact.answered" }
func (ContactAbandoned) Kind() string   { return "contact.abandoned" }
func (ContactExited) Kind() string      { return "contact.exited" }
func (ContactTransferred) Kind() string { return "contact.transferred" }
func (ContactEnded) Kind() string       { return "contact.ended" }
func (ContactLost) Kind() string        { return "contact.lost" }
