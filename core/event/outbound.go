package event

import "github.com/kapok-hotline/kapok/core/id"

// OutboundTried says that an agent has the line and the person of a list is called next; its subject, as that of the
// other facts of an attempt, is the contact the attempt makes.
type OutboundTried struct {
	List   string  `json:"list"`
	Person string  `json:"person"` // of the list
	Try    int     `json:"try"`    // 1, 2 …
	Agent  id.User `json:"agent"`
	Mode   string  `json:"mode"` // preview, progressive
}

// OutboundReached says that the person answered and talks with the agent.
type OutboundReached struct {
	List   string  `json:"list"`
	Person string  `json:"person"`
	Agent  id.User `json:"agent"`
}

// OutboundEnded closes an attempt: exactly one per OutboundTried.
type OutboundEnded struct {
	List   string  `json:"list"`
	Person string  `json:"person"`
	Agent  id.User `json:"agent"`
	How    string  `json:"how"` // reached; busy, refused, no_answer, unreachable, agent, machine, failed as in CalloutEnded; called_in, lost
}

// OutboundResulted says what the agent made of the talk; given once.
type OutboundResulted struct {
	List   string  `json:"list"`
	Person string  `json:"person"`
	Agent  id.User `json:"agent"`
	Result string  `json:"result"` // done, again, refused, machine, wrong, never
	Note   string  `json:"note,omitempty"`
	Due    int64   `json:"due,omitempty"` // again: not before, unix ms
}

// OutboundSkipped says that an agent let a person be who was shown to them; its subject is the person of the list.
type OutboundSkipped struct {
	List  string  `json:"list"`
	Agent id.User `json:"agent"`
	Why   string  `json:"why"`
}

// OutboundClosed says that a person of a list is not called any more; its subject is the person.
type OutboundClosed struct {
	List  string `json:"list"`
	How   string `json:"how"` // done, refused, wrong, never, exhausted, called_in, settled, removed, unreported
	Tries int    `json:"tries"`
}

// Kinds of the outbound facts.
func (OutboundTried) Kind() string    { return "outbound.tried" }
func (OutboundReached) Kind() string  { return "outbound.reached" }
func (OutboundEnded) Kind() string    { return "outbound.ended" }
func (OutboundResulted) Kind() string { return "outbound.resulted" }
func (OutboundSkipped) Kind() string  { return "outbound.skipped" }
func (OutboundClosed) Kind() string   { return "outbound.closed" }
