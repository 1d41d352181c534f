package report

import (
	"context"
	"math"
	"strconv"

	"github.com/kapok-hotline/kapok/modules/report/tally"
)

// Sentence says what a report shows before its table does. Code is a text; its params are shown as they are.
type Sentence struct {
	Code   string         `json:"code"`
	Text   string         `json:"text" doc:"In the caller's language"`
	Params map[string]any `json:"params"`
}

// enough is how many visits an interval or queue needs before it is named the worst.
const enough = 5

// sentence picks what matters most: for service reports the answer rate against its target and where it was
// lowest, for agents how much was handled.
func (m *Module) sentence(ctx context.Context, t *Table) Sentence {
	switch {
	case len(t.Rows) == 0:
		return Sentence{Code: "report.sentence.empty", Params: map[string]any{"from": t.From, "to": t.To}}
	case t.By == ByAgent || t.Agent != "":
		keys := map[string]bool{}
		for i := range t.Rows {
			keys[t.Rows[i].Key] = true
		}
		return Sentence{Code: "report.sentence.agents", Params: map[string]any{
			"agents": len(keys), "answered": t.Total.Counts[tally.Answered], "aht": m.shown("AHT", &t.Total.Sums),
			"acw": m.shown("ACW", &t.Total.Sums),
		}}
	case t.By == ByNumber:
		return m.against("JTL2", t, nil)
	}
	return m.against("JTL", t, m.worst(ctx, "JTL", t))
}

// against compares the total with the measure's target.
func (m *Module) against(id string, t *Table, worst map[string]any) Sentence {
	v, ok := m.value(id, &t.Total.Sums)
	if !ok {
		return Sentence{Code: "report.sentence.empty", Params: map[string]any{"from": t.From, "to": t.To}}
	}
	target := m.measures[id].Target
	off := math.Round((v-target)*1000) / 10
	p := map[string]any{"measure": id, "rate": m.shown(id, &t.Total.Sums), "target": percent(target), "points": strconv.FormatFloat(math.Abs(off), 'f', 1, 64)}
	code := "report.sentence.even"
	switch {
	case off > 0:
		code = "report.sentence.above"
	case off < 0:
		code = "report.sentence.below"
	}
	if worst != nil && off < 0 {
		code += "_worst"
		for k, v := range worst {
			p[k] = v
		}
	}
	return Sentence{Code: code, Params: p}
}

// worst finds the row with the lowest rate among those with enough visits; nil when there is but one row.
func (m *Module) worst(ctx context.Context, id string, t *Table) map[string]any {
	if len(t.Rows) < 2 {
		return nil
	}
	var low *Row
	least := 2.0
	for i := range t.Rows {
		r := &t.Rows[i]
		if v, ok := m.value(id, &r.Sums); ok && v < least && r.Counts[tally.Entered] >= enough {
			low, least = r, v
		}
	}
	if low == nil {
		return nil
	}
	zh, en := m.deps.name(ctx, Kind(t.By), low.Key)
	return map[string]any{
		"slot": low.Slot, "key": low.Key, "name": zh, "name_en": en, "low": m.shown(id, &low.Sums),
		"entered": low.Counts[tally.Entered], "lost": low.Counts[tally.Entered] - low.Counts[tally.Answered],
	}
}

func percent(v float64) string {
	m := tally.Measure{Unit: tally.Rate}
	return m.Format(v, true)
}
