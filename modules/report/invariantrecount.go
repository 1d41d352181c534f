package report

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// recount holds the figures of some days counted afresh from the facts.
type recounted struct {
	zone     tally.Zone
	contacts map[id.Contact]*tally.Contact
	times    tally.Times
}

// leadDays are read before the days compared: contacts of theirs may reach into them.
const leadDays = 2

// checkRecount: every row of figures is what its facts say. Rows that facts still change while it runs are left
// for the next time.
func (m *Module) checkRecount(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	from, err := m.since(checkDays)
	if err != nil {
		return nil, err
	}
	lead, err := clock.AddDays(from, -leadDays)
	if err != nil {
		return nil, err
	}
	head, err := m.deps.Ledger.Head(ctx)
	if err != nil {
		return nil, err
	}
	r := &recounted{zone: m.fold.zone, contacts: map[id.Contact]*tally.Contact{}, times: tally.Times{}}
	var later []ledger.Fact
	tables, read := map[string]tally.Counts(nil), false
	err = m.deps.Ledger.Range(ctx, ledger.Span{From: lead}, func(f ledger.Fact) error {
		if f.Seq > head {
			later = append(later, f)
		} else {
			r.take(&f)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if tables, read, err = m.tableRows(ctx, from); err != nil || !read {
		return nil, err
	}
	after, err := m.deps.Ledger.Since(ctx, head, maxRows)
	if err != nil {
		return nil, err
	}
	facts := r.rows(from)
	moving := r.moved(append(later, after...), from, facts)
	return differences(facts, tables, moving), nil
}

func (r *recounted) take(raw *ledger.Fact) {
	f, ok, _ := decode(raw) // what cannot be read the fold has left out, too, and logged
	if !ok {
		return
	}
	if b, is := f.Body.(event.AgentChanged); is {
		r.times.Book(id.User(f.Subject), f.Place, b, r.zone(f.Place))
	}
	of := contactOf(f)
	if of == "" {
		return
	}
	c := r.contacts[of]
	if c == nil {
		c = &tally.Contact{Head: tally.Head{ID: of}}
		r.contacts[of] = c
	}
	c.Apply(f, r.zone)
}

// rows gives the figures of the days from the given one on, by a printable key.
func (r *recounted) rows(from string) map[string]tally.Counts {
	figures := tally.Figures{}
	callers := map[tally.CallerKey]*tally.Caller{}
	for _, c := range r.contacts {
		figures.Book(c.Figures(), +1)
		if q := c.Request(); q != nil {
			if callers[q.Key()] == nil {
				callers[q.Key()] = &tally.Caller{}
			}
			callers[q.Key()].Book(nil, q)
		}
	}
	for _, c := range callers {
		figures.Book(c.Row(), +1)
	}
	out := map[string]tally.Counts{}
	for k, n := range figures {
		if k.Day >= from {
			out[rowName(&k)] = *n
		}
	}
	for s, t := range r.times {
		if s.Day >= from {
			out[timeName(&s)] = tally.Counts{tally.LengthMs: t.Ms, tally.Started: t.Times}
		}
	}
	return out
}

// moved gives the keys that the later facts change.
func (r *recounted) moved(later []ledger.Fact, from string, before map[string]tally.Counts) map[string]bool {
	seen := map[id.Fact]bool{}
	for i := range later {
		if !seen[later[i].ID] {
			seen[later[i].ID] = true
			r.take(&later[i])
		}
	}
	out := map[string]bool{}
	if len(later) == 0 {
		return out
	}
	for k, n := range r.rows(from) {
		if before[k] != n {
			out[k] = true
		}
	}
	return out
}

func rowName(k *tally.Key) string {
	return fmt.Sprint([]string{"queue", "agent", "topic", "entry"}[k.Table], " ", k.Day, " ", k.Slot, " ", strings.Join([]string{
		string(k.Site), string(k.Medium), string(k.Queue), string(k.Agent), string(k.Number), k.Topic, k.TaxType, k.District,
	}, "|"))
}

func timeName(s *tally.Spent) string {
	return fmt.Sprint("time ", s.Day, " ", s.Slot, " ", strings.Join([]string{string(s.Site), string(s.Agent), string(s.State), s.Reason}, "|"))
}

// tableRows reads the tables' rows of slots; false when the fold is behind and there is nothing to compare.
func (m *Module) tableRows(ctx context.Context, from string) (map[string]tally.Counts, bool, error) {
	if behind, err := foldBehind(ctx, m.db, m.fold.Name()); err != nil || behind {
		return nil, false, err
	}
	out := map[string]tally.Counts{}
	for i := range m.fold.write.figures {
		if err := m.tableFigures(ctx, tally.Table(i), from, out); err != nil {
			return nil, false, err
		}
	}
	err := store.Each(ctx, m.db, `SELECT day, slot, site, agent, state, reason, ms, times FROM report_time WHERE day >= ? AND slot >= 0`,
		func(r store.Scanner) (struct{}, error) {
			var s tally.Spent
			var t tally.Time
			err := r.Scan(&s.Day, &s.Slot, &s.Site, &s.Agent, &s.State, &s.Reason, &t.Ms, &t.Times)
			out[timeName(&s)] = tally.Counts{tally.LengthMs: t.Ms, tally.Started: t.Times}
			return struct{}{}, err
		}, func(struct{}) error { return nil }, from)
	return out, true, err
}

func (m *Module) tableFigures(ctx context.Context, table tally.Table, from string, out map[string]tally.Counts) error {
	t := &m.fold.write.figures[table]
	names := slices.Clone(t.keys)
	for _, c := range t.columns {
		names = append(names, c.String())
	}
	where := ` WHERE day >= ?`
	if slices.Contains(t.keys, "slot") {
		where += ` AND slot >= 0`
	}
	return store.Each(ctx, m.db, `SELECT `+strings.Join(names, ", ")+` FROM `+t.name+where, func(r store.Scanner) (struct{}, error) {
		k := tally.Key{Table: table}
		var n tally.Counts
		dest := []any{}
		for _, name := range t.keys {
			dest = append(dest, keyField(&k, name))
		}
		for _, c := range t.columns {
			dest = append(dest, &n[c])
		}
		err := r.Scan(dest...)
		out[rowName(&k)] = n
		return struct{}{}, err
	}, func(struct{}) error { return nil }, from)
}

func keyField(k *tally.Key, column string) any {
	switch column {
	case "day":
		return &k.Day
	case "slot":
		return &k.Slot
	case "site":
		return &k.Site
	case "queue":
		return &k.Queue
	case "medium":
		return &k.Medium
	case "agent":
		return &k.Agent
	case "number":
		return &k.Number
	case "topic":
		return &k.Topic
	case "tax_type":
		return &k.TaxType
	}
	return &k.District
}

// differences names the rows that differ, but for those that move.
func differences(facts, tables map[string]tally.Counts, moving map[string]bool) []ledger.Breach {
	keys := map[string]bool{}
	for k := range facts {
		keys[k] = true
	}
	for k := range tables {
		keys[k] = true
	}
	var out []ledger.Breach
	for k := range keys {
		f, t := facts[k], tables[k]
		if f == t || moving[k] {
			continue
		}
		b := ledger.Breach{Subject: k, Params: map[string]any{}}
		for c := range f {
			if f[c] != t[c] {
				b.Params[tally.Column(c).String()] = fmt.Sprintf("facts %d, row %d", f[c], t[c])
			}
		}
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b ledger.Breach) int { return strings.Compare(a.Subject, b.Subject) })
	return out[:min(len(out), breachLimit)]
}
