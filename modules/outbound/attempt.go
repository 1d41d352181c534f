package outbound

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
)

// purpose is what our calls out carry; their ref is the person.
const purpose = "outbound"

// writeBound is how long a row may take to be written.
const writeBound = 10 * time.Second

// begin claims a person for an attempt, which is written down before anything is rung, and has them called. Whoever
// loses the claim to another is told store.ErrNotFound or store.ErrConflict; any other error says why no call was begun,
// and the person is as before.
func (m *Module) begin(ctx context.Context, l List, p person, agent id.User) error {
	now := m.now()
	was, before := p.state, p
	p.agent, p.contact = agent, id.Contact(id.New(now))
	p.move(Calling, now)
	if err := m.claim(ctx, was, before.contact, &p); err != nil {
		return err
	}
	m.lives(p.contact, true)
	_, err := m.deps.Calls.CallOut(ctx, contact.Outcall{Contact: p.contact, Agent: agent, Number: p.number, Purpose: purpose, Ref: p.id, RingS: l.RingS, Machine: l.machine()})
	if err == nil {
		m.show(agent)
		return nil
	}
	m.lives(p.contact, false)
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeBound)
	defer cancel()
	if back := m.giveBack(keep, l, p.contact, before, agent, err, now); back != nil {
		m.deps.Log.Error("a person could not be given back to their list; they come back by themselves", "person", p.id, "err", back)
	}
	return err
}

// giveBack puts a person back whose call was not begun. One whom the rules for calls out do not let us call is tried
// again later, not for ever.
func (m *Module) giveBack(ctx context.Context, l List, c id.Contact, before person, agent id.User, why error, now time.Time) error {
	code := fault.CodeOf(why)
	if before.state != Shown && m.deps.Missed != nil {
		if err := m.deps.DB.Tx(ctx, func(tx *store.Tx) error { return m.leaves(ctx, tx, &before, agent) }); err != nil {
			return err
		}
	}
	if before.state == Shown || !strings.HasPrefix(code, "voice.callout.") || fault.KindOf(why) != fault.Forbidden && fault.KindOf(why) != fault.Invalid {
		return put(ctx, m.deps.DB, Calling, c, &before)
	}
	before.tries++
	before.how, before.due = "barred", now.Add(gap(l)).UnixMilli()
	return m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		if before.tries < l.Tries {
			return put(ctx, tx, Calling, c, &before)
		}
		before.contact = c
		return m.shut(ctx, tx, l, &before, Calling, "exhausted", now)
	})
}

// lives notes that an attempt is under way, or over.
func (m *Module) lives(c id.Contact, on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if on {
		m.live[c] = true
	} else {
		delete(m.live, c)
	}
}

func (m *Module) alive(c id.Contact) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.live[c]
}

// listOf gives the list of a person; one that was removed calls nobody again.
func (m *Module) listOf(p *person) List {
	l, ok := m.list(p.list)
	if !ok {
		l = List{Code: p.list, Site: m.deps.Staff.SiteOf(p.agent), Tries: 1}
	}
	return l
}

// dialled writes down that a person's telephone is rung: from here on they count as called.
func (m *Module) dialled(ctx context.Context, tx *store.Tx, p *person, at time.Time) error {
	if p.state != Calling {
		return nil
	}
	l := m.listOf(p)
	p.tries++
	p.how = ""
	p.move(Dialled, at)
	if err := put(ctx, tx, Calling, p.contact, p); err != nil {
		return err
	}
	day, _ := clock.Local(at.UnixMilli(), m.zone(l.Site))
	if _, err := store.Exec(ctx, tx, `INSERT INTO outbound_try (contact, person, list, site, agent, mode, try, day, at, reached_at, ended_at, how, result, note)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, '', '', '')`,
		string(p.contact), p.id, p.list, string(l.Site), string(p.agent), l.Mode, p.tries, day, at.UnixMilli()); err != nil {
		return err
	}
	return m.deps.Facts.Keep(tx, at, l.Site, string(p.contact), string(p.agent), event.OutboundTried{
		List: p.list, Person: p.id, Try: p.tries, Agent: p.agent, Mode: l.Mode,
	})
}

// reached writes down that a person talks.
func (m *Module) reached(ctx context.Context, tx *store.Tx, p *person, at time.Time) error {
	if err := m.dialled(ctx, tx, p, at); err != nil || p.state != Dialled {
		return err
	}
	l := m.listOf(p)
	p.how = string(Reached)
	p.move(Reached, at)
	if err := put(ctx, tx, Dialled, p.contact, p); err != nil {
		return err
	}
	if err := store.Change(ctx, tx, `UPDATE outbound_try SET reached_at = ? WHERE contact = ?`, at.UnixMilli(), string(p.contact)); err != nil {
		return err
	}
	return m.deps.Facts.Keep(tx, at, l.Site, string(p.contact), string(p.agent), event.OutboundReached{List: p.list, Person: p.id, Agent: p.agent})
}

// over writes down the end of an attempt, however far it came.
func (m *Module) over(ctx context.Context, tx *store.Tx, p *person, c id.Contact, how string, at time.Time) error {
	l := m.listOf(p)
	if p.contact != c || p.state != Calling && p.state != Dialled { // talked: what becomes of the person is the agent's to say
		return m.endTry(ctx, tx, c, string(Reached), at)
	}
	if p.state == Calling {
		return m.undialled(ctx, tx, l, p, how, at)
	}
	if err := m.endTry(ctx, tx, c, how, at); err != nil {
		return err
	}
	p.how, p.due = how, at.Add(gap(l)).UnixMilli()
	if err := m.tells(ctx, tx, p, p.agent, c, p.due); err != nil {
		return err
	}
	if p.tries >= l.Tries {
		return m.shut(ctx, tx, l, p, Dialled, "exhausted", at)
	}
	p.agent = ""
	p.move(Pending, at)
	return put(ctx, tx, Dialled, c, p)
}

// undialled gives back a person who was not called after all.
func (m *Module) undialled(ctx context.Context, tx *store.Tx, l List, p *person, how string, at time.Time) error {
	switch {
	case how == event.OutAgent && l.Mode == Progressive: // did not answer
		m.mu.Lock()
		m.rest[p.agent] = at.Add(agentRest)
		m.mu.Unlock()
	case how == "called_in":
		p.due = at.Add(gap(l)).UnixMilli()
	}
	if err := m.leaves(ctx, tx, p, p.agent); err != nil {
		return err
	}
	p.agent = ""
	p.move(Pending, at)
	return put(ctx, tx, Calling, p.contact, p)
}

// agentRest is how long an agent who did not answer is not rung again.
const agentRest = time.Minute

func gap(l List) time.Duration { return time.Duration(l.GapMin) * time.Minute }

// endTry closes an attempt, once; one that is closed already, or never was dialled, stays as it is.
func (m *Module) endTry(ctx context.Context, tx *store.Tx, c id.Contact, how string, at time.Time) error {
	type row struct {
		person, list string
		site         id.Site
		agent        id.User
	}
	t, err := store.One(ctx, tx, `UPDATE outbound_try SET ended_at = ?, how = ? WHERE contact = ? AND how = '' RETURNING person, list, site, agent`,
		func(r store.Scanner) (t row, err error) { return t, r.Scan(&t.person, &t.list, &t.site, &t.agent) }, at.UnixMilli(), how, string(c))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return m.deps.Facts.Keep(tx, at, t.site, string(c), string(t.agent), event.OutboundEnded{List: t.list, Person: t.person, Agent: t.agent, How: how})
}

// shut closes a person.
func (m *Module) shut(ctx context.Context, tx *store.Tx, l List, p *person, was State, how string, now time.Time) error {
	p.move(Closed, now)
	p.how, p.agent = how, ""
	if err := put(ctx, tx, was, p.contact, p); err != nil {
		return err
	}
	return m.deps.Facts.Keep(tx, now, l.Site, p.id, "", event.OutboundClosed{List: p.list, How: how, Tries: p.tries})
}
