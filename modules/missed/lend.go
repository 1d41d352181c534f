package missed

import (
	"context"
	"errors"
	"slices"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Lent is a missed caller as others who call people know them.
type Lent struct {
	Row      string // the contact it was opened by
	Number   string // to be called, national form
	Queue    id.Queue
	Kind     Kind
	LastAt   int64 // unix ms, of the last attempt
	Attempts int
}

// lentMost bounds one answer of Waiting.
const lentMost = 1000

// Waiting gives who is to be rung by now at a site and below, and is nobody's, the most urgent first; of one queue where
// one is named.
func (m *Module) Waiting(ctx context.Context, root id.Site, queue id.Queue) ([]Lent, error) {
	now := m.deps.Clock.Now()
	w := m.scope(Filter{View: ViewDue, Queue: queue, Site: root, Today: m.day(now, root)})
	return store.All(ctx, m.deps.DB, `SELECT id, number, queue, kind, last_at, attempts FROM missed_row WHERE owner = '' AND again_at <= ?`+w.text+`
		ORDER BY ring_day, CASE WHEN attempts >= 3 THEN 0 ELSE 1 END, again_at, last_at, id LIMIT ?`,
		func(r store.Scanner) (l Lent, err error) {
			return l, r.Scan(&l.Row, &l.Number, &l.Queue, &l.Kind, &l.LastAt, &l.Attempts)
		}, slices.Concat([]any{now.UnixMilli()}, w.args, []any{lentMost})...)
}

// Owners gives, of numbers, those with an open row, and whose it is ("" nobody's).
func (m *Module) Owners(ctx context.Context, q store.Querier, numbers ...string) (map[string]id.User, error) {
	out := map[string]id.User{}
	for part := range slices.Chunk(numbers, 500) {
		in := store.In(len(part))
		err := store.Each(ctx, q, `SELECT number, also, owner FROM missed_row WHERE state = 'open' AND (number IN (`+in+`) OR also IN (`+in+`))`,
			func(r store.Scanner) (v [3]string, err error) { return v, r.Scan(&v[0], &v[1], &v[2]) },
			func(v [3]string) error {
				for _, n := range v[:2] {
					if n != "" && (out[n] == "" || n == v[0]) {
						out[n] = id.User(v[2])
					}
				}
				return nil
			}, slices.Concat(store.Args(part), store.Args(part))...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Take makes a number's open row an agent's who is about to call it; nothing where there is none. In a transaction of
// the caller's: where two do it at once the order of the ledger settles whose it is, so Owners must be asked again when
// that is committed.
func (m *Module) Take(ctx context.Context, tx *store.Tx, number string, agent id.User) error {
	v, err := m.openRow(ctx, tx, number)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return err
	case v.Owner == agent:
		return nil
	case v.Owner != "":
		return m.taken(v)
	}
	return m.deps.Facts.Keep(tx, m.deps.Clock.Now(), v.Site, v.ID, string(agent), event.MissedOwned{Owner: agent})
}

// Leave makes a number's open row nobody's again, if it is the agent's.
func (m *Module) Leave(ctx context.Context, tx *store.Tx, number string, agent id.User) error {
	v, err := m.openRow(ctx, tx, number)
	if errors.Is(err, store.ErrNotFound) || err == nil && v.Owner != agent {
		return nil
	}
	if err != nil {
		return err
	}
	return m.deps.Facts.Keep(tx, m.deps.Clock.Now(), v.Site, v.ID, string(agent), event.MissedOwned{Was: agent})
}

// Told notes what came of a call to a number that was placed elsewhere (Outcome.Contact), on the row that is open, or was
// closed by that call.
func (m *Module) Told(ctx context.Context, tx *store.Tx, number string, agent id.User, o Outcome) error {
	v, err := m.openRow(ctx, tx, number)
	if errors.Is(err, store.ErrNotFound) {
		v, err = store.One(ctx, tx, `SELECT `+columns+` FROM missed_row WHERE state = 'reached' AND closed_by = ?`, scanRow, string(o.Contact))
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	t := event.MissedTried{Result: o.Result, Note: o.Note, Contact: o.Contact}
	if o.Result == event.TriedNoAnswer {
		t.Last = m.lastTry(v, o.Contact)
		if !o.Again.IsZero() && !t.Last {
			t.Again = o.Again.UnixMilli()
		}
	}
	now := m.deps.Clock.Now()
	err = m.deps.Facts.Keep(tx, now, v.Site, v.ID, string(agent), t)
	if err == nil && o.Result == event.TriedNoAnswer && v.State != StateOpen { // open again, and nobody's
		err = m.deps.Facts.Keep(tx, now, v.Site, v.ID, string(agent), event.MissedOwned{Was: v.Owner})
	}
	return err
}

// lastTry says whether a try nobody answered is the last one.
func (m *Module) lastTry(v Row, c id.Contact) bool {
	tries := v.Tries + 1
	if c != "" && v.tried == string(c) {
		tries-- // the telephone has counted it
	}
	return tries >= m.rules.Load().Tries
}

func (m *Module) openRow(ctx context.Context, q store.Querier, number string) (Row, error) {
	return store.One(ctx, q, `SELECT `+columns+` FROM missed_row WHERE state = 'open' AND (number = ? OR also = ?) ORDER BY number = ? DESC, id LIMIT 1`,
		scanRow, number, number, number)
}

// silent says that a row's telephone does not ring for us, as far as is known.
func (m *Module) silent(ctx context.Context, v Row) error {
	if m.deps.Rung == nil {
		return nil
	}
	rung, err := m.deps.Rung(ctx, v.number)
	if err == nil && rung {
		err = fault.New(fault.Conflict, "missed.row.rung")
	}
	return err
}

// Ring calls the person for the agent, whose row it becomes; nobody is rung whose telephone rings for us already.
func (m *Module) Ring(ctx context.Context, row string, by id.User, any bool) (Row, id.Contact, error) {
	if m.deps.Calls == nil {
		return Row{}, "", fault.New(fault.Unavailable, "missed.call.none")
	}
	v, err := m.row(ctx, m.deps.DB, row)
	if err == nil {
		err = m.silent(ctx, v)
	}
	if err != nil {
		return v, "", err
	}
	if v, err = m.Give(ctx, row, by, by, any); err == nil && any {
		err = m.silent(ctx, v) // it may have been taken from one who has just begun to call
	}
	if err != nil {
		return v, "", err
	}
	c, err := m.deps.Calls.CallOut(ctx, contact.Outcall{Agent: by, Number: v.number, Purpose: Purpose, Ref: row})
	return v, c, err
}
