package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/modules/desk"
	"github.com/kapok-hotline/kapok/modules/routing"
	"github.com/kapok-hotline/kapok/modules/voice"
	"github.com/kapok-hotline/kapok/platform/bus"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// here is a contact's presence: who holds it, when it was last heard of, where its flow stands.
type here struct {
	Node   id.Node     `json:"node"`
	Heard  int64       `json:"heard"` // unix ms
	Cursor flow.Cursor `json:"cursor"`
}

const contactPresenceKey = "contact."

func contactPresence(c id.Contact) string { return contactPresenceKey + string(c) }

// Assert is voice.Presence's: the key is renewed by its revision, so that one that lapsed meanwhile is noticed.
func (p *peers) Assert(ctx context.Context, c id.Contact, at time.Time, cursor flow.Cursor) error {
	p.mu.Lock()
	revision := p.revisions[c]
	p.mu.Unlock()
	v := here{Node: p.h.o.Node, Heard: at.UnixMilli(), Cursor: cursor}
	var err error
	if revision == 0 {
		revision, err = p.h.presence.Put(ctx, contactPresence(c), v)
	} else {
		revision, err = p.h.presence.Update(ctx, contactPresence(c), v, revision)
	}
	if errors.Is(err, bus.ErrChanged) { // lapsed; or written by us, and the answer was lost
		lost, lerr := p.lost(ctx, c)
		if lerr != nil {
			return lerr // not known yet: it is asked again
		}
		if lost {
			return voice.ErrLost
		}
		revision, err = p.h.presence.Put(ctx, contactPresence(c), v)
	}
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.revisions[c] = revision
	p.mu.Unlock()
	return nil
}

// lost says whether the ledger has a contact as lost.
func (p *peers) lost(ctx context.Context, c id.Contact) (bool, error) {
	n, err := store.One(ctx, p.h.db, `SELECT COUNT(*) FROM ledger_fact WHERE subject = ? AND kind = ?`, store.Col[int64], string(c), event.ContactLost{}.Kind())
	return n > 0, err
}

// Over is voice.Presence's. What was said of the contacts is in the ledger before their presence goes: who sees it go
// and finds the contact open may close it.
func (p *peers) Over(ctx context.Context, contacts []id.Contact) error {
	if err := p.h.journal.Flush(ctx); err != nil {
		return err
	}
	for _, c := range contacts {
		if err := p.h.presence.Delete(ctx, contactPresence(c), 0); err != nil {
			return err
		}
		p.mu.Lock()
		delete(p.revisions, c)
		p.mu.Unlock()
	}
	return nil
}

// Watch is routing.Contacts'.
func (p *peers) Watch(ctx context.Context, f func(c id.Contact, heard int64, there bool)) error {
	changes, err := p.h.presence.Watch(ctx, contactPresenceKey)
	if err != nil {
		return err
	}
	for c := range changes {
		if c.Current {
			continue
		}
		var v here
		if !c.Gone && c.Read(&v) != nil {
			continue
		}
		f(id.Contact(strings.TrimPrefix(c.Key, contactPresenceKey)), v.Heard, !c.Gone)
	}
	return nil
}

// aliveWait is how long a contact of another process may be unknown here: it is told of once a second.
const aliveWait = 1500 * time.Millisecond

// alive says which contacts a process holds.
func (p *peers) alive(ctx context.Context, contacts []id.Contact) (map[id.Contact]bool, error) {
	out := map[id.Contact]bool{}
	for range 2 {
		keys, err := p.h.presence.Keys(ctx, contactPresenceKey)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			out[id.Contact(strings.TrimPrefix(k, contactPresenceKey))] = true
		}
		missing := false
		for _, c := range contacts {
			out[c] = out[c] || p.h.voice.Alive(c)
			missing = missing || !out[c]
		}
		if !missing {
			break
		}
		timer := p.h.clock.NewTimer(aliveWait)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		}
	}
	return out, nil
}

// asserts says whether this process is the one to say that an agent's desk is there: it has their page, or they work
// by the interface alone and no other process has had a page of theirs.
func (p *peers) asserts(ctx context.Context, agent id.User) bool {
	if p.h.web.Hub().Present(agent) {
		return true
	}
	p.mu.Lock()
	mine := p.signed[agent]
	p.mu.Unlock()
	if !mine {
		return false
	}
	var n desknote
	if _, err := p.h.presence.Get(ctx, keyOf(agent), &n); err == nil && n.Node != p.h.o.Node {
		p.mu.Lock()
		delete(p.signed, agent)
		p.mu.Unlock()
		return false
	}
	return true
}

// brain is the brain as desks ask it: who signs in here is this process's to tell of.
type brain struct {
	*routing.Module
	p *peers
}

// SignIn is desk.Brain's.
func (b brain) SignIn(ctx context.Context, user id.User, site id.Site, at contact.Endpoint, seat id.Seat, up func() bool) error {
	if err := b.Module.SignIn(ctx, user, site, at, seat, up); err != nil {
		return err
	}
	return b.p.adopt(ctx, user)
}

// Want is desk.Brain's. Who works by the interface alone and comes to this process, for that of their sign-in is gone, is
// this one's to tell of; who has a page elsewhere is not.
func (b brain) Want(ctx context.Context, user id.User, ready bool, reason string) error {
	if err := b.Module.Want(ctx, user, ready, reason); err != nil {
		return err
	}
	var n desknote
	if _, err := b.p.h.presence.Get(ctx, keyOf(user), &n); err == nil && (n.Paged || n.Node == b.p.h.o.Node) {
		return nil
	}
	if err := b.p.adopt(ctx, user); err != nil {
		b.p.h.log.Warn("a desk is not told of to the others yet", "agent", user, "err", err)
	}
	return nil
}

// adopt has this process tell of an agent's desk from now on.
func (p *peers) adopt(ctx context.Context, user id.User) error {
	p.mu.Lock()
	p.signed[user] = true
	p.mu.Unlock()
	return p.h.assertDesk(ctx, user)
}

// decider gives the brain as desks ask it.
func (h *House) decider() desk.Brain {
	if h.peers == nil {
		return h.routing
	}
	return brain{h.routing, h.peers}
}

// desknote is an agent's presence.
type desknote struct {
	Node  id.Node `json:"node"`
	Paged bool    `json:"paged,omitempty"` // has a page open there
}

// before hands over the facts of what is open, up to head: a desk that begins while others work shows what they do.
func (p *peers) before(ctx context.Context, head int64, f func(ledger.Fact)) error {
	const columns = `f.seq, f.id, f.node, f.at, f.day, f.slot, f.kind, f.subject, f.actor, f.place, f.body`
	facts, err := store.All(ctx, p.h.db, `SELECT `+columns+` FROM ledger_fact f JOIN routing_open_contact o ON o.contact = f.subject WHERE f.seq <= ?
		UNION ALL SELECT `+columns+` FROM ledger_fact f JOIN routing_open_agent a ON a.agent = f.subject WHERE f.seq <= ? AND f.at >= a.signed_in_at
		ORDER BY 1`,
		func(r store.Scanner) (x ledger.Fact, err error) {
			var body string
			err = r.Scan(&x.Seq, &x.ID, &x.Node, &x.At, &x.Day, &x.Slot, &x.Kind, &x.Subject, &x.Actor, &x.Place, &body)
			x.Body = []byte(body)
			return x, err
		}, head, head)
	for _, x := range facts {
		f(x)
	}
	return err
}
