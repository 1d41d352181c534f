package report

import (
	"context"
	"slices"
	"strings"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Row is one row of a report: the sums of one key in one interval.
type Row struct {
	Slot     string // 2026-11-23T08:30, 2026-11-23, 2026-11 or 2026
	Key      string // code of the queue, agent, site …; "" for all
	Restated int64  // unix ms at which a late fact last changed it; 0 never
	tally.Sums
}

// Table is a report: its rows by interval and key, and their total, summed from the same rows.
type Table struct {
	Query
	Rows  []Row
	Total Row
}

type cell struct{ slot, key string }

// maxRows bounds an answer.
const maxRows = 60_000

// Table gives the report. It is the one source of the screen, its export, the wallboard's figures of the day and
// an agent's own day.
func (m *Module) Table(ctx context.Context, q Query) (*Table, error) {
	if err := q.span(); err != nil {
		return nil, err
	}
	rolled, err := store.One(ctx, m.db, `SELECT rolled FROM report_mark WHERE id = 1`, store.Col[string])
	if err != nil {
		return nil, err
	}
	g := &gather{m: m, q: &q, rolled: rolled, rows: map[cell]*Row{}}
	for _, part := range g.parts() {
		if err := part(ctx); err != nil {
			return nil, err
		}
	}
	return g.table()
}

// gather collects the rows of one report from its tables.
type gather struct {
	m      *Module
	q      *Query
	rolled string
	rows   map[cell]*Row
}

// parts says which tables the rows come from: service figures, contacts as a whole, agents' time.
func (g *gather) parts() []func(context.Context) error {
	w := g.m.fold.write
	figures := func(t tally.Table) func(context.Context) error {
		return func(ctx context.Context) error { return g.figures(ctx, &w.figures[t]) }
	}
	switch g.q.By {
	case ByAgent:
		return []func(context.Context) error{figures(tally.ByAgent), g.time}
	case ByNumber:
		return []func(context.Context) error{figures(tally.ByEntry)}
	case ByTopic, ByDistrict, ByTaxType:
		return []func(context.Context) error{figures(tally.ByTopic)}
	case ByQueue:
		if g.q.Agent != "" {
			return []func(context.Context) error{figures(tally.ByAgent)}
		}
		return []func(context.Context) error{figures(tally.ByQueue)}
	case ByAll, BySite:
	}
	switch {
	case g.q.Agent != "":
		return []func(context.Context) error{figures(tally.ByAgent), g.time}
	case g.q.Queue != "":
		return []func(context.Context) error{figures(tally.ByQueue)}
	}
	parts := []func(context.Context) error{figures(tally.ByQueue), figures(tally.ByEntry)}
	if !g.q.timeless {
		parts = append(parts, g.time)
	}
	return parts
}

// key is the column the rows are grouped by, ” for all.
func (g *gather) key() string {
	if g.q.By == ByAll {
		return "''"
	}
	return string(g.q.By)
}

// figures adds a table's sums. Days that are rolled come from their rows of the whole day; younger ones, and all
// steps within a day, from the slots.
func (g *gather) figures(ctx context.Context, t *figureTable) error {
	where, err := g.m.scope(ctx, g.q, t.keys...)
	if err != nil {
		return err
	}
	sums := make([]string, len(t.columns))
	for i, c := range t.columns {
		sums[i] = "SUM(" + c.String() + ")"
		if c == tally.MaxWaitMs {
			sums[i] = "MAX(" + c.String() + ")"
		}
	}
	columns := strings.Join(append(sums, "MAX(restated_at)"), ", ")
	return g.each(ctx, t.name, slices.Contains(t.keys, "slot"), columns, "", where, func(r store.Scanner) error {
		var day, key string
		var slot int
		var restated int64
		var n tally.Counts
		dest := []any{&day, &slot, &key}
		for _, c := range t.columns {
			dest = append(dest, &n[c])
		}
		if err := r.Scan(append(dest, &restated)...); err != nil {
			return err
		}
		row := g.at(day, slot, key)
		row.Counts.Add(&n)
		row.Restated = max(row.Restated, restated)
		return nil
	})
}

// each runs the statement over the rows the query's days and step want. Rows have day, slot, key, then columns.
func (g *gather) each(ctx context.Context, table string, slotted bool, columns, group string, where filter, scan func(store.Scanner) error) error {
	run := func(slot, days string, args ...any) error {
		text := `SELECT day, ` + slot + ` AS part, ` + g.key() + ` AS key, ` + columns + ` FROM ` + table +
			` WHERE ` + days + where.text + ` GROUP BY 1, 2, 3` + group
		return store.Each(ctx, g.m.db, text, func(r store.Scanner) (struct{}, error) { return struct{}{}, scan(r) },
			func(struct{}) error { return nil }, append(args, where.args...)...)
	}
	switch {
	case !slotted:
		return run(`0`, `day >= ? AND day <= ?`, g.q.From, g.q.To)
	case g.q.slots():
		return run(`slot`, `day >= ? AND day <= ? AND slot >= 0`, g.q.From, g.q.To)
	}
	if g.q.From <= g.rolled {
		if err := run(`0`, `slot = -1 AND day >= ? AND day <= ?`, g.q.From, min(g.q.To, g.rolled)); err != nil {
			return err
		}
	}
	if g.q.To > g.rolled {
		return run(`0`, `day >= ? AND day <= ? AND day > ? AND slot >= 0`, g.q.From, g.q.To, g.rolled)
	}
	return nil
}

func (g *gather) at(day string, slot int, key string) *Row {
	c := cell{g.q.label(day, slot), key}
	row := g.rows[c]
	if row == nil {
		row = &Row{Slot: c.slot, Key: c.key}
		g.rows[c] = row
	}
	return row
}

// time adds agents' time, states that still last included up to now.
func (g *gather) time(ctx context.Context) error {
	where, err := g.m.scope(ctx, g.q, "agent")
	if err != nil {
		return err
	}
	err = g.each(ctx, "report_time", true, `state, reason, SUM(ms), MAX(restated_at)`, `, state, reason`, where, func(r store.Scanner) error {
		var day, key, state, reason string
		var slot int
		var ms, restated int64
		if err := r.Scan(&day, &slot, &key, &state, &reason, &ms, &restated); err != nil {
			return err
		}
		row := g.at(day, slot, key)
		row.Spend(event.AgentState(state), g.m.deps.work(ctx, reason), ms)
		row.Restated = max(row.Restated, restated)
		return nil
	})
	if err != nil {
		return err
	}
	return g.lasting(ctx, where)
}

// lasting adds the states agents are in.
func (g *gather) lasting(ctx context.Context, where filter) error {
	open, err := store.All(ctx, g.m.db, presenceQuery+` WHERE signed_in > 0`+where.text, scanPresence, where.args...)
	if err != nil {
		return err
	}
	now := g.m.clock.Now().UnixMilli()
	for _, p := range open {
		key := ""
		switch g.q.By {
		case ByAgent:
			key = string(p.Agent)
		case BySite:
			key = string(p.Site)
		}
		tally.Split(p.Since, max(now-p.Since, 0), g.m.fold.zone(p.Site), func(day string, slot int, ms int64) {
			if day >= g.q.From && day <= g.q.To {
				g.at(day, slot, key).Spend(p.State, g.m.deps.work(ctx, p.Reason), ms)
			}
		})
	}
	return nil
}

// table orders the rows and adds them up.
func (g *gather) table() (*Table, error) {
	t := &Table{Query: *g.q}
	if len(g.rows) > maxRows {
		return nil, tooMany(len(g.rows))
	}
	for _, r := range g.rows {
		t.Total.Add(&r.Sums)
		t.Total.Restated = max(t.Total.Restated, r.Restated)
		if g.q.By == ByAgent && r.Key == "" || r.Sums == (tally.Sums{}) {
			continue // what no agent answered is in the total alone
		}
		t.Rows = append(t.Rows, *r)
	}
	slices.SortFunc(t.Rows, func(a, b Row) int {
		if c := strings.Compare(a.Slot, b.Slot); c != 0 {
			return c
		}
		return strings.Compare(a.Key, b.Key)
	})
	return t, nil
}

// today gives the local day at the root site.
func (m *Module) today() string {
	day, _ := clock.Local(m.clock.Now().UnixMilli(), m.fold.zone(""))
	return day
}
