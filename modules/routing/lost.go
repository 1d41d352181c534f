package routing

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/acd"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Contacts tells which contacts are there: f is called for each that a process holds, with the moment (unix ms) it was
// last heard of, and again with there false when that process has said nothing of it for 15 s, or has said that it is
// over. Watch returns when ctx ends.
type Contacts interface {
	Watch(ctx context.Context, f func(c id.Contact, heard int64, there bool)) error
}

const (
	// seekEvery is how soon a contact whose process is gone is closed, once its presence has lapsed.
	seekEvery = 2 * time.Second
	// unheard is how long a contact nobody has told of is waited for: longer than any process takes to say so again.
	unheard = 20 * time.Second
)

// roll is which contacts are there, as one brain has heard.
type roll struct {
	since int64                // ms: when we began to listen
	there map[id.Contact]int64 // last heard of
	gone  map[id.Contact]int64 // no more; last heard of
}

// seekLost closes the contacts that no process holds any more, until ctx ends.
func (m *Module) seekLost(ctx context.Context) {
	type heard struct {
		c     id.Contact
		at    int64
		there bool
	}
	news := make(chan heard, 256)
	m.offers.running.Go(func() {
		for ctx.Err() == nil {
			err := m.deps.Contacts.Watch(ctx, func(c id.Contact, at int64, there bool) {
				select {
				case news <- heard{c, at, there}:
				case <-ctx.Done():
				}
			})
			if err != nil && ctx.Err() == nil {
				m.deps.Log.Warn("contacts that are lost are not seen for a moment", "err", err)
			}
			pause(ctx, m, leaseRetry)
		}
	})
	r := roll{since: m.deps.Clock.Now().UnixMilli(), there: map[id.Contact]int64{}, gone: map[id.Contact]int64{}}
	timer := m.deps.Clock.NewTimer(seekEvery)
	defer timer.Stop()
	for {
		select {
		case h := <-news:
			if h.there {
				r.there[h.c] = h.at
				delete(r.gone, h.c)
			} else {
				r.gone[h.c] = max(r.there[h.c], h.at)
				delete(r.there, h.c)
			}
		case <-timer.C():
			if err := m.closeLost(ctx, &r); err != nil && ctx.Err() == nil {
				m.deps.Log.Warn("contacts that are lost are not closed yet", "err", err)
			}
			timer.Reset(seekEvery)
		case <-ctx.Done():
			return
		}
	}
}

// closeLost closes what is open and not there.
func (m *Module) closeLost(ctx context.Context, r *roll) error {
	now := m.deps.Clock.Now().UnixMilli()
	rows, err := m.openContacts(ctx)
	if err != nil {
		return err
	}
	open := map[id.Contact]openContact{}
	for _, o := range rows {
		open[id.Contact(o.contact)] = o
	}
	held := map[id.Contact]int64{} // by the brain: since
	if err := m.do(ctx, request{look: func(t *thinker) { t.held(held) }}); err != nil {
		return err
	}
	for c, o := range open {
		if _, lapsed := r.gone[c]; lapsed || r.missing(c, o.started, now) {
			if err := m.lose(ctx, c, &o, r.gone[c]); err != nil {
				return err
			}
			delete(held, c)
		}
	}
	for c, since := range held { // over in the ledger, or never there
		_, known := open[c]
		if _, lapsed := r.gone[c]; !known && (lapsed || r.missing(c, since, now)) {
			if err := m.lose(ctx, c, nil, r.gone[c]); err != nil {
				return err
			}
		}
	}
	clear(r.gone) // what was over in good order is not open
	return nil
}

// missing tells whether a contact that began long ago has not been heard of as long as we listen.
func (r *roll) missing(c id.Contact, began, now int64) bool {
	_, there := r.there[c]
	return !there && now-began > unheard.Milliseconds() && now-r.since > unheard.Milliseconds()
}

// held collects the contacts the brain thinks of.
func (t *thinker) held(out map[id.Contact]int64) {
	for c, w := range t.contacts {
		out[c] = w.enteredAt
	}
	for _, p := range t.agents {
		if p.now.state == event.Talking && p.now.contact != "" {
			out[p.now.contact] = p.now.since
		}
	}
}

// lose closes a contact whose process is gone, at the moment it was last heard of: the brain lets it go, its agent
// wraps up, and the ledger says so.
func (m *Module) lose(ctx context.Context, c id.Contact, o *openContact, heard int64) error {
	at := heard
	if o != nil {
		newest, err := store.One(ctx, m.deps.DB, lastHeard, store.Col[int64], string(c))
		if err != nil {
			return err
		}
		at = max(at, newest, o.started)
	}
	return m.do(ctx, request{look: func(t *thinker) { t.lose(c, o, at) }})
}

func (t *thinker) lose(c id.Contact, o *openContact, at int64) {
	if w := t.contacts[c]; w != nil {
		if w.offer != 0 {
			t.m.offers.cancel(w.offer)
		}
		t.missed(c, acd.WhyLeft)
		if o == nil { // it has ended in the ledger; its stay in the queue has not
			t.gone(c, false)
		}
		t.let(w)
		delete(t.contacts, c)
		t.apply(acd.Event{Kind: acd.ContactLeft, Contact: c})
	}
	if o != nil {
		t.m.deps.Facts.Post(time.UnixMilli(at), id.Site(o.place), string(c), "", event.ContactLost{LastHeard: at, Ms: at - o.started})
		t.m.deps.Log.Warn("a contact is lost: nothing was heard of its process", "contact", c)
	}
	for _, user := range t.signedIn() {
		if p := t.agents[user]; p != nil && p.now.contact == c && p.now.state == event.Talking {
			t.apply(acd.Event{Kind: acd.ContactDone, Contact: c, Agent: user})
		}
	}
}
