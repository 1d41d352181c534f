package acd

// offer reserves the agent and asks it to take the contact. From now until the answer, the deadline or the
// withdrawal both belong to this offer and to no other.
func (b *Brain) offer(ci, ai int32, cause Cause) {
	b.seq++
	c, a := &b.contacts[ci], &b.agents[ai]
	q := &b.queues[c.queue]
	no := OfferNo(b.fence | b.seq&(1<<offerBits-1))
	if b.tracer != nil {
		b.explain(no, ci, ai, cause)
	}
	b.timers.set(contactTimer(ci), never)
	c.state, c.agent = ringing, ai
	q.pace.pass(b.now, -1)
	if d := &b.details[ci]; d.arrived < b.now { // else there is no waiting to learn from
		q.pace.serve(b.now-d.arrived, d.guess, b.here(q))
		d.guess = guess{} // who is asked for anew is not learnt from twice
	}
	a.offer, a.offerNo, a.offerDeadline = ci, no, b.now+q.cfg.Ringing
	b.reopen(ai)
	b.touch(ai)
	b.emit(Command{
		Kind: Offer, Offer: no, Contact: b.idOf(ci), Agent: a.id, Queue: q.cfg.ID, Deadline: a.offerDeadline,
		Ring: c.ring, Relax: c.relax, Cause: cause, EnteredAt: b.details[ci].entered,
	})
}

// current tells whether the offer of the event is still the agent's.
func (b *Brain) current(ai int32, ev *Event) bool {
	a := &b.agents[ai]
	return a.offer != none && a.offerNo == ev.Offer
}

// accept confirms an offer. An answer to an offer that was withdrawn or has expired is void: the caller ends the
// leg, and the contact is where it is.
func (b *Brain) accept(ai int32, ev *Event) {
	a := &b.agents[ai]
	if !b.current(ai, ev) {
		b.emit(Command{Kind: Void, Offer: ev.Offer, Agent: a.id, Contact: ev.Contact})
		return
	}
	ci := a.offer
	c := &b.contacts[ci]
	q := &b.queues[c.queue]
	b.emit(Command{Kind: Connect, Offer: a.offerNo, Contact: b.idOf(ci), Agent: a.id, Queue: q.cfg.ID, EnteredAt: b.details[ci].entered})
	b.answered(b.details[ci].caller)
	wrap, qi := q.cfg.WrapUp, c.queue
	a.offer, a.missed = none, 0
	b.dequeue(ci)
	b.assign(ai, ci, assign{queue: qi, channel: c.channel, since: b.now, wrap: wrap})
	b.free(ai)
}

// withdraw takes the agent's offer back; what becomes of contact and agent is the caller's to say.
func (b *Brain) withdraw(ai int32, why Why) {
	a := &b.agents[ai]
	c := &b.contacts[a.offer]
	b.emit(Command{Kind: Withdraw, Offer: a.offerNo, Contact: b.idOf(a.offer), Agent: a.id, Queue: b.queues[c.queue].cfg.ID, Why: why})
	a.offer, c.agent = none, none
	b.touch(ai)
}

// refuse follows a refusal or a failed ring of the current offer; a late one says nothing new.
func (b *Brain) refuse(ai int32, ev *Event, why Why) {
	if b.current(ai, ev) {
		b.unanswered(ai, why, ev.Reason != ReasonHouse)
	}
}

// unanswered ends an offer that the agent did not take: the contact goes back to its place and to the next agent,
// this agent rests or, after too many, is away. Its idle time is kept. Without blame it counts for nothing.
func (b *Brain) unanswered(ai int32, why Why, blame bool) {
	a := &b.agents[ai]
	ci := a.offer
	b.withdraw(ai, why)
	reason := ReasonMissed
	if why == WhyRefused {
		reason = ReasonRefused
	}
	if blame && (why != WhyRefused || b.set.RefusedCounts) {
		if w := b.set.MissedWindow; w > 0 && b.now-a.missedAt > w {
			a.missed = 0
		}
		a.missed, a.missedAt = a.missed+1, b.now
	}
	switch {
	case a.away:
	case blame && b.set.MissedLimit > 0 && a.missed >= b.set.MissedLimit:
		a.away, a.awayReason = true, ReasonMissed
	default: // even without a rest others are asked before this agent is asked again
		a.restUntil, a.restReason = b.now+b.set.Rest, reason
	}
	b.touch(ai)
	b.release(ai)
	b.requeue(ci, why)
	if a.restUntil <= b.now {
		a.restUntil = 0
	}
	b.free(ai)
}

// requeue puts a contact that was ringing back at its original place.
func (b *Brain) requeue(ci int32, why Why) {
	if b.comesBack(ci, why) {
		b.place(ci, ByContact)
	}
}

// comesBack tells the contact's return to its place, or that it has to leave.
func (b *Brain) comesBack(ci int32, why Why) bool {
	c := &b.contacts[ci]
	q := &b.queues[c.queue]
	c.state, c.agent = waiting, none
	q.pace.pass(b.now, 1)
	if b.details[ci].arrived < b.now {
		q.pace.back()
	}
	switch {
	case !q.live:
		b.exit(ci, "", WhyRemoved)
	case q.closed && q.cfg.ClosingRule != "":
		b.exit(ci, q.cfg.ClosingRule, WhyClosing)
	default:
		b.emit(Command{Kind: Requeued, Contact: b.idOf(ci), Queue: q.cfg.ID, EnteredAt: b.details[ci].entered, Why: why})
		return true
	}
	return false
}
