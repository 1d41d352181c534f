package routing

import (
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/acd"
)

// The most of a decision that a fact carries; the counts in it are whole.
const (
	traceAgents = 8
	traceRivals = 4
)

// trimmed copies what a fact keeps of a decision; the brain reuses the original.
func trimmed(d *acd.Decision) *acd.Decision {
	c := *d
	c.Candidates = append([]acd.Candidate(nil), d.Candidates[:min(len(d.Candidates), traceAgents)]...)
	c.Rivals = append([]acd.Rival(nil), d.Rivals[:min(len(d.Rivals), traceRivals)]...)
	return &c
}

// Standing is where a contact stands in its queue, and what can be thought of its wait.
type Standing struct {
	Ahead  int           `json:"ahead,omitempty"`  // who is before
	Wait   time.Duration `json:"wait,omitempty"`   // what is thought of the rest; 0: nothing is known yet
	Said   time.Duration `json:"said,omitempty"`   // whole minutes that can be told and believed (row B6); 0: none can
	Within time.Duration `json:"within,omitempty"` // whole minutes in which nine of ten at this place are served; 0: not known
}

// place says where a contact stands; false when it does not wait.
func (t *thinker) place(c id.Contact) (Standing, bool) {
	w, ok := t.brain.Wait(c)
	ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
	return Standing{w.Ahead, ms(w.Mean), ms(w.Said), ms(w.Within)}, ok
}
