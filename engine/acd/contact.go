package acd

import "github.com/kapok-hotline/kapok/core/id"

// The places a contact can be in. A contact may be queued (transfer) while agents still have it.
const (
	unqueued uint8 = iota // only at agents
	waiting               // in its class, or kept for its sticky agent
	ringing               // offered
)

// contact is what the brain knows of a contact that waits or is with an agent.
type contact struct {
	id       id.Contact
	key      int64 // the place: EnteredAt less the head start of its priority; constant over the wait
	entered  int64
	since    int64 // begin of this wait
	arrived  int64 // when this brain took it in
	state    uint8
	channel  uint8
	relax    uint8
	ring     uint8
	ringMin  uint8 // rings opened at entry by a long estimated wait
	queue    int32
	member   int32 // position in queue.members
	class    int32 // none when unqueued
	last     int32 // class it reaches when fully relaxed with every ring open
	agent    int32 // ringing there
	holder   int32 // sticky agent it is kept for
	nextHeld int32
	site     int32
	assigns  int32 // first of the list of agents that have it
	priority int
	bonus    int
	needs    []need
	sticky   id.User
	caller   string
}

// contactSlot finds or makes the record.
func (b *Brain) contactSlot(cid id.Contact) int32 {
	if i := b.byContact.find(cid); i != none {
		return i
	}
	i := int32(len(b.contacts))
	if n := len(b.freeContact); n > 0 {
		i, b.freeContact = b.freeContact[n-1], b.freeContact[:n-1]
	} else {
		b.contacts = append(b.contacts, contact{})
		b.contactPos.grow(len(b.contacts))
		b.timerPos.grow(2 * len(b.contacts))
	}
	needs := b.contacts[i].needs[:0]
	b.contacts[i] = contact{id: cid, needs: needs, class: none, last: none, agent: none, holder: none, nextHeld: none, site: none, assigns: none}
	b.byContact.put(cid, i)
	return i
}

// forget frees the record of a contact that is neither queued nor with an agent.
func (b *Brain) forget(ci int32) {
	c := &b.contacts[ci]
	if c.id == "" || c.state != unqueued || c.assigns != none {
		return
	}
	b.byContact.drop(c.id)
	c.id, c.sticky, c.caller = "", "", ""
	b.freeContact = append(b.freeContact, ci)
}

// enter puts a contact into a queue, or moves it there from another one.
func (b *Brain) enter(ev *Event) {
	qi, ok := b.byQueue[ev.Queue]
	ch, known := b.channel(ev.Channel)
	switch {
	case ev.Contact == "":
		b.reject("", "", ev.Queue, WhyInvalid)
		return
	case !ok || !b.queues[qi].live:
		b.sendAway(ev, "", WhyNoQueue)
		return
	case !known:
		b.sendAway(ev, "", WhyNoChannel)
		return
	}
	freed := b.pullOut(ev.Contact, WhyMoved)
	if q := &b.queues[qi]; !ev.Rejoin && (q.closed || q.cfg.MaxLength > 0 && len(q.members) >= q.cfg.MaxLength) {
		if q.closed {
			b.sendAway(ev, q.cfg.ClosedRule, WhyClosed)
		} else {
			b.sendAway(ev, q.cfg.FullRule, WhyFull)
		}
	} else {
		ci := b.admit(ev, qi, ch)
		b.place(ci, ByContact)
	}
	if freed != none {
		b.free(freed)
	}
}

// sendAway answers an entry that is not possible; a contact that agents still have stays with them.
func (b *Brain) sendAway(ev *Event, rule Rule, why Why) {
	b.emit(Command{Kind: Exit, Contact: ev.Contact, Queue: ev.Queue, Rule: rule, Why: why})
	if ci := b.byContact.find(ev.Contact); ci != none {
		b.forget(ci)
	}
}

// admit fills the record and gives the place.
func (b *Brain) admit(ev *Event, qi int32, ch uint8) int32 {
	again := b.byContact.find(ev.Contact) != none
	ci := b.contactSlot(ev.Contact)
	c, q := &b.contacts[ci], &b.queues[qi]
	c.queue, c.channel, c.state, c.arrived = qi, ch, waiting, b.now
	c.entered = ev.EnteredAt
	if c.entered <= 0 || c.entered > b.now {
		c.entered = b.now
	}
	c.since = ev.Since
	if c.since <= 0 || c.since > b.now {
		c.since = c.entered
	}
	c.priority, c.bonus, c.caller, c.sticky = ev.Priority, ev.Bonus, ev.Caller, ev.Sticky
	if bonus := b.countAttempt(ev.Caller, again || ev.Rejoin); bonus > c.bonus && !ev.Rejoin {
		c.bonus = bonus
	}
	c.key = c.entered - b.headStart(q, c)
	c.needs = b.needs(c.needs[:0], ev.Needs)
	c.site = none
	if ev.Site != "" {
		c.site = b.names.of(string(ev.Site))
	}
	c.member = int32(len(q.members))
	q.members = append(q.members, ci)
	c.ringMin = 0
	if w, ok := b.waitFor(q, len(q.members)); ok {
		for i := 1; i < len(q.rings) && q.rings[i].onWait > 0 && w >= q.rings[i].onWait; i++ {
			c.ringMin = uint8(i)
		}
	}
	b.emit(Command{Kind: Queued, Contact: c.id, Queue: q.cfg.ID, EnteredAt: c.entered, Bonus: c.bonus})
	return ci
}

// headStart is what priority is worth in ms. It never exceeds MaxHeadStart, so who entered at t is overtaken only
// by those who entered before t + MaxHeadStart: with any load of priority everybody's turn comes.
func (b *Brain) headStart(q *queue, c *contact) int64 {
	points := int64(max(q.cfg.Priority+c.priority+c.bonus, 0))
	if points > b.set.MaxHeadStart/q.cfg.HeadStart {
		return b.set.MaxHeadStart
	}
	return points * q.cfg.HeadStart
}

// pullOut takes a contact out of its queue if it is in one and returns the agent it was ringing at.
func (b *Brain) pullOut(cid id.Contact, why Why) (freed int32) {
	ci := b.byContact.find(cid)
	if ci == none || b.contacts[ci].state == unqueued {
		return none
	}
	c := &b.contacts[ci]
	freed = none
	if c.state == ringing {
		freed = c.agent
		b.withdraw(freed, why)
	} else {
		b.unlist(ci)
	}
	b.dequeue(ci)
	return freed
}

// dequeue ends a contact's membership in its queue.
func (b *Brain) dequeue(ci int32) {
	c := &b.contacts[ci]
	q := &b.queues[c.queue]
	lastAt := len(q.members) - 1
	moved := q.members[lastAt]
	q.members[c.member] = moved
	b.contacts[moved].member = c.member
	q.members = q.members[:lastAt]
	q.pace.step(b.now)
	b.setTimer(contactTimer(ci), never)
	class, last := c.class, c.last
	c.class, c.last, c.state, c.agent = none, none, unqueued, none
	if class != none {
		b.freeClass(class)
	}
	if last != none {
		b.freeClass(last)
	}
}

// leave ends a contact everywhere: its place, its offer (the agent is free again with the idle time kept), its
// agents' legs (their wrap-up begins).
func (b *Brain) leave(cid id.Contact) {
	ci := b.byContact.find(cid)
	if ci == none {
		return
	}
	freed := b.pullOut(cid, WhyLeft)
	for s := b.contacts[ci].assigns; s != none; {
		next := b.assigns[s].nextOfContact
		if !b.assigns[s].wrapping {
			b.finish(s)
		}
		s = next
	}
	b.forget(ci)
	if freed != none {
		b.free(freed)
	}
}

// exit sends a contact that waits (and is unlisted) out of its queue.
func (b *Brain) exit(ci int32, rule Rule, why Why) {
	c := &b.contacts[ci]
	b.emit(Command{Kind: Exit, Contact: c.id, Queue: b.queues[c.queue].cfg.ID, Rule: rule, Why: why})
	b.dequeue(ci)
	b.forget(ci)
}

// reachOf is how many levels the contact's needs can be relaxed.
func (b *Brain) reachOf(c *contact) uint8 {
	q := &b.queues[c.queue]
	if q.cfg.RelaxEvery <= 0 {
		return 0
	}
	return max(q.reach, reach(c.needs))
}

// reclass moves the contact (unlisted) to the class of its present wait.
func (b *Brain) reclass(ci int32) {
	c := &b.contacts[ci]
	q := &b.queues[c.queue]
	waited, top := b.now-c.since, b.reachOf(c)
	c.relax = 0
	if top > 0 {
		c.relax = uint8(min(waited/q.cfg.RelaxEvery, int64(top)))
	}
	c.ring = min(c.ringMin, uint8(len(q.rings)-1))
	for int(c.ring)+1 < len(q.rings) && waited >= q.rings[c.ring+1].after {
		c.ring++
	}
	oldClass, oldLast := c.class, c.last
	class := b.classFor(c, c.relax, c.ring)
	b.holdClass(class)
	last := b.classFor(c, top, uint8(len(q.rings)-1))
	b.holdClass(last)
	c.class, c.last = class, last
	if oldClass != none {
		b.freeClass(oldClass)
		b.freeClass(oldLast)
	}
}

// list puts a waiting contact into its class.
func (b *Brain) list(ci int32) {
	c := &b.contacts[ci]
	h := &b.classes[c.class].heap
	h.push(&b.contactPos, item{c.key, ci})
	if b.contactPos.at[ci] == 0 {
		b.demand.sync(c.class, h)
	}
	b.armContact(ci)
}

// unlist takes it out again, or away from the sticky agent it is kept for.
func (b *Brain) unlist(ci int32) {
	c := &b.contacts[ci]
	if c.holder != none {
		b.unhold(ci)
	} else if at := b.contactPos.at[ci]; at != none {
		h := &b.classes[c.class].heap
		h.remove(&b.contactPos, ci)
		if at == 0 {
			b.demand.sync(c.class, h)
		}
	}
}
