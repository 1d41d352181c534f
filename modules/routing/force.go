package routing

import (
	"context"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/acd"
)

// supervisor is who caused a state, in agent.changed and agent.signed_out.
const supervisor = "supervisor"

// Verbs of leaders.
const (
	verbForce    Verb = "force"
	verbForceOut Verb = "force_out"
	verbSeize    Verb = "seize"
)

// Force sets an agent's state by a leader's word: ready, which also ends a wrap-up, or away with a reason, which during
// a talk comes after it.
func (m *Module) Force(ctx context.Context, user id.User, ready bool, reason string) error {
	return m.tell(ctx, Order{Verb: verbForce, User: user, Ready: ready, Reason: reason})
}

func (m *Module) force(ctx context.Context, user id.User, ready bool, reason string) error {
	return m.do(ctx, request{look: func(t *thinker) {
		p := t.agents[user]
		if p == nil {
			t.refused = notSignedIn(user)
			return
		}
		p.leaving = ""
		t.touch(user)
		if !ready {
			t.applyBy(acd.Event{Kind: acd.AgentAway, Agent: user, Reason: reason}, supervisor)
			if p.now.state == event.Wrapup {
				t.applyBy(acd.Event{Kind: acd.WrapUpDone, Agent: user}, supervisor)
			}
			return
		}
		t.applyBy(acd.Event{Kind: acd.AgentReady, Agent: user}, supervisor)
		if p.now.state == event.Wrapup {
			t.applyBy(acd.Event{Kind: acd.WrapUpDone, Agent: user}, supervisor)
		}
	}})
}

// ForceOut signs an agent out by a leader's word: at once, or when the talk is over.
func (m *Module) ForceOut(ctx context.Context, user id.User) error {
	return m.tell(ctx, Order{Verb: verbForceOut, User: user})
}

func (m *Module) forceOut(ctx context.Context, user id.User) error {
	return m.do(ctx, request{look: func(t *thinker) {
		switch p := t.agents[user]; {
		case p == nil:
			t.refused = notSignedIn(user)
		case p.talks():
			p.leaving = supervisor
			t.touch(user)
		default:
			t.signOut(user, supervisor)
		}
	}})
}

// Seize is Take for a leader who takes part in a talk: also who is away may.
func (m *Module) Seize(ctx context.Context, c id.Contact, medium contact.Medium, agent id.User) (contact.Endpoint, error) {
	o := Order{Verb: verbSeize, Contact: c, Medium: medium, User: agent}
	if m.deps.Peers != nil {
		r, err := m.order(ctx, o)
		return r.Endpoint, err
	}
	return m.seize(ctx, o)
}

func (m *Module) seize(ctx context.Context, o Order) (at contact.Endpoint, err error) {
	err = m.do(ctx, request{look: func(t *thinker) {
		p := t.agents[o.User]
		switch {
		case p == nil:
			t.refused = notSignedIn(o.User)
			return
		case p.direct == o.Contact || p.now.state == event.Talking && p.now.contact == o.Contact:
			at = p.endpoint
			return
		case p.now.state != event.Ready && p.now.state != event.Away:
			t.refused = fault.New(fault.Conflict, "routing.rejected.no_room", "agent", string(o.User), "queue", "")
			return
		}
		p.direct, at = o.Contact, p.endpoint
		t.touch(o.User)
		t.applyBy(acd.Event{Kind: acd.AgentTook, Contact: o.Contact, Agent: o.User, Channel: acd.Channel(o.Medium), Force: true}, "agent")
		if t.refused != nil {
			p.direct = ""
		}
	}})
	return at, err
}

func notSignedIn(user id.User) error {
	return fault.New(fault.Conflict, "routing.rejected.no_agent", "agent", string(user), "queue", "")
}

// forced carries out a leader's order; false: it is none.
func (m *Module) forced(ctx context.Context, o Order) (r Reply, ours bool, err error) {
	switch o.Verb {
	case verbForce:
		return r, true, m.force(ctx, o.User, o.Ready, o.Reason)
	case verbForceOut:
		return r, true, m.forceOut(ctx, o.User)
	case verbSeize:
		r.Endpoint, err = m.seize(ctx, o)
		return r, true, err
	case verbDial:
		r.Endpoint, err = m.dial(ctx, o)
		return r, true, err
	}
	return r, false, nil
}

// Agent gives an agent's configuration.
func (m *Module) Agent(user id.User) (Agent, bool) {
	a, ok := m.snap.Load().agents[user]
	return a, ok
}

// Skills gives every skill there is, by code.
func (m *Module) Skills() []Skill {
	s := m.snap.Load()
	out := make([]Skill, 0, len(s.skills))
	for _, k := range s.skills {
		out = append(out, k)
	}
	return out
}
