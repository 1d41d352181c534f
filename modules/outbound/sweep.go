package outbound

import (
	"context"
	"errors"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// sweep takes care of whatever has stood for too long, and of attempts whose facts were not heard, because this process
// or the one with the call was not there: nobody is lost, and nobody whose telephone has rung is called as if it had not.
func (m *Module) sweep(ctx context.Context, now time.Time) {
	late := func(d time.Duration) int64 { return now.Add(-d).UnixMilli() }
	open, err := set(ctx, m.deps.DB, `SELECT contact FROM outbound_person WHERE state IN ('calling', 'dialled') AND since < ?
		UNION SELECT contact FROM outbound_try WHERE how = ''`, now.UnixMilli())
	for c := range open {
		facts, ferr := m.deps.Ledger.Of(ctx, c)
		if err = errors.Join(err, ferr); ferr == nil {
			m.mend(ctx, c, func(ctx context.Context, tx *store.Tx) error { return m.replay(ctx, tx, id.Contact(c), facts, now) })
		}
	}
	all, err2 := people(ctx, m.deps.DB, `state = 'shown' AND since < ? OR state = 'reached' AND since < ?`, late(shownKeep), late(resultKeep))
	for i := range all {
		p := &all[i]
		m.mend(ctx, p.id, func(ctx context.Context, tx *store.Tx) error {
			l := m.listOf(p)
			if p.state == Reached {
				return m.shut(ctx, tx, l, p, Reached, "unreported", now)
			}
			if err := m.leaves(ctx, tx, p, p.agent); err != nil {
				return err
			}
			p.agent = ""
			p.move(Pending, now)
			return put(ctx, tx, Shown, p.contact, p)
		})
	}
	if err := errors.Join(err, err2, m.follows(ctx, now)); err != nil && ctx.Err() == nil {
		m.deps.Log.Error("people whose time is over could not be read", "err", err)
	}
}

func (m *Module) mend(ctx context.Context, of string, f func(context.Context, *store.Tx) error) {
	err := m.deps.DB.Tx(ctx, func(tx *store.Tx) error { return f(ctx, tx) })
	if err != nil && !errors.Is(err, store.ErrNotFound) && ctx.Err() == nil {
		m.deps.Log.Error("an attempt or a person whose time is over stands as before; it is tried again", "of", of, "err", err)
	}
}

// replay brings an attempt to where the ledger says it is. One whose contact began and is over without a word of how it
// went counts as made: the person's telephone may have rung. One whose contact never began was not.
func (m *Module) replay(ctx context.Context, tx *store.Tx, c id.Contact, facts []ledger.Fact, now time.Time) error {
	p, err := personOf(ctx, tx, c)
	if errors.Is(err, store.ErrNotFound) {
		p = person{} // begun anew, or removed: only the attempt is left
	} else if err != nil {
		return err
	}
	begun, lost := false, false
	for i := range facts {
		f := &facts[i]
		begun = begun || f.Kind == event.ContactStarted{}.Kind()
		if lost = f.Kind == (event.ContactLost{}).Kind(); lost && p.state == Calling {
			if err := m.dialled(ctx, tx, &p, time.UnixMilli(f.At)); err != nil {
				return err
			}
		}
		if err := m.step(ctx, tx, &p, f); err != nil {
			return err
		}
	}
	switch {
	case begun:
		return nil
	case p.state == Calling && now.UnixMilli()-p.since > beginKeep.Milliseconds():
		return m.undialled(ctx, tx, m.listOf(&p), &p, "", now)
	}
	return nil
}
