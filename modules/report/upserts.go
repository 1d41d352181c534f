package report

import (
	"strings"

	"github.com/kapok-hotline/kapok/modules/report/tally"
)

// figureTable is one of the tables of additive figures.
type figureTable struct {
	name    string
	keys    []string
	columns []tally.Column
	write   upsert
}

// statements are the texts the fold writes with, made once.
type statements struct {
	figures [4]figureTable // by tally.Table
	contact upsert         // all columns
	passing upsert         // those that change after the start
	visit   upsert
	leg     upsert
	caller  upsert
	time    upsert
	present upsert
	rolls   []string
}

func newStatements() *statements {
	visit, agent := tally.VisitColumns(), tally.AgentColumns()
	queueColumns := append(append(append([]tally.Column{}, visit...), tally.CallerColumns()...), tally.Offered, tally.Missed, tally.Refused)
	topicColumns := []tally.Column{}
	for _, c := range visit {
		if c != tally.MaxWaitMs {
			topicColumns = append(topicColumns, c)
		}
	}
	s := &statements{}
	s.figures[tally.ByQueue] = newFigureTable("report_queue", "day slot site queue medium", queueColumns)
	s.figures[tally.ByAgent] = newFigureTable("report_agent", "day slot site queue medium agent", append(append([]tally.Column{}, visit...), agent...))
	s.figures[tally.ByTopic] = newFigureTable("report_topic", "day site queue medium topic tax_type district", topicColumns)
	s.figures[tally.ByEntry] = newFigureTable("report_entry", "day slot site number medium", tally.EntryColumns())
	s.contact = newUpsert("report_contact", contactColumns, "contact", replaced(contactColumns[1:]))
	s.passing = newUpsert("report_contact", contactColumns, "contact", replaced(contactColumns[startColumns:]))
	s.visit = newUpsert("report_visit", visitColumns, "contact, entered_at, queue", replaced(visitColumns[3:]))
	s.leg = newUpsert("report_leg", legColumns, "leg", legSet())
	s.caller = newUpsert("report_caller", callerColumns, "day, medium, caller", replaced(callerColumns[3:]))
	s.time = newUpsert("report_time", timeColumns, "day, slot, site, agent, state, reason",
		summed("report_time", []string{"ms", "times"})+", "+larger("report_time", "restated_at"))
	s.present = newUpsert("report_presence", presenceColumns, "agent", replaced(presenceColumns[1:]))
	s.rolls = s.roll()
	return s
}

func newFigureTable(name, keys string, columns []tally.Column) figureTable {
	t := figureTable{name: name, keys: strings.Fields(keys), columns: columns}
	all := append([]string{}, t.keys...)
	sums := []string{}
	set := []string{larger(name, "restated_at")}
	for _, c := range columns {
		all = append(all, c.String())
		if c == tally.MaxWaitMs {
			set = append(set, larger(name, c.String()))
		} else {
			sums = append(sums, c.String())
		}
	}
	set = append(set, summed(name, sums))
	t.write = newUpsert(name, append(all, "restated_at"), strings.Join(t.keys, ", "), strings.Join(set, ", "))
	return t
}

// args appends the row's values in the order of the table's columns.
func (t *figureTable) args(args []any, k *tally.Key, n *tally.Counts, restated int64) []any {
	for _, key := range t.keys {
		args = append(args, keyValue(k, key))
	}
	for _, c := range t.columns {
		args = append(args, n[c])
	}
	return append(args, restated)
}

func keyValue(k *tally.Key, column string) any {
	switch column {
	case "day":
		return k.Day
	case "slot":
		return k.Slot
	case "site":
		return string(k.Site)
	case "queue":
		return string(k.Queue)
	case "medium":
		return string(k.Medium)
	case "agent":
		return string(k.Agent)
	case "number":
		return string(k.Number)
	case "topic":
		return k.Topic
	case "tax_type":
		return k.TaxType
	}
	return k.District
}
