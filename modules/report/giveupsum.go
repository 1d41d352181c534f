package report

import (
	"cmp"
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/platform/web"
)

// GiveUpLine counts those who gave up at a queue, a site or on a day. Back says when they called again, Met whether an
// agent spoke with them within seven days; both add up to GaveUp.
type GiveUpLine struct {
	Key       string `json:"key"`
	Name      string `json:"name"`
	GaveUp    int64  `json:"gave_up"`
	WaitMs    int64  `json:"wait_ms" doc:"mean"`
	MedianMs  int64  `json:"median_ms"`
	LongestMs int64  `json:"longest_ms"`
	BackSoon  int64  `json:"back_soon"`
	BackDay   int64  `json:"back_day"`
	BackWeek  int64  `json:"back_week"`
	BackNo    int64  `json:"back_no"`
	MetCame   int64  `json:"met_came"`
	MetCalled int64  `json:"met_called"`
	MetNo     int64  `json:"met_no" doc:"nobody spoke with them"`
	Unknown   int64  `json:"unknown" doc:"withheld numbers: whether they called again nobody knows"`
	Young     int64  `json:"young" doc:"of those nobody spoke with: whose seven days are not over"`

	Waits []int64 `json:"waits" doc:"how many by class of wait, see edges"`

	all []int64
}

// GiveUpReport is who gave up, by group.
type GiveUpReport struct {
	Rows  []GiveUpLine `json:"rows"`
	Total GiveUpLine   `json:"total"`
	Edges []int64      `json:"edges" doc:"upper ends of the classes of waits, ms; the last class has none"`
}

// GiveUps counts who gave up by queue, site or day, or all together.
func (m *Module) GiveUps(ctx context.Context, by string, q GiveUpQuery) (*GiveUpReport, error) {
	all, err := m.giveUps(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &GiveUpReport{Rows: []GiveUpLine{}, Total: newGiveUpLine(""), Edges: waitEdges()}
	rows, now := map[string]*GiveUpLine{}, m.clock.Now().UnixMilli()
	for i := range all {
		g := &all[i]
		key := map[string]string{"queue": string(g.Queue), "site": string(g.Site), "day": g.day}[by]
		if rows[key] == nil {
			l := newGiveUpLine(key)
			rows[key] = &l
		}
		rows[key].take(g, now)
		out.Total.take(g, now)
	}
	for _, l := range rows {
		l.finish()
		l.Name = m.giveUpName(ctx, by, l.Key)
		out.Rows = append(out.Rows, *l)
	}
	out.Total.finish()
	slices.SortFunc(out.Rows, func(a, b GiveUpLine) int {
		if by == "day" {
			return cmp.Compare(a.Key, b.Key)
		}
		return cmp.Or(cmp.Compare(b.GaveUp, a.GaveUp), cmp.Compare(a.Key, b.Key))
	})
	if by == "all" {
		out.Rows = []GiveUpLine{}
	}
	return out, nil
}

func (m *Module) giveUpName(ctx context.Context, by, key string) string {
	switch by {
	case "queue":
		return m.spoken(ctx, KindQueue, key)
	case "site":
		return m.spoken(ctx, KindSite, key)
	case "all":
		return m.texts.Say(web.Locale(ctx), "report.export.total", nil)
	}
	return key
}

func newGiveUpLine(key string) GiveUpLine {
	return GiveUpLine{Key: key, Name: key, Waits: make([]int64, len(waitEdges())+1)}
}

func (l *GiveUpLine) take(g *GiveUp, now int64) {
	l.GaveUp++
	l.all = append(l.all, g.WaitMs)
	l.Waits[classOf(g.WaitMs)]++
	switch g.Back {
	case BackSoon:
		l.BackSoon++
	case BackDay:
		l.BackDay++
	case BackWeek:
		l.BackWeek++
	case BackNo:
		l.BackNo++
	case BackUnknown:
		l.Unknown++
	}
	switch g.Met {
	case MetCame:
		l.MetCame++
	case MetCalled:
		l.MetCalled++
	case MetNo:
		l.MetNo++
		if now-g.At < backWeek.Milliseconds() {
			l.Young++
		}
	case MetUnknown:
	}
}

// classOf gives the class of a wait: the first whose end it does not exceed.
func classOf(ms int64) int {
	class, _ := slices.BinarySearch(waitEdges(), ms)
	return class
}

func (l *GiveUpLine) finish() {
	if len(l.all) == 0 {
		return
	}
	slices.Sort(l.all)
	var sum int64
	for _, ms := range l.all {
		sum += ms
	}
	l.WaitMs, l.MedianMs, l.LongestMs = sum/int64(len(l.all)), l.all[(len(l.all)-1)/2], l.all[len(l.all)-1]
}
