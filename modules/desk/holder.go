package desk

import (
	"context"
	"sync"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/web"
)

// holders knows from which login session each agent signed in last, so that the page of another computer sees that
// its desk was taken over. It lives with the process: after a restart nobody is told anything, and nobody loses a desk.
type holders struct {
	mu sync.Mutex
	of map[id.User]string
}

func (h *holders) get(u id.User) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.of[u]
}

// set notes the session, "" to forget it, and gives the one before.
func (h *holders) set(u id.User, session string) (before string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before = h.of[u]
	if session == "" {
		delete(h.of, u)
		return before
	}
	if h.of == nil {
		h.of = map[id.User]string{}
	}
	h.of[u] = session
	return before
}

// holdBy makes the caller's login session the holder of their desk and gives what puts the former one back.
func (m *Module) holdBy(ctx context.Context) (undo func()) {
	c := web.CallerOf(ctx)
	before := m.holders.set(c.User, c.Session)
	return func() { m.holders.set(c.User, before) }
}
