package tally

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
)

// The numbers are those of docs/pains.md.

// told gives the figures of one contact's facts, each order of which must come to the same.
func told(t *testing.T, facts []Fact) Figures {
	t.Helper()
	china := zone(t, "")
	in := func(id.Site) *time.Location { return china }
	var first Figures
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 20 {
		if n > 0 {
			rng.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
		}
		c := Contact{}
		for _, f := range facts {
			c.Apply(f, in)
		}
		f := Figures{}
		f.Book(c.Figures(), +1)
		if first == nil {
			first = f
		}
		for k, v := range f {
			if w := first[k]; w == nil || *w != *v {
				t.Fatalf("in another order %+v is %v, was %v", k, v, w)
			}
		}
	}
	return first
}

const painAt = int64(1_780_000_000_000)

func begun(t *testing.T) (day string, slot int, facts []Fact) {
	t.Helper()
	day, slot = clock.Local(painAt, zone(t, ""))
	return day, slot, []Fact{
		{At: painAt, Day: day, Slot: slot, Place: "gz", Body: event.ContactStarted{Medium: contact.Phone, Direction: contact.In}},
		{At: painAt, Place: "gz", Body: event.ContactQueued{Queue: "vat", EnteredAt: painAt, First: true}},
	}
}

// Pain 8: the agent who gave a call away after a minute was billed with the hour another agent talked (FreePBX#124).
func TestPain08AnHourIsBilledToWhoTalkedIt(t *testing.T) {
	day, slot, facts := begun(t)
	second := painAt + 90_000
	end := second + 3_600_000
	facts = append(facts,
		Fact{At: painAt + 9000, Place: "gz", Body: event.ContactAnswered{Queue: "vat", Agent: "1001", EnteredAt: painAt, WaitMs: 9000}},
		Fact{At: second, Place: "gz", Body: event.ContactTransferred{Agent: "1001", To: contact.Target{Kind: contact.ToQueue, Code: "iit"}}},
		Fact{At: second, Place: "gz", Body: event.LegEnded{Leg: "l1", Role: "agent", Agent: "1001", Queue: "vat", EnteredAt: painAt, TalkMs: 81_000}},
		Fact{At: second, Place: "gz", Body: event.ContactQueued{Queue: "iit", EnteredAt: second}},
		Fact{At: second, Place: "gz", Body: event.ContactAnswered{Queue: "iit", Agent: "1002", EnteredAt: second}},
		Fact{At: end, Place: "gz", Body: event.LegEnded{Leg: "l2", Role: "agent", Agent: "1002", Queue: "iit", EnteredAt: second, TalkMs: 3_600_000}},
		Fact{At: end, Place: "gz", Body: event.ContactEnded{By: contact.ByCaller, Outcome: contact.Answered, Ms: end - painAt}},
	)
	talk := map[id.User]int64{}
	for k, n := range told(t, facts) {
		if k.Table == ByAgent {
			talk[k.Agent] += n[TalkMs] + n[HoldMs]
		}
	}
	if talk["1001"] != 81_000 || talk["1002"] != 3_600_000 {
		t.Errorf("on %s %d: %v", day, slot, talk)
	}
}

// Pain 27: answered calls were reported as abandoned (IssabelFoundation/callcenter#41): a caller who hangs up in the
// moment of the answer, and one who does after it, were both reached.
func TestPain27AnsweredIsNeverAbandoned(t *testing.T) {
	for name, gave := range map[string]int64{"in the moment of the answer": 9000, "a moment after it": 9001} {
		_, _, facts := begun(t)
		facts = append(facts,
			Fact{At: painAt + 9000, Place: "gz", Body: event.ContactAnswered{Queue: "vat", Agent: "1001", EnteredAt: painAt, WaitMs: 9000}},
			Fact{At: painAt + gave, Place: "gz", Body: event.ContactAbandoned{Queue: "vat", EnteredAt: painAt, WaitMs: gave}},
		)
		for k, n := range told(t, facts) {
			if k.Table == ByQueue && (n[Answered] != 1 || n[Abandoned] != 0) {
				t.Errorf("%s: answered %d, abandoned %d", name, n[Answered], n[Abandoned])
			}
		}
	}
}

// A caller who asks to be called back and is answered later leaves the same longest wait behind as if that had been
// known from the start: a longest wait is never taken back, so it must not be counted too soon.
func TestAPromiseTakesNoLongestWaitBack(t *testing.T) {
	china := zone(t, "")
	_, _, facts := begun(t)
	facts = append(
		facts,
		Fact{At: painAt + 9000, Place: "gz", Body: event.ContactExited{Queue: "vat", EnteredAt: painAt, WaitMs: 9000, Why: "other", Rule: "callback"}},
		Fact{At: painAt + 60_000, Place: "gz", Body: event.ContactAnswered{Queue: "vat", Agent: "1001", EnteredAt: painAt, WaitMs: 60_000}},
		Fact{At: painAt + 60_000, Place: "gz", Body: event.CallbackEnded{Queue: "vat", EnteredAt: painAt, How: event.BackReached}},
	)
	step, c := Figures{}, Contact{}
	for _, f := range facts {
		step.Book(c.Figures(), -1)
		c.Apply(f, func(id.Site) *time.Location { return china })
		step.Book(c.Figures(), +1)
	}
	whole := Figures{}
	whole.Book(c.Figures(), +1)
	for k, n := range step {
		if w := whole[k]; w == nil && !n.Zero() || w != nil && *w != *n {
			t.Errorf("%+v is %v step by step, and %v at the end", k, n, w)
		}
	}
}
