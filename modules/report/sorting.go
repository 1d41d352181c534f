package report

import (
	"cmp"
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
)

// SortingLine is how the screening of a line did: on a line, on a day, or of one kind of question. A contact counts on
// the day it was sorted, once however often it was moved.
type SortingLine struct {
	Key      string   `json:"key"`
	Name     string   `json:"name"`
	Screened int64    `json:"screened"`
	Unsure   int64    `json:"unsure" doc:"stayed in the line's own queue: nothing was sure enough"`
	Moved    int64    `json:"moved" doc:"sent to another queue of the line by an agent"`
	Rate     *float64 `json:"rate" doc:"moved ÷ screened"`
	Right    *float64 `json:"right" doc:"of those sorted into a kind, the share nobody moved"`

	movedSorted int64
}

func (l *SortingLine) add(s sortedOne) {
	l.Screened++
	if s.unsure {
		l.Unsure++
	}
	if s.moved {
		l.Moved++
	}
	if s.moved && !s.unsure {
		l.movedSorted++
	}
}

func (l *SortingLine) finish() {
	l.Rate = over(float64(l.Moved), float64(l.Screened), 3)
	sorted := l.Screened - l.Unsure
	l.Right = over(float64(sorted-l.movedSorted), float64(sorted), 3)
}

// Sorting is the report on it.
type Sorting struct {
	Rows  []SortingLine `json:"rows"`
	Total SortingLine   `json:"total"`
}

// sortedOne is a screened contact. One that was screened again (it came back to the line's flow) counts as at first.
type sortedOne struct {
	line, as, day, place string
	unsure, moved        bool
}

// sorting counts the contacts screened on the days from–to at a site and below.
func (m *Module) sorting(ctx context.Context, by, from, to string, root id.Site) (*Sorting, error) {
	if _, err := daysOf(from, to); err != nil {
		return nil, err
	}
	sites, err := m.deps.subtree(ctx, root)
	if err != nil {
		return nil, err
	}
	after, err := clock.AddDays(to, 1) // a call of the last evening may be moved past midnight
	if err != nil {
		return nil, err
	}
	met := map[string]*sortedOne{}
	span := ledger.Span{From: from, To: after, Kinds: []string{event.ContactScreened{}.Kind(), event.ContactMoved{}.Kind()}}
	err = m.deps.Ledger.Range(ctx, span, func(f ledger.Fact) error {
		if b, ok := ledger.Read[event.ContactScreened](&f); ok && f.Kind == b.Kind() {
			if f.Day <= to && met[f.Subject] == nil {
				met[f.Subject] = &sortedOne{line: string(b.Line), as: b.As, day: f.Day, place: f.Place, unsure: b.Queue == b.Line}
			}
			return nil
		}
		if b, ok := ledger.Read[event.ContactMoved](&f); ok && met[f.Subject] != nil && met[f.Subject].line == string(b.Line) {
			met[f.Subject].moved = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	rows, out := map[string]*SortingLine{}, &Sorting{Rows: []SortingLine{}}
	for _, s := range met {
		if sites != nil && !slices.Contains(sites, id.Site(s.place)) {
			continue
		}
		key := map[string]string{"line": s.line, "day": s.day, "as": s.as}[by]
		if by == "as" && s.unsure {
			key = ""
		}
		if rows[key] == nil {
			rows[key] = &SortingLine{Key: key, Name: key}
		}
		rows[key].add(*s)
		out.Total.add(*s)
	}
	for _, l := range rows {
		l.finish()
		if by == "line" {
			l.Name = m.spoken(ctx, KindQueue, l.Key)
		}
		out.Rows = append(out.Rows, *l)
	}
	slices.SortFunc(out.Rows, func(a, b SortingLine) int { return cmp.Compare(a.Key, b.Key) })
	out.Total.finish()
	return out, nil
}

type sortingIn struct {
	By   string  `query:"by" enum:"line,day,as" default:"line"`
	From string  `query:"from" required:"true" doc:"Local day, 2026-11-01"`
	To   string  `query:"to" required:"true" doc:"Local day, included; at most a quarter"`
	Site id.Site `query:"site"`
}

func (m *Module) getSorting(ctx context.Context, in *sortingIn) (*body[*Sorting], error) {
	site, err := place(ctx, SeeReport, in.Site)
	if err != nil {
		return nil, err
	}
	s, err := m.sorting(ctx, in.By, in.From, in.To, site)
	return &body[*Sorting]{s}, err
}
