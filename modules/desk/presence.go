package desk

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
)

// beatEvery is how often each desk is said to be there: three times before it would lapse.
const beatEvery = 5 * time.Second

// beat asserts the desks that are there until ctx ends.
func (m *Module) beat(ctx context.Context) {
	timer := m.deps.Clock.NewTimer(beatEvery)
	defer timer.Stop()
	for {
		select {
		case <-timer.C():
			for _, user := range m.floor.there(m.deps.Hub.Present) {
				m.assert(ctx, user)
			}
			timer.Reset(beatEvery)
		case <-ctx.Done():
			return
		}
	}
}

func (m *Module) assert(ctx context.Context, user id.User) {
	if m.deps.Presence == nil {
		return
	}
	if err := m.deps.Presence.Assert(ctx, user); err != nil && ctx.Err() == nil {
		m.deps.Log.Warn("a desk could not be said to be there", "agent", user, "err", err)
	}
}

// there gives the signed-in agents whose desk is there: with a page open, or with none ever opened since they signed
// in, as who works by the interface alone.
func (f *floor) there(page func(id.User) bool) []id.User {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []id.User
	for user, s := range f.agents {
		open := page(user)
		s.paged = s.paged || open
		if open || !s.paged {
			out = append(out, user)
		}
	}
	return out
}
