package report

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// live is what happens now, from the stream of facts: open contacts, those of the last two hours, agents' states.
// It is rebuilt from the tables at start and never asked of the brain.
type live struct {
	m *Module

	mu       sync.Mutex
	contacts map[id.Contact]*tally.Contact
	agents   map[id.User]*tally.Presence
	dirty    map[id.Site]bool // where something changed since the last look
	pruned   int64            // unix ms
	applied  int              // since then
	board    board
}

const (
	// keepFor is how long a contact that is over stays for the spark lines.
	keepFor = 130 * time.Minute
	// foreign is how old the first fact of a contact may be that is still taken for one of now.
	foreign = 26 * time.Hour
	// pruneAfter bounds what an import of old facts leaves here.
	pruneAfter = 4096
	// behindLook is how often a fold that catches up is looked at.
	behindLook = 500 * time.Millisecond
)

func newLive(m *Module) *live {
	return &live{m: m, contacts: map[id.Contact]*tally.Contact{}, agents: map[id.User]*tally.Presence{}, dirty: map[id.Site]bool{}}
}

// run loads the state, then follows the facts and publishes until ctx ends.
func (l *live) run(ctx context.Context, ready chan struct{}) error {
	if err := l.awaitFold(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	head, err := l.m.deps.Ledger.Head(ctx) // before the rows: what comes twice changes nothing here
	if err != nil {
		return err
	}
	if err := l.load(ctx); err != nil {
		return err
	}
	close(ready)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var publishing sync.WaitGroup
	publishing.Go(func() { l.publish(ctx) })
	err = l.m.deps.Ledger.Follow(ctx, head, l.take)
	stop()
	publishing.Wait()
	if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return nil // asked to end
	}
	return err
}

// awaitFold waits until the fold is at the head of the ledger.
func (l *live) awaitFold(ctx context.Context) error {
	for {
		behind, err := foldBehind(ctx, l.m.db, l.m.fold.Name())
		if err != nil || !behind {
			return err
		}
		t := l.m.clock.NewTimer(behindLook)
		select {
		case <-t.C():
		case <-ctx.Done():
			t.Stop()
			return nil
		}
	}
}

// foldBehind asks the ledger's own invariant whether the fold still catches up.
func foldBehind(ctx context.Context, db *store.DB, name string) (bool, error) {
	for _, inv := range ledger.Own() {
		if inv.Name != "ledger.folds" {
			continue
		}
		late, err := inv.Check(ctx, db)
		if err != nil {
			return false, err
		}
		for _, b := range late {
			if b.Subject == name {
				return true, nil
			}
		}
	}
	return false, nil
}

// load reads open contacts, those of the spark lines, and agents' states.
func (l *live) load(ctx context.Context) error {
	since := l.m.clock.Now().Add(-keepFor).UnixMilli()
	ids, err := store.All(ctx, l.m.db, `SELECT contact FROM report_contact WHERE ended_at = 0
		UNION SELECT contact FROM report_visit WHERE entered_at >= ?`, store.Col[id.Contact], since)
	if err != nil {
		return err
	}
	contacts, err := loadContacts(ctx, l.m.db, ids)
	if err != nil {
		return err
	}
	agents, err := store.All(ctx, l.m.db, presenceQuery, scanPresence)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.contacts = contacts
	for i := range agents {
		l.agents[agents[i].Agent] = &agents[i]
	}
	return nil
}

// take applies one fact of the stream.
func (l *live) take(raw ledger.Fact) {
	f, ok, err := decode(&raw)
	if err != nil {
		l.m.log.Warn("a fact is left out of the wallboard", slog.String("fact", string(raw.ID)), slog.Any("error", err))
	}
	if !ok {
		return
	}
	now := l.m.clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dirty[f.Place] = true
	switch f.Body.(type) {
	case event.AgentSignedIn, event.AgentChanged, event.AgentSignedOut:
		l.agent(f)
	case event.ContactStarted, event.ContactQueued:
		of := id.Contact(f.Subject)
		if l.contacts[of] == nil && f.At > now.Add(-foreign).UnixMilli() {
			l.contacts[of] = &tally.Contact{Head: tally.Head{ID: of}}
		}
		l.contact(f)
	default:
		l.contact(f)
	}
	if l.applied++; l.applied >= pruneAfter || now.UnixMilli()-l.pruned > 60_000 {
		l.prune(now)
	}
}

func (l *live) agent(f tally.Fact) {
	p := l.agents[id.User(f.Subject)]
	if p == nil {
		p = &tally.Presence{}
		l.agents[id.User(f.Subject)] = p
	}
	p.Apply(f)
}

func (l *live) contact(f tally.Fact) {
	if c := l.contacts[contactOf(f)]; c != nil {
		c.Apply(f, l.m.fold.zone)
	}
}

// prune forgets what is over and older than the spark lines.
func (l *live) prune(now time.Time) {
	l.pruned, l.applied = now.UnixMilli(), 0
	before := now.Add(-keepFor).UnixMilli()
	for of, c := range l.contacts {
		if c.Ended != 0 && c.Ended < before {
			delete(l.contacts, of)
		}
	}
}

// picture is the live state of some sites at one moment.
type picture struct {
	now     int64
	visits  []tally.Stay // of the spark lines, on the phone
	waiting []tally.Stay
	agents  []tally.Presence
	serving map[id.User]id.Queue // the queue of the contact an agent talks to or writes up
}

// look copies the live state of the sites; nil is all of them.
func (l *live) look(sites []id.Site) *picture {
	in := func(id.Site) bool { return true }
	if sites != nil {
		set := make(map[id.Site]bool, len(sites))
		for _, s := range sites {
			set[s] = true
		}
		in = func(s id.Site) bool { return set[s] }
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	p := &picture{now: l.m.clock.Now().UnixMilli(), serving: map[id.User]id.Queue{}}
	for _, c := range l.contacts {
		for i := range c.Visits {
			v := &c.Visits[i]
			if v.How == tally.Taken && c.Ended == 0 {
				p.serving[v.Agent] = v.Queue
			}
			if !v.Known || c.Medium != contact.Phone || !in(v.Site) {
				continue
			}
			p.visits = append(p.visits, v.Stay)
			if v.How == tally.Waiting && c.Ended == 0 {
				p.waiting = append(p.waiting, v.Stay)
			}
		}
	}
	for _, a := range l.agents {
		if a.SignedIn != 0 && in(a.Site) {
			p.agents = append(p.agents, *a)
		}
	}
	return p
}
