package desk

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/platform/web"
)

// settleBound is how long an answer waits for the facts of its own request to come round: the request is carried
// out all the same, and the page learns of it by its socket.
const settleBound = 500 * time.Millisecond

// settled answers with the desk once the request's own facts have been folded, so that a page shows at once what
// was done.
func (m *Module) settled(ctx context.Context, done func(View) bool) (*deskOut, error) {
	user := web.Principal(ctx).User
	deadline := m.deps.Clock.NewTimer(settleBound)
	defer deadline.Stop()
	if m.deps.Flush != nil && !done(m.view(user)) {
		within, cancel := context.WithTimeout(ctx, settleBound)
		_ = m.deps.Flush(within) // what is late here comes by the socket
		cancel()
	}
	for {
		changed := m.floor.changed()
		v := m.view(user)
		if done(v) {
			return &deskOut{Body: v}, nil
		}
		select {
		case <-changed:
		case <-deadline.C():
			return &deskOut{Body: v}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
