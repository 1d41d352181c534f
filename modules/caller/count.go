package caller

import (
	"context"
	"slices"
	"sync"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// talk is a call in which an agent spoke with the person.
type talk struct {
	contact id.Contact
	at      int64 // its end, unix ms
}

// talks holds the talks of the last hours by number. The zero value is empty.
type talks struct {
	mu sync.Mutex
	of map[string][]talk
}

// mostNumbers bounds how many numbers are remembered: a province's day. Beyond it the new ones are not counted, which
// is to their good.
const mostNumbers = 1 << 18

// add notes a talk, once, and forgets those of the number that ended before since.
func (t *talks) add(number string, k talk, since int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = map[string][]talk{}
	}
	have, known := t.of[number]
	if !known && len(t.of) >= mostNumbers || slices.ContainsFunc(have, func(x talk) bool { return x.contact == k.contact }) {
		return
	}
	t.of[number] = append(slices.DeleteFunc(have, func(x talk) bool { return x.at < since }), k)
}

// since counts the talks of a number that ended at or after a moment.
func (t *talks) since(number string, moment int64) (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range t.of[number] {
		if k.at >= moment {
			n++
		}
	}
	return n
}

// forget drops what ended before a moment; nothing is left of a number without a talk.
func (t *talks) forget(before int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for number, all := range t.of {
		if all = slices.DeleteFunc(all, func(k talk) bool { return k.at < before }); len(all) == 0 {
			delete(t.of, number)
		} else {
			t.of[number] = all
		}
	}
}

// under is a call on its way, as far as it matters here.
type under struct {
	number   string
	ours     id.Number
	answered int64
	secret   bool
}

// counter follows the calls there are. Those that were under way when it began are not counted.
type counter struct {
	m     *Module
	calls map[id.Contact]*under
}

// count follows the ledger, in which every process sees the talks of all, and begins with the talks already in it.
func (m *Module) count(ctx context.Context) {
	k := &counter{m, map[id.Contact]*under{}}
	begun := func() {
		if err := m.recall(ctx); err != nil && ctx.Err() == nil {
			m.deps.Log.Error("talks of the last hours are not known; callers are counted from now on", "err", err)
		}
	}
	if err := m.deps.Stream.Follow(ctx, begun, k.fact); err != nil && ctx.Err() == nil {
		m.deps.Log.Error("callers are not counted any more", "err", err)
	}
}

// fact takes one fact in.
func (k *counter) fact(f ledger.Fact) {
	c := id.Contact(f.Subject)
	switch f.Kind {
	case "contact.started":
		if b, ok := ledger.Read[event.ContactStarted](&f); ok && b.Medium == contact.Phone && b.Direction != contact.Out && b.From != "" {
			k.calls[c] = &under{number: b.From, ours: b.Number, secret: k.m.secret(b.Number, "")}
		}
	case "contact.answered":
		if u := k.calls[c]; u != nil {
			if b, ok := ledger.Read[event.ContactAnswered](&f); ok {
				u.secret = u.secret || k.m.secret(u.ours, b.Queue)
			}
			if u.answered == 0 {
				u.answered = f.At
			}
		}
	case "contact.ended":
		if u := k.calls[c]; u != nil && u.answered > 0 && !u.secret {
			k.m.talked(c, u.number, u.answered, f.At)
		}
		delete(k.calls, c)
	case "contact.lost":
		delete(k.calls, c)
	}
}

// talked counts a talk that was long enough to be one.
func (m *Module) talked(c id.Contact, number string, from, to int64) {
	r := m.rules.Load().often
	if to-from < int64(r.ShortS)*1000 {
		return
	}
	m.talks.add(number, talk{c, to}, m.deps.Clock.Now().UnixMilli()-dayMs)
}

// recallMost bounds the talks read at the start.
const recallMost = 200_000

// recall reads the talks of the rule's time out of the ledger, so that a restart forgets nobody.
func (m *Module) recall(ctx context.Context) error {
	now := m.deps.Clock.Now()
	since := now.UnixMilli() - int64(m.rules.Load().often.WithinMin)*60_000
	type row struct {
		subject, started, answered string
		from, to                   int64
	}
	day, _ := clock.Local(since-dayMs, now.UTC().Location()) // local days of all sites begin after it
	all, err := store.All(ctx, m.deps.DB, `SELECT e.subject, s.body, a.body, a.at, e.at FROM ledger_fact e
		JOIN ledger_fact a ON a.subject = e.subject AND a.kind = 'contact.answered' JOIN ledger_fact s ON s.subject = e.subject AND s.kind = 'contact.started'
		WHERE e.day >= ? AND e.kind = 'contact.ended' AND e.at >= ? ORDER BY a.seq LIMIT ?`, func(r store.Scanner) (v row, err error) {
		return v, r.Scan(&v.subject, &v.started, &v.answered, &v.from, &v.to)
	}, day, since, recallMost)
	if err != nil {
		return err
	}
	secret, first := map[string]bool{}, map[string]row{}
	for _, v := range all {
		s, a := as[event.ContactStarted](v.started), as[event.ContactAnswered](v.answered)
		if s.Medium != contact.Phone || s.Direction == contact.Out || s.From == "" || m.secret(s.Number, a.Queue) {
			secret[v.subject] = true
		}
		if _, ok := first[v.subject]; !ok {
			first[v.subject] = v
		}
	}
	for c, v := range first {
		if !secret[c] {
			m.talked(id.Contact(c), as[event.ContactStarted](v.started).From, v.from, v.to)
		}
	}
	return nil
}
