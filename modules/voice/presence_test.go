package voice

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
)

// listener is the other processes, as far as they hear of calls.
type listener struct {
	other
	mu    sync.Mutex
	heard map[id.Contact][]flow.Cursor
	over  []id.Contact
	lost  bool
}

func (l *listener) Assert(_ context.Context, c id.Contact, _ time.Time, cursor flow.Cursor) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard[c] = append(l.heard[c], cursor)
	if l.lost {
		return ErrLost
	}
	return nil
}

func (l *listener) Over(_ context.Context, calls []id.Contact) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = append(l.over, calls...)
	return nil
}

func (l *listener) of(c id.Contact) (cursors []flow.Cursor, over int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.over {
		if o == c {
			over++
		}
	}
	return l.heard[c], over
}

// A call is told of within a second, again every five with where its flow stands, and its end once.
func TestPresence(t *testing.T) {
	l := &listener{heard: map[id.Contact][]flow.Cursor{}}
	h := newHouseWith(t, l)
	c := h.call("12367")
	h.waits(1)
	cid := h.contact()
	h.until("it is told of", func() bool { all, _ := l.of(cid); return len(all) > 0 })
	h.until("and again, with its flow", func() bool { all, _ := l.of(cid); return len(all) > 1 && all[len(all)-1].Flow == "straight" })
	c.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Abandoned)
	h.until("its end is told of", func() bool { _, over := l.of(cid); return over == 1 })
}

// A call that the others have given up ends, and has nothing more to say: its end is in the ledger already.
func TestDisowned(t *testing.T) {
	l := &listener{heard: map[id.Contact][]flow.Cursor{}, lost: true}
	h := newHouseWith(t, l)
	c := h.call("12367")
	h.waits(1)
	c.Expect("BYE")
	h.until("it is gone", func() bool { return h.Calls() == 0 })
	if strings.Contains(h.story(), "contact.ended") {
		t.Errorf("it has an end of its own:\n%s", h.story())
	}
}
