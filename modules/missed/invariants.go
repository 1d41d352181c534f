package missed

import (
	"context"
	"slices"
	"strings"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Invariants gives the laws of the list.
func (m *Module) Invariants() []ledger.Invariant {
	return []ledger.Invariant{
		{Name: "missed.open", Check: checkOpen},
		{Name: "missed.closed", Check: checkClosed},
		{Name: "missed.attempts", Check: checkAttempts},
	}
}

func subjects(of []string) []ledger.Breach {
	var out []ledger.Breach
	for _, s := range of {
		out = append(out, ledger.Breach{Subject: s})
	}
	return out
}

// talk is a contact an agent spoke in, as the ledger has it.
type talk struct {
	contact, number string
	at              int64
}

// machines gives the calls nobody was reached by though they were answered, as agents said: a machine was there.
func machines(ctx context.Context, db *store.DB, since int64) (map[string]bool, error) {
	out := map[string]bool{}
	err := store.Each(ctx, db, `SELECT body FROM ledger_fact WHERE kind = 'missed.tried' AND at >= ?`, store.Col[string], func(body string) error {
		if t := as[event.MissedTried](told{body: body}); t.Contact != "" && t.Result == event.TriedNoAnswer {
			out[string(t.Contact)] = true
		}
		return nil
	}, since)
	return out, err
}

// spoken reads from the ledger alone with whom agents have spoken since a moment.
func spoken(ctx context.Context, db *store.DB, since int64) ([]talk, error) {
	type pair struct {
		contact string
		started told
		at      int64
		over    bool
	}
	all, err := store.All(ctx, db, `SELECT f.subject, s.body, f.at, f.kind, f.body FROM ledger_fact f JOIN ledger_fact s ON s.subject = f.subject AND s.kind = 'contact.started'
		WHERE f.kind IN ('contact.answered', 'contact.ended') AND f.at >= ?`, func(r store.Scanner) (p pair, err error) {
		var kind, body string
		err = r.Scan(&p.contact, &p.started.body, &p.at, &kind, &body)
		p.over = kind == "contact.ended" && strings.Contains(body, `"outcome":"`+string(contact.Answered)+`"`)
		if kind == "contact.ended" && !p.over {
			p.at = 0
		}
		return p, err
	}, since)
	var out []talk
	for _, p := range all {
		b := as[event.ContactStarted](p.started)
		number := key(b.From)
		if b.Direction == contact.Out {
			number = key(b.To)
		}
		if p.at != 0 && number != "" && b.Medium == contact.Phone && p.over == (b.Direction == contact.Out) {
			out = append(out, talk{p.contact, number, p.at})
		}
	}
	return out, err
}

// checkOpen: an open row has an attempt that came to nothing, and no agent has spoken with the person since.
func checkOpen(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	without, err := store.All(ctx, db, `SELECT r.id FROM missed_row r WHERE r.state = 'open' AND NOT EXISTS
		(SELECT 1 FROM missed_miss s WHERE s.row_id = r.id AND s.at = r.last_at) LIMIT 100`, store.Col[string])
	if err != nil {
		return nil, err
	}
	type row struct {
		id, number, also string
		last             int64
	}
	rows, err := store.All(ctx, db, `SELECT id, number, also, last_at FROM missed_row WHERE state = 'open' ORDER BY last_at`, func(r store.Scanner) (v row, err error) {
		return v, r.Scan(&v.id, &v.number, &v.also, &v.last)
	})
	if err != nil || len(rows) == 0 {
		return subjects(without), err
	}
	talks, err := spoken(ctx, db, rows[0].last)
	if err != nil {
		return nil, err
	}
	machines, err := machines(ctx, db, rows[0].last)
	if err != nil {
		return nil, err
	}
	newest := map[string]int64{}
	for _, t := range talks {
		if machines[t.contact] {
			continue
		}
		newest[t.number] = max(newest[t.number], t.at)
	}
	for _, r := range rows {
		if newest[r.number] > r.last || r.also != "" && newest[r.also] > r.last {
			without = append(without, r.id)
		}
	}
	return subjects(without), nil
}

// checkClosed: a closed row has its reason, and the ledger has the fact it was closed by.
func checkClosed(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	bad, err := store.All(ctx, db, `SELECT id FROM missed_row WHERE state <> 'open' AND (closed_at = 0 OR closed_day = ''
		OR state NOT IN ('came_back', 'reached', 'not_wanted', 'wrong_number', 'given_up', 'lapsed')) LIMIT 100`, store.Col[string])
	if err != nil {
		return nil, err
	}
	alone, err := store.All(ctx, db, `SELECT r.id FROM missed_row r WHERE r.state <> 'open' AND NOT EXISTS (SELECT 1 FROM ledger_fact f WHERE f.at = r.closed_at AND (
		f.subject = r.id AND f.kind IN ('missed.tried', 'missed.lapsed') OR f.subject = r.closed_by AND f.kind IN ('contact.answered', 'contact.ended'))) LIMIT 100`, store.Col[string])
	return subjects(append(bad, alone...)), err
}

// attemptsDays is how far back attempts are counted again.
const attemptsDays = 31

// checkAttempts: every attempt on the list is one by the ledger, and a row counts its own.
func checkAttempts(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	bad, err := store.All(ctx, db, `SELECT r.id FROM missed_row r LEFT JOIN (SELECT row_id, COUNT(*) AS n FROM missed_miss GROUP BY row_id) s ON s.row_id = r.id
		WHERE r.attempts <> COALESCE(s.n, 0) LIMIT 100`, store.Col[string])
	if err != nil {
		return nil, err
	}
	last, err := store.One(ctx, db, `SELECT COALESCE(MAX(at), 0) FROM missed_miss`, store.Col[int64])
	if err != nil {
		return nil, err
	}
	type row struct{ contact, kind string }
	since := last - attemptsDays*24*3600*1000
	all, err := store.All(ctx, db, `SELECT contact, kind FROM missed_miss WHERE at >= ? ORDER BY at DESC LIMIT 20000`, func(r store.Scanner) (v row, err error) {
		return v, r.Scan(&v.contact, &v.kind)
	}, since)
	if err != nil {
		return nil, err
	}
	for _, v := range all {
		if v.kind == string(Unkept) {
			continue // its contact ended in good order, with a promise
		}
		s, ok, err := examine(ctx, db, id.Contact(v.contact))
		if err != nil {
			return nil, err
		}
		if !ok || string(s.kind) != v.kind {
			bad = append(bad, v.contact)
		}
	}
	slices.Sort(bad)
	return subjects(slices.Compact(bad)), nil
}
