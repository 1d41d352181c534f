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

// SignIn brings an agent to work at a site and an endpoint. The agent begins away, with no reason.
func (m *Module) SignIn(ctx context.Context, user id.User, site id.Site, at contact.Endpoint, seat id.Seat, up bool) error {
	now := m.deps.Clock.Now()
	p := &present{
		user: user, site: site, endpoint: at, signedInAt: now, last: map[id.Contact]work{},
		now: standing{state: event.SignedOut, since: now},
	}
	config := m.snap.Load().agents[user]
	m.deps.Facts.Post(now, site, string(user), string(user), event.AgentSignedIn{Endpoint: at, Seat: seat})
	return m.do(ctx, request{by: "agent", person: p, event: acd.Event{
		Kind: acd.AgentSignedIn, Profile: brainAgent(user, config, m.path(site)), Endpoint: up, Since: now.UnixMilli(),
	}})
}

// SignOut ends an agent's work. Refused while a contact is open at the agent.
func (m *Module) SignOut(ctx context.Context, user id.User, why string) error {
	busy := false
	err := m.do(ctx, request{look: func(t *thinker) {
		p := t.agents[user]
		switch {
		case p == nil:
		case p.now.state == event.Talking && why == "":
			busy = true
		default:
			t.signOut(user, why)
		}
	}})
	if busy {
		return fault.New(fault.Conflict, "routing.agent.talking")
	}
	return err
}

func (t *thinker) signOut(user id.User, why string) {
	p := t.agents[user]
	if p == nil {
		return
	}
	t.applyBy(acd.Event{Kind: acd.AgentSignedOut, Agent: user}, "agent")
	if p.now.state != event.SignedOut { // the brain says so itself; whatever it says, the day's sum must close
		t.stand(p, standing{state: event.SignedOut, since: t.m.deps.Clock.Now()}, "agent")
	}
	end := p.now.since // where the last state was closed: in whole ms, as the states are
	t.m.deps.Facts.Post(end, p.site, string(p.user), string(p.user), event.AgentSignedOut{Ms: end.UnixMilli() - p.signedInAt.UnixMilli(), Why: why})
	delete(t.agents, user)
}

// Want sets the state an agent asks for: ready, or away with a reason. Away during talk or wrap-up comes after.
func (m *Module) Want(ctx context.Context, user id.User, ready bool, reason string) error {
	ev := acd.Event{Kind: acd.AgentReady, Agent: user}
	if !ready {
		ev = acd.Event{Kind: acd.AgentAway, Agent: user, Reason: reason}
	}
	return m.do(ctx, request{event: ev, by: "agent"})
}

// WrapUpDone ends an agent's wrap-up.
func (m *Module) WrapUpDone(ctx context.Context, user id.User) error {
	return m.do(ctx, request{event: acd.Event{Kind: acd.WrapUpDone, Agent: user}, by: "agent"})
}

// WrapUpExtended moves the end of an agent's wrap-up.
func (m *Module) WrapUpExtended(ctx context.Context, user id.User, until time.Time) error {
	return m.do(ctx, request{event: acd.Event{Kind: acd.WrapUpExtended, Agent: user, Until: until.UnixMilli()}, by: "agent"})
}

// SignedIn says whether the agent is signed in, and at which endpoint.
func (m *Module) SignedIn(ctx context.Context, user id.User) (at contact.Endpoint, ok bool, err error) {
	err = m.do(ctx, request{look: func(t *thinker) {
		if p := t.agents[user]; p != nil {
			at, ok = p.endpoint, true
		}
	}})
	return at, ok, err
}

// standing is an agent's state and since when.
type standing struct {
	state   event.AgentState
	reason  string
	contact id.Contact
	since   time.Time
	until   int64
	next    string
}

// stand notes an agent's new state as a fact; the state left is closed to the millisecond.
func (t *thinker) stand(p *present, to standing, by string) {
	was := p.now
	if was.state == to.state && was.reason == to.reason && was.contact == to.contact {
		to.since = was.since
		if was.until == to.until && was.next == to.next {
			return
		}
	}
	p.now = to
	f := event.AgentChanged{
		State: to.state, Reason: to.reason, Was: was.state, WasReason: was.reason, WasSince: was.since.UnixMilli(),
		Contact: was.contact, With: to.contact, Until: to.until, Next: to.next, By: by,
	}
	if was.state == to.state && to.since.Equal(was.since) { // only the deadline moved: no time has been spent
		t.m.deps.Facts.Post(t.m.deps.Clock.Now(), p.site, string(p.user), string(p.user), f)
		return
	}
	f.WasMs = to.since.UnixMilli() - was.since.UnixMilli()
	if w, ok := p.last[was.contact]; ok {
		f.Queue, f.EnteredAt = w.queue, w.enteredAt
	}
	if was.state == event.SignedOut {
		f.WasMs = 0
	}
	t.m.deps.Facts.Post(to.since, p.site, string(p.user), string(p.user), f)
	if was.state == event.Wrapup && to.state != event.Talking {
		clear(p.last)
	}
}
