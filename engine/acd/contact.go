package acd

import "github.com/kapok-hotline/kapok/core/id"

// The places a contact can be in. A contact may be queued (transfer) while agents still have it.
const (
	unqueued uint8 = iota // only at agents
	waiting               // in its class, or kept for its sticky agent
	ringing               // offered
)

// contact is what the brain looks at in every event of a contact: one cache line. Its identifier is in
// Brain.byContact, the rest in details.
type contact struct {
	key      int64 // the place: EnteredAt less the head start of its priority; constant over the wait
	since    int64 // begin of this wait
	queue    int32
	class    int32 // none when unqueued
	last     int32 // class it reaches when fully relaxed with every ring open
	agent    int32 // ringing there
	holder   int32 // sticky agent it is kept for
	nextHeld int32
	assigns  int32 // first of the list of agents that have it
	member   int32 // position in queue.members
	version  int32 // of the queue's configuration that last was made for
	state    uint8
	channel  uint8
	relax    uint8
	ring     uint8
	ringMin  uint8 // rings opened at entry by a long estimated wait
	reach    uint8 // levels its needs can be relaxed
	sticky   bool  // has a sticky agent
	plain    bool  // has no needs of its own
}

// details is what is seldom looked at.
type details struct {
	entered  int64
	arrived  int64 // when this brain took it in
	guess    guess // what was thought of its wait then; 0: nothing, or it never waited
	priority int
	bonus    int
	site     int32
	needs    []need
	sticky   id.User
	caller   string
}

// newContact makes the record.
func (b *Brain) newContact(cid id.Contact) int32 {
	i := int32(len(b.contacts))
	if n := len(b.freeContact); n > 0 {
		i, b.freeContact = b.freeContact[n-1], b.freeContact[:n-1]
	} else {
		b.contacts = append(b.contacts, contact{})
		b.details = append(b.details, details{})
		b.contactPos.grow(len(b.contacts))
		b.timers.grow(2 * len(b.contacts))
	}
	b.contacts[i] = contact{class: none, last: none, agent: none, holder: none, nextHeld: none, assigns: none}
	b.byContact.put(cid, i)
	return i
}

// forget frees the record of a contact that is neither queued nor with an agent.
func (b *Brain) forget(ci int32) {
	c := &b.contacts[ci]
	if c.state != unqueued || c.assigns != none || b.byContact.keys[ci] == "" {
		return
	}
	b.byContact.drop(ci)
	b.freeContact = append(b.freeContact, ci)
}

// idOf is the contact's identifier.
func (b *Brain) idOf(ci int32) id.Contact { return b.byContact.keys[ci] }

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
	ci, freed := b.byContact.find(ev.Contact), none
	if ci != none {
		freed = b.pullOut(ci, WhyMoved)
	}
	if q := &b.queues[qi]; !ev.Rejoin && (q.closed || q.cfg.MaxLength > 0 && len(q.members) >= q.cfg.MaxLength) {
		if q.closed {
			b.sendAway(ev, q.cfg.ClosedRule, WhyClosed)
		} else {
			b.countAttempt(ev.Caller, ci != none) // in vain, as for who hung up
			b.sendAway(ev, q.cfg.FullRule, WhyFull)
		}
		if ci != none {
			b.forget(ci) // unless agents still have it
		}
	} else if ci = b.admit(ci, ev, qi, ch); freed == none {
		b.place(ci, ByContact)
	} else {
		b.placeWith(ci, freed)
		return
	}
	if freed != none {
		b.free(freed)
	}
}

// sendAway answers an entry that is not possible.
func (b *Brain) sendAway(ev *Event, rule Rule, why Why) {
	b.emit(Command{Kind: Exit, Contact: ev.Contact, Queue: ev.Queue, Rule: rule, Why: why})
}

// admit fills the record, a new one when ci is none, and gives the place.
func (b *Brain) admit(ci int32, ev *Event, qi int32, ch uint8) int32 {
	again := ci != none
	if !again {
		ci = b.newContact(ev.Contact)
	}
	c, d, q := &b.contacts[ci], &b.details[ci], &b.queues[qi]
	c.queue, c.channel, c.state = qi, ch, waiting
	*d = details{
		entered: ev.EnteredAt, arrived: b.now, priority: ev.Priority, bonus: ev.Bonus, caller: ev.Caller, sticky: ev.Sticky,
		needs: b.needs(d.needs[:0], ev.Needs), site: none,
	}
	if d.entered <= 0 || d.entered > b.now {
		d.entered = b.now
	}
	c.since = ev.Since
	if c.since <= 0 || c.since > b.now {
		c.since = d.entered
	}
	if bonus := q.cfg.redialBonus(b.countAttempt(ev.Caller, again || ev.Rejoin)); bonus > d.bonus && !ev.Rejoin {
		d.bonus = bonus
	}
	c.key = d.entered - b.headStart(q, d)
	c.sticky, c.plain = d.sticky != "", len(d.needs) == 0
	if ev.Site != "" {
		d.site = b.names.of(string(ev.Site))
	}
	c.member = int32(len(q.members))
	q.members = append(q.members, ci)
	q.pace.pass(b.now, 1)
	d.guess = q.pace.ahead(int(q.pace.line), b.here(q))
	c.ringMin = 0
	if w, ok := b.waitFor(q, int(q.pace.line)); ok {
		for i := 1; i < len(q.rings) && q.rings[i].onWait > 0 && w >= q.rings[i].onWait; i++ {
			c.ringMin = uint8(i)
		}
	}
	b.emit(Command{Kind: Queued, Contact: ev.Contact, Queue: q.cfg.ID, EnteredAt: d.entered, Bonus: d.bonus})
	return ci
}

// headStart is what priority is worth in ms, less than nothing for who has to stand back. Either way it never exceeds
// MaxHeadStart, so who entered at t is overtaken only by those who entered before t + MaxHeadStart, and who stands back
// by those before t + 2 MaxHeadStart: with any load of priority everybody's turn comes.
func (b *Brain) headStart(q *queue, d *details) int64 {
	points, most := int64(q.cfg.Priority+d.priority+d.bonus), b.set.MaxHeadStart
	if limit := most / q.cfg.HeadStart; points > limit {
		return most
	} else if points < -limit {
		return -most
	}
	return points * q.cfg.HeadStart
}

// pullOut takes a contact out of its queue if it is in one and returns the agent it was ringing at.
func (b *Brain) pullOut(ci int32, why Why) (freed int32) {
	c := &b.contacts[ci]
	switch c.state {
	case unqueued:
		return none
	case ringing:
		freed = c.agent
		b.withdraw(freed, why)
	default:
		b.unlist(ci)
		freed = none
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
	if c.state == waiting {
		q.pace.pass(b.now, -1)
		if b.details[ci].arrived < b.now {
			q.pace.left++
		}
	}
	b.timers.set(contactTimer(ci), never)
	class, last := c.class, c.last
	c.class, c.last, c.state, c.agent, c.version = none, none, unqueued, none, 0
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
	freed := b.pullOut(ci, WhyLeft)
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
	b.emit(Command{Kind: Exit, Contact: b.idOf(ci), Queue: b.queues[b.contacts[ci].queue].cfg.ID, Rule: rule, Why: why})
	b.dequeue(ci)
	b.forget(ci)
}

// reclass moves the contact (unlisted) to the class of its present wait.
func (b *Brain) reclass(ci int32) {
	c := &b.contacts[ci]
	q := &b.queues[c.queue]
	if c.version != q.version {
		c.reach = 0
		if q.cfg.RelaxEvery > 0 {
			c.reach = max(q.reach, reach(b.details[ci].needs))
		}
	}
	waited, top := b.now-c.since, c.reach
	c.relax = 0
	if top > 0 {
		c.relax = uint8(min(waited/q.cfg.RelaxEvery, int64(top)))
	}
	c.ring = min(c.ringMin, uint8(len(q.rings)-1))
	for int(c.ring)+1 < len(q.rings) && waited >= q.rings[c.ring+1].after {
		c.ring++
	}
	b.moveTo(&c.class, b.classFor(c, &b.details[ci], c.relax, c.ring))
	if c.last == none || c.version != q.version {
		b.moveTo(&c.last, b.classFor(c, &b.details[ci], top, uint8(len(q.rings)-1)))
		c.version = q.version
	}
}

// moveTo refers *ref to another class. The new one is held before anything can sweep it.
func (b *Brain) moveTo(ref *int32, to int32) {
	from := *ref
	if from == to {
		return
	}
	b.holdClass(to)
	*ref = to
	if from != none {
		b.freeClass(from)
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
