package report

import (
	"cmp"
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
)

// SatisfactionLine is what callers said of an agent, a queue, a site or on a day. The rate is 满意率: satisfied by and
// large and better ÷ answers; who said nothing is in Asked alone.
type SatisfactionLine struct {
	Key      string   `json:"key"`
	Name     string   `json:"name"`
	Asked    int64    `json:"asked"`
	Answered int64    `json:"answered"`
	Grades   [5]int64 `json:"grades" doc:"how often 1 (very dissatisfied) … 5 (very satisfied)"`
	Rate     *float64 `json:"rate" doc:"grades 3–5 ÷ answered"`
	Mean     *float64 `json:"mean" doc:"1–5"`
}

func (l *SatisfactionLine) finish() {
	l.Rate = over(float64(l.Grades[2]+l.Grades[3]+l.Grades[4]), float64(l.Answered), 3)
	sum := int64(0)
	for i, n := range l.Grades {
		sum += int64(i+1) * n
	}
	l.Mean = over(float64(sum), float64(l.Answered), 2)
}

// Satisfaction is the report on it.
type Satisfaction struct {
	Rows  []SatisfactionLine `json:"rows"`
	Total SatisfactionLine   `json:"total"`
}

// satisfaction counts the answers of the days from–to at a site and below.
func (m *Module) satisfaction(ctx context.Context, by, from, to string, root id.Site) (*Satisfaction, error) {
	if _, err := daysOf(from, to); err != nil {
		return nil, err
	}
	sites, err := m.deps.subtree(ctx, root)
	if err != nil {
		return nil, err
	}
	rows, out := map[string]*SatisfactionLine{}, &Satisfaction{Rows: []SatisfactionLine{}}
	span := ledger.Span{From: from, To: to, Kinds: []string{event.SurveyAsked{}.Kind(), event.SurveyAnswered{}.Kind()}}
	err = m.deps.Ledger.Range(ctx, span, func(f ledger.Fact) error {
		b, ok := ledger.Read[event.SurveyAnswered](&f)
		if asked, is := ledger.Read[event.SurveyAsked](&f); is && f.Kind == asked.Kind() {
			b, ok = event.SurveyAnswered{Agent: asked.Agent, Queue: asked.Queue}, true
		}
		if !ok || sites != nil && !slices.Contains(sites, id.Site(f.Place)) || b.Grade < 0 || b.Grade > 5 {
			return nil
		}
		key := map[string]string{"agent": string(b.Agent), "queue": string(b.Queue), "site": f.Place, "day": f.Day}[by]
		if rows[key] == nil {
			rows[key] = &SatisfactionLine{Key: key}
		}
		for _, l := range []*SatisfactionLine{rows[key], &out.Total} {
			if b.Grade == 0 {
				l.Asked++
			} else {
				l.Answered++
				l.Grades[b.Grade-1]++
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	kinds := map[string]Kind{"agent": KindAgent, "queue": KindQueue, "site": KindSite}
	for _, l := range rows {
		l.finish()
		l.Name = l.Key
		if kinds[by] != "" {
			l.Name = m.spoken(ctx, kinds[by], l.Key)
		}
		out.Rows = append(out.Rows, *l)
	}
	slices.SortFunc(out.Rows, func(a, b SatisfactionLine) int { return cmp.Compare(a.Key, b.Key) })
	out.Total.finish()
	return out, nil
}

type satisfactionIn struct {
	By   string  `query:"by" enum:"agent,queue,site,day" default:"agent"`
	From string  `query:"from" required:"true" doc:"Local day, 2026-11-01"`
	To   string  `query:"to" required:"true" doc:"Local day, included; at most a quarter"`
	Site id.Site `query:"site"`
}

func (m *Module) getSatisfaction(ctx context.Context, in *satisfactionIn) (*body[*Satisfaction], error) {
	site, err := place(ctx, SeeReport, in.Site)
	if err != nil {
		return nil, err
	}
	s, err := m.satisfaction(ctx, in.By, in.From, in.To, site)
	return &body[*Satisfaction]{s}, err
}
