package report

import (
	"testing"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/reporttest"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// Row B5: a visit that became a callback is in no rate until the callback is over; then it is answered, or not; who came
// back is counted by the new call alone. The time until the callback is in no mean wait, its talk in no handling time of
// the queue. No law of the doctor is broken at any of these moments.
func TestRowB5Figures(t *testing.T) {
	h := open(t, storetest.SQLite(t), reporttest.Options{Seed: 8, From: firstDay, Days: 1, Calls: 0, Agents: 2, Queues: 2})
	now := h.clock.Now().UnixMilli()
	look := func(when string, entered, undecided, answered, back, callers int64) {
		t.Helper()
		n := h.table(t, Query{By: ByQueue, Queue: "vat", Step: "day"}).Total.Counts
		want := map[tally.Column]int64{
			tally.Entered: entered, tally.Undecided: undecided, tally.Answered: answered, tally.CalledBack: back,
			tally.CallersAnswered: callers,
		}
		for c, v := range want {
			if n[c] != v {
				t.Errorf("%s: %s is %d, want %d", when, c, n[c], v)
			}
		}
		if n.Talked() != answered-back || n[tally.WaitMs] != 0 {
			t.Errorf("%s: talked %d, waited %d", when, n.Talked(), n[tally.WaitMs])
		}
		checkInvariants(t, h)
	}
	ask := func(c, caller string) {
		h.append(t, c, "gz", event.ContactStarted{Medium: contact.Phone, Direction: contact.In, From: caller},
			event.ContactQueued{Queue: "vat", EnteredAt: now, First: true, Caller: caller},
			event.CallbackAsked{Callback: c + "cb", Queue: "vat", EnteredAt: now, Since: now, Number: caller},
			event.ContactExited{Queue: "vat", EnteredAt: now, WaitMs: 90_000, Why: "callback", Rule: "callback"},
			event.ContactEnded{By: contact.BySystem, Outcome: contact.Promised})
	}
	end := func(c, how string) {
		h.append(t, c, "gz", event.CallbackEnded{Callback: c + "cb", Queue: "vat", EnteredAt: now, How: how})
	}
	ask("01A", "1")
	ask("01B", "2")
	ask("01C", "3")
	look("asked", 3, 3, 0, 0, 0)
	h.append(t, "01D", "gz", event.ContactStarted{Medium: contact.Phone, Direction: contact.Out, From: "1", To: "1"},
		event.ContactAnswered{Queue: "vat", Agent: "1001", EnteredAt: now + 5, WaitMs: 1}, event.LegStarted{Leg: "01DL", Role: "agent", Agent: "1001"})
	h.append(t, "01A", "gz", event.ContactAnswered{Offer: id.Offer("callback-1"), Queue: "vat", Agent: "1001", EnteredAt: now, WaitMs: 600_000})
	end("01A", event.BackReached)
	look("one reached", 3, 2, 1, 1, 1)
	end("01B", event.BackGaveUp)
	look("one given up", 3, 1, 1, 1, 1)
	end("01C", event.BackCameBack)
	look("one came back", 3, 1, 1, 1, 1)
}
