package tally

import (
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
)

// The measures by their definitions, on one small day: 10 visits entered, 8 answered (5 within 15 s, 6 within 20),
// 2 abandoned (1 within 5 s, 1 after more than 20 s), 9 callers of whom 8 were answered, 20 contacts of which 7
// served themselves.
func TestMeasures(t *testing.T) {
	s := Sums{Counts: Counts{
		Entered: 10, First: 10, Answered: 8, Abandoned: 2, Within15: 5, Within20: 6, AbandonedShort: 1, AbandonedLate: 1,
		WaitMs: 100_000, TalkMs: 1_440_000, HoldMs: 80_000, WrapMs: 240_000, Callers: 9, CallersAnswered: 8,
		Started: 20, Served: 7, Reached: 8, Asked: 10, Offered: 9, Missed: 1,
	}}
	for state, ms := range map[event.AgentState]int64{event.Ready: 600_000, event.Talking: 1_520_000, event.Wrapup: 240_000, event.Ringing: 40_000} {
		s.Spend(state, false, ms)
	}
	s.Spend(event.Away, true, 100_000)
	s.Spend(event.Away, false, 500_000)
	want := map[string]string{
		"JTL": "80.0%", "JTL2": "75.0%", "JTLU": "88.9%", "SL15": "62.5%", "SL20": "66.7%", "SL2": "70.0%", "ABN": "20.0%",
		"ASA": "0:13", "AHT": "3:40", "ACW": "0:30", "TALK": "3:00", "OCC": "74.6%", "GSL": "83.3%", "ACC": "88.9%",
		"signed_in_ms": "50:00", "talk_ms": "24:00", "entered": "10", "exited": "0", "FCR": "–",
	}
	for _, m := range Measures() {
		v, ok := m.Value(&s)
		if w, named := want[m.ID]; named && m.Format(v, ok) != w {
			t.Errorf("%s is %s, want %s", m.ID, m.Format(v, ok), w)
		}
		if v, ok := m.Value(&Sums{}); m.Den != nil && ok {
			t.Errorf("%s of nothing is %v", m.ID, v)
		}
		if m.Num == nil && m.By == "" {
			t.Errorf("%s is computed by nobody", m.ID)
		}
	}
}

func TestDuration(t *testing.T) {
	for ms, want := range map[int64]string{0: "0:00", 499: "0:00", 500: "0:01", 42_000: "0:42", 727_000: "12:07", 3_599_499: "59:59", 3_599_500: "1:00:00", 3_723_000: "1:02:03"} {
		if got := Duration(ms); got != want {
			t.Errorf("%d ms is shown as %s, want %s", ms, got, want)
		}
	}
}

// What contradicting or repeated facts of one visit come to.
func TestVisitsThatFactsContradict(t *testing.T) {
	shanghai := func() Zone {
		z := zone(t, "")
		return func(id.Site) *time.Location { return z }
	}()
	at := int64(1_780_000_000_000)
	day, slot := clock.Local(at, shanghai("gz"))
	start := Fact{At: at, Day: day, Slot: slot, Place: "gz", Body: event.ContactStarted{Medium: contact.Phone, Direction: contact.In}}
	queued := Fact{At: at, Place: "gz", Body: event.ContactQueued{Queue: "vat", EnteredAt: at, First: true}}
	answered := Fact{At: at + 9000, Place: "gz", Body: event.ContactAnswered{Queue: "vat", Agent: "1001", EnteredAt: at, WaitMs: 9000}}
	abandoned := Fact{At: at + 9001, Place: "gz", Body: event.ContactAbandoned{Queue: "vat", EnteredAt: at, WaitMs: 9001}}
	for _, c := range []struct {
		name                         string
		facts                        []Fact
		entered, answered, abandoned int64
	}{
		{"waiting", []Fact{start, queued}, 1, 0, 0},
		{"the start has not come: nothing counts", []Fact{queued, answered}, 0, 0, 0},
		{"the entry has not come: the visit does not count", []Fact{start, answered}, 0, 0, 0},
		{"the answer came before the entry", []Fact{answered, queued, start}, 1, 1, 0},
		{"answered and abandoned in one moment: answered", []Fact{start, queued, abandoned, answered}, 1, 1, 0},
		{"the other way round: the same", []Fact{start, queued, answered, abandoned}, 1, 1, 0},
	} {
		var con Contact
		for _, f := range c.facts {
			con.Apply(f, shanghai)
		}
		f := Figures{}
		f.Book(con.Figures(), +1)
		n := *f.At(Key{Table: ByQueue, Day: day, Slot: slot, Site: "gz", Medium: contact.Phone, Queue: "vat"})
		if n[Entered] != c.entered || n[Answered] != c.answered || n[Abandoned] != c.abandoned {
			t.Errorf("%s: entered %d, answered %d, abandoned %d", c.name, n[Entered], n[Answered], n[Abandoned])
		}
		f.Book(con.Figures(), -1)
		for k, n := range f {
			n[MaxWaitMs] = 0
			if !n.Zero() {
				t.Errorf("%s: taking away what was added leaves %v at %v", c.name, n, k)
			}
		}
	}
}
