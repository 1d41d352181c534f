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

const verbDial Verb = "dial"

// Dial is Take for what an agent does of their own will: a call out, or a parked call taken back. Who is away or in
// wrap-up may, too; a wrap-up ends with it. The wrap-up after it is that of the queue the contact came from, if any, else
// wrapup; less than 0: until the agent is done. Who talks or is being rung is refused.
func (m *Module) Dial(ctx context.Context, c id.Contact, medium contact.Medium, agent id.User, queue id.Queue, wrapup time.Duration) (contact.Endpoint, error) {
	o := Order{Verb: verbDial, Contact: c, Medium: medium, User: agent, Queue: queue, WrapMs: wrapup.Milliseconds()}
	if m.deps.Peers != nil {
		r, err := m.order(ctx, o)
		return r.Endpoint, err
	}
	return m.dial(ctx, o)
}

func (m *Module) dial(ctx context.Context, o Order) (at contact.Endpoint, err error) {
	err = m.do(ctx, request{look: func(t *thinker) {
		p := t.agents[o.User]
		switch {
		case p == nil:
			t.refused = notSignedIn(o.User)
			return
		case p.direct == o.Contact: // asked again
			at = p.endpoint
			return
		case p.direct != "" || p.now.state != event.Ready && p.now.state != event.Away && p.now.state != event.Wrapup:
			t.refused = fault.New(fault.Conflict, "routing.dial.busy", "agent", string(o.User))
			return
		}
		t.moved(o.Contact)
		written := p.now.contact
		p.direct, at = o.Contact, p.endpoint
		t.touch(o.User)
		took := acd.Event{Kind: acd.AgentTook, Contact: o.Contact, Agent: o.User, Channel: acd.Channel(o.Medium), WrapUp: o.WrapMs, Force: true}
		switch {
		case o.Queue != "":
			took.WrapUp = t.wrapUp(o.Queue)
		case o.WrapMs < 0:
			took.WrapUp = acd.Manual
		}
		if p.now.state != event.Wrapup {
			t.applyBy(took, "agent")
		} else { // first the new, then the old: nobody is offered to the agent in between
			t.feed(func() {
				t.applyBy(took, "agent")
				t.applyBy(acd.Event{Kind: acd.WrapUpDone, Contact: written, Agent: o.User}, "agent")
			})
		}
		if t.refused != nil {
			p.direct = ""
		}
	}})
	return at, err
}
