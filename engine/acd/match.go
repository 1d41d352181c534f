package acd

import (
	"math/bits"
	"slices"
)

// place finds a waiting, unlisted contact its agent, or its place in the order. It also ends waits that have
// lasted too long.
func (b *Brain) place(ci int32, cause Cause) {
	b.contacts[ci].state = waiting
	b.reclass(ci)
	if b.held {
		b.list(ci)
		return
	}
	c := &b.contacts[ci]
	q := &b.queues[c.queue]
	if b.now-c.since >= q.cfg.MaxWait {
		b.exit(ci, q.cfg.MaxWaitRule, WhyMaxWait)
		return
	}
	if b.noAgentAt(ci) <= b.now {
		b.exit(ci, q.cfg.NoAgentRule, WhyNoAgent)
		return
	}
	if ai := b.stickyAgent(ci); ai != none {
		if b.agents[ai].open&(1<<c.channel) != 0 {
			b.offer(ci, ai, BySticky)
		} else {
			b.hold(ci, ai)
		}
		return
	}
	if ai := b.bestAgent(c); ai != none {
		b.offer(ci, ai, cause)
		return
	}
	b.list(ci)
}

// placeWith places a contact while the agents (none among them is skipped) are becoming free by the same event: they
// are served in order with the contact among those who wait, so that neither is overtaken.
func (b *Brain) placeWith(ci int32, agents ...int32) {
	c := &b.contacts[ci]
	c.state = waiting
	b.reclass(ci)
	if b.stickyAgent(ci) != none {
		b.place(ci, ByContact)
	} else {
		b.list(ci)
	}
	for _, ai := range agents {
		if ai != none {
			b.free(ai)
		}
	}
	if c.state == waiting {
		b.unlist(ci)
		b.place(ci, ByContact)
	}
}

// placeAll places unlisted contacts, first in order first.
func (b *Brain) placeAll(list []int32) {
	slices.SortFunc(list, b.compareContacts)
	for _, ci := range list {
		b.place(ci, ByContact)
	}
}

// bestAgent returns the free agent who should take the contact, or none: the least loaded, then longest idle of
// the eligible; in a queue that prefers skill, the best skilled of them first.
func (b *Brain) bestAgent(c *contact) int32 {
	s, k := &b.supply[c.channel], &b.classes[c.class]
	if s.n == 0 {
		return none
	}
	if b.queues[c.queue].cfg.BestSkill {
		return b.bestSkilled(c)
	}
	best, found := never, none
	for w, set := range k.fits {
		set &= s.has[w]
		if set == 0 || s.least[w] > best {
			continue
		}
		for ; set != 0; set &= set - 1 {
			p := int32(w<<6 + bits.TrailingZeros64(set))
			if s.key[p] > best {
				continue
			}
			if it, ok := b.idleOf(p, c); ok && (it.key < best || it.key == best && b.byAgent.keys[it.slot] < b.byAgent.keys[found]) {
				best, found = it.key, it.slot
			}
		}
	}
	return found
}

// bestSkilled weighs every eligible profile that has a free agent.
func (b *Brain) bestSkilled(c *contact) int32 {
	s, k := &b.supply[c.channel], &b.classes[c.class]
	var best item
	found, score := none, -1
	for w, set := range k.fits {
		for set &= s.has[w]; set != 0; set &= set - 1 {
			p := int32(w<<6 + bits.TrailingZeros64(set))
			sc := skillScore(k, &b.profiles[p])
			if sc < score {
				continue
			}
			it, ok := b.idleOf(p, c)
			if ok && (sc > score || b.idlePos[c.channel].less(it, best)) {
				best, found, score = it, it.slot, sc
			}
		}
	}
	return found
}

// skillScore is the sum of the levels of the needed skills.
func skillScore(k *class, p *profile) int {
	sum := 0
	for _, n := range k.needs {
		for _, s := range p.skills {
			if s.skill == n.skill {
				sum += int(s.level)
			}
		}
	}
	return sum
}

// idleOf returns the first free agent of the profile who does not have the contact already.
func (b *Brain) idleOf(p int32, c *contact) (item, bool) {
	h := &b.profiles[p].idle[c.channel]
	if c.assigns == none {
		return h.items[0], true
	}
	return h.best(&b.idlePos[c.channel], func(ai int32) bool { return b.has(ai, c) })
}

// has tells whether the agent has the contact already (and transfers it).
func (b *Brain) has(ai int32, c *contact) bool {
	for s := c.assigns; s != none; s = b.assigns[s].nextOfContact {
		if b.assigns[s].agent == ai {
			return true
		}
	}
	return false
}

// serve gives an agent that can take something the first contact it can: one kept for it, else the first in order
// over all queues.
func (b *Brain) serve(ai int32) bool {
	a := &b.agents[ai]
	if b.held || a.holds == none && b.demand.n == 0 {
		return false
	}
	open := b.canTake(a)
	if open == 0 {
		return false
	}
	ci, cause := b.firstHeld(a, open), BySticky
	if ci == none {
		ci, cause = b.bestContact(ai, open), ByAgent
	}
	if ci == none {
		return false
	}
	b.unlist(ci)
	b.offer(ci, ai, cause)
	return true
}

// bestContact returns the first contact in order that the agent may take on one of the channels.
func (b *Brain) bestContact(ai int32, open uint8) int32 {
	d := &b.demand
	best, found := never, none
	for w, set := range b.profiles[b.agents[ai].profile].fits {
		set &= d.has[w]
		if set == 0 || d.least[w] > best {
			continue
		}
		for ; set != 0; set &= set - 1 {
			k := int32(w<<6 + bits.TrailingZeros64(set))
			if d.key[k] > best || open&(1<<b.classes[k].channel) == 0 {
				continue
			}
			it, ok := b.firstOf(k, ai)
			if ok && (it.key < best || it.key == best && b.idOf(it.slot) < b.idOf(found)) {
				best, found = it.key, it.slot
			}
		}
	}
	return found
}

// firstOf returns the first contact of the class that the agent does not have already.
func (b *Brain) firstOf(k, ai int32) (item, bool) {
	if a := &b.agents[ai]; a.assigns == none {
		return item{b.demand.key[k], b.demand.head[k]}, true
	}
	return b.classes[k].heap.best(&b.contactPos, func(ci int32) bool { return b.has(ai, &b.contacts[ci]) })
}

// stickyAgent returns the contact's own agent while it is worth waiting for: signed in, not away, able and
// allowed to take it, and the window not over.
func (b *Brain) stickyAgent(ci int32) int32 {
	c := &b.contacts[ci]
	if !c.sticky || b.now-c.since >= b.queues[c.queue].cfg.Sticky {
		return none
	}
	ai := b.byAgent.find(b.details[ci].sticky)
	if ai == none {
		return none
	}
	a := &b.agents[ai]
	if !a.in || a.away || a.restUntil > b.now || a.slots[c.channel] == 0 || !b.reachable(a, c.channel) ||
		!b.classes[c.class].fits.has(a.profile) || b.has(ai, c) {
		return none
	}
	return ai
}

// hold keeps the contact for its busy sticky agent until the window is over.
func (b *Brain) hold(ci, ai int32) {
	c, a := &b.contacts[ci], &b.agents[ai]
	c.holder, c.nextHeld = ai, a.holds
	a.holds = ci
	b.armContact(ci)
}

func (b *Brain) unhold(ci int32) {
	c := &b.contacts[ci]
	a := &b.agents[c.holder]
	at := &a.holds
	for *at != ci {
		at = &b.contacts[*at].nextHeld
	}
	*at, c.holder, c.nextHeld = c.nextHeld, none, none
}

// release lets everybody go whom the agent can no longer be waited for.
func (b *Brain) release(ai int32) {
	if b.agents[ai].holds == none {
		return
	}
	var list []int32
	for ci := b.agents[ai].holds; ci != none; ci = b.contacts[ci].nextHeld {
		list = append(list, ci)
	}
	for _, ci := range list {
		b.unlist(ci)
	}
	b.placeAll(list)
}

// firstHeld returns the first contact kept for the agent that it has room for.
func (b *Brain) firstHeld(a *agent, open uint8) int32 {
	found := none
	for ci := a.holds; ci != none; ci = b.contacts[ci].nextHeld {
		if open&(1<<b.contacts[ci].channel) != 0 && (found == none || b.compareContacts(ci, found) < 0) {
			found = ci
		}
	}
	return found
}
