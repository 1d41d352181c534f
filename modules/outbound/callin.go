package outbound

import (
	"context"
	"errors"
	"sync"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// numbers are those of people who are still to be called, so that a call from anybody else costs one look at a map.
type numbers struct {
	mu sync.RWMutex
	of map[string]bool
	in map[id.Contact]string // contacts under way of people who are to be called
}

func (n *numbers) has(number string) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.of[number]
}

// count learns anew whose calls matter.
func (m *Module) count(ctx context.Context) {
	of := map[string]bool{}
	err := store.Each(ctx, m.deps.DB, `SELECT DISTINCT number FROM outbound_person WHERE state IN ('pending', 'shown', 'calling', 'dialled')`, store.Col[string], func(n string) error {
		of[n] = true
		return nil
	})
	if err != nil {
		if ctx.Err() == nil {
			m.deps.Log.Error("whose calls matter could not be read", "err", err)
		}
		return
	}
	m.waiting.mu.Lock()
	m.waiting.of = of
	m.waiting.mu.Unlock()
}

// listen hears who calls in until ctx ends.
func (m *Module) listen(ctx context.Context) {
	for m.deps.Stream != nil && ctx.Err() == nil {
		err := m.deps.Stream.Follow(ctx, func() {}, func(f ledger.Fact) { m.heard(ctx, f) })
		if err != nil && ctx.Err() == nil {
			m.deps.Log.Error("who calls in is not heard for a moment", "err", err)
			m.pause(ctx, nil, every)
		}
	}
}

// heard takes in one fact: whoever calls in is not called in the same moment, and not at all when an agent has answered.
func (m *Module) heard(ctx context.Context, f ledger.Fact) {
	switch f.Kind {
	case event.ContactStarted{}.Kind():
		b, ok := ledger.Read[event.ContactStarted](&f)
		if !ok || b.Direction != contact.In || b.From == "" || !m.waiting.has(b.From) {
			return
		}
		m.waiting.note(id.Contact(f.Subject), b.From)
		m.postpone(ctx, b.From)
	case event.ContactAnswered{}.Kind():
		if number := m.waiting.number(id.Contact(f.Subject), false); number != "" {
			m.calledIn(ctx, number)
		}
	case event.ContactEnded{}.Kind(), event.ContactLost{}.Kind():
		m.waiting.number(id.Contact(f.Subject), true)
	}
}

func (n *numbers) note(c id.Contact, number string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.in == nil {
		n.in = map[id.Contact]string{}
	}
	n.in[c] = number
}

// number gives that of a contact noted, and forgets the contact when it is over.
func (n *numbers) number(c id.Contact, over bool) string {
	n.mu.RLock()
	number := n.in[c]
	n.mu.RUnlock()
	if number != "" && over {
		n.mu.Lock()
		delete(n.in, c)
		n.mu.Unlock()
	}
	return number
}

// postpone stops the attempt under way to a number and lets the next one wait.
func (m *Module) postpone(ctx context.Context, number string) {
	now := m.now()
	all, err := people(ctx, m.deps.DB, `number = ? AND state IN ('pending', 'calling', 'dialled')`, number)
	for i := range all {
		p := &all[i]
		if p.state != Pending {
			m.deps.Calls.Cancel(p.contact, "called_in")
			continue
		}
		l, _ := m.list(p.list)
		if due := now.Add(gap(l)).UnixMilli(); p.due < due {
			p.due = due
			if err = put(ctx, m.deps.DB, Pending, p.contact, p); errors.Is(err, store.ErrNotFound) {
				err = nil // it is under way by now: not stopped, for the talk begins with the person engaged
			}
		}
	}
	if err != nil && ctx.Err() == nil {
		m.deps.Log.Error("a call to somebody who calls could not be put off", "err", err)
	}
}

// calledIn closes whoever has been answered meanwhile, on lists that do not go on all the same.
func (m *Module) calledIn(ctx context.Context, number string) {
	now := m.now()
	all, err := people(ctx, m.deps.DB, `number = ? AND state IN ('pending', 'shown')`, number)
	for i := range all {
		p := &all[i]
		l, ok := m.list(p.list)
		if !ok || l.KeepOn {
			continue
		}
		agent := p.agent
		err = m.deps.DB.Tx(ctx, func(tx *store.Tx) error { return m.shut(ctx, tx, l, p, p.state, "called_in", now) })
		m.show(agent)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) && ctx.Err() == nil {
		m.deps.Log.Error("somebody who has called in stays on their list", "err", err)
	}
}
