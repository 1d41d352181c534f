package outbound

import (
	"context"
	"errors"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// listen hears how our calls go, and who calls in, until ctx ends.
func (m *Module) listen(ctx context.Context) {
	for m.deps.Stream != nil && ctx.Err() == nil {
		err := m.deps.Stream.Follow(ctx, func() {}, func(f ledger.Fact) { m.heard(ctx, f) })
		if err != nil && ctx.Err() == nil {
			m.deps.Log.Error("how calls go is not heard for a moment", "err", err)
			m.pause(ctx, nil, every)
		}
	}
}

// heard takes in one fact.
func (m *Module) heard(ctx context.Context, f ledger.Fact) {
	c := id.Contact(f.Subject)
	switch f.Kind {
	case event.ContactStarted{}.Kind():
		if b, ok := ledger.Read[event.ContactStarted](&f); ok && b.Direction == contact.In {
			m.callsIn(ctx, c, b.From)
		}
	case event.ContactAnswered{}.Kind():
		if number := m.waiting.number(c, false); number != "" {
			m.calledIn(ctx, number)
		}
	case event.CalloutBegun{}.Kind():
		if b, ok := ledger.Read[event.CalloutBegun](&f); ok && b.Purpose == purpose {
			m.lives(c, true)
		}
	case event.LegStarted{}.Kind(), event.CalloutAnswered{}.Kind(), event.CalloutEnded{}.Kind():
		if m.alive(c) {
			m.take(ctx, f)
		}
	case event.ContactEnded{}.Kind(), event.ContactLost{}.Kind():
		m.waiting.number(c, true)
		if m.alive(c) {
			m.take(ctx, f)
		}
	}
}

// take writes down what a fact says of an attempt. What cannot be written now is taken from the ledger at the next sweep.
func (m *Module) take(ctx context.Context, f ledger.Fact) {
	agent := id.User("")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeBound)
	defer cancel()
	err := m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		p, err := personOf(ctx, tx, id.Contact(f.Subject))
		if err != nil {
			return err
		}
		agent = p.agent
		return m.step(ctx, tx, &p, &f)
	})
	switch {
	case errors.Is(err, store.ErrNotFound): // begun anew meanwhile, or written by another: the sweep sees to what is left
	case err != nil:
		m.deps.Log.Error("an attempt to reach somebody could not be written down; it is tried again", "contact", f.Subject, "err", err)
		return
	}
	if f.Kind == (event.ContactEnded{}).Kind() || f.Kind == (event.ContactLost{}).Kind() {
		m.lives(id.Contact(f.Subject), false)
		m.nudge()
	}
	m.show(agent)
}

// step brings an attempt on by one fact of its contact. The same fact again changes nothing.
func (m *Module) step(ctx context.Context, tx *store.Tx, p *person, f *ledger.Fact) error {
	c, at := id.Contact(f.Subject), time.UnixMilli(f.At)
	switch f.Kind {
	case event.LegStarted{}.Kind():
		if b, ok := ledger.Read[event.LegStarted](f); ok && b.Role == "caller" && p.contact == c {
			return m.dialled(ctx, tx, p, at)
		}
	case event.CalloutAnswered{}.Kind():
		if p.contact == c {
			return m.reached(ctx, tx, p, at)
		}
	case event.CalloutEnded{}.Kind():
		b, _ := ledger.Read[event.CalloutEnded](f)
		if b.Result == event.OutAnswered && p.contact == c {
			if err := m.reached(ctx, tx, p, at); err != nil {
				return err
			}
		}
		return m.over(ctx, tx, p, c, howOf(b), at)
	case event.ContactEnded{}.Kind(), event.ContactLost{}.Kind():
		return m.over(ctx, tx, p, c, "lost", at)
	}
	return nil
}

// howOf is the word for the end of an attempt.
func howOf(b event.CalloutEnded) string {
	switch {
	case b.Result == event.OutAnswered:
		return string(Reached)
	case b.Code == "called_in":
		return b.Code
	}
	return b.Result
}
