package desk

import (
	"context"
	"strings"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/web"
)

// none is the input of a request that needs none.
type none struct{}

// deskOut answers with the desk as it is after the request.
type deskOut struct{ Body View }

// onContact is the input of a request about one of the agent's contacts.
type onContact struct {
	ID id.Contact `path:"id"`
}

// Routes registers the desk's requests.
func (m *Module) Routes(api *web.API) {
	web.Get(api, "/api/v1/desk", Use, "My desk", func(ctx context.Context, _ *none) (*deskOut, error) {
		return m.out(ctx)
	})
	web.Post(api, "/api/v1/desk/signin", Use, "Begin work at an endpoint", m.signIn, web.Quiet())
	web.Post(api, "/api/v1/desk/signout", Use, "End work", m.signOut, web.Quiet())
	web.Post(api, "/api/v1/desk/state", Use, "Be ready, or away with a reason", m.state, web.Quiet())
	web.Post(api, "/api/v1/desk/contacts/{id}/hold", Use, "Put the caller on hold", m.hold(true), web.Quiet())
	web.Post(api, "/api/v1/desk/contacts/{id}/resume", Use, "Take the caller off hold", m.hold(false), web.Quiet())
	web.Post(api, "/api/v1/desk/contacts/{id}/hangup", Use, "Hang up", m.hangup, web.Quiet())
	web.Post(api, "/api/v1/desk/contacts/{id}/transfer", Use, "Transfer without asking (blind)", m.transfer, web.Quiet())
	web.Post(api, "/api/v1/desk/contacts/{id}/dtmf", Use, "Press keys towards the caller", m.press, web.Quiet())
	web.Post(api, "/api/v1/desk/echo", Use, "Call my endpoint and play it back to me", m.echo, web.Quiet())
	web.Post(api, "/api/v1/desk/help", Use, "Ask the team leader for help", m.help, web.Quiet())
	web.Get(api, "/api/v1/desk/directory", Use, "Agents and queues a contact can be transferred to", m.directory)
	web.Get(api, "/api/v1/desk/lists", Use, "Topics and tax types of the wrap-up", m.listsOut)
	web.Get(api, "/api/v1/desk/phones", Use, "Desk phones of my site", m.phones)
	web.Get(api, "/api/v1/desk/day", Use, "My figures of today", m.day)
	web.Get(api, "/api/v1/desk/contacts/{id}/pop", Use, "Who is calling", m.pop)
	m.wrapupRoutes(api)
	m.teamRoutes(api)
	m.leadRoutes(api)
	m.seatRoutes(api)
	m.consultRoutes(api)
	m.calloutRoutes(api)
	m.parkRoutes(api)
	m.emergencyRoutes(api)
}

func (m *Module) out(ctx context.Context) (*deskOut, error) {
	return &deskOut{Body: m.view(web.Principal(ctx).User)}, nil
}

type signInIn struct {
	Body struct {
		Endpoint string  `json:"endpoint" doc:"browser, or the code of a desk phone" minLength:"1" maxLength:"32"`
		Seat     id.Seat `json:"seat,omitempty"`
		Takeover bool    `json:"takeover,omitempty" doc:"end the desk of mine that is open elsewhere"`
	}
}

// signIn brings the agent to work. An open desk elsewhere is taken over only when said so.
func (m *Module) signIn(ctx context.Context, in *signInIn) (*deskOut, error) {
	p := web.Principal(ctx)
	at := contact.Endpoint{Agent: p.User}
	if in.Body.Endpoint != "browser" {
		at.Phone = id.Phone(in.Body.Endpoint)
		phones, err := m.deps.Endpoints.Phones(ctx)
		if err != nil {
			return nil, err
		}
		if _, ok := phones[at.Phone]; !ok {
			return nil, fault.New(fault.Invalid, "desk.phone.unknown", "phone", in.Body.Endpoint).At("endpoint")
		}
		if user := m.floor.at(at.Phone); user != "" && user != p.User {
			name, _, _ := m.deps.Names.User(user)
			return nil, fault.New(fault.Conflict, "desk.phone.taken", "phone", in.Body.Endpoint, "name", name).At("endpoint")
		}
	}
	if in.Body.Seat == "" {
		in.Body.Seat = m.seatOf(at.Phone)
	}
	if v := m.view(p.User); v.SignedIn {
		if !in.Body.Takeover {
			return nil, fault.New(fault.Conflict, "desk.session.elsewhere")
		}
		if v.Endpoint.Kind == "browser" && at.Browser() {
			m.holdBy(ctx)
			m.publish(p.User)
			return m.out(ctx) // the same endpoint in another page: that page registers and gets the call
		}
	}
	up := func() bool { return m.deps.Endpoints.Registered(at) }
	undo := m.holdBy(ctx)
	m.assert(ctx, p.User) // before: what is left of an earlier sign-in must not lapse now
	if err := m.deps.Brain.SignIn(ctx, p.User, m.siteOf(p), at, in.Body.Seat, up); err != nil {
		undo()
		if fault.CodeOf(err) == "routing.phone.taken" { // by somebody who signed in at the same moment
			name, _, _ := m.deps.Names.User(m.floor.at(at.Phone))
			err = fault.New(fault.Conflict, "desk.phone.taken", "phone", in.Body.Endpoint, "name", name).At("endpoint")
		}
		return nil, err
	}
	return m.settled(ctx, func(v View) bool { return v.SignedIn && v.Endpoint.Phone == at.Phone })
}

func (m *Module) siteOf(p right.Principal) id.Site {
	if _, site, ok := m.deps.Names.User(p.User); ok {
		return site
	}
	return p.Site
}

func (m *Module) signOut(ctx context.Context, _ *none) (*deskOut, error) {
	if err := m.deps.Brain.SignOut(ctx, web.Principal(ctx).User, ""); err != nil {
		return nil, err
	}
	m.holders.set(web.Principal(ctx).User, "")
	return m.settled(ctx, func(v View) bool { return !v.SignedIn })
}

type stateIn struct {
	Body struct {
		State  string `json:"state" enum:"ready,away"`
		Reason string `json:"reason,omitempty" maxLength:"16"`
	}
}

func (m *Module) state(ctx context.Context, in *stateIn) (*deskOut, error) {
	user := web.Principal(ctx).User
	ready := in.Body.State == "ready"
	if !ready && !m.knownReason(in.Body.Reason) {
		return nil, fault.New(fault.Invalid, "desk.reason.unknown", "reason", in.Body.Reason).At("reason")
	}
	before := m.view(user)
	if !before.SignedIn {
		return nil, fault.New(fault.Conflict, "desk.signed_out")
	}
	if ready {
		if err := m.mayBeReady(user); err != nil {
			return nil, err
		}
	}
	if err := m.deps.Brain.Want(ctx, user, ready, in.Body.Reason); err != nil {
		return nil, err
	}
	if s := before.State; ready && s.Next == "" && (s.State == event.Talking || s.State == event.Wrapup) {
		return m.out(ctx) // it is so already
	}
	return m.settled(ctx, func(v View) bool {
		return v.State != before.State || ready && v.State.State == event.Ready || !ready && v.State.Reason == in.Body.Reason
	})
}

func (m *Module) knownReason(code string) bool {
	for _, r := range m.lists.Load().reasons {
		if r.Code == code {
			return true
		}
	}
	return false
}

// mine fails unless the agent has the contact in one of the phases.
func (m *Module) mine(ctx context.Context, c id.Contact, phases ...string) (id.User, error) {
	user := web.Principal(ctx).User
	phase, ok := m.floor.holds(user, c)
	if !ok {
		return user, fault.New(fault.NotFound, "desk.contact.not_yours", "contact", string(c))
	}
	for _, p := range phases {
		if p == phase {
			return user, nil
		}
	}
	return user, fault.New(fault.Conflict, "desk.contact.phase", "phase", phase)
}

func (m *Module) hold(hold bool) func(context.Context, *onContact) (*deskOut, error) {
	return func(ctx context.Context, in *onContact) (*deskOut, error) {
		user, err := m.mine(ctx, in.ID, "talking", "held")
		if err != nil {
			return nil, err
		}
		if err := m.deps.Calls.Hold(ctx, in.ID, user, hold); err != nil {
			return nil, err
		}
		return m.settled(ctx, func(v View) bool {
			for _, c := range v.Calls {
				if c.Contact == in.ID {
					return (c.Phase == "held") == hold
				}
			}
			return true
		})
	}
}

func (m *Module) hangup(ctx context.Context, in *onContact) (*deskOut, error) {
	user, err := m.mine(ctx, in.ID, "talking", "held", "ringing", "dialing")
	if err != nil {
		return nil, err
	}
	if err := m.deps.Calls.Hangup(ctx, in.ID, user); err != nil {
		return nil, err
	}
	return m.out(ctx)
}

type transferIn struct {
	ID   id.Contact `path:"id"`
	Body contact.Target
}

func (m *Module) transfer(ctx context.Context, in *transferIn) (*deskOut, error) {
	user, err := m.mine(ctx, in.ID, "talking", "held")
	if err != nil {
		return nil, err
	}
	in.Body.Code = strings.TrimSpace(in.Body.Code)
	if in.Body.Code == "" {
		return nil, fault.New(fault.Invalid, "desk.transfer.nowhere").At("code")
	}
	if err := m.deps.Calls.Transfer(ctx, in.ID, user, in.Body); err != nil {
		return nil, err
	}
	return m.out(ctx)
}

type pressIn struct {
	ID   id.Contact `path:"id"`
	Body struct {
		Digits string `json:"digits" pattern:"^[0-9*#A-D]{1,32}$"`
	}
}

func (m *Module) press(ctx context.Context, in *pressIn) (*deskOut, error) {
	phases := []string{"talking"}
	if m.floor.asksNow(web.Principal(ctx).User, in.ID) {
		phases = append(phases, "held") // the keys go to who is asked
	}
	user, err := m.mine(ctx, in.ID, phases...)
	if err != nil {
		return nil, err
	}
	if err := m.deps.Calls.Press(ctx, in.ID, user, in.Body.Digits); err != nil {
		return nil, err
	}
	return m.out(ctx)
}

func (m *Module) echo(ctx context.Context, _ *none) (*deskOut, error) {
	v := m.view(web.Principal(ctx).User)
	if !v.SignedIn {
		return nil, fault.New(fault.Conflict, "desk.signed_out")
	}
	at := contact.Endpoint{Agent: web.Principal(ctx).User, Phone: v.Endpoint.Phone}
	if err := m.deps.Calls.Echo(ctx, at); err != nil {
		return nil, err
	}
	return m.out(ctx)
}

type helpIn struct {
	Body struct {
		Contact id.Contact `json:"contact,omitempty"`
		Note    string     `json:"note,omitempty" maxLength:"500"`
	}
}

func (m *Module) help(ctx context.Context, in *helpIn) (*deskOut, error) {
	p := web.Principal(ctx)
	if !m.view(p.User).SignedIn {
		return nil, fault.New(fault.Conflict, "desk.signed_out")
	}
	if _, ok := m.floor.holds(p.User, in.Body.Contact); !ok && in.Body.Contact != "" {
		return nil, fault.New(fault.NotFound, "desk.contact.not_yours", "contact", string(in.Body.Contact)).At("contact")
	}
	site := m.siteOf(p)
	m.deps.Facts.Post(m.deps.Clock.Now(), site, string(p.User), string(p.User), event.AgentAskedHelp{Contact: in.Body.Contact, Note: in.Body.Note})
	name, _, _ := m.deps.Names.User(p.User)
	asked := map[string]any{"agent": p.User, "name": name, "contact": in.Body.Contact, "note": in.Body.Note}
	if err := m.deps.Hub.Publish("help", web.Holders(SeeTeam, site), asked); err != nil {
		return nil, err
	}
	return m.settled(ctx, func(v View) bool { return v.Help.Asked })
}
