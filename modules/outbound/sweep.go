package outbound

import (
	"context"
	"errors"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

// sweep takes care of whatever has stood for too long, and of attempts whose process is gone: nobody is lost, and nobody
// whose telephone has rung is called as if it had not.
func (m *Module) sweep(ctx context.Context, now time.Time) {
	late := func(d time.Duration) int64 { return now.Add(-d).UnixMilli() }
	tries, err := store.All(ctx, m.deps.DB, `SELECT contact, person, list, site, agent, reached_at FROM outbound_try WHERE how = '' AND (node = ? OR at < ?)`,
		func(r store.Scanner) (t try, err error) {
			return t, r.Scan(&t.contact, &t.person, &t.list, &t.site, &t.agent, &t.reachedAt)
		}, string(m.deps.Node), late(talkKeep))
	for _, t := range tries {
		if !m.lives(t.contact) {
			m.mend(ctx, t.person, func(ctx context.Context, tx *store.Tx) error { return m.lost(ctx, tx, t, now) })
		}
	}
	all, err2 := people(ctx, m.deps.DB, `state = 'shown' AND since < ? OR state = 'calling' AND (node = ? OR since < ?) OR state = 'reached' AND since < ?`,
		late(shownKeep), string(m.deps.Node), late(attemptKeep), late(resultKeep))
	for i := range all {
		p := &all[i]
		if p.state != Calling || !m.lives(p.contact) {
			m.mend(ctx, p.id, func(ctx context.Context, tx *store.Tx) error { return m.lapsed(ctx, tx, p, now) })
		}
	}
	if err := errors.Join(err, err2); err != nil && ctx.Err() == nil {
		m.deps.Log.Error("people whose time is over could not be read", "err", err)
	}
}

func (m *Module) lives(c id.Contact) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.live[c] != nil
}

func (m *Module) mend(ctx context.Context, person string, f func(context.Context, *store.Tx) error) {
	err := m.deps.DB.Tx(ctx, func(tx *store.Tx) error { return f(ctx, tx) })
	if err != nil && !errors.Is(err, store.ErrNotFound) && ctx.Err() == nil {
		m.deps.Log.Error("a person whose time is over stands as before; it is tried again", "person", person, "err", err)
	}
}

// lost closes an attempt that nobody can tell the end of. Its person is called again after the usual time, or has talked.
func (m *Module) lost(ctx context.Context, tx *store.Tx, t try, now time.Time) error {
	how := "lost"
	if t.reachedAt > 0 {
		how = string(Reached)
	}
	p, err := personByID(ctx, tx, t.person)
	if errors.Is(err, store.ErrNotFound) || err == nil && (p.state != Dialled || p.contact != t.contact) {
		return m.endTry(ctx, tx, t, how, now)
	}
	if err != nil {
		return err
	}
	l, ok := m.list(p.list)
	if !ok {
		l = List{Code: p.list, Site: t.site, Tries: p.tries} // removed: nobody of it is called again
	}
	return m.ended(ctx, tx, l, &p, how, now)
}

// lapsed brings a person on whose state has lasted too long.
func (m *Module) lapsed(ctx context.Context, tx *store.Tx, p *person, now time.Time) error {
	l, ok := m.list(p.list)
	switch {
	case p.state == Reached:
		return m.shut(ctx, tx, l, p, Reached, "unreported", now)
	case !ok:
		return m.shut(ctx, tx, List{Code: p.list}, p, p.state, "removed", now)
	}
	next := *p
	next.agent, next.node = "", ""
	next.move(Pending, now)
	return put(ctx, tx, p.state, p.contact, &next)
}
