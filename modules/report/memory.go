package report

import (
	"context"
	"sync"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/store"
)

// memory is what the fold remembers of the rows it wrote, so that the next fact of a contact costs no read. It
// belongs to the transaction that folds: taken out at its start, put back when it is committed, lost when it is
// rolled back. It is good only for the fact that follows seq: another process, too, folds.
type memory struct {
	seq      int64  // the last one folded
	high     int64  // newest time of any fact
	marked   int64  // what of high is in the table
	rolled   string // days up to this one have rows of whole days
	contacts recent[id.Contact, *tally.Contact]
	callers  recent[tally.CallerKey, *tally.Caller]
	presence recent[id.User, *tally.Presence]
}

// shelf holds the memory between transactions.
type shelf struct {
	mu  sync.Mutex
	mem *memory
}

func (s *shelf) take() *memory {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.mem
	s.mem = nil
	if m == nil {
		m = &memory{seq: -1}
	}
	return m
}

func (s *shelf) put(m *memory) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mem == nil || s.mem.seq < m.seq {
		s.mem = m
	}
}

// sessionKey is what the memory is attached to a transaction under.
type sessionKey struct{ f *fold }

// recall gives the transaction's memory, an empty one when facts before first were folded elsewhere.
func (f *fold) recall(ctx context.Context, tx *store.Tx, first int64) (*memory, error) {
	m, _ := tx.Attach(sessionKey{f}, func() any {
		m := f.shelf.take()
		tx.AfterEnd(func(committed bool) {
			if committed {
				f.shelf.put(m)
			}
		})
		return m
	}).(*memory)
	if m.seq+1 == first {
		return m, nil
	}
	fresh, err := store.One(ctx, tx, `SELECT high, rolled FROM report_mark WHERE id = 1`, func(r store.Scanner) (m memory, err error) {
		err = r.Scan(&m.high, &m.rolled)
		m.marked = m.high
		return m, err
	})
	*m = fresh
	return m, err
}

// recentLimit is how many values a half of recent holds: some hours of a busy hotline.
const recentLimit = 8192

// recent keeps the values used last: between recentLimit and twice as many.
type recent[K comparable, V any] struct{ young, old map[K]V }

func (r *recent[K, V]) get(k K) (V, bool) {
	if v, ok := r.young[k]; ok {
		return v, true
	}
	v, ok := r.old[k]
	if ok {
		r.put(k, v)
	}
	return v, ok
}

func (r *recent[K, V]) put(k K, v V) {
	if r.young == nil {
		r.young = map[K]V{}
	}
	r.young[k] = v
	if len(r.young) >= recentLimit {
		r.old, r.young = r.young, nil
	}
}
