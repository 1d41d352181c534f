package desk

import (
	"cmp"
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Park is the right to park people, and to take back who was parked at one's own site or below.
const Park right.Right = "desk.call.park"

// Parking leaves a person in a numbered slot, and brings them to whoever asks for them; voice answers.
type Parking interface {
	Park(ctx context.Context, c id.Contact, by id.User) (slot int, err error)
	Unpark(ctx context.Context, c id.Contact, by id.User) error
}

// ParkedView is a person in a slot. Since, and Until when who parked is rung, are unix ms.
type ParkedView struct {
	Contact   id.Contact        `json:"contact"`
	Slot      int               `json:"slot"`
	Number    string            `json:"number"` // masked
	City      string            `json:"city,omitempty"`
	Direction contact.Direction `json:"direction"`
	Queue     id.Queue          `json:"queue,omitempty"`
	QueueName string            `json:"queue_name,omitempty"`
	QueueEn   string            `json:"queue_name_en,omitempty"`
	By        id.User           `json:"by"`
	ByName    string            `json:"by_name"`
	Since     int64             `json:"since"`
	Until     int64             `json:"until"`
}

// stay is a person in a slot, as the floor knows it.
type stay struct {
	event.ContactParked
	since int64
	site  id.Site // of who parked
}

func (m *Module) parkRoutes(api *web.API) {
	web.Post(api, "/api/v1/desk/contacts/{id}/park", Park, "Leave the person in a numbered slot, with music", m.park, web.Quiet())
	web.Post(api, "/api/v1/desk/parked/{slot}", Park, "Take back who is parked in a slot", m.unpark, web.Quiet())
}

func (m *Module) park(ctx context.Context, in *onContact) (*deskOut, error) {
	user, err := m.mine(ctx, in.ID, "talking", "held")
	if err != nil {
		return nil, err
	}
	if _, err := m.deps.Parking.Park(ctx, in.ID, user); err != nil {
		return nil, err
	}
	return m.settled(ctx, func(v View) bool {
		return slices.ContainsFunc(v.Parked, func(p ParkedView) bool { return p.Contact == in.ID })
	})
}

type unparkIn struct {
	Slot int `path:"slot" minimum:"1" maximum:"99"`
}

// unpark has the agent's own phone rung for who is parked in a slot.
func (m *Module) unpark(ctx context.Context, in *unparkIn) (*deskOut, error) {
	p := web.Principal(ctx)
	v := m.view(p.User)
	if !v.SignedIn {
		return nil, fault.New(fault.Conflict, "desk.signed_out")
	}
	i := slices.IndexFunc(v.Parked, func(x ParkedView) bool { return x.Slot == in.Slot })
	if i < 0 {
		return nil, fault.New(fault.NotFound, "desk.park.none", "slot", in.Slot)
	}
	c := v.Parked[i].Contact
	if err := m.deps.Parking.Unpark(ctx, c, p.User); err != nil {
		return nil, err
	}
	return m.settled(ctx, func(v View) bool {
		return slices.ContainsFunc(v.Calls, func(x CallView) bool { return x.Contact == c && x.Phase != "wrapup" })
	})
}

// parks folds who is parked, and names every agent whose desk shows it.
func (f *floor) parks(c id.Contact, fact ledger.Fact) []id.User {
	a := f.contacts[c]
	if a == nil {
		return nil
	}
	before := a.stay
	if b, ok := body[event.ContactParked](fact); ok && fact.Kind == b.Kind() {
		a.stay = &stay{ContactParked: b, since: fact.At}
		if s := f.agents[b.Agent]; s != nil {
			a.stay.site = s.site
		}
	} else {
		a.stay = nil
	}
	f.unstay(c, before)
	if a.stay != nil {
		if f.parked == nil {
			f.parked = map[id.Contact]*approach{}
		}
		f.parked[c] = a
	}
	return f.everybody()
}

// unstay takes a contact off the list of the parked.
func (f *floor) unstay(c id.Contact, s *stay) bool {
	if s == nil {
		return false
	}
	delete(f.parked, c)
	return true
}

func (f *floor) everybody() []id.User {
	all := make([]id.User, 0, len(f.agents))
	for user := range f.agents {
		all = append(all, user)
	}
	return all
}

// parkedFor lists who an agent may take back, by slot. The floor is locked.
func (m *Module) parkedFor(user id.User) []ParkedView {
	out := []ParkedView{}
	_, mine, _ := m.deps.Names.User(user)
	for c, a := range m.floor.parked {
		s := a.stay
		if s.Agent != user && !m.inside(s.site, mine) {
			continue
		}
		v := ParkedView{
			Contact: c, Slot: s.Slot, Number: phone.Mask(a.from), City: cityOf(a.from), Direction: a.direction,
			Queue: s.Queue, By: s.Agent, Since: s.since, Until: s.Until,
		}
		v.ByName, _, _ = m.deps.Names.User(s.Agent)
		if s.Queue != "" {
			v.QueueName, v.QueueEn = m.deps.Names.Queue(s.Queue)
		}
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b ParkedView) int { return cmp.Compare(a.Slot, b.Slot) })
	return out
}
