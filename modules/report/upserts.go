package report

import (
	"slices"
	"strings"

	"github.com/kapok-hotline/kapok/modules/report/tally"
)

// figureTable is one of the tables of additive figures.
type figureTable struct {
	name    string
	keys    []string
	columns []tally.Column
	shapes  []shape // the last one has all columns
}

// statements are the texts the fold writes with, made once.
type statements struct {
	figures [4]figureTable // by tally.Table
	contact upsert         // all columns
	passing []contactShape // parts of those that change after the start; the last one has them all
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
	for _, class := range append(contactClasses, contactColumns[startColumns:]) {
		s.passing = append(s.passing, newContactShape(class))
	}
	s.visit = newUpsert("report_visit", visitColumns, "contact, entered_at, queue", replaced(visitColumns[3:]))
	s.leg = newUpsert("report_leg", legColumns, "leg", legSet())
	s.caller = newUpsert("report_caller", callerColumns, "day, medium, caller", replaced(callerColumns[3:]))
	s.time = newUpsert("report_time", timeColumns, "day, slot, site, agent, state, reason",
		summed("report_time", []string{"ms", "times"})+", "+larger("report_time", "restated_at"))
	s.present = newUpsert("report_presence", presenceColumns, "agent", replaced(presenceColumns[1:]))
	s.rolls = s.roll()
	return s
}

// contactClasses are the columns of a contact that one step of a call changes together.
var contactClasses = [][]string{
	{"talk_ms", "hold_ms", "wrap_ms", "agent", "agent_at"},
	{"first_queue", "last_queue", "asked_at", "caller", "wait_ms", "agent", "agent_at"},
	{"ended_at", "ended_by", "outcome", "cause", "lost", "length_ms", "ends"},
	{"noted_at", "noted_by", "topic", "tax_type", "district", "note_final"},
	{"served", "recordings"},
}

// contactShape is a way to write a contact that has a row: some of its columns, given by their place in
// contactColumns.
type contactShape struct {
	mask   uint64
	places []int
	write  upsert
}

func newContactShape(columns []string) contactShape {
	s := contactShape{write: newUpsert("report_contact", append([]string{"contact"}, columns...), "contact", replaced(columns))}
	for _, c := range columns {
		i := slices.Index(contactColumns, c)
		s.mask |= 1 << i
		s.places = append(s.places, i)
	}
	return s
}

// classes are the columns that one step of a call changes together: it came, it was offered, it was answered, it
// was handled. A row whose change lies within one class, or within two that often meet, is written with these
// columns alone; any other with all.
var classes = [][]tally.Column{
	{tally.Entered, tally.First, tally.Callers, tally.TransferredIn},
	{tally.Offered, tally.Missed, tally.Refused},
	{tally.TalkMs, tally.HoldMs, tally.WrapMs},
	{tally.Answered, tally.WaitMs, tally.Within15, tally.Within20, tally.MaxWaitMs, tally.CallersAnswered},
	{tally.Started, tally.Asked, tally.Reached},
	{tally.EndedCount, tally.LengthMs, tally.Served, tally.GaveUp, tally.LeftFlow},
}

// shape is a way to write rows of a figure table: some of its columns.
type shape struct {
	mask    uint64
	columns []tally.Column
	write   upsert
}

func newFigureTable(name, keys string, columns []tally.Column) figureTable {
	t := figureTable{name: name, keys: strings.Fields(keys), columns: columns}
	for _, class := range append(classes, columns) {
		if some := shared(class, columns); len(some) > 0 {
			t.shapes = append(t.shapes, newShape(&t, some))
		}
	}
	return t
}

func shared(class, columns []tally.Column) []tally.Column {
	var out []tally.Column
	for _, c := range columns {
		if slices.Contains(class, c) {
			out = append(out, c)
		}
	}
	return out
}

func newShape(t *figureTable, columns []tally.Column) shape {
	s := shape{columns: columns}
	all := append([]string{}, t.keys...)
	sums := []string{}
	set := []string{larger(t.name, "restated_at")}
	for _, c := range columns {
		s.mask |= 1 << c
		all = append(all, c.String())
		if c == tally.MaxWaitMs {
			set = append(set, larger(t.name, c.String()))
		} else {
			sums = append(sums, c.String())
		}
	}
	if len(sums) > 0 {
		set = append(set, summed(t.name, sums))
	}
	s.write = newUpsert(t.name, append(all, "restated_at"), strings.Join(t.keys, ", "), strings.Join(set, ", "))
	return s
}

// shape gives the number of the first shape that holds all that n changes; the last one holds everything.
func (t *figureTable) shape(n *tally.Counts) int {
	var changed uint64
	for c, v := range n {
		if v != 0 {
			changed |= 1 << c
		}
	}
	for i := range t.shapes {
		if changed&^t.shapes[i].mask == 0 {
			return i
		}
	}
	return len(t.shapes) - 1
}

// args appends the row's values in the order of the shape's columns.
func (t *figureTable) args(args []any, columns []tally.Column, k *tally.Key, n *tally.Counts, restated int64) []any {
	for _, key := range t.keys {
		args = append(args, keyValue(k, key))
	}
	for _, c := range columns {
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
