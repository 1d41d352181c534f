package report

import (
	"testing"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/ledger"
)

func TestRunningLegs(t *testing.T) {
	fact := func(at int64, b event.Body) ledger.Fact {
		return ledger.Fact{At: at, Kind: b.Kind(), Body: ledger.Body(b)}
	}
	answered := fact(1300, event.LegAnswered{Leg: "a"})
	held := fact(2000, event.LegHeld{Leg: "a"})
	resumed := fact(2400, event.LegResumed{Leg: "a", HeldMs: 400})
	again := fact(2900, event.LegHeld{Leg: "a"})
	for _, c := range []struct {
		name                       string
		facts                      []ledger.Fact
		answered, ring, talk, hold int64
	}{
		{"rings", nil, 0, 2000, 0, 0},
		{"talks", []ledger.Fact{answered}, 1300, 300, 1700, 0},
		{"is on hold", []ledger.Fact{answered, held}, 1300, 300, 700, 1000},
		{"talks again", []ledger.Fact{answered, held, resumed}, 1300, 300, 1300, 400},
		{"is on hold again", []ledger.Fact{answered, held, resumed, again}, 1300, 300, 1200, 500},
		{"another leg answers", []ledger.Fact{fact(1300, event.LegAnswered{Leg: "b"})}, 0, 2000, 0, 0},
	} {
		n := legsNow{}
		for i := range c.facts {
			n.tell(&c.facts[i])
		}
		l := LegItem{Leg: "a", Started: 1000}
		n.show(&l, 3000)
		if l.Answered != c.answered || l.RingMs != c.ring || l.TalkMs != c.talk || l.HoldMs != c.hold || l.RingMs+l.TalkMs+l.HoldMs != 2000 {
			t.Errorf("%s: %+v", c.name, l)
		}
	}
	l := LegItem{Leg: "a", Started: 1000, Ended: 1500, RingMs: 500}
	if n := (legsNow{"a": {answered: 1300}}); true {
		n.show(&l, 3000)
	}
	if l.Answered != 0 || l.RingMs != 500 {
		t.Errorf("one that has ended stays as it is: %+v", l)
	}
}
