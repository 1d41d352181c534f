package demo

import (
	"cmp"
	"container/heap"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
)

// day plays one day of the hotline by events: a small brain of its own with the queues' rules, and the facts that
// voice, routing and desk would have written.
type day struct {
	h       *History
	start   time.Time // midnight
	now     int64
	events  events
	count   int
	staffed []*present
	waiting []*call
	sum     Sum
	emit    bool
	slow    float64 // of talk and wrap-up
	noMenu  bool    // the trial without menus
	facts   []fact
	ids     *rand.Rand
}

// agent is somebody of the bureau.
type agent struct {
	user   id.User
	skills map[string]int
	seat   id.Seat
	phone  id.Phone
}

// present is an agent's turn at work.
type present struct {
	*agent
	state      event.AgentState
	reason     string
	since      int64
	signedIn   int64
	work       *call // of ringing, talking and wrap-up
	queue      id.Queue
	entered    int64 // the visit being served
	leaving    bool
	rest       int64 // when a break is due, 0: none
	restMs     int64
	restReason string
}

// call is a contact of the day.
type call struct {
	approach
	number  string
	contact id.Contact
	leg     id.Leg
	agent   *present
	side    id.Leg // the agent's
	sideAt  int64
	answer  int64 // when the agent answered
	offer   id.Offer
	queue   *queue
	entered int64
	first   bool // asked for an agent for the first time
	version int  // of the state: an event of an earlier one is void
	rung    bool
	given   bool
}

type what uint8

const (
	arrives what = iota
	enters
	givesUp
	lifts
	rings
	hangsUp
	wrapsUp
	nobody
	signsIn
	begins
	leaves
	returns
	closes
)

type happening struct {
	at      int64
	n       int
	what    what
	call    *call
	agent   *present
	version int
}

type events []happening

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].n < e[j].n
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Push is heap.Interface's.
func (e *events) Push(x any) { *e = append(*e, x.(happening)) } //nolint:forcetypeassert // ours alone

// Pop is heap.Interface's.
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}

func newDay(h *History, date time.Time, calls []approach, facts bool) *day {
	d := &day{h: h, start: date, emit: facts, slow: seasonOf(h.day).slow, ids: h.rand(3), noMenu: withoutMenus(h.day, date)}
	for _, a := range calls {
		d.later(a.at, happening{what: arrives, call: &call{approach: a}})
	}
	for _, minute := range []int{720, 1050} {
		d.later(d.minute(minute), happening{what: closes})
	}
	return d
}

func (d *day) minute(m int) int64 { return d.start.Add(time.Duration(m) * time.Minute).UnixMilli() }

func (d *day) later(at int64, x happening) {
	d.count++
	x.at, x.n = at, d.count
	heap.Push(&d.events, x)
}

// open says whether agents are asked for at the moment: the office hours without the lunch break.
func (d *day) open(at int64) bool {
	return at >= d.minute(510) && at < d.minute(720) || at >= d.minute(840) && at < d.minute(1050)
}

func (d *day) run() {
	for len(d.events) > 0 {
		x, _ := heap.Pop(&d.events).(happening)
		d.now = x.at
		if x.call != nil && x.version != x.call.version {
			continue
		}
		d.happen(x)
	}
}

func (d *day) happen(x happening) {
	switch x.what {
	case arrives:
		d.arrive(x.call)
	case enters:
		d.enter(x.call, d.h.queues[x.call.key], true)
	case givesUp:
		d.abandon(x.call)
	case lifts:
		d.lift(x.call)
	case rings:
		d.ringOut(x.call)
	case hangsUp:
		d.hangUp(x.call)
	case wrapsUp:
		d.wrapUp(x.agent)
	case nobody:
		if x.call.queue != nil && !d.served(x.call.queue) {
			d.exit(x.call, "no_agents", "no_agents")
		}
	case signsIn:
		d.signIn(x.agent)
	case begins, returns:
		d.ready(x.agent)
	case leaves:
		d.leave(x.agent)
	case closes:
		for len(d.waiting) > 0 {
			d.exit(d.waiting[0], "closing", "closing")
		}
	}
}

// served says whether anybody signed in can serve the queue.
func (d *day) served(q *queue) bool {
	return slices.ContainsFunc(d.staffed, func(p *present) bool { return p.can(q) })
}

func (p *present) can(q *queue) bool {
	for _, n := range q.Needs {
		if p.skills[n.Skill] < n.Level {
			return false
		}
	}
	return true
}

// dispatch brings those who wait to those who are free: priority, then the oldest; the agent who is free longest.
func (d *day) dispatch() {
	for i := 0; i < len(d.waiting); {
		c := d.waiting[i]
		var free *present
		for _, p := range d.staffed {
			if p.state == event.Ready && p.can(c.queue) && (free == nil || p.since < free.since) {
				free = p
			}
		}
		if free == nil {
			i++
			continue
		}
		d.waiting = slices.Delete(d.waiting, i, i+1)
		d.offer(c, free)
	}
}

// wait puts a call into the order of waiting.
func (d *day) wait(c *call) {
	at, _ := slices.BinarySearchFunc(d.waiting, c, func(a, b *call) int {
		return cmp.Or(cmp.Compare(b.queue.Priority, a.queue.Priority), cmp.Compare(a.entered, b.entered), -1)
	})
	d.waiting = slices.Insert(d.waiting, at, c)
}

func (d *day) unwait(c *call) {
	if i := slices.Index(d.waiting, c); i >= 0 {
		d.waiting = slices.Delete(d.waiting, i, i+1)
	}
}
