package calendar

import (
	"context"
	"strconv"
	"time"

	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Rights: everybody signed in may see when a place works.
const (
	Manage right.Right = "platform.calendar.manage" // change hours and special days
	Table  right.Right = "platform.holiday.manage"  // change the tables of public holidays
)

// Rights lists the rights this package asks for.
func Rights() []right.Right { return []right.Right{Manage, Table} }

// Sections gives `holidays` and `calendars`.
func (c *Calendars) Sections() []section.Section {
	return []section.Section{
		section.Of(section.Spec[Year]{
			Key: "holidays", Order: 14, Right: Table, See: right.Own,
			ID:    func(y Year) string { return y.Code },
			Plain: shipped,
			Load:  func(ctx context.Context, tx *store.Tx) ([]Year, error) { return loadYears(ctx, tx) },
			Put: func(ctx context.Context, tx *store.Tx, y Year) error {
				c.afterwards(tx)
				return putYear(ctx, tx, y, true)
			},
			Drop: func(ctx context.Context, tx *store.Tx, code string) error {
				c.afterwards(tx)
				return dropYear(ctx, tx, code)
			},
			Check: func(_ section.Lookup, y Year) []section.Problem { return checkYear(y) },
		}),
		section.Of(section.Spec[Calendar]{
			Key: "calendars", Order: 15, Right: Manage, See: right.Own,
			ID:   func(i Calendar) string { return i.Code },
			Site: func(i Calendar) id.Site { return i.Site },
			Load: func(ctx context.Context, tx *store.Tx) ([]Calendar, error) { return calendars.Load(ctx, tx) },
			Put: func(ctx context.Context, tx *store.Tx, i Calendar) error {
				c.afterwards(tx)
				return calendars.Put(ctx, tx, i.Code, i)
			},
			Drop: func(ctx context.Context, tx *store.Tx, code string) error {
				c.afterwards(tx)
				return calendars.Drop(ctx, tx, code)
			},
			Check: checkCalendar,
		}),
	}
}

type refreshKey struct{}

// afterwards has the calendars read again when the transaction is committed: once, however many items it puts.
func (c *Calendars) afterwards(tx *store.Tx) {
	tx.Attach(refreshKey{}, func() any {
		tx.AfterCommit(c.refresh)
		return true
	})
}

func checkYear(y Year) []section.Problem {
	var out []section.Problem
	seen := map[string]string{}
	_, year := y.split()
	for _, part := range []struct {
		field string
		list  []Range
	}{{"off", y.Off}, {"work", y.Work}} {
		for i, r := range part.list {
			path := part.field + "[" + strconv.Itoa(i) + "]"
			dates := r.dates()
			if dates == nil || r.To != "" && !day.Valid(r.To) {
				out = append(out, section.Complaint(path, "calendar.range.invalid", "from", r.From, "to", r.To))
				continue
			}
			for _, d := range dates {
				if y, _ := strconv.Atoi(d[:4]); y < year-1 || y > year+1 {
					out = append(out, section.Complaint(path, "calendar.range.year", "date", d, "year", year))
					break
				}
				if other, double := seen[d]; double {
					out = append(out, section.Complaint(path, "calendar.day.double", "date", d, "other", other))
					break
				}
				seen[d] = path
			}
		}
	}
	return out
}

func checkCalendar(all section.Lookup, c Calendar) []section.Problem {
	var out []section.Problem
	if _, err := clock.Zone(c.Timezone); err != nil {
		out = append(out, section.Complaint("timezone", "calendar.zone.unknown", "zone", c.Timezone))
	}
	if c.Holidays != "" && !hasTable(all, c.Holidays) {
		out = append(out, section.Complaint("holidays", "calendar.table.unknown", "table", c.Holidays))
	}
	seen := map[string]bool{}
	for i, s := range c.Special {
		path := "special[" + strconv.Itoa(i) + "].date"
		switch {
		case !day.Valid(s.Date):
			out = append(out, section.Complaint(path, "calendar.date.invalid", "date", s.Date))
		case seen[s.Date]:
			out = append(out, section.Complaint(path, "calendar.day.double", "date", s.Date, "other", path))
		}
		seen[s.Date] = true
		out = append(out, checkHours("special["+strconv.Itoa(i)+"].hours", s.Hours)...)
	}
	for i, s := range c.Seasons {
		path := "seasons[" + strconv.Itoa(i) + "]"
		if !seasonDate(s.From) || !seasonDate(s.To) || len(s.From) != len(s.To) || len(s.From) == len(day.Layout) && s.From > s.To {
			out = append(out, section.Complaint(path, "calendar.range.invalid", "from", s.From, "to", s.To))
		}
		out = append(out, checkWeek(path+".weekly", s.Weekly)...)
	}
	out = append(out, checkWeek("weekly", c.Weekly)...)
	out = append(out, checkHours("holiday_hours", c.HolidayHours)...)
	return append(out, checkHours("swapped_hours", c.SwappedHours)...)
}

func hasTable(all section.Lookup, table string) bool {
	for _, code := range all.Codes("holidays") {
		if book, _ := (Year{Code: code}).split(); book == table {
			return true
		}
	}
	return false
}

func seasonDate(s string) bool {
	if len(s) == len("01-02") {
		_, err := time.Parse("2006-01-02", "2024-"+s) // a leap year: 02-29 is a day
		return err == nil
	}
	return day.Valid(s)
}

func checkWeek(path string, w Weekly) []section.Problem {
	var out []section.Problem
	for _, d := range []struct {
		name  string
		hours []day.Spell
	}{{"mon", w.Mon}, {"tue", w.Tue}, {"wed", w.Wed}, {"thu", w.Thu}, {"fri", w.Fri}, {"sat", w.Sat}, {"sun", w.Sun}} {
		out = append(out, checkHours(path+"."+d.name, d.hours)...)
	}
	return out
}

// checkHours refuses hours that overlap: one of the two is a slip.
func checkHours(path string, hours []day.Spell) []section.Problem {
	for i, a := range hours {
		for _, b := range hours[:i] {
			if a.From < b.To && b.From < a.To {
				return []section.Problem{section.Complaint(path, "calendar.hours.overlap", "one", b.String(), "other", a.String())}
			}
		}
	}
	return nil
}
