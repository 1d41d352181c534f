package missed

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

// memory spares a call that concerns nobody on the list every question to the database: the numbers that have an open
// row, and which number each call under way is with. It belongs to the transaction that folds: put back when that is
// committed, lost when it is rolled back, and good only for the fact that follows seq. Where several processes fold
// (PostgreSQL) it seldom is; then the few facts that matter ask.
type memory struct {
	seq   int64
	whole bool              // open holds every open row
	open  map[string]string // row by number, and by the other number of a row
	calls map[id.Contact]with
}

// with is whom a call is with.
type with struct {
	number string
	out    bool
}

// shelf holds the memory between transactions.
type shelf struct {
	mu  sync.Mutex
	mem *memory
}

type sessionKey struct{ f *fold }

// recall gives the transaction's memory, an empty one when facts before first were folded elsewhere.
func (f *fold) recall(ctx context.Context, tx *store.Tx, first int64) (*memory, error) {
	mem, _ := tx.Attach(sessionKey{f}, func() any {
		f.shelf.mu.Lock()
		m := f.shelf.mem
		f.shelf.mem = nil
		f.shelf.mu.Unlock()
		if m == nil {
			m = &memory{seq: -1}
		}
		tx.AfterEnd(func(committed bool) {
			if !committed {
				return
			}
			f.shelf.mu.Lock()
			defer f.shelf.mu.Unlock()
			if f.shelf.mem == nil || f.shelf.mem.seq < m.seq {
				f.shelf.mem = m
			}
		})
		return m
	}).(*memory)
	if mem.seq+1 == first {
		return mem, nil
	}
	*mem = memory{open: map[string]string{}, calls: map[id.Contact]with{}}
	if f.m.deps.DB.Engine() != store.SQLite {
		return mem, nil
	}
	rows, err := store.All(ctx, tx, `SELECT id, number, also FROM missed_row WHERE state = 'open'`, func(r store.Scanner) (v [3]string, err error) {
		return v, r.Scan(&v[0], &v[1], &v[2])
	})
	for _, v := range rows {
		mem.enter(v[0], v[1], v[2])
	}
	mem.whole = err == nil
	return mem, err
}

func (m *memory) enter(row, number, also string) {
	m.open[number] = row
	if also != "" && m.open[also] == "" {
		m.open[also] = row
	}
}

func (m *memory) leave(row string) {
	for n, r := range m.open {
		if r == row {
			delete(m.open, n)
		}
	}
}

// started notes whom a call is with. It forgets the oldest calls never: they end, and are taken out then.
func (m *memory) started(c id.Contact, b event.ContactStarted) {
	if b.Medium != contact.Phone {
		return
	}
	w := with{number: b.From}
	if b.Direction == contact.Out {
		w = with{number: b.To, out: true}
	}
	m.calls[c] = w
}

// of gives whom a call is with.
func (m *memory) of(ctx context.Context, tx *store.Tx, c id.Contact) (with, error) {
	if w, ok := m.calls[c]; ok {
		return w, nil
	}
	text, err := store.One(ctx, tx, `SELECT body FROM ledger_fact WHERE subject = ? AND kind = 'contact.started' ORDER BY seq LIMIT 1`, store.Col[string], string(c))
	if errors.Is(err, store.ErrNotFound) {
		return with{}, nil
	}
	var b event.ContactStarted
	if err == nil && json.Unmarshal([]byte(text), &b) == nil {
		m.started(c, b)
	}
	return m.calls[c], err
}

// row gives the open row of a number, "" when there is none.
func (m *memory) row(ctx context.Context, tx *store.Tx, raw string) (string, error) {
	if m.whole && len(m.open) == 0 {
		return "", nil
	}
	n := key(raw)
	if m.whole || n == "" {
		return m.open[n], nil
	}
	row, err := store.One(ctx, tx, `SELECT id FROM missed_row WHERE state = 'open' AND (number = ? OR also = ?) ORDER BY number = ? DESC, id LIMIT 1`, store.Col[string], n, n, n)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return row, err
}
