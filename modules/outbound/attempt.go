package outbound

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
)

// attempt is one try to reach a person. What it says is written in its order, whoever says it.
type attempt struct {
	m       *Module
	list    List
	contact id.Contact
	mode    string

	mu      sync.Mutex
	person  person
	dialled bool
	told    bool // that the person was reached
}

// writeBound is how long a row may take to be written.
const writeBound = 10 * time.Second

// begin claims a person for an attempt and sends it. Whoever loses the claim to another is told store.ErrNotFound or
// store.ErrConflict; any other error says why no call was begun, and the person is as before.
func (m *Module) begin(ctx context.Context, l List, p person, agent id.User) error {
	now := m.now()
	was, before := p.state, p
	a := &attempt{m: m, list: l, contact: id.Contact(id.New(now)), mode: l.Mode}
	p.agent, p.contact, p.node = agent, a.contact, m.deps.Node
	p.move(Calling, now)
	if err := put(ctx, m.deps.DB, was, before.contact, &p); err != nil {
		return err
	}
	a.person = p
	m.mu.Lock()
	m.live[a.contact] = a
	m.mu.Unlock()
	err := m.deps.Calls.Send(ctx, Errand{
		Contact: a.contact, Site: l.Site, Queue: l.Queue, Agent: agent, Number: p.number, Ring: time.Duration(l.RingS) * time.Second, Ears: a,
	})
	if err != nil {
		m.forget(a.contact)
		keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeBound)
		defer cancel()
		if back := put(keep, m.deps.DB, Calling, a.contact, &before); back != nil {
			m.deps.Log.Error("a person could not be given back to their list; they come back by themselves", "person", p.id, "err", back)
		}
		return err
	}
	m.show(agent)
	return nil
}

func (m *Module) forget(c id.Contact) {
	m.mu.Lock()
	delete(m.live, c)
	m.mu.Unlock()
	m.nudge()
}

// errNever says that the number is not to be called.
var errNever = error(fault.New(fault.Conflict, "outbound.never"))

// Dialling writes the attempt down: from here on the person counts as called, whatever becomes of the process.
func (a *attempt) Dialling(ctx context.Context, agent id.User) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	m, now := a.m, a.m.now()
	ctx, cancel := context.WithTimeout(ctx, writeBound)
	defer cancel()
	p := a.person
	p.tries++
	p.how = ""
	p.move(Dialled, now)
	err := m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		if never, err := m.never(ctx, tx, p.number, now); err != nil || never {
			return errors.Join(err, errNever)
		}
		if err := put(ctx, tx, Calling, a.contact, &p); err != nil {
			return err
		}
		day, _ := clock.Local(now.UnixMilli(), m.zone(a.list.Site))
		if _, err := store.Exec(ctx, tx, `INSERT INTO outbound_try (contact, person, list, site, agent, node, mode, try, day, at, reached_at, ended_at, how, result, note)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, '', '', '')`,
			string(a.contact), p.id, p.list, string(a.list.Site), string(agent), string(m.deps.Node), a.mode, p.tries, day, now.UnixMilli()); err != nil {
			return err
		}
		return m.deps.Facts.Keep(tx, now, a.list.Site, string(a.contact), string(agent), event.OutboundTried{
			List: p.list, Person: p.id, Try: p.tries, Agent: agent, Mode: a.mode,
		})
	})
	if err != nil {
		return err
	}
	a.person, a.dialled = p, true
	m.show(agent)
	return nil
}

// Reached is told that the person talks.
func (a *attempt) Reached(agent id.User) {
	at := a.m.now()
	a.m.done.Go(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.reached(agent, at)
	})
}

func (a *attempt) reached(agent id.User, at time.Time) {
	if a.told || !a.dialled {
		return
	}
	a.told = true
	m := a.m
	p := a.person
	p.move(Reached, at)
	p.how = event.BackReached
	a.write("reached", func(ctx context.Context, tx *store.Tx) error {
		if err := put(ctx, tx, Dialled, a.contact, &p); err != nil {
			return err
		}
		if err := store.Change(ctx, tx, `UPDATE outbound_try SET reached_at = ? WHERE contact = ?`, at.UnixMilli(), string(a.contact)); err != nil {
			return err
		}
		return m.deps.Facts.Keep(tx, at, a.list.Site, string(a.contact), string(agent), event.OutboundReached{List: p.list, Person: p.id, Agent: agent})
	})
	a.person = p
	m.show(agent)
}

// Over is told the end of the call.
func (a *attempt) Over(reached bool, why string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now, agent := a.m.now(), a.person.agent
	if reached {
		a.reached(agent, now)
	}
	switch {
	case a.dialled:
		a.write("ended", func(ctx context.Context, tx *store.Tx) error {
			return a.m.ended(ctx, tx, a.list, &a.person, howOf(reached, why), now)
		})
	default:
		a.undialled(why, now)
	}
	a.m.forget(a.contact)
	a.m.show(agent)
}

// undialled gives back a person who was not called after all.
func (a *attempt) undialled(why string, now time.Time) {
	m, p := a.m, a.person
	p.move(Pending, now)
	switch {
	case why == "no_agent" && a.mode == Progressive:
		m.mu.Lock()
		m.rest[p.agent] = now.Add(agentRest)
		m.mu.Unlock()
	case strings.HasPrefix(why, "voice.callout."): // the rules for calls out: asked again later, not for ever
		p.tries++
		p.due, p.how = now.Add(gap(a.list)).UnixMilli(), "barred"
	case why == "called_in":
		p.due = now.Add(gap(a.list)).UnixMilli()
	}
	p.agent, p.node = "", ""
	a.write("given back", func(ctx context.Context, tx *store.Tx) error {
		if why == errNeverCode {
			return m.shut(ctx, tx, a.list, &p, Calling, "never", now)
		}
		if p.tries >= a.list.Tries {
			return m.shut(ctx, tx, a.list, &p, Calling, "exhausted", now)
		}
		return put(ctx, tx, Calling, a.contact, &p)
	})
}

const errNeverCode = "outbound.never"

// agentRest is how long an agent who did not answer is not rung again.
const agentRest = time.Minute

func gap(l List) time.Duration { return time.Duration(l.GapMin) * time.Minute }

// write writes rows and facts of the attempt. What cannot be written is mended when the attempt's time is over.
func (a *attempt) write(what string, f func(ctx context.Context, tx *store.Tx) error) {
	ctx, cancel := context.WithTimeout(context.Background(), writeBound)
	defer cancel()
	if err := a.m.deps.DB.Tx(ctx, func(tx *store.Tx) error { return f(ctx, tx) }); err != nil {
		a.m.deps.Log.Error("an attempt to reach somebody could not be written down", "what", what, "contact", a.contact, "person", a.person.id, "err", err)
	}
}

// ended writes the end of an attempt whose person was called: who was not reached is called again, or not any more.
func (m *Module) ended(ctx context.Context, tx *store.Tx, l List, p *person, how string, now time.Time) error {
	if err := m.endTry(ctx, tx, try{contact: p.contact, person: p.id, list: p.list, site: l.Site, agent: p.agent}, how, now); err != nil {
		return err
	}
	if how == string(Reached) {
		return nil // what becomes of the person is the agent's to say
	}
	p.how = how
	if p.tries >= l.Tries {
		return m.shut(ctx, tx, l, p, Dialled, "exhausted", now)
	}
	next := *p
	next.move(Pending, now)
	next.due, next.agent, next.node = now.Add(gap(l)).UnixMilli(), "", ""
	return put(ctx, tx, Dialled, p.contact, &next)
}

// try is a row of outbound_try.
type try struct {
	contact   id.Contact
	person    string
	list      string
	site      id.Site
	agent     id.User
	reachedAt int64
}

// endTry closes an attempt, once: store.ErrNotFound says that it was closed already.
func (m *Module) endTry(ctx context.Context, tx *store.Tx, t try, how string, now time.Time) error {
	if err := store.Change(ctx, tx, `UPDATE outbound_try SET ended_at = ?, how = ? WHERE contact = ? AND how = ''`, now.UnixMilli(), how, string(t.contact)); err != nil {
		return err
	}
	return m.deps.Facts.Keep(tx, now, t.site, string(t.contact), string(t.agent), event.OutboundEnded{List: t.list, Person: t.person, Agent: t.agent, How: how})
}

// shut closes a person.
func (m *Module) shut(ctx context.Context, tx *store.Tx, l List, p *person, was State, how string, now time.Time) error {
	next := *p
	next.move(Closed, now)
	next.how, next.agent, next.node = how, "", ""
	if err := put(ctx, tx, was, p.contact, &next); err != nil {
		return err
	}
	*p = next
	return m.deps.Facts.Keep(tx, now, l.Site, p.id, "", event.OutboundClosed{List: p.list, How: how, Tries: p.tries})
}

// howOf is the word for the end of an attempt.
func howOf(reached bool, why string) string {
	if reached {
		return string(Reached)
	}
	switch code := strings.TrimPrefix(why, "contact."); code {
	case "busy", "refused", "no_answer", "agent", "called_in", "stopped":
		return code
	}
	return "unreachable"
}
