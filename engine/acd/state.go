package acd

import "github.com/kapok-hotline/kapok/core/id"

// touch marks an agent whose state is told and whose timer is set when the event has been followed: so a state
// that lasted no time is never told.
func (b *Brain) touch(ai int32) {
	if a := &b.agents[ai]; !a.touched {
		a.touched = true
		b.touched = append(b.touched, ai)
	}
}

// shown is the state last told of an agent.
type shown struct {
	state    State
	told     bool
	contact  id.Contact
	reason   string
	pending  string
	deadline int64
	since    int64
}

// same tells whether it is still the same state, though perhaps with another deadline or wish.
func (s *shown) same(o *shown) bool {
	return s.told && s.state == o.state && s.contact == o.contact && s.reason == o.reason
}

// flush tells the states that changed.
func (b *Brain) flush() {
	for _, ai := range b.touched {
		a := &b.agents[ai]
		a.touched = false
		if here := a.in && !a.away; here != a.counted {
			b.attend(ai, here)
		}
		s := b.derive(a)
		now := shown{s.State, true, s.Contact, s.Reason, s.Pending, s.Deadline, b.now}
		if was := &a.shown; was.same(&now) {
			now.since = was.since
		} else {
			a.checkAt = b.now + b.checkAfter(s.State)
		}
		if now != a.shown {
			a.shown, s.Since = now, now.since
			b.emit(s)
		}
		b.setAgentTimer(ai)
		if !a.in {
			b.byAgent.drop(ai)
			b.agents[ai] = agent{}
			b.freeAgents = append(b.freeAgents, ai)
		}
	}
	b.touched = b.touched[:0]
}

// derive gives the agent's state from what is known.
func (b *Brain) derive(a *agent) Command {
	s := Command{Kind: AgentState, Agent: a.id, State: SignedOut}
	if !a.in {
		return s
	}
	open, wrap, until := none, none, int64(0)
	for i := a.assigns; i != none; i = b.assigns[i].nextOfAgent {
		switch x := &b.assigns[i]; {
		case !x.wrapping && open == none:
			open = x.contact
		case x.wrapping && x.until > until:
			wrap, until = x.contact, x.until
		}
	}
	if a.away {
		s.Pending = a.awayReason
	}
	switch {
	case open != none:
		s.State, s.Contact = Talking, b.idOf(open)
	case wrap != none:
		s.State, s.Contact, s.Deadline = WrapUp, b.idOf(wrap), until
	case a.offer != none:
		s.State, s.Contact, s.Deadline = Reserved, b.idOf(a.offer), a.offerDeadline
	case a.away:
		s.State, s.Reason, s.Pending = Away, a.awayReason, ""
	case a.restUntil != 0:
		s.State, s.Reason, s.Deadline = Away, a.restReason, a.restUntil
	case !a.endpoint && !b.worksWithoutEndpoint(a):
		s.State, s.Reason = Away, ReasonEndpoint
	default:
		s.State = Ready
	}
	return s
}

func (b *Brain) worksWithoutEndpoint(a *agent) bool {
	for ch := range b.set.Channels {
		if a.slots[ch] > 0 && !b.set.Channels[ch].Endpoint {
			return true
		}
	}
	return false
}

// setAgentTimer sets the agent's timer to the first of all it waits for.
func (b *Brain) setAgentTimer(ai int32) {
	a := &b.agents[ai]
	at := never
	if a.in {
		at = a.checkAt
		if a.offer != none {
			at = min(at, a.offerDeadline+b.set.Slack)
		}
		if a.restUntil != 0 {
			at = min(at, a.restUntil)
		}
		for i := a.assigns; a.wraps > 0 && i != none; i = b.assigns[i].nextOfAgent {
			if b.assigns[i].wrapping {
				at = min(at, b.assigns[i].until)
			}
		}
	}
	b.timers.set(agentTimer(ai), at)
}
