package calendar_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/platform/calendar"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

const file = `
calendars:
  - code: gz
    name: 广州
    holidays: cn
    weekly:
      mon: ["08:30-12:00", "14:00-17:30"]
      tue: ["08:30-12:00", "14:00-17:30"]
      wed: ["08:30-12:00", "14:00-17:30"]
      thu: ["08:30-12:00", "14:00-17:30"]
      fri: ["08:30-12:00", "14:00-17:30"]
    special:
      - {date: 2026-05-09, hours: ["09:00-12:00"], name: 征期}
  - {code: night, name: 夜间, always: true}
`

// house is the calendars behind a Book.
func house(t *testing.T, db *store.DB) (*calendar.Calendars, *section.Book) {
	t.Helper()
	c, err := calendar.New(t.Context(), calendar.Config{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	b, err := section.New(t.Context(), section.Config{DB: db}, c.Sections()...)
	if err != nil {
		t.Fatal(err)
	}
	res, err := b.Apply(t.Context(), []byte(file), section.Options{})
	if err != nil || len(res.Problems) > 0 {
		t.Fatal(err, res.Problems)
	}
	return c, b
}

// notice is what the State Council's notices of three years say, written here a second time as people read it.
var notice = map[int]struct {
	off, work string
	workdays  int
}{
	2014: {
		"01-01 01-31 02-01 02-02 02-03 02-04 02-05 02-06 04-05 04-06 04-07 05-01 05-02 05-03 05-31 06-01 06-02 09-06 09-07 09-08 10-01 10-02 10-03 10-04 10-05 10-06 10-07",
		"01-26 02-08 05-04 09-28 10-11", 250,
	},
	2025: {
		"01-01 01-28 01-29 01-30 01-31 02-01 02-02 02-03 02-04 04-04 04-05 04-06 05-01 05-02 05-03 05-04 05-05 05-31 06-01 06-02 10-01 10-02 10-03 10-04 10-05 10-06 10-07 10-08",
		"01-26 02-08 04-27 09-28 10-11", 248,
	},
	2026: {
		"01-01 01-02 01-03 02-15 02-16 02-17 02-18 02-19 02-20 02-21 02-22 02-23 04-04 04-05 04-06 05-01 05-02 05-03 05-04 05-05 06-19 06-20 06-21 09-25 09-26 09-27 10-01 10-02 10-03 10-04 10-05 10-06 10-07",
		"01-04 02-14 02-28 05-09 09-20 10-10", 248,
	},
}

// Every day of three years opens and shuts when it should, lunch break included.
func TestEveryDayOfThreeYears(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c, b := house(t, db)
		if _, err := b.Apply(t.Context(), []byte(strings.Replace(file, "- {date: 2026-05-09, hours: [\"09:00-12:00\"], name: 征期}", "[]", 1)), section.Options{}); err != nil {
			t.Fatal(err)
		}
		zone, err := clock.Zone("")
		if err != nil {
			t.Fatal(err)
		}
		for year, n := range notice {
			workdays := 0
			for d := time.Date(year, 1, 1, 0, 0, 0, 0, zone); d.Year() == year; d = d.AddDate(0, 0, 1) {
				md := d.Format("01-02")
				weekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
				isOff := strings.Contains(n.off, md)
				works := !isOff && !weekend || strings.Contains(n.work, md)
				want := [6]day.State{day.Closed, day.Open, day.Open, day.Lunch, day.Open, day.Closed}
				switch {
				case works:
					workdays++
				case isOff:
					want = [6]day.State{day.Holiday, day.Holiday, day.Holiday, day.Holiday, day.Holiday, day.Holiday}
				default:
					want = [6]day.State{day.Closed, day.Closed, day.Closed, day.Closed, day.Closed, day.Closed}
				}
				var got [6]day.State
				for i, m := range []time.Duration{8*60 + 29, 8*60 + 30, 12*60 - 1, 12 * 60, 14 * 60, 17*60 + 30} {
					got[i], _, _ = c.IsOpen("gz", d.Add(m*time.Minute))
				}
				if got != want {
					t.Errorf("%s %s: %v, want %v", d.Format(day.Layout), d.Weekday(), got, want)
				}
			}
			if workdays != n.workdays {
				t.Errorf("%d has %d working days, want %d", year, workdays, n.workdays)
			}
		}
		sunday := time.Date(2014, 9, 28, 10, 0, 0, 0, zone)
		if state, name, _ := c.IsOpen("gz", sunday); sunday.Weekday() != time.Sunday || state != day.Open || name != "国庆节" {
			t.Errorf("Sunday 2014-09-28 is %s (%s)", state, name)
		}
	})
}

func TestNotPublishedYet(t *testing.T) {
	c, _ := house(t, storetest.SQLite(t))
	gz, ok := c.Get("gz")
	if !ok {
		t.Fatal("no calendar")
	}
	if d := gz.Day("2027-05-03"); !d.Unpublished || d.Kind != day.Work || d.Hours.Minutes() != 420 {
		t.Errorf("a Monday of 2027: %+v", d)
	}
	if d := gz.Day("2026-12-31"); d.Unpublished {
		t.Errorf("2026 is published: %+v", d)
	}
	if s, _, _ := c.IsOpen("nowhere", time.Now()); s != day.Open {
		t.Errorf("a calendar there is not: %s", s)
	}
	if s, _, _ := c.IsOpen("night", time.Date(2026, 10, 1, 3, 0, 0, 0, time.UTC)); s != day.Open {
		t.Errorf("day and night: %s", s)
	}
}

func TestHolidaysAreEdited(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c, b := house(t, db)
		out, err := b.Export(t.Context())
		if err != nil || strings.Contains(string(out), "holidays:\n") {
			t.Fatalf("shipped years are exported: %v\n%s", err, out)
		}
		const next = `
holidays:
  - code: cn-2027
    off: [{from: 2027-01-01, to: 2027-01-03, name: 元旦}]
    work: [{from: 2027-01-09, name: 元旦}]
`
		res, err := b.Apply(t.Context(), []byte(next), section.Options{})
		if err != nil || !res.Applied || len(res.Changes) != 1 {
			t.Fatal(err, res)
		}
		gz, _ := c.Get("gz")
		if d := gz.Day("2027-01-02"); d.Kind != day.Off || d.Unpublished {
			t.Errorf("after the notice: %+v", d)
		}
		if d := gz.Day("2027-01-09"); d.Kind != day.Swapped || d.Hours.Minutes() != 420 {
			t.Errorf("the worked Saturday: %+v", d)
		}
		out, err = b.Export(t.Context())
		if err != nil || !strings.Contains(string(out), "cn-2027") || strings.Contains(string(out), "cn-2026") {
			t.Errorf("what was edited is exported: %v\n%s", err, out)
		}
		if res, err := b.Apply(t.Context(), out, section.Options{}); err != nil || len(res.Changes)+len(res.Problems) != 0 {
			t.Errorf("the export changes %+v %v", res, err)
		}
		if _, err := b.Drop(t.Context(), "holidays", "cn-2012", section.Options{}); err != nil {
			t.Fatal(err)
		}
		again, err := calendar.New(t.Context(), calendar.Config{DB: db})
		if err != nil {
			t.Fatal(err)
		}
		gz, _ = again.Get("gz")
		if !gz.Holidays.Years[2012] || !gz.Holidays.Years[2027] {
			t.Error("after a restart a shipped year is back, and the one entered stays")
		}
	})
}

func TestSlipsAreRefused(t *testing.T) {
	_, b := house(t, storetest.SQLite(t))
	for in, want := range map[string]string{
		`calendars: [{code: x, name: X, weekly: {mon: ["08:30-12:00", "11:00-13:00"]}}]`:                         "calendars[x].weekly.mon: calendar.hours.overlap map[one:08:30-12:00 other:11:00-13:00]",
		`calendars: [{code: x, name: X, weekly: {mon: ["8-12"]}}]`:                                               `calendars[x].weekly.mon[0]: section.value.text map[reason:"8" is no time of day; write it like 08:30 value:8-12]`,
		`calendars: [{code: x, name: X, holidays: us}]`:                                                          "calendars[x].holidays: calendar.table.unknown map[table:us]",
		`calendars: [{code: x, name: X, timezone: Canton}]`:                                                      "calendars[x].timezone: calendar.zone.unknown map[zone:Canton]",
		`calendars: [{code: x, name: X, special: [{date: 2026-02-30}]}]`:                                         "calendars[x].special[0].date: calendar.date.invalid map[date:2026-02-30]",
		`calendars: [{code: x, name: X, seasons: [{from: 06-31, to: 07-01, weekly: {}}]}]`:                       "calendars[x].seasons[0]: calendar.range.invalid map[from:06-31 to:07-01]",
		`holidays: [{code: cn-2027, off: [{from: 2027-01-03, to: 2027-01-01, name: 元旦}]}]`:                       "holidays[cn-2027].off[0]: calendar.range.invalid map[from:2027-01-03 to:2027-01-01]",
		`holidays: [{code: cn-2027, off: [{from: 2025-01-03, name: 元旦}]}]`:                                       "holidays[cn-2027].off[0]: calendar.range.year map[date:2025-01-03 year:2027]",
		`holidays: [{code: cn-2027, off: [{from: 2027-01-03, name: 元旦}], work: [{from: 2027-01-03, name: 元旦}]}]`: "holidays[cn-2027].work[0]: calendar.day.double map[date:2027-01-03 other:off[0]]",
	} {
		res, err := b.Apply(t.Context(), []byte(in), section.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range res.Problems {
			p.Line = 0
			got = append(got, p.String())
		}
		if !slices.Equal(got, []string{want}) {
			t.Errorf("%s\n got %q\nwant %q", in, got, want)
		}
	}
}

// door is the calendars behind a server.
type door struct {
	*calendar.Calendars
	book *section.Book
}

func (d door) Routes(api *web.API) {
	zone, _ := clock.Zone("")
	d.Calendars.Routes(api, d.book, clock.NewManual(time.Date(2026, 10, 1, 10, 0, 0, 0, zone)))
	d.book.Routes(api)
}

func TestRoutes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c, book := house(t, db)
		b := webtest.New(t, door{c, book})
		for _, f := range []error{b.Server.Texts().Add(section.Texts()), b.Server.Texts().Add(calendar.Texts())} {
			if f != nil {
				t.Fatal(f)
			}
		}
		manage := []webtest.Option{webtest.With(calendar.Manage)}
		b.Run(
			webtest.Scenario{
				Name: "what is open", As: "none", Method: "GET", URL: "/api/v1/calendar", Status: 200,
				Want: []string{`"code":"gz","name":"广州","state":"holiday","day":"国庆节","next":1791419400000`, `"code":"night","name":"夜间","state":"open"`},
			},
			webtest.Scenario{
				Name: "a year", As: "none", Method: "GET", URL: "/api/v1/calendar/gz/days?year=2026", Status: 200,
				Want: []string{`"published":true`, `{"date":"2026-05-09","kind":"special","name":"征期","hours":["09:00-12:00"],"minutes":180}`, `{"date":"2026-10-10","kind":"swapped","name":"国庆节","hours":["08:30-12:00","14:00-17:30"],"minutes":420}`, `{"date":"2026-10-01","kind":"off","name":"国庆节","hours":[],"minutes":0}`},
			},
			webtest.Scenario{Name: "a year to come", As: "none", Method: "GET", URL: "/api/v1/calendar/gz/days?year=2027", Status: 200, Want: []string{`"published":false`}},
			webtest.Scenario{Name: "no such calendar", As: "none", Method: "GET", URL: "/api/v1/calendar/sz/days?year=2027", Status: 404, Code: "calendar.calendar.missing"},
			webtest.Scenario{Name: "nobody", Method: "GET", URL: "/api/v1/calendar", Status: 401},
			webtest.Scenario{Name: "without the right", As: "none", Method: "PUT", URL: "/api/v1/calendar/gz/days/2026-12-31", Body: `{}`, Status: 403},
			webtest.Scenario{
				Name: "a day of its own", As: "none", Opts: manage, Method: "PUT", URL: "/api/v1/calendar/gz/days/2026-12-31", Body: `{"hours":["08:30-12:00"],"name":"年终结账"}`, Status: 200,
				JSON: `{"date":"2026-12-31","kind":"special","name":"年终结账","hours":["08:30-12:00"],"minutes":210}`,
			},
			webtest.Scenario{Name: "and no more", As: "none", Opts: manage, Method: "PUT", URL: "/api/v1/calendar/gz/days/2026-12-31", Body: `{"follow":true}`, Status: 200, Want: []string{`"kind":"work"`}},
			webtest.Scenario{Name: "no date", As: "none", Opts: manage, Method: "PUT", URL: "/api/v1/calendar/gz/days/2026-02-30", Body: `{}`, Status: 422, Code: "calendar.date.invalid"},
			webtest.Scenario{Name: "hours that overlap", As: "none", Opts: manage, Method: "PUT", URL: "/api/v1/calendar/gz/days/2026-12-31", Body: `{"hours":["08:30-12:00","09:00-10:00"]}`, Status: 422, Code: "calendar.hours.overlap"},
			webtest.Scenario{Name: "the section's page", As: "none", Method: "GET", URL: "/api/v1/config/calendars", Status: 200, Want: []string{`"mon":["08:30-12:00","14:00-17:30"]`}},
			webtest.Scenario{Name: "whose fields have titles", As: "none", Opts: []webtest.Option{webtest.English()}, Method: "GET", URL: "/api/v1/config", Status: 200, Want: []string{`"title":"Holiday table"`, `"title":"Worked weekends"`}},
		)
		b.CheckRoutes()
	})
}

// hub is a bus of one process.
type hub struct{ f func(string, []byte) }

func (h *hub) Hear(_ string, f func(string, []byte)) (func(), error) {
	h.f = f
	return func() { h.f = nil }, nil
}

func TestAnotherNodesChangeIsSeen(t *testing.T) {
	db := storetest.SQLite(t)
	bus := &hub{}
	here, err := calendar.New(t.Context(), calendar.Config{DB: db, Bus: bus})
	if err != nil {
		t.Fatal(err)
	}
	house(t, db)
	if _, ok := here.Get("gz"); ok {
		t.Fatal("seen before it was told")
	}
	bus.f(section.Changed, nil)
	if _, ok := here.Get("gz"); !ok {
		t.Error("not seen after it was told")
	}
	here.Close()
	if bus.f != nil {
		t.Error("still listening")
	}
}

func TestMigrations(t *testing.T) {
	storetest.Migrations(t, "calendar", calendar.Migrations())
}
