package calendar_test

import (
	"testing"
	"time"

	"github.com/6tail/lunar-go/HolidayUtil"

	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/platform/calendar"
)

// The shipped holidays agree with an independent table, lunar-go's, on every day of the years it knows.
func TestShippedAgreesWithLunar(t *testing.T) {
	type is struct{ off, work bool }
	ours := map[string]is{}
	last := 0
	for _, y := range calendar.Shipped() {
		for _, r := range y.Off {
			for _, d := range span(t, r) {
				ours[d] = is{off: true}
			}
		}
		for _, r := range y.Work {
			for _, d := range span(t, r) {
				ours[d] = is{work: true}
			}
		}
		last++
	}
	if last != 15 {
		t.Errorf("%d years are shipped, not 2012 to 2026", last)
	}
	compared := 0
	for d := time.Date(2012, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() <= 2026; d = d.AddDate(0, 0, 1) {
		date := d.Format(day.Layout)
		weekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
		free := weekend && !ours[date].work || ours[date].off
		h := HolidayUtil.GetHoliday(date)
		theirs := weekend
		if h != nil {
			theirs = !h.IsWork()
			compared++
		}
		if date == "2013-04-07" || date == "2013-10-12" {
			// Worked by the State Council notice for 2013, missing in lunar-go 1.4.6.
			if free || h != nil {
				t.Errorf("%s: free %v; lunar-go: %v", date, free, h)
			}
			continue
		}
		if free != theirs {
			t.Errorf("%s: free %v, lunar-go says %v (%v)", date, free, theirs, h)
		}
	}
	if compared < 400 {
		t.Errorf("lunar-go knew only %d days", compared)
	}
}

func span(t *testing.T, r calendar.Range) []string {
	t.Helper()
	from, err := time.Parse(day.Layout, r.From)
	if err != nil {
		t.Fatal(err)
	}
	to := from
	if r.To != "" {
		if to, err = time.Parse(day.Layout, r.To); err != nil {
			t.Fatal(err)
		}
	}
	var out []string
	for ; !from.After(to); from = from.AddDate(0, 0, 1) {
		out = append(out, from.Format(day.Layout))
	}
	return out
}
