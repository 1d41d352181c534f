package voice

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
)

// outcall is what an agent calls for of their own will, as far as it is known.
type outcall struct {
	contact.Outcall
	result string // "" while nobody has answered
	code   string
}

// calloutWrapup is the wrap-up after a call out where the settings say nothing.
const calloutWrapup = time.Minute

// CallOut calls a person outside for an agent who is signed in and ready, away or in wrap-up: the agent's own phone
// rings, or the browser takes the call by itself; then the person is called by the trunks of the agent's site. It
// returns when the agent's phone is being rung; all else is told by facts (event.CalloutBegun and its like), which carry
// purpose and ref. Refused where the rules for calls out do not let the agent call the number, and where the agent is
// busy.
func (m *Module) CallOut(ctx context.Context, o contact.Outcall) (id.Contact, error) {
	o.Number = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(o.Number)
	switch _, ours := m.snap.Load().phones[id.Phone(o.Number)]; {
	case m.draining.Load():
		return "", fault.New(fault.Unavailable, "voice.callout.closing")
	case !dialable(o.Number):
		return "", fault.New(fault.Invalid, "voice.callout.number", "number", o.Number).At("number")
	case ours:
		return "", fault.New(fault.Invalid, "voice.callout.inside", "number", o.Number).At("number")
	}
	if err := m.mayCallOut(o.Agent, o.Number); err != nil {
		return "", err
	}
	now := m.now()
	if o.Contact == "" {
		o.Contact = id.Contact(id.New(now))
	}
	at, err := m.deps.Queues.Dial(ctx, o.Contact, o.Agent, "", m.calloutWrapup())
	if err != nil {
		return "", err
	}
	c := m.beginOut(o, now)
	m.gone.Go(c.run)
	m.gone.Go(func() { c.ringOut(at) })
	return c.id, nil
}

func (m *Module) calloutWrapup() time.Duration {
	return cmp.Or(time.Duration(m.snap.Load().settings.CalloutWrapupS)*time.Second, calloutWrapup)
}

// beginOut makes the call and opens its contact.
func (m *Module) beginOut(o contact.Outcall, now time.Time) *call {
	site, home := id.Site(""), homeArea
	if m.deps.Staff != nil {
		site = m.deps.Staff.SiteOf(o.Agent)
	}
	if city, ok := m.snap.Load().atlas.of(m.up(site)); ok {
		home = city.Area
	}
	person := phone.Parse(o.Number, home).National
	c := &call{
		m: m, id: o.Contact, site: site, startedAt: now, from: person,
		inbox: make(chan func(), inboxLength), done: make(chan struct{}), timer: time.NewTimer(time.Hour), phase: guided,
		owed: &owed{number: o.Number, out: &outcall{Outcall: o}, agent: o.Agent}, outcome: contact.Unreached,
	}
	c.log = m.deps.Log.With("contact", string(c.id))
	c.ctx, c.stop = context.WithCancel(m.life)
	c.caller = &side{role: "caller", number: o.Number, leg: nobody{}}
	c.player = m.tick.NewPlayer(c.caller.leg)
	m.mu.Lock()
	m.calls[c.id] = c
	m.mu.Unlock()
	c.factAt(now, o.Agent, event.ContactStarted{Medium: contact.Phone, Direction: contact.Out, From: person, To: person})
	c.factAt(now, o.Agent, event.CalloutBegun{Agent: o.Agent, Number: person, Purpose: o.Purpose, Ref: o.Ref})
	return c
}

// ringOut rings the agent's own phone; when it answers the person is called, by seek.
func (c *call) ringOut(at contact.Endpoint) {
	agent := c.owed.agent
	s := &side{role: "agent", agent: agent, endpoint: at, own: true}
	begun := c.ask(c.ctx, func() { c.direct = s })
	ctx, cancel := context.WithTimeoutCause(c.ctx, directRing, fault.New(fault.Unavailable, "no_answer"))
	defer cancel()
	err := notHere(c.id)
	if begun {
		err = c.ring(ctx, s, func() bool {
			if c.phase != guided || c.direct != s {
				return false
			}
			ctx, cancel := context.WithTimeout(c.ctx, brainBound)
			defer cancel()
			return c.m.deps.Queues.Taken(ctx, c.id, agent) == nil
		})
	}
	if err == nil {
		return
	}
	c.log.Info("an agent's own phone did not take a call out", "agent", agent, "err", err)
	c.doneAsking(s)
	c.post(func() {
		c.owed.out.result, c.owed.out.code = event.OutAgent, fault.CodeOf(err)
		c.end(contact.ByAgent, "callout "+fault.CodeOf(err))
	})
}

// outReached tells that the person called has answered.
func (c *call) outReached(person *side, now time.Time) {
	o := c.owed.out
	o.result = event.OutAnswered
	f := event.CalloutAnswered{Agent: o.Agent, Purpose: o.Purpose, Ref: o.Ref, RingMs: person.answeredAt.Sub(person.startedAt).Milliseconds()}
	if person.out != nil {
		f.Trunk, f.Shown = person.out.trunk, person.out.shown
	}
	c.factAt(now, o.Agent, f)
}

// outEnded tells how a call out went, once, before its contact ends.
func (c *call) outEnded() {
	if c.owed == nil || c.owed.out == nil {
		return
	}
	o := c.owed.out
	if o.result == "" {
		o.result, o.code = resultOf(c.owed.why), c.owed.why
	}
	c.fact(o.Agent, event.CalloutEnded{Agent: o.Agent, Purpose: o.Purpose, Ref: o.Ref, Result: o.result, Code: o.code})
}

// resultOf gives the result of a call out by what kept the person from it: a fault's code, or agent.
func resultOf(why string) string {
	switch why {
	case "contact.busy":
		return event.OutBusy
	case "contact.refused":
		return event.OutRefused
	case "no_answer":
		return event.OutNoAnswer
	case "contact.unreachable":
		return event.OutUnreachable
	case "agent":
		return event.OutAgent
	}
	return event.OutFailed
}
