package acd

import "strings"

// A timer belongs to a contact (even numbers) or an agent (odd numbers); each has one, set to the first of what
// it waits for.
func contactTimer(c int32) int32 { return c << 1 }
func agentTimer(a int32) int32   { return a<<1 | 1 }

// timerOrder orders timers of the same moment: agents before contacts (who becomes free is there for who widens
// the circle), agents by identifier, contacts by their place.
func (b *Brain) timerOrder(x, y int32) int {
	switch {
	case x&1 != y&1:
		return int(y&1) - int(x&1)
	case x&1 == 1:
		return strings.Compare(string(b.byAgent.keys[x>>1]), string(b.byAgent.keys[y>>1]))
	}
	return b.compareContacts(x>>1, y>>1)
}

// fire lets every timer that is due do its work, moment by moment. Each either ends or is set to a later moment
// than now, so the loop ends.
func (b *Brain) fire() {
	if b.held {
		return
	}
	for batch := b.timers.due(b.now, b.order); len(batch) > 0; batch = b.timers.due(b.now, b.order) {
		for _, t := range batch {
			switch {
			case !b.timers.take(t):
			case t&1 == 1:
				b.fireAgent(t >> 1)
			default:
				b.fireContact(t >> 1)
			}
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
		b.unanswered(ai, WhyMissed, true)
	}
	if a.restUntil != 0 && a.restUntil <= b.now {
		a.restUntil = 0
		b.free(ai)
	}
	if a.wraps > 0 {
		b.fireWrapUps(ai)
	}
	if a.checkAt <= b.now {
		a.checkAt = b.now + b.checkAfter(a.shown.state)
		b.emit(Command{Kind: Check, Agent: a.id, State: a.shown.state, Contact: a.shown.contact, Since: a.shown.since})
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
	at := min(c.since+q.cfg.MaxWait, b.noAgentAt(ci))
	if c.relax < c.reach {
		at = min(at, c.since+(int64(c.relax)+1)*q.cfg.RelaxEvery)
	}
	if int(c.ring)+1 < len(q.rings) {
		at = min(at, c.since+q.rings[c.ring+1].after)
	}
	if c.holder != none {
		at = min(at, c.since+q.cfg.Sticky)
	}
	b.timers.set(contactTimer(ci), max(at, b.now+1))
}

// noAgentAt is when the no-agent rule sends the contact away: its last class, the widest it can reach, has had
// nobody signed in for long enough.
func (b *Brain) noAgentAt(ci int32) int64 {
	c := &b.contacts[ci]
	q, k := &b.queues[c.queue], &b.classes[c.last]
	if q.cfg.NoAgentRule == "" || k.staff > 0 {
		return never
	}
	return max(b.details[ci].arrived, k.since) + q.cfg.NoAgentAfter
}
