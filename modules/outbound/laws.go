package outbound

import (
	"context"
	"errors"
	"slices"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Invariants gives the laws of outbound calls: the rows the report sums say what the ledger says, and nobody is called by
// two at once.
func (m *Module) Invariants() []ledger.Invariant {
	return []ledger.Invariant{
		{Name: "outbound.tries", Check: m.recount},
		{Name: "outbound.once", Check: once},
		{Name: "outbound.alone", Check: m.alone},
	}
}

// told is an attempt as the ledger tells it, or as its row does.
type told struct {
	person, list, agent, how, result string
	try                              int
	reached                          bool
	tries, ends                      int
}

func attemptKinds() []string {
	return []string{event.OutboundTried{}.Kind(), event.OutboundReached{}.Kind(), event.OutboundEnded{}.Kind(), event.OutboundResulted{}.Kind()}
}

// take takes in one fact.
func (t *told) take(f *ledger.Fact) {
	switch f.Kind {
	case event.OutboundTried{}.Kind():
		b, _ := ledger.Read[event.OutboundTried](f)
		t.person, t.list, t.agent, t.try = b.Person, b.List, string(b.Agent), b.Try
		t.tries++
	case event.OutboundReached{}.Kind():
		t.reached = true
	case event.OutboundEnded{}.Kind():
		b, _ := ledger.Read[event.OutboundEnded](f)
		t.how = b.How
		t.ends++
	case event.OutboundResulted{}.Kind():
		b, _ := ledger.Read[event.OutboundResulted](f)
		t.result = b.Result
	}
}

const toldQuery = `SELECT contact, person, list, agent, try, reached_at, how, result FROM outbound_try`

type rowed struct {
	contact string
	told
}

func scanTold(r store.Scanner) (x rowed, err error) {
	var reached int64
	err = r.Scan(&x.contact, &x.person, &x.list, &x.agent, &x.try, &reached, &x.how, &x.result)
	x.reached, x.tries = reached > 0, 1
	if x.how != "" {
		x.ends = 1
	}
	return x, err
}

// recount holds every row of an attempt against the facts of its contact.
func (m *Module) recount(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	facts := map[string]*told{}
	err := m.deps.Ledger.Range(ctx, ledger.Span{Kinds: attemptKinds()}, func(f ledger.Fact) error {
		if facts[f.Subject] == nil {
			facts[f.Subject] = &told{}
		}
		facts[f.Subject].take(&f)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var doubt []string
	err = store.Each(ctx, db, toldQuery, scanTold, func(x rowed) error {
		if t := facts[x.contact]; t == nil || *t != x.told {
			doubt = append(doubt, x.contact)
		}
		delete(facts, x.contact)
		return nil
	})
	for contact := range facts {
		doubt = append(doubt, contact)
	}
	var out []ledger.Breach
	for _, contact := range doubt {
		differs, cerr := m.differs(ctx, db, contact)
		if err = errors.Join(err, cerr); differs {
			out = append(out, ledger.Breach{Subject: contact})
		}
	}
	return out, err
}

// differs looks at one attempt again, between two looks at its row: what was written while all were read is no breach.
func (m *Module) differs(ctx context.Context, db *store.DB, contact string) (bool, error) {
	for range 3 {
		before, err := store.All(ctx, db, toldQuery+` WHERE contact = ?`, scanTold, contact)
		if err != nil {
			return false, err
		}
		facts, err := m.deps.Ledger.Of(ctx, contact)
		if err != nil {
			return false, err
		}
		after, err := store.All(ctx, db, toldQuery+` WHERE contact = ?`, scanTold, contact)
		if err != nil {
			return false, err
		}
		if !slices.Equal(before, after) {
			continue
		}
		var t told
		for i := range facts {
			t.take(&facts[i])
		}
		return len(after) == 0 && t != (told{}) || len(after) == 1 && after[0].told != t, nil
	}
	return false, nil // it is being written all the time
}

// once finds attempts to one person that overlap: they were called while they were being called.
func once(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	all, err := store.All(ctx, db, `SELECT b.contact FROM outbound_try a JOIN outbound_try b ON b.person = a.person AND b.contact <> a.contact
		AND b.at >= a.at AND (a.how = '' OR b.at < a.ended_at) LIMIT 100`, store.Col[string])
	var out []ledger.Breach
	for _, c := range all {
		out = append(out, ledger.Breach{Subject: c})
	}
	return out, err
}
