package voice

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// Presence is told again and again which calls are here; what is not told of for 15 s is lost to the other processes.
// A process alone has nobody to tell.
type Presence interface {
	// Assert says that a call is here, and where its flow stands. ErrLost: too late, it has been closed as lost.
	Assert(ctx context.Context, c id.Contact, at time.Time, cursor flow.Cursor) error
	// Over says that calls have ended, and all that is to be said of them has been posted.
	Over(ctx context.Context, calls []id.Contact) error
}

// ErrLost is Presence's word for a call that the other processes have given up: nothing was heard of it for too long.
var ErrLost = errors.New("the call has been closed as lost")

const (
	presenceLook  = time.Second // how soon a new call is told of
	presenceEvery = 5           // of these looks: how often a call is told of again
)

// told is what the others know of our calls.
type told struct {
	mu      sync.Mutex
	cursors map[id.Contact]flow.Cursor // as the calls themselves said last
	known   map[id.Contact]bool        // asserted
}

// beat tells of our calls until ctx ends.
func (m *Module) beat(ctx context.Context) {
	t := &told{cursors: map[id.Contact]flow.Cursor{}, known: map[id.Contact]bool{}}
	timer := m.deps.Clock.NewTimer(presenceLook)
	defer timer.Stop()
	for n := 0; ; n++ {
		select {
		case <-timer.C():
			m.tellOf(ctx, t, n%presenceEvery == 0)
			timer.Reset(presenceLook)
		case <-ctx.Done():
			return
		}
	}
}

// tellOf tells of new calls and of ended ones, and when all is set of every other.
func (m *Module) tellOf(ctx context.Context, t *told, all bool) {
	m.mu.Lock()
	calls := maps.Clone(m.calls)
	m.mu.Unlock()
	for cid, c := range calls {
		if c.trial != nil || t.known[cid] && !all {
			continue
		}
		c.post(func() { // it is told of next time; the flow stands still in the meantime, or is further
			cursor := c.cursor
			cursor.Vars = maps.Clone(cursor.Vars)
			t.mu.Lock()
			t.cursors[cid] = cursor
			t.mu.Unlock()
		})
		t.mu.Lock()
		cursor := t.cursors[cid]
		t.mu.Unlock()
		switch err := m.deps.Presence.Assert(ctx, cid, m.now(), cursor); {
		case errors.Is(err, ErrLost):
			m.deps.Log.Error("a call has been given up by the other processes, which heard nothing of this one; it is ended", "contact", cid)
			c.disowned.Store(true)
			c.post(func() { c.end(contact.BySystem, "lost") })
		case err != nil:
			m.deps.Log.Warn("a call is not told of to the other processes", "contact", cid, "err", err)
		}
		t.known[cid] = true
	}
	var over []id.Contact
	for cid := range t.known {
		if calls[cid] == nil {
			over = append(over, cid)
		}
	}
	if len(over) == 0 {
		return
	}
	if err := m.deps.Presence.Over(ctx, over); err != nil {
		m.deps.Log.Warn("ended calls are told of later", "calls", len(over), "err", err)
		return
	}
	for _, cid := range over {
		delete(t.known, cid)
		t.mu.Lock()
		delete(t.cursors, cid)
		t.mu.Unlock()
	}
}

// PhoneAddress gives where another process reaches a phone that is registered here; false for a browser, which
// nothing but its own connection reaches, and for one over TLS.
func (m *Module) PhoneAddress(at contact.Endpoint) (sip.URI, bool) {
	b := m.binding(at)
	if b == nil || at.Browser() || b.Flow.Transport != "udp" && b.Flow.Transport != "tcp" {
		return sip.URI{}, false
	}
	uri := sip.URI{Scheme: "sip", User: b.Contact.User, Host: b.Flow.Remote.Addr().Unmap().String(), Port: int(b.Flow.Remote.Port())}
	if b.Flow.Transport == "tcp" {
		uri.Port, uri.Params = b.Contact.Port, "transport=tcp" // the port it connected from takes no calls
	}
	return uri, true
}
