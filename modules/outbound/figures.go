package outbound

import (
	"cmp"
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

// AttemptFigure is what came of the attempts of a list, an agent or a day.
type AttemptFigure struct {
	Key     string   `json:"key"`
	Name    string   `json:"name"`
	Dialled int64    `json:"dialled" doc:"attempts"`
	Reached int64    `json:"reached" doc:"the person answered; an answering machine did not"`
	Done    int64    `json:"done" doc:"result: what was to be said is said"`
	Refused int64    `json:"refused" doc:"result: would not talk, or wants never to be called"`
	Machine int64    `json:"machine" doc:"answering machines"`
	TalkMs  int64    `json:"talk_ms"`
	Rate    *float64 `json:"rate" doc:"reached ÷ dialled, 0–1; null: nobody was dialled"`
	Refusal *float64 `json:"refusal" doc:"refused ÷ reached, 0–1"`
}

// AttemptReport is the report.
type AttemptReport struct {
	Rows  []AttemptFigure `json:"rows"`
	Total AttemptFigure   `json:"total"`
}

func (f *AttemptFigure) add(o *AttemptFigure) {
	f.Dialled += o.Dialled
	f.Reached += o.Reached
	f.Done += o.Done
	f.Refused += o.Refused
	f.Machine += o.Machine
	f.TalkMs += o.TalkMs
}

func (f *AttemptFigure) finish() {
	share := func(a, b int64) *float64 {
		if b == 0 {
			return nil
		}
		r := float64(a) / float64(b)
		return &r
	}
	f.Rate, f.Refusal = share(f.Reached, f.Dialled), share(f.Refused, f.Reached)
}

// figures sums the attempts of the days from–to at the sites of root.
func (m *Module) figures(ctx context.Context, by, from, to string, root id.Site) (*AttemptReport, error) {
	column, ok := map[string]string{"list": "list", "agent": "agent", "day": "day"}[by]
	if !ok {
		column = "list"
	}
	type row struct {
		AttemptFigure
		site id.Site
	}
	all, err := store.All(ctx, m.deps.DB, `SELECT `+column+`, site, COUNT(*), SUM(CASE WHEN reached_at > 0 AND result <> 'machine' THEN 1 ELSE 0 END),
		SUM(CASE WHEN result = 'done' THEN 1 ELSE 0 END), SUM(CASE WHEN result IN ('refused', 'never') THEN 1 ELSE 0 END),
		SUM(CASE WHEN result = 'machine' OR how = 'machine' THEN 1 ELSE 0 END), SUM(CASE WHEN reached_at > 0 AND ended_at > 0 THEN ended_at - reached_at ELSE 0 END)
		FROM outbound_try WHERE day >= ? AND day <= ? GROUP BY `+column+`, site`,
		func(r store.Scanner) (x row, err error) {
			return x, r.Scan(&x.Key, &x.site, &x.Dialled, &x.Reached, &x.Done, &x.Refused, &x.Machine, &x.TalkMs)
		}, from, to)
	if err != nil {
		return nil, err
	}
	out, of := &AttemptReport{Rows: []AttemptFigure{}}, map[string]*AttemptFigure{}
	for i := range all {
		x := &all[i]
		if !m.deps.Staff.Within(x.site, root) {
			continue
		}
		if of[x.Key] == nil {
			of[x.Key] = &AttemptFigure{Key: x.Key, Name: m.nameOf(by, x.Key)}
		}
		of[x.Key].add(&x.AttemptFigure)
		out.Total.add(&x.AttemptFigure)
	}
	for _, f := range of {
		f.finish()
		out.Rows = append(out.Rows, *f)
	}
	out.Total.finish()
	slices.SortFunc(out.Rows, func(a, b AttemptFigure) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}

func (m *Module) nameOf(by, key string) string {
	switch by {
	case "list":
		if l, ok := m.list(key); ok {
			return l.Name
		}
	case "agent":
		return cmp.Or(m.deps.Staff.AgentName(id.User(key)), key)
	}
	return key
}
