package calendar_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/platform/calendar"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// The numbers are those of docs/pains.md; TestEveryDayOfThreeYears proves the same day by day.

// states looks at moments of the calendar gz.
func states(t *testing.T, c *calendar.Calendars, moments ...moment) {
	t.Helper()
	zone, err := clock.Zone("")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range moments {
		at, err := time.ParseInLocation("2006-01-02 15:04", x.at, zone)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := c.IsOpen("gz", at); got != x.want {
			t.Errorf("%s, %s: %s, want %s", x.at, x.why, got, x.want)
		}
	}
}

type moment struct {
	at   string
	want day.State
	why  string
}

// Pain 14: time conditions by calendar failed, or matched the wrong way round: open when closed (FreePBX#314, #648).
func TestPain14OpenIsOpenAndClosedIsClosed(t *testing.T) {
	c, b := house(t, storetest.SQLite(t))
	monday := moment{"2026-11-23 10:00", day.Open, "a Monday at work"}
	states(
		t, c, monday,
		moment{"2026-11-23 08:29", day.Closed, "before work"},
		moment{"2026-11-23 08:30", day.Open, "the first minute"},
		moment{"2026-11-23 17:30", day.Closed, "the end of work"},
		moment{"2026-11-22 10:00", day.Closed, "a Sunday"},
	)
	if _, err := b.Apply(t.Context(), []byte(file), section.Options{}); err != nil {
		t.Fatal(err)
	}
	states(t, c, monday) // the same file applied again turns nothing round
	afternoons := strings.Replace(file, `mon: ["08:30-12:00", "14:00-17:30"]`, `mon: ["14:00-17:30"]`, 1)
	if _, err := b.Apply(t.Context(), []byte(afternoons), section.Options{}); err != nil {
		t.Fatal(err)
	}
	states(t, c, moment{monday.at, day.Closed, "now mornings are free"})
}

// Pain 31: business hours knew no public holidays, no special days and no lunch break (chatwoot/chatwoot#6467, #10436,
// #14009); in China weekends are worked in exchange, too.
func TestPain31HolidaysSpecialDaysAndLunch(t *testing.T) {
	c, _ := house(t, storetest.SQLite(t))
	states(
		t, c,
		moment{"2026-11-23 11:59", day.Open, "the last minute before lunch"},
		moment{"2026-11-23 12:00", day.Lunch, "lunch"},
		moment{"2026-11-23 14:00", day.Open, "after lunch"},
		moment{"2026-10-01 10:00", day.Holiday, "a Thursday that is a public holiday"},
		moment{"2026-02-16 10:00", day.Holiday, "the eve of the Spring Festival"},
		moment{"2026-09-20 10:00", day.Open, "a Sunday worked in exchange"},
		moment{"2026-10-10 10:00", day.Open, "a Saturday worked in exchange"},
		moment{"2026-05-09 10:00", day.Open, "a special Saturday"},
		moment{"2026-05-09 15:00", day.Closed, "its hours end at noon"},
	)
}
