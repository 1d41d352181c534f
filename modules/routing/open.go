package routing

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// openFold keeps what is open right now: contacts begun and not ended, agents signed in. After a crash the next
// start closes these at the moment they were last heard of.
type openFold struct{}

// Name is the fold's.
func (openFold) Name() string { return "routing_open" }

// Folds gives routing's folds.
func (m *Module) Folds() []ledger.Fold { return []ledger.Fold{openFold{}} }

// Apply folds a batch: what opens and closes within it never reaches the tables.
func (openFold) Apply(ctx context.Context, tx *store.Tx, facts []ledger.Fact) error {
	contacts, agents := map[string]*openContact{}, map[string]*openAgent{}
	var endedContacts, endedAgents []string
	for i := range facts {
		f := &facts[i]
		switch f.Kind {
		case event.ContactStarted{}.Kind():
			contacts[f.Subject] = &openContact{f.Subject, f.Place, f.At, f.At}
		case event.ContactEnded{}.Kind(), event.ContactLost{}.Kind():
			if _, fresh := contacts[f.Subject]; fresh {
				delete(contacts, f.Subject)
			} else {
				endedContacts = append(endedContacts, f.Subject)
			}
		case event.AgentSignedIn{}.Kind():
			agents[f.Subject] = &openAgent{agent: f.Subject, place: f.Place, signedIn: f.At}
		case event.AgentSignedOut{}.Kind():
			delete(agents, f.Subject)
			endedAgents = append(endedAgents, f.Subject)
		}
	}
	return write(ctx, tx, contacts, agents, endedContacts, endedAgents)
}

type openContact struct {
	contact, place string
	started, heard int64
}

// openAgent is an agent who is signed in; what they did last is read from the ledger when it is asked for.
type openAgent struct {
	agent, place           string
	signedIn, since, heard int64
	state, reason, contact string
}

func write(ctx context.Context, tx *store.Tx, contacts map[string]*openContact, agents map[string]*openAgent, endedContacts, endedAgents []string) error {
	for _, c := range contacts {
		if _, err := store.Exec(ctx, tx, `INSERT INTO routing_open_contact (contact, place, started_at, heard_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (contact) DO NOTHING`, c.contact, c.place, c.started, c.heard); err != nil {
			return err
		}
	}
	for _, c := range endedContacts {
		if _, err := store.Exec(ctx, tx, `DELETE FROM routing_open_contact WHERE contact = ?`, c); err != nil {
			return err
		}
	}
	for _, a := range endedAgents {
		if _, err := store.Exec(ctx, tx, `DELETE FROM routing_open_agent WHERE agent = ?`, a); err != nil {
			return err
		}
	}
	for _, a := range agents {
		if _, err := store.Exec(ctx, tx, `INSERT INTO routing_open_agent (agent, place, signed_in_at) VALUES (?, ?, ?)
			ON CONFLICT (agent) DO UPDATE SET place = excluded.place, signed_in_at = excluded.signed_in_at`, a.agent, a.place, a.signedIn); err != nil {
			return err
		}
	}
	return nil
}

// openAgents gives who is signed in, with their state by the newest fact about them.
func (m *Module) openAgents(ctx context.Context) ([]openAgent, error) {
	agents, err := store.All(ctx, m.deps.DB, `SELECT agent, place, signed_in_at FROM routing_open_agent`, func(r store.Scanner) (a openAgent, err error) {
		return a, r.Scan(&a.agent, &a.place, &a.signedIn)
	})
	for i := range agents {
		a := &agents[i]
		a.state, a.since, a.heard = string(event.Away), a.signedIn, a.signedIn
		f, ok, err := ledger.Newest(ctx, m.deps.DB, a.agent, event.AgentChanged{}.Kind())
		if err != nil {
			return nil, err
		}
		if b, known := ledger.Read[event.AgentChanged](&f); ok && known && f.At >= a.signedIn {
			a.state, a.reason, a.contact = string(b.State), b.Reason, string(b.With)
			a.since, a.heard = b.WasSince+b.WasMs, f.At
		}
	}
	return agents, err
}

// Facts of one subject, newest moment: what "last heard of" means when this process was alone.
const lastHeard = `SELECT COALESCE(MAX(at), 0) FROM ledger_fact WHERE subject = ?`

// closeOpen ends what an earlier life of this process left open, at the moment it was last heard of.
func (m *Module) closeOpen(ctx context.Context) error {
	contacts, err := m.openContacts(ctx)
	if err != nil {
		return err
	}
	newest := map[string]int64{} // agents talked as long as their contact was heard of
	for _, c := range contacts {
		at, err := store.One(ctx, m.deps.DB, lastHeard, store.Col[int64], c.contact)
		if err != nil {
			return err
		}
		at = max(at, c.started)
		newest[c.contact] = at
		m.deps.Facts.Post(time.UnixMilli(at), id.Site(c.place), c.contact, "", event.ContactLost{LastHeard: at, Ms: at - c.started})
	}
	agents, err := m.openAgents(ctx)
	if err != nil {
		return err
	}
	for _, a := range agents {
		m.signedOutLost(a, max(a.since, a.heard, newest[a.contact]))
	}
	if len(contacts)+len(agents) > 0 {
		m.deps.Log.Warn("closed what an earlier run left open", "contacts", len(contacts), "agents", len(agents))
	}
	return nil
}

func (m *Module) openContacts(ctx context.Context) ([]openContact, error) {
	return store.All(ctx, m.deps.DB, `SELECT contact, place, started_at, heard_at FROM routing_open_contact`,
		func(r store.Scanner) (c openContact, err error) {
			return c, r.Scan(&c.contact, &c.place, &c.started, &c.heard)
		})
}

// signedOutLost closes an agent's day part at the moment it was last heard of.
func (m *Module) signedOutLost(a openAgent, at int64) {
	m.deps.Facts.Post(time.UnixMilli(at), id.Site(a.place), a.agent, "", event.AgentChanged{
		State: event.SignedOut, Was: event.AgentState(a.state), WasReason: a.reason, WasSince: a.since, WasMs: at - a.since,
		Contact: id.Contact(a.contact), By: "lost",
	})
	m.deps.Facts.Post(time.UnixMilli(at), id.Site(a.place), a.agent, "", event.AgentSignedOut{Ms: at - a.signedIn, Why: "lost"})
}
