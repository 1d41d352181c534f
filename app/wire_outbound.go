package app

import (
	"context"
	"slices"
	"time"

	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/modules/outbound"
	"github.com/kapok-hotline/kapok/modules/report"
	"github.com/kapok-hotline/kapok/platform/section"
)

func (h *House) newOutbound() *outbound.Module {
	d := outbound.Deps{
		DB: h.db, Clock: h.clock, Facts: facts{h}, Stream: stream{h}, Calls: outCalls{h}, Staff: outStaff{h}, Contacts: outContacts{h}, Missed: outMissed{h.missed, deskNames{h}.Queue, h.nameAt}, Ledger: h.ledger,
		Hours: func(calendar string, at time.Time) day.State {
			state, _, _ := h.calendar.IsOpen(calendar, at)
			return state
		},
		Area: h.voice.Area, Zone: h.zone, Hub: h.web.Hub(), Changed: h.changed, Log: h.log,
	}
	if h.peers != nil {
		d.Lease = h.leaseOf("outbound")
		d.Tell = func() {
			if err := h.bus.Publish(section.Changed, nil); err != nil {
				h.log.Warn("the other processes hear of a list later", "err", err)
			}
		}
	}
	return outbound.New(d)
}

// leaseOf takes a right only one process has.
func (h *House) leaseOf(name string) func(context.Context) (<-chan struct{}, func(), error) {
	return func(ctx context.Context) (<-chan struct{}, func(), error) {
		l, err := h.bus.Lease(ctx, name, string(h.o.Node))
		if err != nil {
			return nil, nil, err
		}
		return l.Lost(), func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = l.Release(ctx) // it expires by itself
		}, nil
	}
}

// outCalls makes outbound's calls, at whatever process the agent's endpoint is.
type outCalls struct{ *House }

func (o outCalls) GiveUp(ctx context.Context, c id.Contact, why string) error {
	if o.peers == nil {
		return o.voice.GiveUp(ctx, c, why)
	}
	return anyVoice{o.voice, o.peers}.do(ctx, farOrder{Verb: "give_up", Contact: c, With: why}, func() error { return o.voice.GiveUp(ctx, c, why) })
}

// outStaff answers outbound's questions for agents.
type outStaff struct{ h *House }

func (s outStaff) Spare(ctx context.Context, queue id.Queue) ([]outbound.Idle, int, error) {
	idle, waiting, err := s.h.routing.Spare(ctx, queue)
	out := make([]outbound.Idle, len(idle))
	for i, a := range idle {
		out[i] = outbound.Idle(a)
	}
	return out, waiting, err
}

func (s outStaff) Serves(agent id.User, queue id.Queue) bool {
	return slices.Contains(s.h.routing.Serves(agent), queue)
}

func (s outStaff) Within(site, root id.Site) bool {
	return root == "" || s.h.identity.Within(site, root)
}

func (s outStaff) SiteOf(agent id.User) id.Site { return s.h.identity.SiteOf(agent) }

func (s outStaff) Holds(agent id.User, r right.Right, at id.Site) bool {
	return s.h.identity.Holds(agent, r, at)
}

func (s outStaff) AgentName(agent id.User) string {
	p, _ := s.h.identity.Person(agent)
	return p.Name
}

// outContacts answers who has called before.
type outContacts struct{ h *House }

func (o outContacts) Past(ctx context.Context, f outbound.PastFilter) ([]outbound.Past, error) {
	all, err := o.h.report.PastCallers(ctx, report.ContactFilter{From: f.From, To: f.To, Queue: f.Queue, Topic: f.Topic, Site: f.Site}, f.Grade)
	out := make([]outbound.Past, 0, len(all))
	for _, c := range all {
		past := outbound.Past{Contact: c.Contact, Number: c.Number, At: c.At, Queue: c.Queue, Topic: c.Topic, Grade: c.Grade}
		past.Name = o.h.nameAt(ctx, c.Number)
		out = append(out, past)
	}
	return out, err
}
