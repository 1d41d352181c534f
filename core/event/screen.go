package event

import "github.com/kapok-hotline/kapok/core/id"

// ContactScreened says a contact that asked for an agent of a line was sorted into one of its queues, and why. It
// stands before the contact's entry to that queue.
type ContactScreened struct {
	Line    id.Queue            `json:"line"`  // the queue the flow named
	Queue   id.Queue            `json:"queue"` // the one chosen; the line's own when nothing was sure enough
	As      string              `json:"as"`    // operation, fault, policy
	Share   float64             `json:"share"` // how likely, 1/3–1
	Menu    string              `json:"menu,omitempty"`
	Reasons []ScreenReason      `json:"reasons,omitempty"` // the heaviest first
	Queues  map[string]id.Queue `json:"queues"`            // of the line, by what they are for
}

// ScreenReason is one thing that spoke for a kind. Word stands in the lists of words, never anywhere else in what was
// said.
type ScreenReason struct {
	From   string  `json:"from"` // word, pairs (of characters), menu, history
	Word   string  `json:"word,omitempty"`
	As     string  `json:"as"`
	Points float64 `json:"points"`
	Waved  bool    `json:"waved,omitempty"` // the speaker put it aside: it counted for nothing
}

// ContactMoved says an agent sent the contact to another queue of its line, where it keeps its place. A
// ContactTransferred stands before it.
type ContactMoved struct {
	Agent id.User  `json:"agent"`
	Line  id.Queue `json:"line"`
	From  id.Queue `json:"from"`
	To    id.Queue `json:"to"`
	As    string   `json:"as,omitempty"` // what it is about, by the agent's choice of queue
	Since int64    `json:"since"`        // unix ms from which its place counts
}

// Kind is the fact's name in the ledger.
func (ContactScreened) Kind() string { return "contact.screened" }
func (ContactMoved) Kind() string    { return "contact.moved" }
