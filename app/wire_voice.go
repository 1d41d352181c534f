package app

import (
	"context"
	"encoding/json"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/routing"
	"github.com/kapok-hotline/kapok/modules/voice"
	"github.com/kapok-hotline/kapok/platform/section"
)

// realm is what phones and browsers register under; stored digests depend on it.
const realm = "kapok"

func (h *House) newVoice() (*voice.Module, error) {
	cert, err := h.web.TLS()
	if err != nil {
		return nil, err
	}
	d := voice.Deps{
		DB: h.db, Clock: h.clock, Facts: facts{h}, Queues: queues{h}, Hours: flowHours{h}, Callers: screenCallers{h}, Sites: h.identity, Staff: h.identity, Cities: h.customer, Changed: h.changed, Publish: publisher{h}, Log: h.log,
		Surge: h.surgeNotices, Keep: facts{h}.Keep, Node: h.o.Node,
		Tell: func(topic string, to id.User, data any) {
			if err := h.web.Hub().PublishTo(topic, to, func() any { return data }); err != nil {
				h.log.Error("a page was not told", "topic", topic, "err", err)
			}
		},
		Told: func(agent id.User) { h.desk.EndpointChanged(agent) },
		Data: h.o.Data, Key: h.keys.sound, SIP: h.o.SIP, SIPS: h.o.SIPS, TLS: cert, Advertise: h.o.Advertise,
		RTPFirst: h.o.RTPFirst, RTPLast: h.o.RTPLast, Fast: h.o.FastPath && !h.o.Closed, WebPort: h.o.WebRTC, Realm: realm,
	}
	d.Line, d.Manners = queues{h}, h.caller
	if h.peers != nil {
		d.Presence, d.Far, d.Others = h.peers, h.peers, farDisks{h.peers}
	}
	m, err := voice.New(d)
	if err == nil {
		m.SIP().Strain(h.strain)
	}
	return m, err
}

// queues answers voice's questions for agents with routing.
type queues struct{ h *House }

func (q queues) Enter(ctx context.Context, queue id.Queue, w voice.Waiting) error {
	e := routing.Entry{
		Contact: w.Contact, Medium: contact.Phone, Site: w.Site, Priority: w.Priority, Caller: w.Caller, First: w.First,
		At: w.At, Since: w.Since, Quiet: w.Quiet, Sticky: q.known(ctx, queue, w.Caller, w.At), Keep: w.Keep,
	}
	for _, n := range w.Needs {
		e.Needs = append(e.Needs, routing.Need{Skill: n.Skill, Level: n.Level})
	}
	return q.h.routing.Enter(ctx, queue, e)
}

func (q queues) Leave(ctx context.Context, c id.Contact) error { return q.h.routing.Leave(ctx, c) }

func (q queues) Done(ctx context.Context, c id.Contact, agent id.User) error {
	return q.h.routing.Done(ctx, c, agent)
}

func (q queues) Known(code id.Queue) bool {
	_, ok := q.h.routing.Queue(code)
	return ok
}

func (q queues) Agent(ctx context.Context, number string) (id.User, bool) {
	if user, err := q.h.routing.At(ctx, id.Phone(number)); err == nil && user != "" {
		return user, true
	}
	p, ok := q.h.identity.Person(id.User(number))
	return p.Code, ok && p.Active
}

func (q queues) Take(ctx context.Context, c id.Contact, agent id.User, from id.Queue) (contact.Endpoint, error) {
	return q.h.routing.Take(ctx, c, contact.Phone, agent, from)
}

func (q queues) Taken(ctx context.Context, c id.Contact, agent id.User) error {
	return q.h.routing.Taken(ctx, c, agent)
}

func (q queues) Seize(ctx context.Context, c id.Contact, agent id.User) (contact.Endpoint, error) {
	return q.h.routing.Seize(ctx, c, contact.Phone, agent)
}

func (q queues) Dial(ctx context.Context, c id.Contact, agent id.User, from id.Queue, wrapup time.Duration) (contact.Endpoint, error) {
	return q.h.routing.Dial(ctx, c, contact.Phone, agent, from, wrapup)
}

func (q queues) Endpoint(ctx context.Context, at contact.Endpoint, up bool) error {
	q.h.noteEndpoint(ctx, at, up)
	agent, err := q.h.routing.EndpointChanged(ctx, at, up)
	if agent != "" {
		q.h.desk.EndpointChanged(agent)
	}
	return err
}

func (q queues) Sound(code id.Queue) voice.Sound {
	k, ok := q.h.routing.Queue(code)
	if !ok {
		return voice.Sound{Record: true}
	}
	return voice.Sound{Music: k.Music, Announce: time.Duration(k.AnnounceS) * time.Second, Record: !k.NoRecording, Place: k.PlaceSaid, Callback: q.h.callbackNow(k), Secret: k.Secret}
}

// publisher brings voice's flows into the configuration, which is made after the modules.
type publisher struct{ h *House }

func (p publisher) Put(ctx context.Context, key, code string, body json.RawMessage, o section.Options) (section.Result, error) {
	return p.h.book.Put(ctx, key, code, body, o)
}

// flowHours answers a flow's question for a calendar.
type flowHours struct{ h *House }

func (f flowHours) State(calendar string, at time.Time) (day.State, string, time.Time, error) {
	state, name, next := f.h.calendar.IsOpen(calendar, at)
	return state, name, next, nil
}
