package report

import (
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/store"
)

var callerColumns = []string{"day", "medium", "caller", "first_at", "contact", "slot", "site", "queue", "asks", "answers"}

var timeColumns = []string{"day", "slot", "site", "agent", "state", "reason", "ms", "times", "restated_at"}

var presenceColumns = []string{"agent", "site", "state", "reason", "since", "signed_in", "contact", "queue", "seat", "at"}

const (
	contactSelect = `contact, site, medium, direction, sender, reached, number, started_at, day, slot,
		ended_at, ended_by, outcome, cause, lost, length_ms, starts, ends, served, asked_at, caller,
		first_queue, last_queue, agent, agent_at, wait_ms, talk_ms, hold_ms, wrap_ms, recordings,
		noted_at, noted_by, topic, tax_type, district, note_final, more`
	contactQuery = `SELECT ` + contactSelect + ` FROM report_contact`
	visitSelect  = `contact, entered_at, queue, known, day, slot, site, first, caller, how, left_at, wait_ms,
		why, rule, agent, offer, answers, offers, parts`
	visitQuery    = `SELECT ` + visitSelect + ` FROM report_visit`
	presenceQuery = `SELECT agent, site, state, reason, since, signed_in, contact, queue, seat, at FROM report_presence`
)

// save writes what the batch changed.
func (b *batch) save(ctx context.Context, tx *store.Tx) error {
	for _, step := range []func(context.Context, *store.Tx) error{
		b.saveContacts, b.saveLegs, b.saveCallers, b.saveFigures, b.saveTimes, b.savePresence,
	} {
		if err := step(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) saveContacts(ctx context.Context, tx *store.Tx) error {
	var fresh, visits []any
	passing := make([][]any, len(b.write.passing))
	var now []any
	for _, t := range b.contacts {
		now = contactArgs(now[:0], t.Contact)
		switch i := b.write.shapeOf(t.row, now); i {
		case sameRow:
		case wholeRow:
			fresh = append(fresh, now...)
		default:
			passing[i] = append(passing[i], now[0])
			for _, place := range b.write.passing[i].places {
				passing[i] = append(passing[i], now[place])
			}
		}
		for i := range t.Visits {
			if v := &t.Visits[i]; i >= len(t.visits) || !sameVisit(v, &t.visits[i]) {
				visits = visitArgs(visits, t.ID, v)
			}
		}
	}
	if err := b.write.contact.run(ctx, tx, fresh); err != nil {
		return err
	}
	for i, rows := range passing {
		if err := b.write.passing[i].write.run(ctx, tx, rows); err != nil {
			return err
		}
	}
	return b.write.visit.run(ctx, tx, visits)
}

// What shapeOf says beside the number of a shape.
const (
	sameRow  = -1 // nothing changed: an offer, say, which only the visit knows
	wholeRow = -2 // there is no row yet, or columns change on which indexes stand
)

// shapeOf gives the first shape that holds all columns in which two rows of a contact differ; before is nil when
// there is no row.
func (s *statements) shapeOf(before, after []any) int {
	if before == nil {
		return wholeRow
	}
	var changed uint64
	for i := range after {
		if before[i] != after[i] {
			changed |= 1 << i
		}
	}
	switch {
	case changed == 0:
		return sameRow
	case changed&(1<<startColumns-1) != 0:
		return wholeRow
	}
	for i := range s.passing {
		if changed&^s.passing[i].mask == 0 {
			return i
		}
	}
	return wholeRow
}

func sameVisit(a, b *tally.Visit) bool {
	return a.Stay == b.Stay && slices.Equal(a.Offers, b.Offers) && slices.Equal(a.Parts, b.Parts)
}

func (b *batch) saveLegs(ctx context.Context, tx *store.Tx) error {
	var args []any
	for _, l := range b.legs {
		args = l.args(args)
	}
	return b.write.leg.run(ctx, tx, args)
}

func (b *batch) saveFigures(ctx context.Context, tx *store.Tx) error {
	var args [4][][]any // by table and shape
	for k, n := range b.figures {
		restated := b.restated[k]
		if n.Zero() && restated == 0 {
			continue
		}
		t := &b.write.figures[k.Table]
		if args[k.Table] == nil {
			args[k.Table] = make([][]any, len(t.shapes))
		}
		s := t.shape(n)
		args[k.Table][s] = t.args(args[k.Table][s], t.shapes[s].columns, &k, n, restated)
	}
	for i := range args {
		for s, rows := range args[i] {
			if err := b.write.figures[i].shapes[s].write.run(ctx, tx, rows); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *batch) saveTimes(ctx context.Context, tx *store.Tx) error {
	var args []any
	for s, t := range b.times {
		restated := int64(0)
		if b.lateTime[s] {
			restated = b.now
		}
		args = append(args, s.Day, s.Slot, string(s.Site), string(s.Agent), string(s.State), s.Reason, t.Ms, t.Times, restated)
	}
	return b.write.time.run(ctx, tx, args)
}

func (b *batch) savePresence(ctx context.Context, tx *store.Tx) error {
	var args []any
	for _, p := range b.presence {
		args = append(args, string(p.Agent), string(p.Site), string(p.State), p.Reason, p.Since, p.SignedIn,
			string(p.Contact), string(p.Queue), string(p.Seat), p.At)
	}
	return b.write.present.run(ctx, tx, args)
}

// loadPresence brings the states of the batch's agents to memory.
func (b *batch) loadPresence(ctx context.Context, tx *store.Tx, facts []tally.Fact) error {
	var missing []id.User
	for i := range facts {
		agent := id.User(facts[i].Subject)
		switch facts[i].Body.(type) {
		case event.AgentSignedIn, event.AgentChanged, event.AgentSignedOut:
		default:
			continue
		}
		if b.presence[agent] != nil {
			continue
		}
		p, ok := b.mem.presence.get(agent)
		if !ok {
			p = &tally.Presence{}
			b.mem.presence.put(agent, p)
			missing = append(missing, agent)
		}
		b.presence[agent] = p
	}
	for len(missing) > 0 {
		n := packSize(len(missing), loadPack)
		err := store.Each(ctx, tx, presenceQuery+` WHERE agent IN (`+store.In(n)+`)`, scanPresence, func(p tally.Presence) error {
			*b.presence[p.Agent] = p
			return nil
		}, padded(missing, n)...)
		if err != nil {
			return err
		}
		missing = missing[min(n, len(missing)):]
	}
	return nil
}

func scanPresence(r store.Scanner) (p tally.Presence, err error) {
	err = r.Scan(&p.Agent, &p.Site, &p.State, &p.Reason, &p.Since, &p.SignedIn, &p.Contact, &p.Queue, &p.Seat, &p.At)
	return p, err
}

// loadCallers brings the callers of changed requests to memory.
func (b *batch) loadCallers(ctx context.Context, tx *store.Tx) error {
	type span struct {
		day    string
		medium contact.Medium
	}
	missing := map[span][]string{}
	need := func(r *tally.Request) {
		if r == nil || b.callers[r.Key()] != nil {
			return
		}
		c, ok := b.mem.callers.get(r.Key())
		if !ok {
			c = &tally.Caller{}
			b.mem.callers.put(r.Key(), c)
			s := span{r.Day, r.Medium}
			missing[s] = append(missing[s], r.Caller)
		}
		b.callers[r.Key()] = &callerChange{Caller: c, before: c.Row()}
	}
	for _, t := range b.contacts {
		after := t.Request()
		if t.request == nil || after == nil || *t.request != *after {
			need(t.request)
			need(after)
		}
	}
	for s, keys := range missing {
		for len(keys) > 0 {
			n := packSize(len(keys), loadPack)
			args := append([]any{s.day, string(s.medium)}, padded(keys, n)...)
			keys = keys[min(n, len(keys)):]
			err := store.Each(ctx, tx, `SELECT day, medium, caller, first_at, contact, slot, site, queue, asks, answers
				FROM report_caller WHERE day = ? AND medium = ? AND caller IN (`+store.In(n)+`)`, scanCaller,
				func(c tally.Caller) error {
					at := b.callers[c.Key()]
					*at.Caller = c
					at.before = c.Row()
					return nil
				}, args...)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func scanCaller(r store.Scanner) (c tally.Caller, err error) {
	err = r.Scan(&c.Day, &c.Medium, &c.Caller, &c.At, &c.Contact, &c.Slot, &c.Site, &c.Queue, &c.Asks, &c.Answers)
	c.Answered = c.Answers > 0
	return c, err
}

func (b *batch) saveCallers(ctx context.Context, tx *store.Tx) error {
	var args []any
	for k, c := range b.callers {
		args = append(args, k.Day, string(k.Medium), k.Caller, c.At, string(c.Contact), c.Slot, string(c.Site),
			string(c.Queue), c.Asks, c.Answers)
	}
	return b.write.caller.run(ctx, tx, args)
}
