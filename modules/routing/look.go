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

// place says how many wait before the contact, and how long it may take (0: not known yet).
func (t *thinker) place(c id.Contact) (ahead int, wait time.Duration, ok bool) {
	position, ok := t.brain.Position(c)
	if !ok {
		return 0, 0, false
	}
	ms, _ := t.brain.EstimatedWait(c)
	return position - 1, time.Duration(ms) * time.Millisecond, true
}
