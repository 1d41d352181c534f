package missed

import (
	"context"
	"errors"
	"fmt"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// fold keeps the list. A call nobody on the list makes costs it two entries of a map; a missed one is read out of the
// ledger when it has ended.
type fold struct {
	m     *Module
	shelf shelf
}

// Name is ledger.Fold's.
func (*fold) Name() string { return "missed" }

// Reset is ledger.Resetter's.
func (*fold) Reset(ctx context.Context, tx *store.Tx) error {
	for _, text := range []string{`DELETE FROM missed_miss`, `DELETE FROM missed_row`} {
		if _, err := store.Exec(ctx, tx, text); err != nil {
			return err
		}
	}
	return nil
}

// Apply is ledger.Fold's.
func (f *fold) Apply(ctx context.Context, tx *store.Tx, facts []ledger.Fact) (err error) {
	if len(facts) == 0 {
		return nil
	}
	mem, err := f.recall(ctx, tx, facts[0].Seq)
	if err != nil {
		return err
	}
	mem.seq = facts[len(facts)-1].Seq
	defer func() {
		if err != nil {
			mem.seq = -1 // what it holds is not in the tables
		}
	}()
	b := &batch{f.m, mem, tx, false}
	for i := range facts {
		if err := b.apply(ctx, &facts[i]); err != nil {
			return fmt.Errorf("%s %s of %s: %w", facts[i].Kind, facts[i].ID, facts[i].Subject, err)
		}
	}
	if b.changed {
		tx.AfterCommit(f.m.push)
	}
	return nil
}

// batch is one run of the fold.
type batch struct {
	m       *Module
	mem     *memory
	tx      *store.Tx
	changed bool
}

// apply takes one fact in. A body that cannot be read is passed over: it will not get better, and a fold that stands
// still hides every later fact.
func (b *batch) apply(ctx context.Context, f *ledger.Fact) error {
	c := id.Contact(f.Subject)
	switch f.Kind {
	case "contact.started":
		if s, ok := ledger.Read[event.ContactStarted](f); ok {
			b.mem.started(c, s)
		}
	case "contact.answered":
		return b.met(ctx, f, false)
	case "contact.ended":
		return b.ended(ctx, f)
	case "voicemail.left":
		return b.examine(ctx, c)
	case "contact.lost":
		defer delete(b.mem.calls, c)
		return b.examine(ctx, c)
	case "callback.ended":
		e, ok := ledger.Read[event.CallbackEnded](f)
		if !ok || kept(e.How) {
			return nil
		}
		s, ok, err := unkept(ctx, b.tx, c, f.At, e)
		if err != nil || !ok {
			return err
		}
		return b.missed(ctx, s)
	case "missed.owned":
		if o, ok := ledger.Read[event.MissedOwned](f); ok {
			return b.change(ctx, `UPDATE missed_row SET owner = ? WHERE id = ? AND state = 'open' AND owner = ?`, string(o.Owner), f.Subject, string(o.Was))
		}
	case "missed.tried":
		if t, ok := ledger.Read[event.MissedTried](f); ok {
			return b.tried(ctx, f, t)
		}
	case "callout.ended":
		if e, ok := ledger.Read[event.CalloutEnded](f); ok && e.Purpose == Purpose {
			return b.rung(ctx, f, e)
		}
	case "missed.lapsed":
		return b.close(ctx, f, f.Subject, StateLapsed, "")
	}
	return nil
}

func (b *batch) change(ctx context.Context, text string, args ...any) error {
	n, err := store.Exec(ctx, b.tx, text, args...)
	b.changed = b.changed || n > 0
	return err
}

// ended takes in a contact's end.
func (b *batch) ended(ctx context.Context, f *ledger.Fact) error {
	c := id.Contact(f.Subject)
	defer delete(b.mem.calls, c)
	e, ok := ledger.Read[event.ContactEnded](f)
	if !ok {
		return nil
	}
	switch e.Outcome {
	case contact.Abandoned, contact.Turned, contact.Failed:
		return b.examine(ctx, c)
	case contact.Answered:
		if w, known := b.mem.calls[c]; b.mem.whole && known && !w.out {
			return nil // closed when it was answered
		}
		return b.met(ctx, f, true)
	}
	return nil
}

// met closes the row of a person an agent spoke with: who called themselves when they are answered, who was called
// when that call ends, for it is answered by them.
func (b *batch) met(ctx context.Context, f *ledger.Fact, over bool) error {
	if b.mem.whole && len(b.mem.open) == 0 {
		return nil
	}
	w, err := b.mem.of(ctx, b.tx, id.Contact(f.Subject))
	if err != nil || w.number == "" || w.out && !over {
		return err
	}
	row, err := b.mem.row(ctx, b.tx, w.number)
	if err != nil || row == "" {
		return err
	}
	how := StateCameBack
	if w.out {
		how = StateReached
		nobody, err := store.One(ctx, b.tx, `SELECT COUNT(*) FROM missed_row WHERE id = ? AND tried_contact = ? AND result = ?`, store.Col[int], row, f.Subject, event.TriedNoAnswer)
		if err != nil || nobody > 0 {
			return err // the agent said meanwhile that it was a machine
		}
	}
	return b.close(ctx, f, row, how, f.Subject)
}

// close closes a row, once.
func (b *batch) close(ctx context.Context, f *ledger.Fact, row, how, by string) error {
	if by == "" {
		by = f.Actor
	}
	b.mem.leave(row)
	return b.change(ctx, `UPDATE missed_row SET state = ?, closed_at = ?, closed_day = ?, closed_by = ?, again_at = 0 WHERE id = ? AND state = 'open'`, how, f.At, f.Day, by, row)
}

// tried takes in what came of a call back.
func (b *batch) tried(ctx context.Context, f *ledger.Fact, t event.MissedTried) error {
	site := id.Site(f.Place)
	ring := f.Day
	if t.Again > f.At {
		ring = b.m.day(timeOf(t.Again), site)
	}
	if t.Contact != "" && t.Result == event.TriedNoAnswer {
		if err := b.reopen(ctx, f.Subject, t.Contact); err != nil {
			return err
		}
	} else if t.Contact != "" { // written down after the talk, which has closed the row
		err := b.change(ctx, `UPDATE missed_row SET state = ?, result = ?, note = CASE WHEN ? = '' THEN note ELSE ? END WHERE id = ? AND state = 'reached' AND closed_by = ?`,
			stateOf(t.Result), t.Result, t.Note, t.Note, f.Subject, string(t.Contact))
		if err != nil {
			return err
		}
	}
	err := b.change(ctx, `UPDATE missed_row SET tries = tries + CASE WHEN ? <> '' AND tried_contact = ? THEN 0 ELSE 1 END, tried_contact = ?, first_day = CASE WHEN first_day = '' THEN ? ELSE first_day END, tried_at = ?, result = ?,
		note = CASE WHEN ? = '' THEN note ELSE ? END, again_at = ?, ring_day = ? WHERE id = ? AND state = 'open'`,
		string(t.Contact), string(t.Contact), string(t.Contact), f.Day, f.At, t.Result, t.Note, t.Note, t.Again, ring, f.Subject)
	if err != nil {
		return err
	}
	switch {
	case t.Result == event.TriedReached, t.Result == event.TriedUnwanted, t.Result == event.TriedWrong:
		return b.close(ctx, f, f.Subject, t.Result, "")
	case t.Last:
		return b.close(ctx, f, f.Subject, StateGivenUp, "")
	}
	return nil
}

// reopen puts a row back on the list that was closed by a call a machine answered, as the agent says afterwards; unless
// they have called again meanwhile.
func (b *batch) reopen(ctx context.Context, row string, by id.Contact) error {
	type numbers struct{ number, also string }
	n, err := store.One(ctx, b.tx, `UPDATE missed_row SET state = 'open', closed_at = 0, closed_day = '', closed_by = '' WHERE id = ? AND state = 'reached' AND closed_by = ?
		AND NOT EXISTS (SELECT 1 FROM missed_row o WHERE o.number = missed_row.number AND o.state = 'open') RETURNING number, also`,
		func(r store.Scanner) (n numbers, err error) { return n, r.Scan(&n.number, &n.also) }, row, string(by))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		b.mem.enter(row, n.number, n.also)
		b.changed = true
	}
	return err
}

// rung counts a call from the list that the person did not answer, as the telephone tells it; what the agent makes of
// it comes with missed.tried.
func (b *batch) rung(ctx context.Context, f *ledger.Fact, e event.CalloutEnded) error {
	switch e.Result {
	case event.OutBusy, event.OutRefused, event.OutNoAnswer, event.OutUnreachable:
	default:
		return nil // they talked, or it never rang at theirs
	}
	return b.change(ctx, `UPDATE missed_row SET tries = tries + 1, tried_contact = ?, first_day = CASE WHEN first_day = '' THEN ? ELSE first_day END,
		tried_at = ?, result = ? WHERE id = ? AND state = 'open' AND tried_contact <> ?`, f.Subject, f.Day, f.At, event.TriedNoAnswer, e.Ref, f.Subject)
}

// stateOf gives the state of a row whose person was spoken with.
func stateOf(result string) string {
	if result == event.TriedUnwanted || result == event.TriedWrong {
		return result
	}
	return StateReached
}

// examine looks at a contact that ended without an agent.
func (b *batch) examine(ctx context.Context, c id.Contact) error {
	s, ok, err := examine(ctx, b.tx, c)
	if err != nil || !ok {
		return err
	}
	return b.missed(ctx, s)
}

// missed enters an attempt that came to nothing: in the open row of its number, or in a new one.
func (b *batch) missed(ctx context.Context, s miss) error {
	if b.m.deps.Secret != nil && b.m.deps.Secret(s.ours, s.queue) {
		return nil
	}
	row, err := b.mem.row(ctx, b.tx, s.number)
	if err != nil {
		return err
	}
	fresh := row == ""
	if fresh {
		row = string(s.contact)
	}
	n, err := store.Exec(ctx, b.tx, `INSERT INTO missed_miss (contact, row_id, at, kind, queue, site, wait_ms, recording) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (contact) DO NOTHING`, string(s.contact), row, s.at, string(s.kind), string(s.queue), string(s.site), s.waitMs, s.recording)
	if err == nil && n == 0 && s.recording != "" {
		return b.message(ctx, s)
	}
	if err != nil || n == 0 {
		return err // told before: of a message left we hear once more when the call ends
	}
	due := b.m.due(s)
	if !fresh {
		return b.change(ctx, `UPDATE missed_row SET last_at = ?, attempts = attempts + 1, kind = ?, queue = ?, site = ?,
			longest_ms = CASE WHEN longest_ms < ? THEN ? ELSE longest_ms END, recording = CASE WHEN ? = '' THEN recording ELSE ? END,
			ring_day = ?, again_at = 0 WHERE id = ?`,
			s.at, string(s.kind), string(s.queue), string(s.site), s.weight(), s.weight(), s.recording, s.recording, due, row)
	}
	b.mem.enter(row, s.number, s.also)
	return b.change(ctx, `INSERT INTO missed_row (id, number, also, site, queue, kind, opened_at, last_at, attempts, longest_ms, due_day, ring_day, again_at,
		recording, owner, tries, first_day, tried_at, result, note, state, closed_at, closed_day, closed_by)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, 0, ?, '', 0, '', 0, '', '', 'open', 0, '', '')`,
		row, s.number, s.also, string(s.site), string(s.queue), string(s.kind), s.at, s.at, s.weight(), due, due, s.recording)
}

// message adds the message to an attempt that is on the list already: the call ended before its last second was stored.
func (b *batch) message(ctx context.Context, s miss) error {
	if err := b.change(ctx, `UPDATE missed_miss SET kind = ?, recording = ? WHERE contact = ? AND recording = ''`, string(s.kind), s.recording, string(s.contact)); err != nil {
		return err
	}
	return b.change(ctx, `UPDATE missed_row SET kind = ?, recording = ?, longest_ms = ? WHERE state = 'open' AND id = (SELECT row_id FROM missed_miss WHERE contact = ?)
		AND last_at = (SELECT at FROM missed_miss WHERE contact = ?)`, string(s.kind), s.recording, forEver, string(s.contact), string(s.contact))
}
