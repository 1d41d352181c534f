package report

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

func tooMany(rows int) error {
	return fault.New(fault.Invalid, "report.rows.many", "rows", rows, "limit", maxRows)
}

// By says what the rows of a report are about.
type By string

// The groupings. All is one row an interval.
const (
	ByAll      By = "all"
	ByQueue    By = "queue"
	ByAgent    By = "agent"
	BySite     By = "site"
	ByNumber   By = "number"
	ByTopic    By = "topic"
	ByDistrict By = "district"
	ByTaxType  By = "tax_type"
)

// Step is the length of an interval.
type Step string

// The steps.
const (
	Quarter  Step = "15"
	HalfHour Step = "30"
	Day      Step = "day"
	Month    Step = "month"
	Year     Step = "year"
)

// Query asks for a report.
type Query struct {
	By     By
	Step   Step
	From   string         // local day, included
	To     string         // local day, included
	Medium contact.Medium // "" is the phone, "all" every channel
	Site   id.Site        // the root of a subtree; "" every site
	Queue  id.Queue
	Agent  id.User
	Number id.Number

	timeless bool // without agents' time
}

// longest spans, in days
const (
	maxSlotDays = 62
	maxDays     = 3700
)

// span checks the query and gives its days.
func (q *Query) span() error {
	from, err := time.Parse(time.DateOnly, q.From)
	if err != nil {
		return fault.New(fault.Invalid, "report.day.invalid", "day", q.From).At("from")
	}
	to, err := time.Parse(time.DateOnly, q.To)
	if err != nil {
		return fault.New(fault.Invalid, "report.day.invalid", "day", q.To).At("to")
	}
	days := int(to.Sub(from).Hours()/24) + 1
	if days < 1 {
		return fault.New(fault.Invalid, "report.span.backward", "from", q.From, "to", q.To).At("to")
	}
	limit := maxDays
	if q.slots() {
		limit = maxSlotDays
	}
	if days > limit {
		return fault.New(fault.Invalid, "report.span.long", "days", days, "limit", limit).At("from")
	}
	switch q.By {
	case ByAll, ByQueue, BySite, ByAgent, ByNumber:
	case ByTopic, ByDistrict, ByTaxType:
		if q.slots() {
			return fault.New(fault.Invalid, "report.step.short", "by", string(q.By)).At("step")
		}
	default:
		return fault.New(fault.Invalid, "report.by.unknown", "by", string(q.By)).At("by")
	}
	switch q.Step {
	case Quarter, HalfHour, Day, Month, Year:
		return nil
	}
	return fault.New(fault.Invalid, "report.step.unknown", "step", string(q.Step)).At("step")
}

// slots reports whether the steps are shorter than a day.
func (q *Query) slots() bool { return q.Step == Quarter || q.Step == HalfHour }

// label names the interval a slot of a day falls in: 2026-11-23T08:30, 2026-11-23, 2026-11, 2026.
func (q *Query) label(day string, slot int) string {
	switch q.Step {
	case Quarter:
		return day + clockTime(slot)
	case HalfHour:
		return day + clockTime(slot/2*2)
	case Month:
		return day[:len("2026-11")]
	case Year:
		return day[:len("2026")]
	case Day:
	}
	return day
}

func clockTime(slot int) string {
	b := []byte("T00:00")
	h, m := slot/4, slot%4*15
	b[1], b[2], b[4], b[5] = byte('0'+h/10), byte('0'+h%10), byte('0'+m/10), byte('0'+m%10)
	return string(b)
}

// filter builds the conditions of a WHERE.
type filter struct {
	text string
	args []any
}

func (f *filter) and(text string, args ...any) {
	f.text += " AND " + text
	f.args = append(f.args, args...)
}

// scope adds the conditions of the query that the table's columns allow.
func (m *Module) scope(ctx context.Context, q *Query, columns ...string) (filter, error) {
	var f filter
	has := map[string]bool{}
	for _, c := range columns {
		has[c] = true
	}
	if has["medium"] && q.Medium != "all" {
		medium := q.Medium
		if medium == "" {
			medium = contact.Phone
		}
		f.and("medium = ?", string(medium))
	}
	if q.Queue != "" && has["queue"] {
		f.and("queue = ?", string(q.Queue))
	}
	if q.Agent != "" && has["agent"] {
		f.and("agent = ?", string(q.Agent))
	}
	if q.Number != "" && has["number"] {
		f.and("number = ?", string(q.Number))
	}
	sites, err := m.deps.subtree(ctx, q.Site)
	if err != nil {
		return f, err
	}
	f.sites("site", sites)
	return f, nil
}

// sites narrows to the given sites; nil is all.
func (f *filter) sites(column string, sites []id.Site) {
	if sites == nil {
		return
	}
	list := make([]any, len(sites))
	for i, s := range sites {
		list[i] = string(s)
	}
	f.and(column+" IN ("+store.In(len(list))+")", list...)
}
