package routing

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/acd"
)

// SignIn brings an agent to work at a site and an endpoint. The agent begins away, with no reason. up is asked on
// the brain's own turn whether the endpoint can be rung, so that one that registers meanwhile is not missed. A phone
// somebody else works at is refused (routing.phone.taken).
func (m *Module) SignIn(ctx context.Context, user id.User, site id.Site, at contact.Endpoint, seat id.Seat, up func() bool) error {
	if m.deps.Peers != nil {
		_, err := m.order(ctx, Order{Verb: verbSignIn, User: user, Site: site, Endpoint: at, Seat: seat})
		return err
	}
	return m.signIn(ctx, user, site, at, seat, up)
}

func (m *Module) signIn(ctx context.Context, user id.User, site id.Site, at contact.Endpoint, seat id.Seat, up func() bool) error {
	return m.do(ctx, request{look: func(t *thinker) {
		for other, p := range t.agents {
			if other != user && at.Phone != "" && p.endpoint.Phone == at.Phone {
				t.refused = fault.New(fault.Conflict, "routing.phone.taken", "phone", string(at.Phone), "agent", string(other))
				return
			}
		}
		if p := t.agents[user]; p != nil {
			if p.talks() {
				t.refused = fault.New(fault.Conflict, "routing.agent.talking")
				return
			}
			t.signOut(user, "elsewhere")
		}
		p := &present{user: user, site: site, endpoint: at, seat: seat, up: up(), away: true, last: map[id.Contact]work{}}
		t.agents[user] = p
		t.applyBy(acd.Event{
			Kind: acd.AgentSignedIn, Profile: brainAgent(user, m.snap.Load().agents[user], m.path(site)), Endpoint: p.up,
		}, "agent")
	}})
}

// SignOut ends an agent's work. Refused while the agent talks (routing.agent.talking), unless the house says why.
func (m *Module) SignOut(ctx context.Context, user id.User, why string) error {
	return m.tell(ctx, Order{Verb: verbSignOut, User: user, Reason: why})
}

func (m *Module) signOut(ctx context.Context, user id.User, why string) error {
	return m.do(ctx, request{look: func(t *thinker) {
		p := t.agents[user]
		if p != nil && why == "" && p.talks() {
			t.refused = fault.New(fault.Conflict, "routing.agent.talking")
			return
		}
		t.signOut(user, why)
	}})
}

// talks says whether a person is with the agent, or is being brought there past the queues.
func (p *present) talks() bool { return p.now.state == event.Talking || p.direct != "" }

// Lapsed says that nothing has been heard of an agent's desk for too long: the agent is signed out, at once or when
// the talk is over.
func (m *Module) Lapsed(ctx context.Context, user id.User) error {
	return m.tell(ctx, Order{Verb: verbLapsed, User: user})
}

func (m *Module) lapsed(ctx context.Context, user id.User) error {
	return m.do(ctx, request{look: func(t *thinker) {
		switch p := t.agents[user]; {
		case p == nil:
		case p.talks():
			p.leaving = "lost"
			t.touch(user)
		default:
			t.signOut(user, "lost")
		}
	}})
}

// Returned says that a desk thought lost is there again.
func (m *Module) Returned(ctx context.Context, user id.User) error {
	return m.tell(ctx, Order{Verb: verbReturned, User: user})
}

func (m *Module) returned(ctx context.Context, user id.User) error {
	return m.do(ctx, request{look: func(t *thinker) {
		if p := t.agents[user]; p != nil && p.leaving != supervisor {
			p.leaving = ""
			t.touch(user)
		}
	}})
}

func (t *thinker) signOut(user id.User, why string) {
	p := t.agents[user]
	if p == nil {
		return
	}
	by := "agent"
	if why == supervisor {
		by = supervisor
	}
	t.applyBy(acd.Event{Kind: acd.AgentSignedOut, Agent: user}, by)
	if p.now.state != event.SignedOut { // the brain says so itself; whatever it says, the day's sum must close
		t.stand(p, standing{state: event.SignedOut, since: t.now()}, by)
	}
	t.post(p, p.now.since, event.AgentSignedOut{Ms: p.now.since - p.signedInAt, Why: why})
	delete(t.agents, user)
	t.touch(user)
}

// Want sets the state an agent asks for: ready, or away with a reason. Away during talk or wrap-up comes after.
func (m *Module) Want(ctx context.Context, user id.User, ready bool, reason string) error {
	return m.tell(ctx, Order{Verb: verbWant, User: user, Ready: ready, Reason: reason})
}

func (m *Module) want(ctx context.Context, user id.User, ready bool, reason string) error {
	ev := acd.Event{Kind: acd.AgentReady, Agent: user}
	if !ready {
		ev = acd.Event{Kind: acd.AgentAway, Agent: user, Reason: reason}
	}
	return m.do(ctx, request{event: ev, by: "agent"})
}

// WrapUpDone ends an agent's wrap-up.
func (m *Module) WrapUpDone(ctx context.Context, user id.User) error {
	return m.tell(ctx, Order{Verb: verbWrapUpDone, User: user})
}

func (m *Module) wrapUpDone(ctx context.Context, user id.User) error {
	return m.do(ctx, request{event: acd.Event{Kind: acd.WrapUpDone, Agent: user}, by: "agent"})
}

// WrapUpExtended moves the end of an agent's wrap-up.
func (m *Module) WrapUpExtended(ctx context.Context, user id.User, until time.Time) error {
	return m.tell(ctx, Order{Verb: verbWrapUpExtended, User: user, Until: until.UnixMilli()})
}

func (m *Module) wrapUpExtended(ctx context.Context, user id.User, until time.Time) error {
	return m.do(ctx, request{event: acd.Event{Kind: acd.WrapUpExtended, Agent: user, Until: until.UnixMilli()}, by: "agent"})
}

// Take gives a contact to an agent past the queues: a transfer to the agent. It rings there until Taken says that it
// was answered or Done that it was not. queue, which may be empty, is where the contact came from: its wrap-up holds.
// No agent means the one of the queue who is ready and idle longest; the endpoint says who that is.
// Refused unless the agent is ready: nobody is rung in wrap-up, away or with another person.
func (m *Module) Take(ctx context.Context, c id.Contact, medium contact.Medium, agent id.User, queue id.Queue) (contact.Endpoint, error) {
	o := Order{Verb: verbTake, Contact: c, Medium: medium, User: agent, Queue: queue}
	if m.deps.Peers != nil {
		r, err := m.order(ctx, o)
		return r.Endpoint, err
	}
	return m.take(ctx, o)
}

func (m *Module) take(ctx context.Context, o Order) (at contact.Endpoint, err error) {
	c, medium, agent, queue := o.Contact, o.Medium, o.User, o.Queue
	err = m.do(ctx, request{look: func(t *thinker) {
		if agent == "" {
			agent = t.idlest(queue, c)
		}
		p := t.agents[agent]
		switch {
		case p == nil && o.User == "":
			t.refused = fault.New(fault.Conflict, "routing.queue.nobody", "queue", string(queue))
			return
		case p == nil:
			t.refused = fault.New(fault.Conflict, "routing.rejected.no_agent", "agent", string(agent), "queue", "")
			return
		case p.direct == c: // asked again
			at = p.endpoint
			return
		case p.now.state != event.Ready:
			t.refused = fault.New(fault.Conflict, "routing.rejected.no_room", "agent", string(agent), "queue", "")
			return
		}
		t.moved(c)
		p.direct, at = c, p.endpoint
		t.touch(agent)
		t.applyBy(acd.Event{Kind: acd.AgentTook, Contact: c, Agent: agent, Channel: acd.Channel(medium), WrapUp: t.wrapUp(queue)}, "agent")
		if t.refused != nil {
			p.direct = ""
		}
	}})
	return at, err
}

// wrapUp is how long the wrap-up after a talk of a queue lasts, in the brain's words.
func (t *thinker) wrapUp(queue id.Queue) int64 {
	q, ok := t.m.snap.Load().queues[queue]
	switch {
	case !ok:
		return 0
	case q.WrapupS < 0:
		return acd.Manual
	}
	return seconds(q.WrapupS)
}

// Taken says that the agent a contact was given to has answered.
func (m *Module) Taken(ctx context.Context, c id.Contact, agent id.User) error {
	return m.insist(ctx, Order{Verb: verbTaken, Contact: c, User: agent})
}

func (m *Module) taken(ctx context.Context, c id.Contact, agent id.User) error {
	return m.do(ctx, request{look: func(t *thinker) {
		if p := t.agents[agent]; p != nil && p.direct == c {
			p.direct = ""
			t.touch(agent)
			t.stand(p, standing{state: event.Talking, contact: c, since: t.now(), next: p.now.next}, "agent")
		}
	}})
}

// Done says an agent's leg of a contact has ended: wrap-up begins, unless the agent never answered.
func (m *Module) Done(ctx context.Context, c id.Contact, agent id.User) error {
	return m.insist(ctx, Order{Verb: verbDone, Contact: c, User: agent, At: m.deps.Clock.Now().UnixMilli()})
}

func (m *Module) done(ctx context.Context, o Order) error {
	return m.do(ctx, request{look: func(t *thinker) {
		t.over = over{o.User, o.At}
		defer func() { t.over = over{} }()
		p := t.agents[o.User]
		if p == nil || p.direct != o.Contact {
			t.apply(acd.Event{Kind: acd.ContactDone, Contact: o.Contact, Agent: o.User})
			return
		}
		t.feed(func() {
			t.apply(acd.Event{Kind: acd.ContactDone, Contact: o.Contact, Agent: o.User})
			t.apply(acd.Event{Kind: acd.WrapUpDone, Contact: o.Contact, Agent: o.User})
		})
	}})
}

// SignedIn says whether the agent is signed in, and at which endpoint.
func (m *Module) SignedIn(ctx context.Context, user id.User) (at contact.Endpoint, ok bool, err error) {
	if m.deps.Peers != nil {
		r, err := m.order(ctx, Order{Verb: verbSignedIn, User: user})
		return r.Endpoint, r.OK, err
	}
	return m.signedIn(ctx, user)
}

func (m *Module) signedIn(ctx context.Context, user id.User) (at contact.Endpoint, ok bool, err error) {
	err = m.do(ctx, request{look: func(t *thinker) {
		if p := t.agents[user]; p != nil {
			at, ok = p.endpoint, true
		}
	}})
	return at, ok, err
}
