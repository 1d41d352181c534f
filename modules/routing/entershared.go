package routing

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/acd"
)

// With other processes a contact enters by being written into the bucket, brain or no brain: whoever decides, now or
// later, finds it there with its place. It leaves by the brain's hand alone, which knows what came first.

// entries are the contacts of this process on their way into the bucket.
type entries struct {
	mu sync.Mutex
	of map[id.Contact]*entering
}

type entering struct {
	cancel context.CancelFunc
	done   chan struct{}
}

const (
	entryBound = time.Minute // longer than the bucket is ever without a leader
	entryTry   = 2 * time.Second
)

// enterShared writes a contact into the bucket, behind the caller's back: the person hears music meanwhile.
func (m *Module) enterShared(w *waiting) {
	ctx, cancel := context.WithTimeout(m.life, entryBound)
	e := &entering{cancel: cancel, done: make(chan struct{})}
	m.entries.mu.Lock()
	if m.entries.of == nil {
		m.entries.of = map[id.Contact]*entering{}
	}
	before := m.entries.of[w.Contact]
	m.entries.of[w.Contact] = e
	m.entries.mu.Unlock()
	m.offers.running.Go(func() {
		defer cancel()
		defer close(e.done)
		if before != nil {
			before.cancel()
			<-before.done
		}
		m.writeEntry(ctx, w)
		m.entries.mu.Lock()
		if m.entries.of[w.Contact] == e {
			delete(m.entries.of, w.Contact)
		}
		m.entries.mu.Unlock()
	})
}

func (m *Module) writeEntry(ctx context.Context, w *waiting) {
	for {
		try, cancel := context.WithTimeout(ctx, entryTry)
		err := m.deps.Flush(try) // that the contact began is on the disk before a brain elsewhere speaks of it
		if err == nil {
			_, err = m.deps.Live.Put(try, contactKey+string(w.Contact), w.note())
		}
		cancel()
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			if !errors.Is(ctx.Err(), context.Canceled) {
				m.deps.Log.Error("a contact could not be queued", "contact", w.Contact, "err", err)
				m.turnBack(w)
			}
			return
		}
		m.deps.Log.Warn("a contact is not in its queue yet", "contact", w.Contact, "err", err)
		pause(ctx, m, vacantRetry)
	}
}

// turnBack gives a contact that cannot be queued back to its flow.
func (m *Module) turnBack(w *waiting) {
	ch := m.channel(w)
	m.offers.run(func(ctx context.Context) {
		if err := ch.Move(ctx, w.Contact, "", contact.Target{Kind: contact.ToFlow}); err != nil {
			_ = ch.End(ctx, w.Contact, contact.BySystem) // nothing better can be done for it; End logs its own failure
		}
	})
}

// leaveShared has the brain note that a contact is gone, once its entry is written or given up.
func (m *Module) leaveShared(ctx context.Context, c id.Contact) error {
	m.entries.mu.Lock()
	e := m.entries.of[c]
	m.entries.mu.Unlock()
	if e != nil {
		select {
		case <-e.done:
		case <-time.After(entryTry):
			e.cancel()
			<-e.done
		}
	}
	return m.insist(ctx, Order{Verb: verbLeave, Contact: c})
}

// watchEntries brings the brain what is written into the bucket, until ctx ends.
func (m *Module) watchEntries(ctx context.Context) {
	for ctx.Err() == nil {
		changes, err := m.deps.Live.Watch(ctx, contactKey)
		if err != nil {
			m.deps.Log.Warn("new contacts are not seen for a moment", "err", err)
			pause(ctx, m, vacantRetry)
			continue
		}
		for c := range changes {
			var n contactNote
			if c.Current || c.Gone || c.Read(&n) != nil || n.Contact == "" {
				continue
			}
			if err := m.do(ctx, request{look: func(t *thinker) { t.found(n, c.Revision) }}); err != nil && ctx.Err() == nil {
				m.deps.Log.Warn("a contact is not taken in; the next brain will", "contact", n.Contact, "err", err)
			}
		}
	}
}

// found takes in a contact the bucket tells of, unless it is known, or was and is no more. The bucket tells in the order
// of writing; it is not read again here, for a copy of it may be a moment behind.
func (t *thinker) found(n contactNote, revision uint64) {
	if w := t.contacts[n.Contact]; w != nil && w.enteredAt == n.EnteredAt {
		w.revision = max(w.revision, revision)
		return
	}
	if revision <= t.past[n.Contact].revision {
		return
	}
	t.takeIn(n, revision)
	if at, ok := t.early[n.Contact]; ok && n.EnteredAt <= at {
		delete(t.early, n.Contact)
		r := request{event: acd.Event{Kind: acd.ContactLeft, Contact: n.Contact}}
		t.applyBy(r.event, "brain")
		t.dismiss(r)
	}
}

// takeIn queues a contact of the bucket. One the brain refuses goes back to its flow.
func (t *thinker) takeIn(n contactNote, revision uint64) {
	w := n.waits(revision)
	w.bonus = 0
	r := request{event: w.entered(), entry: w}
	t.refused = nil
	t.admit(r)
	t.applyBy(r.event, "brain")
	if t.refused == nil {
		return
	}
	t.refused = nil
	if t.contacts[w.Contact] != w {
		return // a rule has led it elsewhere
	}
	delete(t.contacts, w.Contact)
	t.let(w)
	now := t.m.deps.Clock.Now()
	t.m.deps.Facts.Post(now, w.Site, string(w.Contact), "", event.ContactExited{
		Queue: w.queue, EnteredAt: w.enteredAt, WaitMs: max(now.UnixMilli()-w.enteredAt, 0), Why: whyCode(acd.WhyNoQueue),
	})
	t.m.turnBack(w)
}

// expect notes that a contact has left whose entry is not known yet, so that it leaves when it is.
func (t *thinker) expect(c id.Contact) {
	if c != "" && t.contacts[c] == nil {
		t.early[c] = t.now()
	}
}
