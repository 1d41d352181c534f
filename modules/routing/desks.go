package routing

import (
	"context"

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
