package acd

import "github.com/kapok-hotline/kapok/core/id"

// assign is a contact an agent has: talking, or in wrap-up with a clock of its own that no other contact, transfer
// or queue can touch.
type assign struct {
	agent, contact int32
	nextOfAgent    int32
	nextOfContact  int32
	queue          int32 // none when it came through no queue
	channel        uint8
	wrapping       bool
	asked          bool // the agent is expected to end the wrap-up itself
	since          int64
	wrap           int64 // span, or Manual
	until          int64 // end of the wrap-up
	limit          int64 // beyond which it cannot be extended
}

// assign gives the agent a contact. It needs no room: that was checked.
func (b *Brain) assign(ai, ci int32, x assign) int32 {
	i := int32(len(b.assigns))
	if n := len(b.freeAssign); n > 0 {
		i, b.freeAssign = b.freeAssign[n-1], b.freeAssign[:n-1]
	} else {
		b.assigns = append(b.assigns, assign{})
	}
	a, c := &b.agents[ai], &b.contacts[ci]
	x.agent, x.contact, x.nextOfAgent, x.nextOfContact = ai, ci, a.assigns, c.assigns
	b.assigns[i] = x
	a.assigns, c.assigns = i, i
	if x.wrapping {
		a.wraps++
	} else {
		a.count[x.channel]++
		a.load += b.set.Channels[x.channel].Weight
		a.idleSince = b.now
	}
	b.touch(ai)
	return i
}

// unassign takes the contact from the agent for good; idle time begins.
func (b *Brain) unassign(i int32) {
	x := b.assigns[i]
	a, c := &b.agents[x.agent], &b.contacts[x.contact]
	at := &a.assigns
	for *at != i {
		at = &b.assigns[*at].nextOfAgent
	}
	*at = x.nextOfAgent
	at = &c.assigns
	for *at != i {
		at = &b.assigns[*at].nextOfContact
	}
	*at = x.nextOfContact
	if x.wrapping {
		a.wraps--
	} else {
		a.count[x.channel]--
		a.load -= b.set.Channels[x.channel].Weight
	}
	a.idleSince = b.now
	b.freeAssign = append(b.freeAssign, i)
	b.touch(x.agent)
	b.forget(x.contact)
}

// assigned returns the agent's record of the contact, or none.
func (b *Brain) assigned(ai int32, cid id.Contact) int32 {
	for i := b.agents[ai].assigns; i != none; i = b.assigns[i].nextOfAgent {
		if b.idOf(b.assigns[i].contact) == cid {
			return i
		}
	}
	return none
}

// done: the agent's leg has ended. What is said twice is followed once.
func (b *Brain) done(ai int32, cid id.Contact) {
	if i := b.assigned(ai, cid); i != none && !b.assigns[i].wrapping {
		b.finish(i)
	}
}

// finish ends the talk and begins the wrap-up, if there is one.
func (b *Brain) finish(i int32) {
	x := &b.assigns[i]
	ai := x.agent
	if x.wrap == 0 {
		b.unassign(i)
		b.free(ai)
		return
	}
	a := &b.agents[ai]
	a.count[x.channel]--
	a.load -= b.set.Channels[x.channel].Weight
	a.wraps++
	x.wrapping, x.limit = true, b.now+b.set.MaxWrapUp
	x.asked = x.wrap == Manual
	x.until = x.limit
	if !x.asked {
		x.until = min(x.limit, b.now+x.wrap)
	}
	b.free(ai)
}

// fireWrapUps ends those that are over. Who should have ended one and has not is away: nobody knows whether there
// is anybody.
func (b *Brain) fireWrapUps(ai int32) {
	a := &b.agents[ai]
	for i := a.assigns; i != none; {
		x := &b.assigns[i]
		next := x.nextOfAgent
		if x.wrapping && x.until <= b.now {
			if x.asked && x.until >= x.limit && !a.away {
				a.away, a.awayReason = true, ReasonWrapUp
			}
			b.unassign(i)
		}
		i = next
	}
	if a.away {
		b.release(ai)
	}
	b.free(ai)
}

// endWrapUp ends the wrap-up of one contact or of all.
func (b *Brain) endWrapUp(ai int32, cid id.Contact) {
	for i := b.agents[ai].assigns; i != none; {
		x := &b.assigns[i]
		next := x.nextOfAgent
		if x.wrapping && (cid == "" || b.idOf(x.contact) == cid) {
			b.unassign(i)
		}
		i = next
	}
	b.free(ai)
}

// extendWrapUp moves the end, within the longest wrap-up.
func (b *Brain) extendWrapUp(ai int32, ev *Event) {
	for i := b.agents[ai].assigns; i != none; i = b.assigns[i].nextOfAgent {
		x := &b.assigns[i]
		if x.wrapping && (ev.Contact == "" || b.idOf(x.contact) == ev.Contact) {
			x.until = min(max(ev.Until, b.now+1), x.limit)
			x.asked = true
		}
	}
	b.touch(ai)
}

// took: the agent has a contact without an offer. What rings at it goes back, what rings elsewhere stops there;
// without Force there must be room.
func (b *Brain) took(ai int32, ev *Event) {
	a := &b.agents[ai]
	ch, ok := b.channel(ev.Channel)
	if ev.Contact == "" || !ok {
		b.reject(a.id, ev.Contact, "", WhyNoChannel)
		return
	}
	if a.offer != none && b.idOf(a.offer) == ev.Contact {
		b.accept(ai, &Event{Offer: a.offerNo, Contact: ev.Contact})
		return
	}
	if i := b.assigned(ai, ev.Contact); i != none {
		if !b.assigns[i].wrapping {
			return
		}
		if b.hasRoom(a, ch) || ev.Force {
			b.unassign(i)
		}
	}
	if !b.hasRoom(a, ch) && !ev.Force {
		b.reject(a.id, ev.Contact, "", WhyCapacity)
		return
	}
	b.take(ai, ch, ev)
}

func (b *Brain) take(ai int32, ch uint8, ev *Event) {
	a := &b.agents[ai]
	back := a.offer
	if back != none {
		b.withdraw(ai, WhyTook)
	}
	ci, freed := b.byContact.find(ev.Contact), none
	if ci != none {
		freed = b.pullOut(ci, WhyMoved)
	} else {
		ci = b.newContact(ev.Contact)
	}
	wrap := ev.WrapUp
	if wrap == 0 {
		wrap = b.set.DirectWrapUp
	}
	b.assign(ai, ci, assign{queue: none, channel: ch, since: b.startOf(ev), wrap: wrap})
	b.close(ai) // nobody is given to it before it has been served in order
	if back != none && b.comesBack(back, WhyTook) {
		b.placeWith(back, freed, ai)
		return
	}
	if freed != none {
		b.free(freed)
	}
	b.free(ai)
}

// wrapping puts back a wrap-up that another brain had begun.
func (b *Brain) wrapping(ai int32, ev *Event) {
	ch, ok := b.channel(ev.Channel)
	if ev.Contact == "" || !ok || b.assigned(ai, ev.Contact) != none {
		b.reject(b.agents[ai].id, ev.Contact, "", WhyInvalid)
		return
	}
	start := b.startOf(ev)
	limit := max(start+b.set.MaxWrapUp, b.now+1)
	ci := b.byContact.find(ev.Contact)
	if ci == none {
		ci = b.newContact(ev.Contact)
	}
	b.assign(ai, ci, assign{
		queue: none, channel: ch, wrapping: true, since: start, limit: limit, until: min(max(ev.Until, b.now+1), limit), wrap: Manual, asked: true,
	})
	b.free(ai)
}

func (b *Brain) startOf(ev *Event) int64 {
	if ev.Since > 0 && ev.Since < b.now {
		return ev.Since
	}
	return b.now
}
