package desk

import (
	"context"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// CallOut is the right to call outside numbers; which ones is for the rules of calls out to say.
const CallOut right.Right = "desk.call.out"

// Dialler calls a person outside for an agent; voice answers. It returns when the agent's own phone is being rung.
type Dialler interface {
	CallOut(ctx context.Context, o contact.Outcall) (id.Contact, error)
}

// OutView is a call out: what it is for, and how it went once that is known.
type OutView struct {
	Purpose string `json:"purpose,omitempty" doc:"desk, missed, outbound …: what asked for it"`
	Ref     string `json:"ref,omitempty" doc:"entry of the list that asked for it"`
	Result  string `json:"result,omitempty" enum:"answered,busy,refused,no_answer,unreachable,agent,failed"`
}

// Dialled is a number the agent called of late. At is unix ms.
type Dialled struct {
	Contact id.Contact `json:"contact"`
	Number  string     `json:"number"` // masked
	City    string     `json:"city,omitempty"`
	At      int64      `json:"at"`
	Result  string     `json:"result,omitempty" enum:"answered,busy,refused,no_answer,unreachable,agent,failed" doc:"empty: it is under way, or was cut off"`
}

// dialledShown is how many numbers an agent is shown to call again; dialledKept how long they are kept.
const (
	dialledShown = 8
	dialledKept  = 7 * 24 * time.Hour
)

func (m *Module) calloutRoutes(api *web.API) {
	web.Post(api, "/api/v1/desk/callouts", CallOut, "Call a person outside", m.callOut)
	web.Get(api, "/api/v1/desk/callouts", CallOut, "Whom I called of late", m.dialled)
}

type callOutIn struct {
	Body struct {
		Number string     `json:"number,omitempty" maxLength:"32" doc:"as dialled"`
		Of     id.Contact `json:"of,omitempty" doc:"in place of a number: the person of this contact of mine, or of a call out of mine"`
	}
}

// callOut has a person called: by number, or whoever a contact at the agent is with, whose number is not shown.
func (m *Module) callOut(ctx context.Context, in *callOutIn) (*deskOut, error) {
	p := web.Principal(ctx)
	if v := m.view(p.User); !v.SignedIn {
		return nil, fault.New(fault.Conflict, "desk.signed_out")
	}
	number := strings.TrimSpace(in.Body.Number)
	if in.Body.Of != "" {
		var err error
		if number, err = m.personOf(ctx, p.User, in.Body.Of); err != nil {
			return nil, err
		}
	}
	if number == "" {
		return nil, fault.New(fault.Invalid, "desk.callout.nowhere").At("number")
	}
	c, err := m.deps.Dialler.CallOut(ctx, contact.Outcall{Agent: p.User, Number: number, Purpose: "desk", Ref: string(in.Body.Of)})
	if err != nil {
		return nil, err
	}
	if err := m.noteDialled(ctx, p.User, c, number); err != nil {
		m.deps.Log.Warn("a dialled number is not kept to be dialled again", "contact", c, "err", err)
	}
	return m.settled(ctx, func(v View) bool {
		for _, x := range v.Calls {
			if x.Contact == c {
				return true
			}
		}
		return false
	})
}

// personOf gives the number of who a contact of the agent's is with, or whom they called.
func (m *Module) personOf(ctx context.Context, user id.User, c id.Contact) (string, error) {
	m.floor.mu.Lock()
	number, here := "", false
	if s := m.floor.agents[user]; s != nil && s.cards[c] != nil {
		number, here = s.cards[c].about.from, true
	}
	m.floor.mu.Unlock()
	if !here {
		all, err := store.All(ctx, m.deps.DB, `SELECT number FROM desk_dialled WHERE contact = ? AND agent = ?`, store.Col[string], string(c), string(user))
		if err != nil {
			return "", err
		}
		if len(all) == 0 {
			return "", fault.New(fault.NotFound, "desk.contact.not_yours", "contact", string(c))
		}
		number = all[0]
	}
	if number == "" {
		return "", fault.New(fault.Invalid, "desk.callout.withheld").At("of")
	}
	return number, nil
}

func (m *Module) noteDialled(ctx context.Context, user id.User, c id.Contact, number string) error {
	now := m.deps.Clock.Now()
	return m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		if _, err := store.Exec(ctx, tx, `DELETE FROM desk_dialled WHERE agent = ? AND at < ?`, string(user), now.Add(-dialledKept).UnixMilli()); err != nil {
			return err
		}
		_, err := store.Exec(ctx, tx, `INSERT INTO desk_dialled (contact, agent, at, number, result) VALUES (?, ?, ?, ?, '') ON CONFLICT (contact) DO NOTHING`,
			string(c), string(user), now.UnixMilli(), number)
		return err
	})
}

type dialledOut struct{ Body []Dialled }

// dialled lists the numbers the agent called last, each once, the newest first.
func (m *Module) dialled(ctx context.Context, _ *none) (*dialledOut, error) {
	type row struct {
		Dialled
		number string
	}
	all, err := store.All(ctx, m.deps.DB, `SELECT contact, number, at, result FROM desk_dialled WHERE agent = ? ORDER BY at DESC, contact DESC LIMIT 50`,
		func(r store.Scanner) (v row, err error) { return v, r.Scan(&v.Contact, &v.number, &v.At, &v.Result) }, string(web.Principal(ctx).User))
	out := &dialledOut{Body: []Dialled{}}
	seen := map[string]bool{}
	for _, v := range all {
		if seen[v.number] || len(out.Body) == dialledShown {
			continue
		}
		seen[v.number] = true
		v.Number, v.City = phone.Mask(v.number), cityOf(v.number)
		out.Body = append(out.Body, v.Dialled)
	}
	return out, err
}

// wentOut notes how a call out from a desk went.
func (m *Module) wentOut(ctx context.Context, f ledger.Fact) {
	b, ok := body[event.CalloutEnded](f)
	if !ok || f.Kind != b.Kind() || b.Purpose != "desk" {
		return
	}
	if _, err := store.Exec(ctx, m.deps.DB, `UPDATE desk_dialled SET result = ? WHERE contact = ?`, b.Result, f.Subject); err != nil && ctx.Err() == nil {
		m.deps.Log.Warn("how a call out went is not kept for dialling again", "contact", f.Subject, "err", err)
	}
}

// outgoing folds the facts of a call out into the contact and the card of its agent.
func (f *floor) outgoing(c id.Contact, fact ledger.Fact) []id.User {
	a := f.contacts[c]
	if a == nil {
		return nil
	}
	user, since := id.User(""), int64(0)
	switch fact.Kind {
	case event.CalloutBegun{}.Kind():
		if b, ok := body[event.CalloutBegun](fact); ok {
			a.out = &OutView{Purpose: b.Purpose, Ref: b.Ref}
		}
		return nil
	case event.CalloutAnswered{}.Kind():
		b, _ := body[event.CalloutAnswered](fact)
		user, since = b.Agent, fact.At
		if a.out != nil {
			a.out.Result = event.OutAnswered
		}
	case event.CalloutEnded{}.Kind():
		b, _ := body[event.CalloutEnded](fact)
		user = b.Agent
		if a.out != nil {
			a.out.Result = b.Result
		}
	}
	s := f.agents[user]
	if s == nil || s.cards[c] == nil {
		return nil
	}
	if k := s.cards[c]; since != 0 && k.phase == "dialing" {
		k.phase, k.since = "talking", since
	}
	return []id.User{user}
}

// unreached says whether the contact is a call out that nobody has answered yet.
func (a approach) unreached() bool { return a.out != nil && a.out.Result == "" }
