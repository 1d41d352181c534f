package reporttest

import (
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
)

type call struct {
	id      id.Contact
	site    id.Site
	from    string
	started int64
	leg     id.Leg
	ended   bool
	talked  bool
}

// visit is a call's stay in a queue.
type visit struct {
	contact *call
	queue   id.Queue
	entered int64
	first   bool
	gone    bool
	offer   id.Offer
	ringing *agent
	leg     id.Leg // the ringing one
	rung    int64
}

func (w *world) call(from string) {
	c := &call{id: id.Contact(w.ulid()), site: "gz", from: from, started: w.now, leg: id.Leg(w.ulid())}
	number := id.Number("12366")
	if w.rng.IntN(2) == 1 && len(w.queues) > 1 {
		c.site, number = "sz", "075512366"
	}
	w.fact(event.ContactStarted{
		Medium: contact.Phone, Direction: contact.In, From: from, To: string(number), Number: number, Trunk: "ct",
	}, string(c.id), "", c.site)
	w.fact(event.LegStarted{Leg: c.leg, Role: "caller", Peer: from}, string(c.id), "", c.site)
	w.fact(event.LegAnswered{Leg: c.leg}, string(c.id), "", c.site)
	w.fact(event.ContactGuided{Flow: "main", Version: 1}, string(c.id), "", c.site)
	w.after(w.between(2, 25), func() { w.menu(c) })
}

func (w *world) menu(c *call) {
	w.fact(event.ContactStepped{Flow: "main", Node: "menu", Step: "menu", Key: "1"}, string(c.id), "", c.site)
	switch n := w.rng.IntN(1000); {
	case n < 80:
		w.end(c, contact.ByCaller, contact.Left)
	case n < 200:
		w.fact(event.ContactServed{Flow: "main", Node: "tax-calendar"}, string(c.id), "", c.site)
		w.after(w.between(1, 30), func() {
			if w.chance(10) { // heard the answer and still wants a person
				w.queue(c, w.queueOf(c), true)
				return
			}
			w.end(c, contact.ByCaller, contact.Served)
		})
	case n < 203:
		c.ended = true
		w.fact(event.ContactLost{LastHeard: w.now, Ms: w.now - c.started}, string(c.id), "", c.site)
	default:
		w.queue(c, w.queueOf(c), true)
	}
}

// queueOf picks a queue of the call's site.
func (w *world) queueOf(c *call) id.Queue {
	odd := 0
	if c.site == "sz" {
		odd = 1
	}
	n := (len(w.queues) + 1 - odd) / 2
	return w.queues[w.rng.IntN(max(n, 1))*2+odd]
}

func (w *world) queue(c *call, q id.Queue, first bool) {
	v := &visit{contact: c, queue: q, entered: w.now, first: first}
	w.fact(event.ContactQueued{Queue: q, EnteredAt: v.entered, First: first, Caller: c.from}, string(c.id), "", c.site)
	if len(w.waiting) > 40 {
		w.exit(v, "full", "closing_text")
		return
	}
	w.waiting = append(w.waiting, v)
	w.after(w.long(90*time.Second), func() { w.giveUp(v) })
	w.after(w.between(600, 601), func() { w.exit(v, "max_wait", []string{"message", "callback"}[w.rng.IntN(2)]) })
	w.dispatch()
}

// leaveQueue takes the visit out; false when it is out already.
func (w *world) leaveQueue(v *visit) bool {
	if v.gone {
		return false
	}
	v.gone = true
	for i, o := range w.waiting {
		if o == v {
			w.waiting = append(w.waiting[:i], w.waiting[i+1:]...)
			break
		}
	}
	if a := v.ringing; a != nil {
		v.ringing = nil
		w.fact(event.LegEnded{
			Leg: v.leg, Role: "agent", Agent: a.code, Queue: v.queue, EnteredAt: v.entered, RingMs: w.now - v.rung, Cause: "cancelled",
		}, string(v.contact.id), "", v.contact.site)
		w.fact(event.ContactMissed{Offer: v.offer, Queue: v.queue, Agent: a.code, Why: "withdrawn"}, string(v.contact.id), "", v.contact.site)
		a.visit = nil
		a.change(event.Ready, "")
		if a.home {
			a.goHome()
		}
	}
	return true
}

func (w *world) giveUp(v *visit) {
	if !w.leaveQueue(v) {
		return
	}
	c := v.contact
	w.fact(event.ContactAbandoned{Queue: v.queue, EnteredAt: v.entered, WaitMs: w.now - v.entered}, string(c.id), "", c.site)
	outcome := contact.Abandoned
	if c.talked {
		outcome = contact.Answered
	}
	w.end(c, contact.ByCaller, outcome)
	if c.from != "" && w.chance(50) {
		w.after(w.between(20, 900), func() { w.call(c.from) })
	}
	w.dispatch()
}

func (w *world) exit(v *visit, why, rule string) {
	if !w.leaveQueue(v) {
		return
	}
	c := v.contact
	w.fact(event.ContactExited{Queue: v.queue, EnteredAt: v.entered, WaitMs: w.now - v.entered, Why: why, Rule: rule}, string(c.id), "", c.site)
	outcome := contact.Turned
	if c.talked {
		outcome = contact.Answered
	}
	w.end(c, contact.BySystem, outcome)
	w.dispatch()
}

func (w *world) end(c *call, by contact.Party, outcome contact.Outcome) {
	c.ended = true
	w.fact(event.LegEnded{Leg: c.leg, Role: "caller", TalkMs: w.now - c.started}, string(c.id), "", c.site)
	w.fact(event.ContactEnded{By: by, Outcome: outcome, Ms: w.now - c.started}, string(c.id), "", c.site)
	if c.talked && w.chance(97) {
		w.fact(event.RecordingStored{Recording: w.ulid(), Ms: w.now - c.started, LeftDB: -30, RightDB: -28}, string(c.id), "", c.site)
	}
}

// dispatch brings the oldest waiting to the agents longest ready.
func (w *world) dispatch() {
	for i := 0; i < len(w.waiting); i++ {
		v := w.waiting[i]
		if v.ringing != nil {
			continue
		}
		var best *agent
		for _, a := range w.agents {
			if a.state == event.Ready && a.queues[v.queue] && (best == nil || a.since < best.since) {
				best = a
			}
		}
		if best != nil {
			w.offer(v, best)
		}
	}
}

func (w *world) offer(v *visit, a *agent) {
	c := v.contact
	v.offer, v.ringing, a.visit = id.Offer(w.ulid()), a, v
	offer := v.offer
	w.fact(event.ContactOffered{
		Offer: offer, Queue: v.queue, Agent: a.code, EnteredAt: v.entered, Trace: map[string]any{"order": 1},
	}, string(c.id), "", c.site)
	a.change(event.Ringing, "")
	leg := id.Leg(w.ulid())
	v.leg, v.rung = leg, w.now
	w.fact(event.LegStarted{Leg: leg, Role: "agent", Agent: a.code, Queue: v.queue, Peer: "browser"}, string(c.id), "", c.site)
	if w.chance(4) {
		w.after(15_000, func() { w.miss(v, a, offer, leg) })
		return
	}
	rang := w.between(1, 6)
	w.after(rang, func() {
		if v.ringing == a && v.offer == offer && !v.gone {
			w.answer(v, a, leg, rang)
		}
	})
}

func (w *world) miss(v *visit, a *agent, offer id.Offer, leg id.Leg) {
	if v.ringing != a || v.offer != offer || v.gone {
		return
	}
	w.fact(event.LegEnded{Leg: leg, Role: "agent", Agent: a.code, Queue: v.queue, EnteredAt: v.entered, RingMs: 15_000, Cause: "missed"}, string(v.contact.id), "", v.contact.site)
	v.ringing = nil
	why := []string{"missed", "refused"}[w.rng.IntN(2)]
	w.fact(event.ContactMissed{Offer: offer, Queue: v.queue, Agent: a.code, Why: why}, string(v.contact.id), "", v.contact.site)
	a.visit = nil
	a.change(event.Away, "MISSED")
	w.after(w.between(30, 120), a.back)
	w.dispatch()
}

func (w *world) answer(v *visit, a *agent, leg id.Leg, rang int64) {
	c := v.contact
	v.ringing, c.talked = nil, true
	w.leaveQueue(v)
	answered := w.now
	w.fact(event.LegAnswered{Leg: leg}, string(c.id), "", c.site)
	w.fact(event.ContactAnswered{Offer: v.offer, Queue: v.queue, Agent: a.code, EnteredAt: v.entered, WaitMs: w.now - v.entered}, string(c.id), string(a.code), c.site)
	a.change(event.Talking, "")
	w.after(w.long(3*time.Minute), func() {
		total := w.now - answered
		held := int64(0)
		if w.chance(10) {
			held = total / 5
		}
		to := v.queue
		if w.chance(6) {
			to = w.queueOf(c)
		}
		if to != v.queue {
			w.fact(event.ContactTransferred{Agent: a.code, To: contact.Target{Kind: contact.ToQueue, Code: string(to)}}, string(c.id), string(a.code), c.site)
		}
		w.fact(event.LegEnded{
			Leg: leg, Role: "agent", Agent: a.code, Queue: v.queue, EnteredAt: v.entered, RingMs: rang,
			TalkMs: total - held, HoldMs: held, MOS: 4.2,
		}, string(c.id), "", c.site)
		if to == v.queue {
			w.end(c, contact.ByCaller, contact.Answered)
		}
		a.wrapUp()
		if to != v.queue {
			w.queue(c, to, false)
		}
	})
}
