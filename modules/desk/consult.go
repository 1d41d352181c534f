package desk

import (
	"context"
	"strings"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Asking is asked to let an agent ask somebody while the caller hears music; voice answers. With join the answer makes
// a three-party call; with is one of event.WithAsked and its like.
type Asking interface {
	Consult(ctx context.Context, c id.Contact, by id.User, to contact.Target, join bool) error
	ConsultTurn(ctx context.Context, c id.Contact, by id.User, with string) error
	ConsultEnd(ctx context.Context, c id.Contact, by id.User) error
	ConsultComplete(ctx context.Context, c id.Contact, by id.User) error
}

// ConsultView is who is being asked, and whom the agent speaks with. Since is unix ms.
type ConsultView struct {
	Kind  contact.TargetKind `json:"kind" enum:"agent,number"`
	Code  string             `json:"code" doc:"the agent's; a number is masked"`
	Name  string             `json:"name,omitempty" doc:"of the agent"`
	Queue id.Queue           `json:"queue,omitempty" doc:"whose free agent it is, if a queue was asked"`
	With  string             `json:"with" enum:"ringing,asked,caller,both"`
	Since int64              `json:"since"`
}

func (m *Module) consultRoutes(api *web.API) {
	const one = "/api/v1/desk/contacts/{id}/consult"
	web.Post(api, one, Use, "Ask somebody while the caller hears music", m.consult, web.Quiet())
	web.Post(api, one+"/turn", Use, "Speak with the asked one, the caller, or both", m.consultTurn, web.Quiet())
	web.Post(api, one+"/end", Use, "Ask no more, and go back to the caller", m.consultDeed(Asking.ConsultEnd), web.Quiet())
	web.Post(api, one+"/complete", Use, "Leave caller and asked one to each other", m.consultDeed(Asking.ConsultComplete), web.Quiet())
}

type consultIn struct {
	ID   id.Contact `path:"id"`
	Body struct {
		Kind contact.TargetKind `json:"kind" enum:"agent,queue,number"`
		Code string             `json:"code" maxLength:"32"`
		Join bool               `json:"join,omitempty" doc:"a three-party call as soon as there is an answer"`
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
	if err := m.deps.Calls.Consult(ctx, in.ID, user, to, in.Body.Join); err != nil {
		return nil, err
	}
	return m.settledConsult(ctx, in.ID, func(k *ConsultView) bool { return k != nil })
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
	return m.settledConsult(ctx, in.ID, func(k *ConsultView) bool { return k == nil || k.With == in.Body.With })
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
		return m.settledConsult(ctx, in.ID, func(k *ConsultView) bool { return k == nil })
	}
}

// settledConsult answers once what is asked of the contact's consult shows.
func (m *Module) settledConsult(ctx context.Context, of id.Contact, ok func(*ConsultView) bool) (*deskOut, error) {
	return m.settled(ctx, func(v View) bool {
		for _, c := range v.Calls {
			if c.Contact == of {
				return ok(c.Consult)
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
		user, change = b.Agent, func(k *card) {
			if k.asks != nil {
				k.asks.with, k.asks.since = b.With, fact.At
			}
		}
	case event.ConsultEnded{}.Kind():
		b, _ := body[event.ConsultEnded](fact)
		user, change = b.Agent, func(k *card) {
			k.asks, k.unasked = nil, ""
			if b.Why != "desk" && b.Why != "transfer" {
				k.unasked = b.Why
			}
		}
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
	v := &ConsultView{Kind: a.to.Kind, Code: a.to.Code, Queue: a.queue, With: a.with, Since: a.since}
	if a.to.Kind == contact.ToAgent {
		v.Name, _, _ = m.deps.Names.User(id.User(a.to.Code))
	} else {
		v.Code = phone.Mask(a.to.Code)
	}
	return v
}
