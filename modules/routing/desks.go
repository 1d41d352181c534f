package routing

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/kapok-hotline/kapok/core/id"
)

// Desks tells which agents' desks are there: f is called when the presence of one lapses and when it comes back.
// Watch returns when ctx ends.
type Desks interface {
	Watch(ctx context.Context, f func(agent id.User, there bool)) error
}

// watchDesks signs out agents of whose desk nothing is heard any more.
func (m *Module) watchDesks(ctx context.Context) {
	for ctx.Err() == nil {
		err := m.deps.Desks.Watch(ctx, func(agent id.User, there bool) {
			if m.deps.Peers != nil {
				m.away.note(agent, !there)
				if !m.leads.Load() {
					return // the process that decides sees it too, or will when it takes over
				}
			}
			told := m.Lapsed
			if there {
				told = m.Returned
			}
			if err := told(ctx, agent); err != nil && ctx.Err() == nil {
				m.deps.Log.Error("the brain was not told of a desk", "agent", agent, "there", there, "err", err)
			}
		})
		if err != nil && ctx.Err() == nil {
			m.deps.Log.Error("desks that are lost are not seen for a moment", "err", err)
			pause(ctx, m, leaseRetry)
		}
	}
}

// awayDesks are the agents whose desks are lost, for a brain that takes over after it happened.
type awayDesks struct {
	mu sync.Mutex
	of map[id.User]bool
}

func (a *awayDesks) note(u id.User, away bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of == nil {
		a.of = map[id.User]bool{}
	}
	delete(a.of, u)
	if away {
		a.of[u] = true
	}
}

func (a *awayDesks) all() []id.User {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Sorted(maps.Keys(a.of))
}
