package voice

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Retention is a class of recordings and how long they are kept: those of a queue, a number, an outcome, or all of
// what it leaves open. Where several fit, the one that says most holds. What none fits is kept for good.
type Retention struct {
	Code    string          `json:"code" minLength:"1" maxLength:"32"`
	Name    string          `json:"name" minLength:"1" maxLength:"100"`
	Queue   id.Queue        `json:"queue,omitempty" ref:"queues"`
	Number  id.Number       `json:"number,omitempty" ref:"numbers"`
	Outcome contact.Outcome `json:"outcome,omitempty" enum:"answered,failed,"`
	Days    int             `json:"days" minimum:"1" maximum:"36500"`
}

var retentionTable = store.Docs[Retention]{Table: "voice_retention"}

func retentionSection() section.Spec[Retention] {
	return section.Spec[Retention]{
		Key: "retention", Order: 78, Right: ManageRecordings,
		ID:   func(r Retention) string { return r.Code },
		Load: func(ctx context.Context, tx *store.Tx) ([]Retention, error) { return retentionTable.Load(ctx, tx) },
		Put: func(ctx context.Context, tx *store.Tx, r Retention) error {
			return retentionTable.Put(ctx, tx, r.Code, r)
		},
		Drop: func(ctx context.Context, tx *store.Tx, code string) error { return retentionTable.Drop(ctx, tx, code) },
		Check: func(all section.Lookup, r Retention) []section.Problem {
			for _, code := range all.Codes("retention") {
				other, _ := all.Item("retention", code)
				if o, ok := other.(Retention); ok && o.Code != r.Code && o.Queue == r.Queue && o.Number == r.Number && o.Outcome == r.Outcome {
					return []section.Problem{section.Complaint("days", "voice.retention.twice", "other", o.Code)}
				}
			}
			return nil
		},
	}
}

// said counts what a class asks of a recording.
func (r Retention) said() (n int) {
	for _, s := range []string{string(r.Queue), string(r.Number), string(r.Outcome)} {
		if s != "" {
			n++
		}
	}
	return n
}

// fits is the condition of a class in SQL.
func (r Retention) fits() (text string, args []any) {
	text = "1 = 1"
	for _, c := range []struct{ column, value string }{{"queue", string(r.Queue)}, {"number", string(r.Number)}, {"outcome", string(r.Outcome)}} {
		if c.value != "" {
			text += " AND " + c.column + " = ?"
			args = append(args, c.value)
		}
	}
	return text, args
}

// retentions gives the classes, those that say most first.
func (m *Module) retentions(ctx context.Context) ([]Retention, error) {
	all, err := retentionTable.Load(ctx, m.deps.DB)
	slices.SortFunc(all, func(a, b Retention) int {
		return cmp.Or(cmp.Compare(b.said(), a.said()), cmp.Compare(a.Code, b.Code))
	})
	return all, err
}

// duties gives for each class the condition of what it decides: it fits, and none before it does.
func duties(all []Retention) (text []string, args [][]any) {
	not, notArgs := "", []any{}
	for _, r := range all {
		t, a := r.fits()
		text = append(text, t+not)
		args = append(args, append(slices.Clone(a), notArgs...))
		not, notArgs = not+" AND NOT ("+t+")", append(notArgs, a...)
	}
	return text, args
}

const (
	sweepFirst = time.Minute // after the start
	sweepEvery = time.Hour
	sweepMost  = 500 // recordings of a class in one pass; the next pass follows at once
)

const aDay = 24 * time.Hour

// keepRecordings rotates the master key when it is old and erases what its time has come for, until ctx ends.
func (m *Module) keepRecordings(ctx context.Context) {
	timer := m.deps.Clock.NewTimer(sweepFirst)
	defer timer.Stop()
	for {
		select {
		case <-timer.C():
		case <-ctx.Done():
			return
		}
		if err := m.sweep(ctx); err != nil && ctx.Err() == nil {
			m.deps.Log.Error("recordings are not kept as they should be; it is tried again in an hour", "err", err)
		}
		timer.Reset(sweepEvery)
	}
}

func (m *Module) sweep(ctx context.Context) error {
	if err := m.loadRing(ctx); err != nil {
		return err
	}
	days := m.snap.Load().settings.KeyDays
	if _, _, born := m.vault.newest(); days > 0 && m.deps.Clock.Now().Sub(m.ringSince(ctx, born)) >= time.Duration(days)*aDay {
		if _, err := m.rotate(ctx, ""); err != nil {
			return err
		}
	}
	if err := m.finishErasures(ctx); err != nil {
		return err
	}
	all, err := m.retentions(ctx)
	if err != nil {
		return err
	}
	text, args := duties(all)
	for i, r := range all {
		if err := m.sweepClass(ctx, r, text[i], args[i]); err != nil {
			return err
		}
	}
	return m.retire(ctx, "")
}

// ringSince gives since when the newest key holds: the first one, since the oldest recording.
func (m *Module) ringSince(ctx context.Context, born time.Time) time.Time {
	if !born.IsZero() {
		return born
	}
	at, err := store.One(ctx, m.deps.DB, `SELECT COALESCE(MIN(at), 0) FROM voice_recording`, store.Col[int64])
	if err != nil || at == 0 {
		return m.deps.Clock.Now()
	}
	return time.UnixMilli(at)
}

func (m *Module) sweepClass(ctx context.Context, r Retention, fits string, args []any) error {
	before := m.now().Add(-time.Duration(r.Days) * aDay).UnixMilli()
	args = append(slices.Clone(args), before, string(m.deps.Node))
	for {
		rows, err := m.files(ctx, `erased_at = 0 AND held_why = '' AND `+fits+` AND at < ? AND node IN ('', ?)`, sweepMost, args...)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := m.erase(ctx, row, erasure{by: "retention", class: r.Code, why: r.Name}); err != nil {
				return err
			}
		}
		if len(rows) < sweepMost {
			return nil
		}
	}
}

// DueClass says what a class will take.
type DueClass struct {
	Code   string `json:"code"`
	Name   string `json:"name"`
	Days   int    `json:"days"`
	Held   int64  `json:"recordings" doc:"how many it decides on"`
	Due    int64  `json:"due" doc:"of these, how many go with the next pass"`
	DueMs  int64  `json:"due_ms" doc:"their length"`
	Soon   int64  `json:"soon" doc:"how many more go within 30 days"`
	Locked int64  `json:"locked" doc:"would go, but are held"`
}

// DueRecording is one that will be deleted.
type DueRecording struct {
	ID      string     `json:"id"`
	Contact id.Contact `json:"contact"`
	At      int64      `json:"at" doc:"unix ms"`
	Ms      int64      `json:"ms"`
	Class   string     `json:"class"`
	Queue   id.Queue   `json:"queue"`
}

// Due is what the rules will delete: nothing is deleted by asking.
type Due struct {
	Classes []DueClass     `json:"classes"`
	First   []DueRecording `json:"first" doc:"the next to go, at most 50 of each class"`
	Forever int64          `json:"forever" doc:"recordings no class fits: kept for good"`
	Silent  int64          `json:"silent" doc:"recordings with a side that was not heard, of the last 30 days"`
}

// due works out what the next pass would delete.
func (m *Module) due(ctx context.Context) (*Due, error) {
	all, err := m.retentions(ctx)
	if err != nil {
		return nil, err
	}
	out := &Due{Classes: []DueClass{}, First: []DueRecording{}}
	now := m.now()
	text, args := duties(all)
	count := func(where string, args ...any) (n, ms int64, err error) {
		type sum struct{ n, ms int64 }
		s, err := store.One(ctx, m.deps.DB, `SELECT COUNT(*), COALESCE(SUM(ms), 0) FROM voice_recording WHERE erased_at = 0 AND `+where, func(r store.Scanner) (s sum, err error) {
			return s, r.Scan(&s.n, &s.ms)
		}, args...)
		return s.n, s.ms, err
	}
	for i, r := range all {
		c := DueClass{Code: r.Code, Name: r.Name, Days: r.Days}
		before := now.Add(-time.Duration(r.Days) * aDay).UnixMilli()
		soon := now.Add(-time.Duration(r.Days-30) * aDay).UnixMilli()
		with := func(more ...any) []any { return append(slices.Clone(args[i]), more...) }
		if c.Held, _, err = count(text[i], args[i]...); err != nil {
			return nil, err
		}
		if c.Due, c.DueMs, err = count(text[i]+` AND held_why = '' AND at < ?`, with(before)...); err != nil {
			return nil, err
		}
		if c.Soon, _, err = count(text[i]+` AND held_why = '' AND at >= ? AND at < ?`, with(before, soon)...); err != nil {
			return nil, err
		}
		if c.Locked, _, err = count(text[i]+` AND held_why <> '' AND at < ?`, with(before)...); err != nil {
			return nil, err
		}
		out.Classes = append(out.Classes, c)
		rows, err := m.files(ctx, `erased_at = 0 AND held_why = '' AND `+text[i]+` AND at < ?`, 50, with(before)...)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			out.First = append(out.First, DueRecording{ID: row.id, Contact: row.contact, At: row.at, Ms: row.ms, Class: r.Code, Queue: row.queue})
		}
		out.Forever -= c.Held
	}
	every, _, err := count(`1 = 1`)
	if err != nil {
		return nil, err
	}
	out.Forever += every
	out.Silent, _, err = count(`missing <> '' AND at >= ?`, now.Add(-30*aDay).UnixMilli())
	return out, err
}
