package demo

import (
	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
)

// arrive answers a call and guides it through the menu.
func (d *day) arrive(c *call) {
	d.sum.Contacts++
	if q := d.h.queues[c.key]; q != nil && !d.served(q) {
		c.key = "general" // whom nobody on duty can serve asks for anybody
	}
	d.open1(c)
	if !d.open(d.now + helloMs) {
		d.turnAway(c)
		return
	}
	if d.noMenu {
		c.key = "general"
		d.later(d.past(c), happening{what: enters, call: c, version: c.version})
		return
	}
	switch c.key {
	case "none":
		d.menuOnly(c)
	case "self":
		d.selfService(c)
	default:
		at := d.now + max(c.listen, helloMs+1500)
		d.menuTo(c, at)
		d.later(at, happening{what: enters, call: c, version: c.version})
	}
}

// enter brings a call to a queue.
func (d *day) enter(c *call, q *queue, first bool) {
	d.sum.Entered++
	c.queue, c.entered, c.first, c.agent = q, d.now, first, nil
	d.fact(d.now, c, "", event.ContactQueued{
		Queue: id.Queue(q.Code), Priority: 0, EnteredAt: c.entered, First: first, Caller: c.number,
	})
	if !d.open(d.now) {
		d.exit(c, "closing", "closing")
		return
	}
	if !d.served(q) {
		d.later(d.now+1000*q.NoAgents, happening{what: nobody, call: c, version: c.version})
	}
	d.wait(c)
	d.later(d.now+c.patience, happening{what: givesUp, call: c, version: c.version})
	d.dispatch()
}

// offer rings an agent.
func (d *day) offer(c *call, p *present) {
	c.agent, c.sideAt = p, d.now
	deadline := d.now + 1000*c.queue.RingS
	if d.emit {
		c.offer, c.side = id.Offer(d.ulid(d.now)), id.Leg(d.ulid(d.now))
		d.fact(d.now, c, p.user, event.ContactOffered{Offer: c.offer, Queue: id.Queue(c.queue.Code), Agent: p.user, EnteredAt: c.entered})
	}
	d.stand(p, event.Ringing, "", c, deadline)
	d.fact(d.now, c, p.user, event.LegStarted{Leg: c.side, Role: "agent", Agent: p.user, Queue: id.Queue(c.queue.Code), Peer: string(p.phone)})
	if c.missed && !c.rung {
		c.rung = true
		d.later(deadline, happening{what: rings, call: c, version: c.version})
		return
	}
	d.later(d.now+c.ring, happening{what: lifts, call: c, version: c.version})
}

// unring takes an offer back.
func (d *day) unring(c *call, why, cause string) {
	p := c.agent
	d.fact(d.now, c, p.user, event.ContactMissed{Offer: c.offer, Queue: id.Queue(c.queue.Code), Agent: p.user, Why: why})
	d.fact(d.now, c, p.user, event.LegEnded{
		Leg: c.side, Role: "agent", Agent: p.user, Queue: id.Queue(c.queue.Code), RingMs: d.now - c.sideAt, Cause: cause,
	})
	c.agent = nil
	d.free(p)
}

// ringOut is an agent who did not lift the handset in time.
func (d *day) ringOut(c *call) {
	d.unring(c, "missed", "")
	d.wait(c)
	d.dispatch()
}

// lift is an agent who does.
func (d *day) lift(c *call) {
	p := c.agent
	c.version++ // patience is over
	c.answer = d.now
	c.talk, c.wrapup = int64(float64(c.talk)*d.slow), int64(float64(c.wrapup)*d.slow)
	d.sum.Answered++
	d.fact(d.now, c, p.user, event.ContactAnswered{
		Offer: c.offer, Queue: id.Queue(c.queue.Code), Agent: p.user, EnteredAt: c.entered, WaitMs: d.now - c.entered,
	})
	p.queue, p.entered = id.Queue(c.queue.Code), c.entered
	d.stand(p, event.Talking, "", c, 0)
	d.fact(d.now, c, p.user, event.LegAnswered{Leg: c.side})
	if c.hold > 0 {
		at := d.now + (c.talk-c.hold)/2
		d.fact(at, c, p.user, event.LegHeld{Leg: c.side})
		d.fact(at+c.hold, c, p.user, event.LegResumed{Leg: c.side, HeldMs: c.hold})
	}
	d.later(d.now+c.talk, happening{what: hangsUp, call: c, version: c.version})
}

// hangUp ends a talk: for good, or with a transfer to another queue.
func (d *day) hangUp(c *call) {
	to := d.h.queues[c.transfer]
	if to != nil && to != c.queue && !c.given && d.open(d.now) {
		c.given = true
		d.fact(d.now, c, c.agent.user, event.ContactTransferred{Agent: c.agent.user, To: contact.Target{Kind: contact.ToQueue, Code: to.Code}})
		d.dropAgent(c, "transfer")
		c.hold, c.talk = 0, c.talk/2+5000
		d.enter(c, to, false)
		return
	}
	by := contact.ByCaller
	if c.agentEnd {
		by = contact.ByAgent
	}
	d.dropAgent(c, "remote")
	d.end(d.now, c, by, contact.Answered, "remote")
}

// dropAgent ends the agent's leg; wrap-up begins.
func (d *day) dropAgent(c *call, cause string) {
	p := c.agent
	d.fact(d.now, c, p.user, event.LegEnded{
		Leg: c.side, Role: "agent", Agent: p.user, Queue: id.Queue(c.queue.Code), EnteredAt: c.entered,
		RingMs: c.answer - c.sideAt, TalkMs: d.now - c.answer - c.hold, HoldMs: c.hold, Cause: cause, MOS: d.mos(),
	})
	d.stand(p, event.Wrapup, "", c, d.now+1000*c.queue.WrapupS)
	d.later(d.now+c.wrapup, happening{what: wrapsUp, agent: p})
}

// abandon is a caller who waits no longer.
func (d *day) abandon(c *call) {
	d.unwait(c)
	d.fact(d.now, c, "", event.ContactAbandoned{Queue: id.Queue(c.queue.Code), EnteredAt: c.entered, WaitMs: d.now - c.entered})
	c.version++
	if c.agent != nil {
		d.unring(c, "withdrawn", "void")
	}
	d.end(d.now, c, contact.ByCaller, contact.Abandoned, "remote")
	if again, ok := c.redial(d.now); ok {
		d.again(again)
	}
	d.dispatch()
}

// again is a redial; who would reach us out of hours mostly waits for the afternoon, or does not call today.
func (d *day) again(a approach) {
	switch {
	case a.at >= d.minute(1050):
		return
	case !d.open(a.at) && a.seed%10 < 6:
		a.at = d.minute(840) + int64(a.seed%1_800_000)
	case !d.open(a.at) && a.seed%10 < 8:
		return
	}
	d.later(a.at, happening{what: arrives, call: &call{approach: a}})
}

// exit takes a call out of its queue by a rule: it is told so and ends.
func (d *day) exit(c *call, why, rule string) {
	d.unwait(c)
	c.version++
	d.fact(d.now, c, "", event.ContactExited{
		Queue: id.Queue(c.queue.Code), EnteredAt: c.entered, WaitMs: d.now - c.entered, Why: why, Rule: rule,
	})
	d.fact(d.now, c, "", event.ContactGuided{Flow: id.Flow(rule), Version: flowVersion})
	d.step(d.now, c, rule, "say", "play", "")
	at := d.now + 6000
	d.step(at, c, rule, "end", "hangup", "")
	outcome := contact.Turned
	if c.given {
		outcome = contact.Answered
	}
	d.end(at, c, contact.BySystem, outcome, "")
}

// end closes the caller's leg and the contact.
func (d *day) end(at int64, c *call, by contact.Party, outcome contact.Outcome, cause string) {
	d.fact(at, c, "", event.LegEnded{
		Leg: c.leg, Role: "caller", RingMs: answerMs, TalkMs: at - c.at - answerMs, Cause: cause, MOS: d.mos(),
	})
	d.fact(at, c, "", event.ContactEnded{By: by, Outcome: outcome, Cause: cause, Ms: at - c.at})
}
