package outbound

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

const (
	every   = time.Second      // how often idle agents are looked for while a progressive list is on
	seldom  = 15 * time.Second // how often deadlines are looked at
	perLook = 50               // calls begun at one look at most
)

// term works lists off as long as this process is the one that does.
func (m *Module) term(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var lost <-chan struct{}
	if m.deps.Lease != nil {
		gone, release, err := m.deps.Lease(ctx)
		if err != nil {
			if ctx.Err() == nil {
				m.deps.Log.Warn("nobody is called from here for a moment", "err", err)
			}
			m.pause(ctx, nil, every)
			return
		}
		lost = gone
		defer release()
	}
	following := make(chan struct{})
	defer func() { cancel(); <-following }()
	go func() {
		defer close(following)
		m.listen(ctx)
	}()
	for swept := (time.Time{}); ; {
		now := m.now()
		if now.Sub(swept) >= seldom {
			swept = now
			m.sweep(ctx, now)
			m.count(ctx)
		}
		wait := seldom
		if lists := m.running(Progressive); len(lists) > 0 {
			wait = every
			m.pace(ctx, lists, now)
		}
		if !m.pause(ctx, lost, wait) {
			return
		}
	}
}

// pause waits for the next look; false when there is none.
func (m *Module) pause(ctx context.Context, lost <-chan struct{}, d time.Duration) bool {
	timer := m.deps.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-m.wake:
		return true
	case <-lost:
	case <-ctx.Done():
	}
	return false
}

// pace begins a call for every idle agent a progressive list may use, and no more: one person for one agent. Lists of one
// priority that want the same agents take turns by their weights.
func (m *Module) pace(ctx context.Context, lists []List, now time.Time) {
	lists = slices.DeleteFunc(slices.Clone(lists), func(l List) bool { _, ok := m.open(l, now); return !ok })
	used := map[id.User]bool{} // in this look
	for begun := 0; len(lists) > 0 && begun < perLook; {
		i := m.turns.next(lists)
		l := lists[i]
		agents, err := m.spare(ctx, l, now, used)
		if err != nil {
			if ctx.Err() == nil {
				m.deps.Log.Warn("who is idle is not known; nobody is called", "list", l.Code, "err", err)
			}
			return
		}
		if len(agents) == 0 || !m.dialFor(ctx, l, agents[0], now) {
			m.turns.pass(l)
			lists = slices.Delete(lists, i, i+1)
			continue
		}
		used[agents[0]] = true
		m.turns.took(l)
		begun++
	}
}

// spare gives the agents a list may use now: none while anybody waits in its queue, and never the last ones it leaves to
// callers. Those used in this look are not idle any more.
func (m *Module) spare(ctx context.Context, l List, now time.Time, used map[id.User]bool) ([]id.User, error) {
	idle, waiting, err := m.deps.Staff.Spare(ctx, l.Queue)
	if err != nil || waiting > 0 {
		return nil, err
	}
	idle = slices.DeleteFunc(slices.Clone(idle), func(a Idle) bool { return used[a.Agent] })
	free := len(idle) - l.KeepFree
	var out []id.User
	for _, a := range idle {
		if len(out) >= free {
			break
		}
		m.mu.Lock()
		rests := m.rest[a.Agent].After(now)
		m.mu.Unlock()
		if !rests && now.UnixMilli()-a.Since >= int64(l.IdleS)*1000 && m.deps.Staff.Within(a.Site, l.Site) && m.deps.Staff.Holds(a.Agent, Use, a.Site) {
			out = append(out, a.Agent)
		}
	}
	return out, nil
}

// dialFor begins a call for an agent; false when there is nobody to be called, or no more can be begun.
func (m *Module) dialFor(ctx context.Context, l List, agent id.User, now time.Time) bool {
	p, ok, err := m.next(ctx, l, agent, now)
	if err == nil && ok {
		err = m.begin(ctx, l, p, agent)
	}
	switch {
	case err == nil:
		return ok
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrConflict):
		return true // taken by another just now; somebody else next time
	case fault.KindOf(err) == fault.Conflict:
		return true // the agent has taken a caller meanwhile
	case ctx.Err() == nil:
		m.deps.Log.Warn("a call out could not be begun", "list", l.Code, "agent", agent, "err", err)
	}
	return false
}

// next gives the person of a list whom an agent is to call first. Those who must not be called are closed on the way, and
// who is another's to call is put off.
func (m *Module) next(ctx context.Context, l List, agent id.User, now time.Time) (person, bool, error) {
	for {
		due, err := people(ctx, m.deps.DB, `list = ? AND state = 'pending' AND due_at <= ? AND NOT EXISTS (SELECT 1 FROM outbound_person o
			WHERE o.number = outbound_person.number AND o.state IN ('shown', 'calling', 'dialled'))
			AND NOT EXISTS (SELECT 1 FROM outbound_try t WHERE t.person = outbound_person.id AND t.how = '') ORDER BY due_at, id LIMIT 1`, l.Code, now.UnixMilli())
		if err != nil || len(due) == 0 {
			return person{}, false, err
		}
		p := due[0]
		never, err := m.never(ctx, m.deps.DB, p.number, now)
		if err != nil {
			return p, false, err
		}
		if !never {
			taken, err := m.elsewhereTaken(ctx, l, &p, agent, now)
			if err != nil || !taken {
				return p, err == nil, err
			}
			continue
		}
		if err := m.deps.DB.Tx(ctx, func(tx *store.Tx) error { return m.shut(ctx, tx, l, &p, Pending, "never", now) }); err != nil {
			return p, false, err
		}
	}
}
