package acd

// touch marks an agent whose state is told and whose timer is set when the event has been followed: so a state
// that lasted no time is never told.
func (b *Brain) touch(ai int32) {
	if a := &b.agents[ai]; !a.touched {
		a.touched = true
		b.touched = append(b.touched, ai)
	}
}

// flush tells the states that changed.
func (b *Brain) flush() {
	for _, ai := range b.touched {
		a := &b.agents[ai]
		a.touched = false
		s := b.derive(a)
		if was := &a.shown; !a.shownYet || s.State != was.State || s.Reason != was.Reason || s.Contact != was.Contact ||
			s.Deadline != was.Deadline || s.Pending != was.Pending {
			s.Since = b.now
			if a.shownYet && s.State == was.State && s.Reason == was.Reason && s.Contact == was.Contact {
				s.Since = was.Since
			} else {
				a.checkAt = b.now + b.checkAfter(s.State)
			}
			a.shown, a.shownYet = s, true
			b.emit(s)
		}
		b.setAgentTimer(ai)
		if !a.in {
			b.byAgent.drop(a.id)
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
		s.State, s.Contact = Talking, b.contacts[open].id
	case wrap != none:
		s.State, s.Contact, s.Deadline = WrapUp, b.contacts[wrap].id, until
	case a.offer != none:
		s.State, s.Contact, s.Deadline = Reserved, b.contacts[a.offer].id, a.offerDeadline
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
	b.setTimer(agentTimer(ai), at)
}
