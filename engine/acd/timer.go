package acd

// A timer belongs to a contact (even numbers) or an agent (odd numbers); each has one, set to the first of what
// it waits for.
func contactTimer(c int32) int32 { return c << 1 }
func agentTimer(a int32) int32   { return a<<1 | 1 }

// timerFirst orders timers of the same moment: agents before contacts (who becomes free is there for who widens
// the circle), agents by identifier, contacts by their place.
func (b *Brain) timerFirst(x, y int32) bool {
	if x&1 != y&1 {
		return x&1 == 1
	}
	if x&1 == 1 {
		return b.agents[x>>1].id < b.agents[y>>1].id
	}
	return b.compareContacts(x>>1, y>>1) < 0
}

// setTimer sets or moves a timer; never stops it.
func (b *Brain) setTimer(t int32, at int64) {
	switch set := b.timerPos.at[t] != none; {
	case at == never && set:
		b.timers.remove(&b.timerPos, t)
	case at == never:
	case !set:
		b.timers.push(&b.timerPos, item{at, t})
	case b.timers.items[b.timerPos.at[t]].key != at:
		b.timers.rekey(&b.timerPos, t, at)
	}
}

// fire lets every timer that is due do its work. Each either ends or is set to a later moment than now, so the
// loop ends.
func (b *Brain) fire() {
	for !b.held && len(b.timers.items) > 0 && b.timers.items[0].key <= b.now {
		t := b.timers.items[0].slot
		b.timers.remove(&b.timerPos, t)
		if t&1 == 1 {
			b.fireAgent(t >> 1)
		} else {
			b.fireContact(t >> 1)
		}
	}
}

// fireContact: the longest wait, nobody signed in, the sticky window, relaxing or a ring. All are found anew when
// the contact is placed again.
func (b *Brain) fireContact(ci int32) {
	b.unlist(ci)
	b.place(ci, ByContact)
}

// fireAgent: an offer's deadline, the end of a rest or a wrap-up, or a state that lasts suspiciously long.
func (b *Brain) fireAgent(ai int32) {
	a := &b.agents[ai]
	b.touch(ai) // sets the timer again
	if a.offer != none && a.offerDeadline+b.set.Slack <= b.now {
		b.unanswered(ai, WhyMissed)
	}
	if a.restUntil != 0 && a.restUntil <= b.now {
		a.restUntil = 0
		b.free(ai)
	}
	if a.wraps > 0 {
		b.fireWrapUps(ai)
	}
	if a.checkAt <= b.now {
		a.checkAt = b.now + b.checkAfter(a.shown.State)
		b.emit(Command{Kind: Check, Agent: a.id, State: a.shown.State, Contact: a.shown.Contact, Since: a.shown.Since})
	}
}

func (b *Brain) checkAfter(s State) int64 {
	if s == Talking {
		return b.set.CheckTalking
	}
	return b.set.CheckOther
}

// armContact sets the contact's timer to the first of all it waits for.
func (b *Brain) armContact(ci int32) {
	c := &b.contacts[ci]
	if c.state != waiting || b.held {
		return
	}
	q := &b.queues[c.queue]
	at := min(c.since+q.cfg.MaxWait, b.noAgentAt(c))
	if c.relax < b.reachOf(c) {
		at = min(at, c.since+(int64(c.relax)+1)*q.cfg.RelaxEvery)
	}
	if int(c.ring)+1 < len(q.rings) {
		at = min(at, c.since+q.rings[c.ring+1].after)
	}
	if c.holder != none {
		at = min(at, c.since+q.cfg.Sticky)
	}
	b.setTimer(contactTimer(ci), max(at, b.now+1))
}

// noAgentAt is when the no-agent rule sends the contact away: its last class, the widest it can reach, has had
// nobody signed in for long enough.
func (b *Brain) noAgentAt(c *contact) int64 {
	q, k := &b.queues[c.queue], &b.classes[c.last]
	if q.cfg.NoAgentRule == "" || k.staff > 0 {
		return never
	}
	return max(c.arrived, k.since) + q.cfg.NoAgentAfter
}
