package desk

import (
	"context"
	"slices"
	"strings"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Asking is asked to let an agent ask somebody while the caller hears music; voice answers. With join the answer brings
// the asked one into the talk, as a party; with is one of event.WithAsked and its like. Where nobody is asked any more,
// ConsultEnd sends the newest party away and ConsultComplete passes the conference on.
type Asking interface {
	Consult(ctx context.Context, c id.Contact, by id.User, to contact.Target, join bool) error
	ConsultTurn(ctx context.Context, c id.Contact, by id.User, with string) error
	ConsultEnd(ctx context.Context, c id.Contact, by id.User) error
	ConsultComplete(ctx context.Context, c id.Contact, by id.User) error
	PartyDrop(ctx context.Context, c id.Contact, by id.User, leg id.Leg) error
	PartyMute(ctx context.Context, c id.Contact, by id.User, leg id.Leg, muted bool) error
}

// ConsultView is who is being asked, and whom the agent speaks with. Since is unix ms.
type ConsultView struct {
	Kind  contact.TargetKind `json:"kind" enum:"agent,number"`
	Code  string             `json:"code" doc:"the agent's; a number is masked"`
	Name  string             `json:"name,omitempty" doc:"of the agent"`
	Queue id.Queue           `json:"queue,omitempty" doc:"whose free agent it is, if a queue was asked"`
	With  string             `json:"with" enum:"ringing,asked,caller"`
	Since int64              `json:"since"`
}

// PartyView is one who talks with caller and agent. Since is unix ms.
type PartyView struct {
	Leg   id.Leg             `json:"leg"`
	Kind  contact.TargetKind `json:"kind" enum:"agent,number"`
	Code  string             `json:"code" doc:"the agent's; a number is masked"`
	Name  string             `json:"name,omitempty" doc:"of the agent"`
	Queue id.Queue           `json:"queue,omitempty" doc:"whose free agent it is, if a queue was asked"`
	Muted bool               `json:"muted,omitempty" doc:"nobody hears them"`
	Since int64              `json:"since"`
}

func (m *Module) consultRoutes(api *web.API) {
	const one = "/api/v1/desk/contacts/{id}/consult"
	web.Post(api, one, Use, "Ask somebody while the caller hears music", m.consult, web.Quiet())
	web.Post(api, one+"/turn", Use, "Speak with the asked one or the caller, or bring the asked one into the talk", m.consultTurn, web.Quiet())
	web.Post(api, one+"/end", Use, "Ask no more, and go back to the caller; where nobody is asked, the newest party is sent away", m.consultDeed(Asking.ConsultEnd), web.Quiet())
	web.Post(api, one+"/complete", Use, "Leave caller, asked one and parties to each other", m.consultDeed(Asking.ConsultComplete), web.Quiet())
	web.Post(api, "/api/v1/desk/contacts/{id}/parties/{leg}/drop", Use, "Send a party of the talk away", m.partyDrop, web.Quiet())
	web.Post(api, "/api/v1/desk/contacts/{id}/parties/{leg}/mute", Use, "Let nobody hear a party of the talk, or let them be heard again", m.partyMute, web.Quiet())
}

type consultIn struct {
	ID   id.Contact `path:"id"`
	Body struct {
		Kind contact.TargetKind `json:"kind" enum:"agent,queue,number"`
		Code string             `json:"code" maxLength:"32"`
		Join bool               `json:"join,omitempty" doc:"into the talk as soon as there is an answer"`
	}
}

func (m *Module) consult(ctx context.Context, in *consultIn) (*deskOut, error) {
	user, err := m.mine(ctx, in.ID, "talking", "held")
	if err != nil {
		return nil, err
	}
	to := contact.Target{Kind: in.Body.Kind, Code: strings.TrimSpace(in.Body.Code)}
	if to.Code == "" {
		return nil, fault.New(fault.Invalid, "desk.transfer.nowhere").At("code")
	}
	before := 0
	for _, c := range m.view(user).Calls {
		if c.Contact == in.ID {
			before = len(c.Parties)
		}
	}
	if err := m.deps.Calls.Consult(ctx, in.ID, user, to, in.Body.Join); err != nil {
		return nil, err
	}
	return m.settledConsult(ctx, in.ID, func(c CallView) bool { return c.Consult != nil || len(c.Parties) > before })
}

type turnIn struct {
	ID   id.Contact `path:"id"`
	Body struct {
		With string `json:"with" enum:"asked,caller,both"`
	}
}

func (m *Module) consultTurn(ctx context.Context, in *turnIn) (*deskOut, error) {
	user, err := m.mine(ctx, in.ID, "talking", "held")
	if err != nil {
		return nil, err
	}
	if err := m.deps.Calls.ConsultTurn(ctx, in.ID, user, in.Body.With); err != nil {
		return nil, err
	}
	return m.settledConsult(ctx, in.ID, func(c CallView) bool { return c.Consult == nil || c.Consult.With == in.Body.With })
}

func (m *Module) consultDeed(deed func(Asking, context.Context, id.Contact, id.User) error) func(context.Context, *onContact) (*deskOut, error) {
	return func(ctx context.Context, in *onContact) (*deskOut, error) {
		user, err := m.mine(ctx, in.ID, "talking", "held")
		if err != nil {
			return nil, err
		}
		if err := deed(m.deps.Calls, ctx, in.ID, user); err != nil {
			return nil, err
		}
		return m.settledConsult(ctx, in.ID, func(c CallView) bool { return c.Consult == nil })
	}
}

type onParty struct {
	ID  id.Contact `path:"id"`
	Leg id.Leg     `path:"leg"`
}

func (m *Module) partyDrop(ctx context.Context, in *onParty) (*deskOut, error) {
	user, err := m.mine(ctx, in.ID, "talking", "held")
	if err != nil {
		return nil, err
	}
	if err := m.deps.Calls.PartyDrop(ctx, in.ID, user, in.Leg); err != nil {
		return nil, err
	}
	return m.settledConsult(ctx, in.ID, func(c CallView) bool { return c.party(in.Leg) == nil })
}

type muteIn struct {
	ID   id.Contact `path:"id"`
	Leg  id.Leg     `path:"leg"`
	Body struct {
		Muted bool `json:"muted"`
	}
}

func (m *Module) partyMute(ctx context.Context, in *muteIn) (*deskOut, error) {
	user, err := m.mine(ctx, in.ID, "talking", "held")
	if err != nil {
		return nil, err
	}
	if err := m.deps.Calls.PartyMute(ctx, in.ID, user, in.Leg, in.Body.Muted); err != nil {
		return nil, err
	}
	return m.settledConsult(ctx, in.ID, func(c CallView) bool {
		p := c.party(in.Leg)
		return p == nil || p.Muted == in.Body.Muted
	})
}

func (c CallView) party(leg id.Leg) *PartyView {
	for i, p := range c.Parties {
		if p.Leg == leg {
			return &c.Parties[i]
		}
	}
	return nil
}

// settledConsult answers once what is asked of the contact's consult shows.
func (m *Module) settledConsult(ctx context.Context, of id.Contact, ok func(CallView) bool) (*deskOut, error) {
	return m.settled(ctx, func(v View) bool {
		for _, c := range v.Calls {
			if c.Contact == of {
				return ok(c)
			}
		}
		return true
	})
}

// asking is a consult as the floor knows it.
type asking struct {
	to    contact.Target
	queue id.Queue
	with  string
	since int64
}

// joined is a party of a talk as the floor knows it.
type joined struct {
	leg   id.Leg
	to    contact.Target
	queue id.Queue
	muted bool
	since int64
}

// turned notes whom the agent speaks with; with both, that the asked one has come into the talk.
func (k *card) turned(b event.ConsultTurned, at int64) {
	switch {
	case b.With == event.WithBoth && b.To != nil:
		k.asks = nil
		k.parties = append(k.parties, joined{leg: b.Leg, to: *b.To, queue: b.Queue, muted: b.Muted, since: at})
	case k.asks != nil:
		k.asks.with, k.asks.since = b.With, at
	}
}

// asked notes that nobody is asked any more, or that a party has gone.
func (k *card) asked(b event.ConsultEnded) {
	if i := slices.IndexFunc(k.parties, func(p joined) bool { return p.leg == b.Leg }); b.Leg != "" && i >= 0 {
		k.parties = slices.Delete(k.parties, i, i+1)
	} else {
		k.asks = nil
	}
	k.unasked = ""
	if b.Why != "desk" && b.Why != "transfer" {
		k.unasked = b.Why
	}
}

func (k *card) muted(b event.ConsultMuted) {
	for i := range k.parties {
		if k.parties[i].leg == b.Leg {
			k.parties[i].muted = b.Muted
		}
	}
}

// consults follows who asks whom, and holds that last too long.
func (f *floor) consults(c id.Contact, fact ledger.Fact) []id.User {
	var user id.User
	var change func(*card)
	switch fact.Kind {
	case event.ConsultBegun{}.Kind():
		b, _ := body[event.ConsultBegun](fact)
		user, change = b.Agent, func(k *card) { k.asks, k.unasked = &asking{b.To, b.Queue, "ringing", fact.At}, "" }
	case event.ConsultTurned{}.Kind():
		b, _ := body[event.ConsultTurned](fact)
		user, change = b.Agent, func(k *card) { k.turned(b, fact.At) }
	case event.ConsultEnded{}.Kind():
		b, _ := body[event.ConsultEnded](fact)
		user, change = b.Agent, func(k *card) { k.asked(b) }
	case event.ConsultMuted{}.Kind():
		b, _ := body[event.ConsultMuted](fact)
		user, change = b.Agent, func(k *card) { k.muted(b) }
	case event.LegRecalled{}.Kind():
		b, _ := body[event.LegRecalled](fact)
		user, change = b.Agent, func(k *card) { k.recalled++ }
	}
	s := f.agents[user]
	if s == nil || s.cards[c] == nil {
		return nil
	}
	change(s.cards[c])
	return []id.User{user}
}

// asksNow says whether the agent speaks with who is asked, alone.
func (f *floor) asksNow(user id.User, c id.Contact) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.agents[user]
	if s == nil || s.cards[c] == nil {
		return false
	}
	a := s.cards[c].asks
	return a != nil && a.with == event.WithAsked
}

// consultView shows who is asked.
func (m *Module) consultView(a *asking) *ConsultView {
	if a == nil {
		return nil
	}
	v := &ConsultView{Kind: a.to.Kind, Queue: a.queue, With: a.with, Since: a.since}
	v.Code, v.Name = m.nameOf(a.to)
	return v
}

// nameOf gives an agent's code and name; a number is masked.
func (m *Module) nameOf(to contact.Target) (code, name string) {
	if to.Kind != contact.ToAgent {
		return phone.Mask(to.Code), ""
	}
	name, _, _ = m.deps.Names.User(id.User(to.Code))
	return to.Code, name
}

// partyViews shows who talks with caller and agent.
func (m *Module) partyViews(all []joined) []PartyView {
	var out []PartyView
	for _, p := range all {
		v := PartyView{Leg: p.leg, Kind: p.to.Kind, Queue: p.queue, Muted: p.muted, Since: p.since}
		v.Code, v.Name = m.nameOf(p.to)
		out = append(out, v)
	}
	return out
}
