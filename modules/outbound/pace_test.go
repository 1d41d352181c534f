package outbound

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// Progressive: one person for one idle agent of the list's site, and nobody while callers wait or too few agents are idle.
func TestOutboundPace(t *testing.T) {
	numbers := []string{"013800000001", "013800000002", "013800000003", "013800000004"}
	for _, x := range []struct {
		name    string
		agents  []id.User
		waiting int
		change  func(*List)
		fresh   bool // agents became idle this second
		want    []id.User
	}{
		{"one for each", []id.User{"1001", "1002"}, 0, nil, false, []id.User{"1001", "1002"}},
		{"never more than there are people", []id.User{"1001", "1002", "1003", "1004", "1005", "1006"}, 0, nil, false, []id.User{"1001", "1002", "1003", "1004"}},
		{"callers come first", []id.User{"1001"}, 1, nil, false, nil},
		{"the last two are left to callers", []id.User{"1001", "1002", "1003"}, 0, func(l *List) { l.KeepFree = 2 }, false, []id.User{"1001"}},
		{"another site's agents are not its own", []id.User{"2001", "1001"}, 0, nil, false, []id.User{"1001"}},
		{"nor those without the right", []id.User{"1008", "1001"}, 0, nil, false, []id.User{"1001"}},
		{"a moment of rest first", []id.User{"1001"}, 0, nil, true, nil},
		{"a preview list is for agents to ask", []id.User{"1001"}, 0, func(l *List) { l.Mode = Preview }, false, nil},
		{"at lunch nobody", []id.User{"1001"}, 0, func(l *List) { l.Calendar = "lunch" }, false, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			h := newHouse(t, storetest.SQLite(t))
			l := visit(Progressive)
			if x.change != nil {
				x.change(&l)
			}
			if l.Calendar != "" {
				h.state = day.Lunch
			}
			h.begins(l, numbers...)
			h.staff(x.agents...)
			if x.fresh {
				for i := range h.idle {
					h.idle[i].Since = h.clock.Now().UnixMilli()
				}
			}
			h.waiting = x.waiting
			h.look()
			sent := h.taken()
			if len(sent) != len(x.want) {
				t.Fatalf("%d are called, want %d", len(sent), len(x.want))
			}
			seen := map[string]bool{}
			for i, e := range sent {
				if e.Agent != x.want[i] || seen[e.Number] {
					t.Errorf("call %d: %s by %s", i, e.Number, e.Agent)
				}
				seen[e.Number] = true
			}
			h.look()
			if again := h.taken(); len(again) > 0 && x.name != "one for each" {
				t.Errorf("%d more for agents who are taken", len(again))
			}
		})
	}
}

// Attempts: each is in the ledger with its end; between two lies the list's time; then it is given up.
func TestOutboundAttempts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		const number = "013800000001"
		h.begins(visit(Progressive), number)
		for n, how := range []string{event.OutBusy, event.OutNoAnswer} {
			h.staff("1001")
			h.look()
			e := h.one()
			h.stands(number, Calling, []string{"", "busy"}[n])
			h.dials(e)
			h.stands(number, Dialled, "")
			h.staff("1002")
			h.look()
			if len(h.taken()) > 0 {
				t.Fatal("called by two at once")
			}
			h.clock.Advance(20 * time.Second)
			h.ends(e, how, how)
			h.staff("1001")
			h.look()
			if len(h.taken()) > 0 {
				t.Fatal("called again at once")
			}
			h.clock.Advance(31 * time.Minute)
		}
		h.stands(number, Closed, "exhausted")
		h.staff("1001")
		h.look()
		if len(h.taken()) > 0 {
			t.Error("called once more than allowed")
		}
		f, err := h.figures(t.Context(), "agent", "2026-11-23", "2026-11-23", "gz")
		must(t, err)
		if len(f.Rows) != 1 || f.Total.Dialled != 2 || f.Total.Reached != 0 || *f.Total.Rate != 0 {
			t.Errorf("the report says %+v", f)
		}
		h.sound()
	})
}

// An agent who does not answer is not rung again at once, and the person is not counted as called.
func TestOutboundAgentDoesNotAnswer(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	const number = "013800000001"
	h.begins(visit(Progressive), number)
	h.staff("1001")
	h.look()
	e := h.one()
	h.rings(e)
	h.stands(number, Calling, "")
	h.ends(e, event.OutAgent, "no_answer")
	h.stands(number, Pending, "")
	h.staff("1001")
	h.look()
	if len(h.taken()) > 0 {
		t.Error("rung again at once")
	}
	h.staff("1001", "1002")
	h.look()
	if e := h.one(); e.Agent != "1002" {
		t.Errorf("%s is rung", e.Agent)
	}
	if p := h.person(number); p.tries != 0 {
		t.Errorf("%d tries", p.tries)
	}
	h.sound()
}

// An agent who has taken a caller in the same moment: nothing was begun, and the person is as before.
func TestOutboundAgentIsTaken(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	const number = "013800000001"
	h.begins(visit(Progressive), number)
	h.staff("1001")
	h.refuse = fault.New(fault.Conflict, "routing.rejected.no_room")
	h.look()
	h.stands(number, Pending, "")
	h.look()
	h.one()
}

// Hours: the list's own, in the zone of its site, and those of its calendar.
func TestOutboundHours(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	l := visit(Progressive)
	at := func(clock string) time.Time {
		x, err := time.Parse("15:04", clock)
		must(t, err)
		return time.Date(2026, 11, 23, x.Hour(), x.Minute(), 0, 0, time.FixedZone("CST", 8*3600))
	}
	for _, x := range []struct {
		at       string
		calendar string
		state    day.State
		want     string
	}{
		{"08:59", "", day.Open, "hours"},
		{"09:00", "", day.Open, ""},
		{"17:59", "", day.Open, ""},
		{"18:00", "", day.Open, "hours"},
		{"10:00", "work", day.Open, ""},
		{"12:30", "work", day.Lunch, "lunch"},
		{"10:00", "work", day.Holiday, "holiday"},
		{"17:30", "work", day.Closed, "closed"},
		{"12:30", "", day.Lunch, ""},
	} {
		l.Calendar, h.state = x.calendar, x.state
		if why, ok := h.open(l, at(x.at)); why != x.want || ok != (x.want == "") {
			t.Errorf("%s, calendar %q %s: %q, want %q", x.at, x.calendar, x.state, why, x.want)
		}
	}
}

// A process that dies: who was not called yet is called as if nothing had been, who was is called after the usual time and
// counted, who talked is not called again. Nobody is lost, nobody called twice at once.
func TestOutboundRestart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		numbers := []string{"013800000001", "013800000002", "013800000003", "013800000004"}
		h.begins(visit(Progressive), numbers...)
		h.staff("1001", "1002", "1003")
		h.look()
		sent := h.taken()
		h.dials(sent[1])
		h.talks(sent[2])
		h.stands(numbers[0], Calling, "")
		h.stands(numbers[1], Dialled, "")
		h.stands(numbers[2], Reached, "reached")
		h.stands(numbers[3], Pending, "")

		h.remake(db) // what the old one knew is gone
		must(t, h.reload(t.Context()))
		h.deps.Ledger = h.l
		h.serve()
		h.clock.Advance(time.Second)
		h.sweep(t.Context(), h.now())
		h.stands(numbers[0], Calling, "") // as far as anybody knows it may begin yet
		h.stands(numbers[1], Dialled, "")
		for _, o := range sent[1:] { // the house closes what was open
			h.says(o.Contact, true, event.ContactLost{LastHeard: h.now().UnixMilli()})
		}
		lost := h.now()
		h.clock.Advance(beginKeep)
		h.sweep(t.Context(), h.now())
		h.stands(numbers[0], Pending, "")
		h.stands(numbers[1], Pending, "lost")
		h.stands(numbers[2], Reached, "reached")
		if p := h.person(numbers[1]); p.tries != 1 || p.due != lost.Add(30*time.Minute).UnixMilli() {
			t.Errorf("the one whose telephone rang has %d tries, due in %v", p.tries, time.UnixMilli(p.due).Sub(h.now()))
		}
		h.staff("1001", "1002", "1003", "1004")
		h.look()
		var called []string
		for _, e := range h.taken() {
			called = append(called, e.Number)
		}
		if len(called) != 2 || called[0] != numbers[0] || called[1] != numbers[3] {
			t.Errorf("called after the restart: %v", called)
		}
		must(t, h.result(t.Context(), "1003", h.person(numbers[2]).id, TalkResult{Result: ResultDone}))
		h.stands(numbers[2], Closed, "done")
		h.sound()
	})
}

// Every state has a deadline: a card nobody dials, a talk without a result.
func TestOutboundDeadlines(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	numbers := []string{"013800000001", "013800000002"}
	h.begins(visit(Preview), numbers...)
	must(t, h.nextFor(t.Context(), "1001", ""))
	h.stands(numbers[0], Shown, "")
	_, err := store.Exec(t.Context(), h.deps.DB, `UPDATE outbound_person SET state = 'reached', agent = '1002', since = ? WHERE number = ?`, h.now().UnixMilli(), numbers[1])
	must(t, err)
	h.clock.Advance(shownKeep + time.Second)
	h.look()
	h.stands(numbers[0], Pending, "")
	h.stands(numbers[1], Reached, "")
	h.clock.Advance(resultKeep)
	h.look()
	h.stands(numbers[1], Closed, "unreported")
}

// A process that dies while the agent's telephone rings: the person's may have rung too, so the attempt counts; facts
// that were not heard, because nobody listened, are read from the ledger.
func TestOutboundUnheard(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	numbers := []string{"013800000001", "013800000002", "013800000003"}
	h.begins(visit(Progressive), numbers...)
	h.staff("1001", "1002", "1003")
	h.look()
	sent := h.taken()
	begun := func(o contact.Outcall) []event.Body {
		return []event.Body{event.ContactStarted{Direction: contact.Out}, event.CalloutBegun{Agent: o.Agent, Purpose: purpose, Ref: o.Ref}}
	}
	h.says(sent[0].Contact, true, append(begun(sent[0]), event.ContactLost{})...)
	h.says(sent[1].Contact, true, append(begun(sent[1]), event.LegStarted{Role: "caller"}, event.CalloutEnded{Result: event.OutBusy}, event.ContactEnded{})...)
	h.says(sent[2].Contact, true, append(begun(sent[2]), event.LegStarted{Role: "caller"}, event.CalloutAnswered{}, event.CalloutEnded{Result: event.OutAnswered}, event.ContactEnded{})...)
	h.clock.Advance(time.Second)
	h.look()
	h.stands(numbers[0], Pending, "lost")
	h.stands(numbers[1], Pending, "busy")
	h.stands(numbers[2], Reached, "reached")
	for _, n := range numbers {
		if p := h.person(n); p.tries != 1 {
			t.Errorf("%s: %d tries", n, p.tries)
		}
	}
	h.sound()
}

// Where the rules for calls out forbid a number it is tried again later, and not for ever.
func TestOutboundBarred(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	const number = "013800000001"
	h.begins(visit(Progressive), number)
	for _, want := range []State{Pending, Closed} {
		h.staff("1001")
		h.refuse = fault.New(fault.Forbidden, "voice.callout.class")
		h.look()
		if p := h.person(number); p.state != want {
			t.Errorf("stands %s (%s), want %s", p.state, p.how, want)
		}
		h.clock.Advance(time.Hour)
	}
	h.sound()
}

// Two processes on one database that both believe they are to dial: each person is called by one of them, once; when one
// is gone the other goes on with what it left, and the ledger has every attempt with its one end.
func TestOutboundTwoProcesses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		one := newHouse(t, db)
		var numbers []string
		for i := range 24 {
			numbers = append(numbers, fmt.Sprintf("0138000002%02d", i))
		}
		l := visit(Progressive)
		one.begins(l, numbers...)
		two := &house{t: t, clock: one.clock, state: day.Open, l: one.l}
		two.remake(db)
		must(t, two.reload(t.Context()))
		two.serve()
		for i := range 12 {
			one.idle = append(one.idle, Idle{Agent: id.User(fmt.Sprint(1100 + i)), Site: "gz"})
			two.idle = append(two.idle, Idle{Agent: id.User(fmt.Sprint(1200 + i)), Site: "gz"})
		}
		sent := [2][]contact.Outcall{}
		for range 200 { // each turn both look at the same moment; a claim that is lost is made up for at the next one
			var turn sync.WaitGroup
			for i, h := range []*house{one, two} {
				turn.Go(func() {
					h.pace(t.Context(), h.running(Progressive), h.now())
					sent[i] = append(sent[i], h.taken()...)
				})
			}
			turn.Wait()
			if len(sent[0])+len(sent[1]) >= len(numbers) {
				break
			}
		}
		by := map[string]int{}
		for _, o := range append(slices.Clone(sent[0]), sent[1]...) {
			by[o.Number]++
		}
		for _, n := range numbers {
			if by[n] != 1 {
				t.Errorf("%s was called %d times", n, by[n])
			}
		}
		if len(sent[0]) == 0 || len(sent[1]) == 0 {
			t.Fatalf("%d calls by the one, %d by the other", len(sent[0]), len(sent[1]))
		}

		// The first is killed: one of its calls talks at a third process and goes on, one is lost while it rings, one never began.
		talks, rings, never := sent[0][0], sent[0][0], sent[0][0]
		if len(sent[0]) > 2 {
			rings, never = sent[0][1], sent[0][2]
		}
		begun := func(o contact.Outcall) []event.Body {
			return []event.Body{event.ContactStarted{Direction: contact.Out}, event.CalloutBegun{Agent: o.Agent, Purpose: purpose, Ref: o.Ref}, event.LegStarted{Role: "caller"}}
		}
		two.says(talks.Contact, true, append(begun(talks), event.CalloutAnswered{})...)
		if rings.Contact != talks.Contact {
			two.says(rings.Contact, true, append(begun(rings), event.ContactLost{})...)
		}
		one.clock.Advance(2 * beginKeep)
		two.sweep(t.Context(), two.now())
		two.stands(talks.Number, Reached, "reached")
		if rings.Contact != talks.Contact {
			two.stands(rings.Number, Pending, "lost")
			two.stands(never.Number, Pending, "")
		}
		two.staff("1300")
		two.pace(t.Context(), two.running(Progressive), two.now())
		if again := two.taken(); rings.Contact != talks.Contact && (len(again) != 1 || again[0].Number == talks.Number || again[0].Number == rings.Number) {
			t.Errorf("gone on with %+v", again)
		}
		two.says(talks.Contact, true, event.CalloutEnded{Result: event.OutAnswered}, event.ContactEnded{})
		two.sweep(t.Context(), two.now())
		two.sound()
	})
}
