package ledger

import (
	"context"
	"strconv"

	"github.com/kapok-hotline/kapok/platform/store"
)

// Invariant is a law the figures obey, declared by the module that knows it, checked by tests and the doctor.
type Invariant struct {
	Name  string // `<module>.<law>`: the key of its text
	Check func(ctx context.Context, db *store.DB) ([]Breach, error)
}

// Breach is one place where an invariant does not hold.
type Breach struct {
	Subject string         `json:"subject"` // the contact, agent or row it is about
	Params  map[string]any `json:"params,omitempty"`
}

// Finding is what one invariant had to say.
type Finding struct {
	Name     string   `json:"name"`
	Breaches []Breach `json:"breaches,omitempty"` // none: it holds
	Err      error    `json:"-"`                  // it could not be checked
}

// Check runs every declared invariant and the ledger's own, in the order they were declared.
func (l *Ledger) Check(ctx context.Context) []Finding {
	l.mu.Lock()
	checks := append(Own(), l.checks...)
	l.mu.Unlock()
	out := make([]Finding, 0, len(checks))
	for _, c := range checks {
		breaches, err := c.Check(ctx, l.db)
		out = append(out, Finding{Name: c.Name, Breaches: breaches, Err: err})
	}
	return out
}

// Own gives the ledger's own invariants: seqs run from 1 to the head without a gap, and every fold is at the head.
func Own() []Invariant {
	return []Invariant{
		{Name: "ledger.seqs", Check: checkSeqs},
		{Name: "ledger.folds", Check: checkFolds},
	}
}

func checkSeqs(ctx context.Context, db *store.DB) ([]Breach, error) {
	type row struct{ head, count, last int64 }
	r, err := store.One(ctx, db, `SELECT h.seq, COUNT(f.seq), COALESCE(MAX(f.seq), 0)
		FROM ledger_head h LEFT JOIN ledger_fact f ON TRUE GROUP BY h.seq`,
		func(r store.Scanner) (v row, err error) { return v, r.Scan(&v.head, &v.count, &v.last) })
	if err != nil || r.head == r.count && r.head == r.last {
		return nil, err
	}
	return []Breach{{Subject: strconv.FormatInt(r.head, 10), Params: map[string]any{"facts": r.count, "last": r.last}}}, nil
}

func checkFolds(ctx context.Context, db *store.DB) ([]Breach, error) {
	return store.All(ctx, db, `SELECT name, seq FROM ledger_fold WHERE NOT live ORDER BY name`,
		func(r store.Scanner) (Breach, error) {
			var seq int64
			b := Breach{}
			err := r.Scan(&b.Subject, &seq)
			b.Params = map[string]any{"seq": seq}
			return b, err
		})
}
