package event

import "github.com/kapok-hotline/kapok/core/id"

// FlowTried says somebody called a flow they are drawing, on a real line but as a test: Subject is the test, never a
// contact, Actor who called. It counts in no figure.
type FlowTried struct {
	Flow    id.Flow `json:"flow"`
	Version int     `json:"version,omitempty"` // published, that the graph was made from; 0: none
	Ms      int64   `json:"ms"`                // from answer to end
	Steps   int     `json:"steps"`             // nodes come to
	At      string  `json:"node,omitempty"`    // where it ended
	Outcome string  `json:"outcome,omitempty"` // how a call would have counted
}

// Kind is the fact's name in the ledger.
func (FlowTried) Kind() string { return "flow.tried" }
