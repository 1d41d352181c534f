package desk

import (
	"context"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Seats tells the places to work at; identity fills it.
type Seats interface {
	Seats() []Workplace
	Seat(code id.Seat) (Workplace, bool)
}

// Workplace is a place to work at, as it was set up. Row and Col are its place on the map of its zone, 0: anywhere.
type Workplace struct {
	Code    id.Seat  `json:"code"`
	Site    id.Site  `json:"site"`
	Zone    string   `json:"zone"`
	Kind    string   `json:"kind" enum:"phone,post"`
	Row     int      `json:"row"`
	Col     int      `json:"col"`
	Port    string   `json:"port"`
	Headset string   `json:"headset"`
	Phone   id.Phone `json:"phone"`
	Remote  bool     `json:"remote"`

	SiteName   string `json:"site_name,omitempty"`
	SiteNameEn string `json:"site_name_en,omitempty"`
}

// SeatView is a place to work at and who is there now.
type SeatView struct {
	Workplace
	OnLine  bool             `json:"on_line" doc:"its phone can be rung, or its agent's browser"`
	User    id.User          `json:"user,omitempty"`
	Name    string           `json:"name,omitempty"`
	State   event.AgentState `json:"state,omitempty" enum:",ready,ringing,talking,wrapup,away"`
	Reason  string           `json:"reason,omitempty"`
	Label   string           `json:"reason_name,omitempty"`
	LabelEn string           `json:"reason_name_en,omitempty"`
	Since   int64            `json:"since,omitempty" doc:"unix ms"`
	Calls   int              `json:"calls"`
}

type seatsOut struct {
	Body struct {
		At    int64      `json:"at" doc:"unix ms"`
		Seats []SeatView `json:"seats"`
	}
}

func (m *Module) seatRoutes(api *web.API) {
	web.Get(api, "/api/v1/seats/live", SeeTeam, "The places to work at of my sites, and who is there", m.seats)
	web.Post(api, "/api/v1/seats/{seat}/sit", Use, "Move to a seat with login, phone and rights; two who swap are moved by who may seat others", m.sit)
}

// seatOf gives the seat a phone stands at.
func (m *Module) seatOf(p id.Phone) id.Seat {
	if m.deps.Seats == nil || p == "" {
		return ""
	}
	for _, w := range m.deps.Seats.Seats() {
		if w.Phone == p {
			return w.Code
		}
	}
	return ""
}

func (m *Module) seats(ctx context.Context, _ *none) (*seatsOut, error) {
	p := web.Principal(ctx)
	out := &seatsOut{}
	out.Body.At, out.Body.Seats = m.deps.Clock.Now().UnixMilli(), []SeatView{}
	if m.deps.Seats == nil {
		return out, nil
	}
	for _, w := range m.deps.Seats.Seats() {
		if !m.within(w.Site, p) {
			continue
		}
		v := SeatView{Workplace: w, OnLine: w.Phone != "" && m.deps.Endpoints.Registered(contact.Endpoint{Phone: w.Phone})}
		if user, s, ok := m.floor.sitting(w); ok {
			v.User, v.State, v.Reason, v.Since, v.Calls = user, s.state, s.reason, s.since, len(s.cards)
			v.Name, _, _ = m.deps.Names.User(user)
			v.OnLine = m.deps.Endpoints.Registered(s.endpoint)
			for _, r := range m.lists.Load().reasons {
				if r.Code == s.reason && s.state == event.Away {
					v.Label, v.LabelEn = r.Name, r.NameEn
				}
			}
		}
		out.Body.Seats = append(out.Body.Seats, v)
	}
	return out, nil
}

// sitting gives who is at a place: signed in there, or at its phone.
func (f *floor) sitting(w Workplace) (user id.User, at seat, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for u, s := range f.agents {
		if s.place == w.Code || s.place == "" && w.Phone != "" && s.endpoint.Phone == w.Phone {
			return u, *s, true
		}
	}
	return "", seat{}, false
}

// signed gives where an agent is signed in.
func (f *floor) signed(u id.User) (at seat, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.agents[u]; s != nil {
		return *s, true
	}
	return seat{}, false
}

type sitIn struct {
	Seat id.Seat `path:"seat"`
	Body struct {
		User id.User `json:"user,omitempty" doc:"whom to move; empty: me"`
	}
}

// move is an agent on the way from one place to another.
type move struct {
	user   id.User
	site   id.Site
	from   seat
	to     contact.Endpoint
	toSeat id.Seat
}

// sit moves an agent to a seat; who sits there goes to the seat that becomes free. Login and rights are the person's and
// go along by themselves, the phone is the seat's.
func (m *Module) sit(ctx context.Context, in *sitIn) (*seatsOut, error) {
	p := web.Principal(ctx)
	user := p.User
	if in.Body.User != "" {
		user = in.Body.User
	}
	var w Workplace
	ok := m.deps.Seats != nil
	if ok {
		w, ok = m.deps.Seats.Seat(in.Seat)
	}
	if !ok || w.Kind != "phone" {
		return nil, fault.New(fault.NotFound, "desk.seat.unknown", "seat", string(in.Seat))
	}
	here, signedIn := m.floor.signed(user)
	other, there, taken := m.floor.sitting(w)
	if taken && other == user {
		return m.seats(ctx, nil)
	}
	if user != p.User || taken {
		for _, site := range []id.Site{w.Site, here.site, there.site} {
			if site == "" {
				continue
			}
			if err := web.May(ctx, Seating, site); err != nil {
				if taken && user == p.User {
					name, _, _ := m.deps.Names.User(other)
					return nil, fault.New(fault.Conflict, "desk.seat.taken", "seat", string(w.Code), "name", name)
				}
				return nil, err
			}
		}
	}
	if !signedIn && (taken || user != p.User) {
		return nil, fault.New(fault.Conflict, "desk.signed_out")
	}
	moves := []move{{user: user, site: m.homeOf(user, w.Site), from: here, to: m.endpointAt(user, w), toSeat: w.Code}}
	if taken {
		back := contact.Endpoint{Agent: other, Phone: here.endpoint.Phone}
		moves = append(moves, move{user: other, site: m.homeOf(other, here.site), from: there, to: back, toSeat: here.place})
	}
	if !signedIn {
		m.holdBy(ctx)
	}
	if err := m.carry(ctx, moves); err != nil {
		return nil, err
	}
	if m.deps.Flush != nil {
		_ = m.deps.Flush(ctx) // what is late here comes by the socket
	}
	if err := m.until(ctx, func() bool { got, _, ok := m.floor.sitting(w); return ok && got == user }); err != nil {
		return nil, err
	}
	return m.seats(ctx, nil)
}

func (m *Module) homeOf(user id.User, otherwise id.Site) id.Site {
	if _, site, ok := m.deps.Names.User(user); ok {
		return site
	}
	return otherwise
}

// endpointAt is where a person is rung at a seat: its phone, or their browser where it has none.
func (m *Module) endpointAt(user id.User, w Workplace) contact.Endpoint {
	return contact.Endpoint{Agent: user, Phone: w.Phone}
}

// carry signs all out and in again at their new places, in the states they were in. Where one cannot be seated, all
// go back to where they were.
func (m *Module) carry(ctx context.Context, moves []move) error {
	for _, x := range moves {
		if s := x.from.state; s != "" && s != event.Ready && s != event.Away {
			name, _, _ := m.deps.Names.User(x.user)
			return fault.New(fault.Conflict, "desk.seat.busy", "name", name)
		}
	}
	for i, x := range moves {
		if x.from.state == "" {
			continue
		}
		if err := m.deps.Brain.SignOut(ctx, x.user, ""); err != nil {
			for _, y := range moves[:i] {
				m.reseat(ctx, y, y.from.endpoint, y.from.place)
			}
			return err
		}
	}
	for i, x := range moves {
		if err := m.seatAt(ctx, x, x.to, x.toSeat); err != nil {
			for _, y := range moves[:i] {
				m.undoSeat(ctx, y)
			}
			for _, y := range moves {
				if y.from.state != "" {
					m.reseat(ctx, y, y.from.endpoint, y.from.place)
				}
			}
			return err
		}
	}
	return nil
}

func (m *Module) undoSeat(ctx context.Context, x move) {
	if err := m.deps.Brain.SignOut(ctx, x.user, ""); err != nil {
		m.deps.Log.Error("a move could not be undone", "agent", x.user, "err", err)
	}
}

func (m *Module) reseat(ctx context.Context, x move, at contact.Endpoint, place id.Seat) {
	if err := m.seatAt(ctx, x, at, place); err != nil {
		m.deps.Log.Error("an agent could not be brought back to their seat", "agent", x.user, "seat", place, "err", err)
	}
}

// seatAt signs an agent in at a place, in the state they were in.
func (m *Module) seatAt(ctx context.Context, x move, at contact.Endpoint, place id.Seat) error {
	m.assert(ctx, x.user)
	if err := m.deps.Brain.SignIn(ctx, x.user, x.site, at, place, func() bool { return m.deps.Endpoints.Registered(at) }); err != nil {
		return err
	}
	if x.from.state != event.Ready && x.from.reason == "" {
		return nil // had not begun yet: as who signs in is
	}
	return m.deps.Brain.Want(ctx, x.user, x.from.state == event.Ready, x.from.reason)
}
