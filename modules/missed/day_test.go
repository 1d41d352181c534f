package missed

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// What the day of TestRowB8SameDay is like. How callers behave is what sim/callers does in the demonstration: patience
// 120 s in the mean and at least 6 s, 176 s of talk, three of four who give up call again, three fifths of these after
// 2 minutes in the mean, the others after 45.
const (
	dayCallers   = 700              // first calls from 8:30 to 17:30, evenly
	dayServers   = 4                // agents of the queue: too few, so that many give up
	dayRingers   = 2                // agents who work the list, from 8:30 to 18:00
	ringLasts    = 3 * time.Minute  // to read a row, ring, talk and write
	ringPicksUp  = .65              // of those rung
	ringAgain    = 45 * time.Minute // who did not pick up is tried again then
	meanPatience = 120 * time.Second
	meanTalk     = 176 * time.Second
	redialShare  = .75
	soonShare    = .6
)

type moment struct {
	at time.Time
	do func()
}
type moments []moment

func (m moments) Len() int           { return len(m) }
func (m moments) Less(i, k int) bool { return m[i].at.Before(m[k].at) }
func (m moments) Swap(i, k int)      { m[i], m[k] = m[k], m[i] }
func (m *moments) Push(x any)        { *m = append(*m, x.(moment)) }
func (m *moments) Pop() any          { o := *m; x := o[len(o)-1]; *m = o[:len(o)-1]; return x }

// town plays the day against the module: its facts, and its verbs for those who work the list.
type town struct {
	*house
	rng     *rand.Rand
	todo    moments
	waiting []*waiter
	free    int
	busy    map[string]bool // whoever talks with us
	close   time.Time
}

type waiter struct {
	contact, number string
	since           time.Time
	tries           int
	gone            bool
}

func (w *town) at(t time.Time, do func())     { heap.Push(&w.todo, moment{t, do}) }
func (w *town) in(d time.Duration, do func()) { w.at(w.clock.Now().Add(d), do) }
func (w *town) draw(mean time.Duration) time.Duration {
	return time.Duration(w.rng.ExpFloat64() * float64(mean))
}

func (w *town) dial(number string, tries int) {
	if w.busy[number] {
		return
	}
	c := id.New(w.clock.Now())
	w.fact(c, event.ContactStarted{Medium: contact.Phone, Direction: contact.In, From: number, To: "12366"})
	if w.clock.Now().After(w.close) {
		w.fact(c, event.ContactEnded{Outcome: contact.Turned})
		return
	}
	x := &waiter{c, number, w.clock.Now(), tries, false}
	w.fact(c, event.ContactQueued{Queue: "vat", EnteredAt: 1, First: true, Caller: number})
	w.waiting = append(w.waiting, x)
	w.in(max(w.draw(meanPatience), 6*time.Second), func() { w.giveUp(x) })
	w.serve()
}

func (w *town) serve() {
	for w.free > 0 && len(w.waiting) > 0 {
		x := w.waiting[0]
		w.waiting = w.waiting[1:]
		if x.gone {
			continue
		}
		x.gone = true
		w.free--
		w.busy[x.number] = true
		w.fact(x.contact, event.ContactAnswered{Queue: "vat", Agent: "1001", EnteredAt: 1, WaitMs: w.clock.Now().Sub(x.since).Milliseconds()})
		w.in(w.draw(meanTalk)+8*time.Second, func() {
			w.fact(x.contact, event.ContactEnded{Outcome: contact.Answered})
			delete(w.busy, x.number)
			w.free++
			w.serve()
		})
	}
}

func (w *town) giveUp(x *waiter) {
	if x.gone {
		return
	}
	x.gone = true
	w.fact(x.contact, event.ContactAbandoned{Queue: "vat", EnteredAt: 1, WaitMs: w.clock.Now().Sub(x.since).Milliseconds()},
		event.ContactEnded{By: contact.ByCaller, Outcome: contact.Abandoned})
	if x.tries >= 4 || w.rng.Float64() >= redialShare {
		return
	}
	pause := w.draw(45 * time.Minute)
	if w.rng.Float64() < soonShare {
		pause = w.draw(2 * time.Minute)
	}
	w.in(pause+5*time.Second, func() { w.dial(x.number, x.tries+1) })
}

// ring has somebody who works the list take its first row that may be rung now, as the page shows it.
func (w *town) ring(user id.User) {
	now := w.clock.Now()
	if now.After(w.close.Add(30 * time.Minute)) {
		return
	}
	for _, r := range w.list(ViewDue) {
		if r.AgainAt > now.UnixMilli() || r.Owner != "" && r.Owner != user || w.busy[r.number] {
			continue
		}
		_, err := w.Give(w.t.Context(), r.ID, user, user, false)
		must(w.t, err)
		o := Outcome{Result: event.TriedReached}
		if w.rng.Float64() >= ringPicksUp {
			o = Outcome{Result: event.TriedNoAnswer, Again: now.Add(ringAgain)}
		}
		w.in(ringLasts, func() {
			if v := w.only(r.number); v.ID == r.ID && v.State == StateOpen { // else they came back meanwhile
				if !o.Again.IsZero() {
					o.Again = w.clock.Now().Add(ringAgain)
				}
				_, err := w.Tried(w.t.Context(), r.ID, user, o, false)
				must(w.t, err)
			}
			w.ring(user)
		})
		return
	}
	w.in(time.Minute, func() { w.ring(user) })
}

// Row B8: of those missed in a day with too few agents, at least 95 % are rung, or have come back and been answered, on
// that day. What the day is like is said above.
func TestRowB8SameDay(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	open := morning.Add(-30 * time.Minute)
	h.clock.Set(open)
	w := &town{house: h, rng: rand.New(rand.NewPCG(12366, 8)), free: dayServers, busy: map[string]bool{}, close: open.Add(9 * time.Hour)}
	for i := range dayCallers {
		w.at(open.Add(time.Duration(w.rng.Int64N(int64(9*time.Hour)))), func() { w.dial(fmt.Sprintf("0139%08d", i), 0) })
	}
	for i := range dayRingers {
		w.at(open, func() { w.ring(id.User(fmt.Sprintf("200%d", i+1))) })
	}
	for len(w.todo) > 0 {
		m, _ := heap.Pop(&w.todo).(moment)
		if m.at.After(h.clock.Now()) {
			h.clock.Set(m.at)
		}
		m.do()
	}
	d, err := h.Day(t.Context(), "2026-11-23", "")
	must(t, err)
	if d.Share == nil || d.Due < 100 {
		t.Fatalf("nothing was measured: %+v", d)
	}
	t.Logf("%d callers, %d agents, %d work the list: %d missed, %d rung the same day, %d came back and were answered, %d neither: %.1f %%",
		dayCallers, dayServers, dayRingers, d.Due, d.Rung, d.CameBack, d.Open, 100**d.Share)
	if *d.Share < .95 {
		t.Errorf("%.1f %% were rung back the same day, want 95", 100**d.Share)
	}
	h.sound()
}
