package outbound

import (
	"context"
	"errors"
	"sync"

	"github.com/kapok-hotline/kapok/core/id"
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

// count learns anew whose calls matter.
func (m *Module) count(ctx context.Context) {
	of, err := set(ctx, m.deps.DB, `SELECT DISTINCT number FROM outbound_person WHERE state IN ('pending', 'shown', 'calling', 'dialled')`)
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

// callsIn stops the attempt under way to a number that calls, and lets the next one wait.
func (m *Module) callsIn(ctx context.Context, c id.Contact, number string) {
	if number == "" || !m.waiting.has(number) {
		return
	}
	m.waiting.note(c, number)
	now := m.now()
	all, err := people(ctx, m.deps.DB, `number = ? AND state IN ('pending', 'calling', 'dialled')`, number)
	for i := range all {
		p := &all[i]
		l := m.listOf(p)
		if p.state != Pending {
			if gerr := m.deps.Calls.GiveUp(ctx, p.contact, "called_in"); gerr != nil {
				m.deps.Log.Info("a call to somebody who calls is over already", "contact", p.contact, "err", gerr)
			}
			continue
		}
		if due := now.Add(gap(l)).UnixMilli(); p.due < due {
			p.due = due
			if perr := put(ctx, m.deps.DB, Pending, p.contact, p); !errors.Is(perr, store.ErrNotFound) {
				err = errors.Join(err, perr)
			}
		}
	}
	if err != nil && ctx.Err() == nil {
		m.deps.Log.Error("a call to somebody who calls could not be put off", "err", err)
	}
}

// calledIn closes whoever has been answered meanwhile, on lists that do not go on all the same.
func (m *Module) calledIn(ctx context.Context, number string) {
	all, err := people(ctx, m.deps.DB, `number = ? AND state IN ('pending', 'shown')`, number)
	for i := range all {
		p := &all[i]
		l, ok := m.list(p.list)
		if !ok || l.KeepOn {
			continue
		}
		agent, was := p.agent, p.state
		serr := m.deps.DB.Tx(ctx, func(tx *store.Tx) error { return m.shut(ctx, tx, l, p, was, "called_in", m.now()) })
		if !errors.Is(serr, store.ErrNotFound) {
			err = errors.Join(err, serr)
		}
		m.show(agent)
	}
	if err != nil && ctx.Err() == nil {
		m.deps.Log.Error("somebody who has called in stays on their list", "err", err)
	}
}
