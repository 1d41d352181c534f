package voice

import (
	"cmp"
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
)

// Errand is a person the house calls of its own accord: a return visit, a missed caller. An agent is reserved and has
// answered before the person is called, so whoever lifts the handset hears somebody.
type Errand struct {
	Contact id.Contact // a new one: whoever sends the errand has written it down before
	Site    id.Site    // where the contact counts
	Queue   id.Queue   // its wrap-up and its rule of recording hold
	Agent   id.User    // who makes the call; the ready one of the queue who is idle longest when empty
	Number  string     // national form
	Ring    time.Duration
	Ears    Ears
}

// Ears hear how an errand goes. Each is told at most once, in this order; Over always, and last.
type Ears interface {
	// Dialling says that the agent has the line and the person is called next; with an error they are not.
	Dialling(ctx context.Context, agent id.User) error
	// Reached says that the person has answered. It must not block.
	Reached(agent id.User)
	// Over says that the call has ended.
	Over(end ErrandEnd)
}

// ErrandEnd is how an errand went.
type ErrandEnd struct {
	Agent   id.User
	Reached bool   // the person answered
	Why     string // a code when they did not, or were not called: contact.busy, contact.refused, contact.unreachable, no_answer, agent,
	// no_agent, stopped, or what Cancel gave
}

// Send reserves the agent and begins the call. An error says that nothing has been begun.
func (m *Module) Send(ctx context.Context, e Errand) error {
	if m.draining.Load() {
		return fault.New(fault.Unavailable, "voice.errand.closing")
	}
	at, err := m.deps.Queues.Take(ctx, e.Contact, e.Agent, e.Queue)
	if err != nil {
		return err
	}
	e.Agent = cmp.Or(e.Agent, at.Agent)
	c := &call{id: e.Contact, site: e.Site, queue: e.Queue, owed: &owed{errand: &e, number: e.Number, agent: e.Agent}}
	now := m.now()
	c.since = now
	m.goOut(c, now, func() {
		b := c.owed
		switch {
		case b.reached:
		case m.draining.Load():
			b.why = cmp.Or(b.why, "stopped")
		default:
			b.why = cmp.Or(b.why, "agent") // hung up, or lost the line
		}
		e.Ears.Over(ErrandEnd{Agent: e.Agent, Reached: b.reached, Why: b.why})
	})
	c.post(func() { c.fetch(at) })
	return nil
}

// Cancel ends an errand whose person has not answered yet; one who has is let alone.
func (m *Module) Cancel(cid id.Contact, why string) {
	if c := m.find(cid); c != nil && c.owed != nil {
		c.post(func() {
			if c.seeking() {
				c.owed.why = why
				c.end(contact.BySystem, why)
			}
		})
	}
}

// fetch rings the agent of an errand.
func (c *call) fetch(at contact.Endpoint) {
	s := &side{role: "agent", agent: c.owed.errand.Agent, endpoint: at}
	c.m.gone.Go(func() {
		ctx, cancel := context.WithTimeoutCause(c.ctx, directRing, fault.New(fault.Unavailable, "no_agent"))
		defer cancel()
		err := c.ring(ctx, s, func() bool {
			ctx, cancel := context.WithTimeout(c.ctx, brainBound)
			defer cancel()
			return c.m.deps.Queues.Taken(ctx, c.id, s.agent) == nil
		})
		if err == nil {
			return
		}
		free, cancelFree := context.WithTimeout(context.WithoutCancel(c.ctx), brainBound)
		defer cancelFree()
		c.told("done", c.m.deps.Queues.Done(free, c.id, s.agent))
		c.post(func() {
			if c.owed.why == "" {
				c.owed.why = "no_agent"
			}
			c.end(contact.BySystem, fault.CodeOf(err))
		})
	})
}

// may asks, before the person of an errand is called, the rules for calls out and whoever sent it. From its yes on the
// person counts as called.
func (b *owed) may(ctx context.Context, m *Module) error {
	if b.errand == nil {
		return nil
	}
	err := m.mayCallOut(b.agent, b.number)
	if err == nil {
		err = b.errand.Ears.Dialling(ctx, b.agent)
	}
	return err
}

// ring is how long the person's telephone may ring.
func (b *owed) ring() time.Duration {
	if b.errand != nil && b.errand.Ring > 0 {
		return b.errand.Ring
	}
	return callbackRing
}

// outSite is the site whose trunks and number a call to a person uses: the agent's, where an agent calls of the
// house's own accord; else the one where the person asked.
func (c *call) outSite() id.Site {
	if c.owed != nil && c.owed.errand != nil && c.m.deps.Staff != nil {
		return cmp.Or(c.m.deps.Staff.SiteOf(c.owed.agent), c.site)
	}
	return c.site
}

// Area gives the area code of the city a site belongs to: what numbers written without one are of.
func (m *Module) Area(site id.Site) string {
	if city, ok := m.snap.Load().atlas.of(m.up(site)); ok && city.Area != "" {
		return city.Area
	}
	return homeArea
}
