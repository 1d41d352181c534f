package report

import (
	"encoding/json"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
)

// legNow is how a leg that has not ended stands, by its facts: the row of a leg is written when it starts and when it
// ends, so that an answer costs no write, and what lies between is read from the facts when somebody looks.
type legNow struct {
	answered, heldAt, held int64
}

type legsNow map[id.Leg]*legNow

func (n legsNow) at(l id.Leg) *legNow {
	if n[l] == nil {
		n[l] = &legNow{}
	}
	return n[l]
}

// tell takes a fact in; those that say nothing of a running leg are passed over.
func (n legsNow) tell(f *ledger.Fact) {
	switch f.Kind {
	case event.LegAnswered{}.Kind():
		var b event.LegAnswered
		if json.Unmarshal(f.Body, &b) == nil {
			n.at(b.Leg).answered = f.At
		}
	case event.LegHeld{}.Kind():
		var b event.LegHeld
		if json.Unmarshal(f.Body, &b) == nil {
			n.at(b.Leg).heldAt = f.At
		}
	case event.LegResumed{}.Kind():
		var b event.LegResumed
		if json.Unmarshal(f.Body, &b) == nil {
			l := n.at(b.Leg)
			l.heldAt, l.held = 0, l.held+b.HeldMs
		}
	}
}

// show gives a running leg its answer and its times up to now (unix ms); its parts add up to its length so far, as
// those of one that has ended do.
func (n legsNow) show(l *LegItem, now int64) {
	if l.Ended != 0 || now < l.Started {
		return
	}
	s := n[l.Leg]
	if s == nil || s.answered == 0 {
		l.RingMs = now - l.Started
		return
	}
	l.Answered, l.RingMs, l.HoldMs = s.answered, s.answered-l.Started, s.held
	if s.heldAt != 0 {
		l.HoldMs += now - s.heldAt
	}
	l.TalkMs = now - l.Started - l.RingMs - l.HoldMs
}
