package day

import (
	"time"
)

// Calendar says when a place works. It is a value that is not changed once it is in use; the zero value never
// works, in UTC.
type Calendar struct {
	Code      string
	Zone      *time.Location // nil: UTC
	Always    bool           // open at any time, whatever else is said
	Week      Week
	Seasons   []Season  // the first that holds replaces Week
	Swapped   Hours     // of weekend days worked for a holiday; nil: as the next ordinary weekday with hours, Monday first
	OnHoliday Hours     // of holidays; nil: shut
	Holidays  *Holidays // nil: no public holidays are kept
	Own       map[string]Own
}

var wholeDay = Hours{{0, EndOfDay}}

// Day gives what is said about a date (2026-11-23). What is no date gives a Rest day.
func (c *Calendar) Day(date string) Day {
	t, err := time.Parse(Layout, date)
	if err != nil {
		return Day{Date: date, Kind: Rest}
	}
	return c.day(date, t.Year(), t.Weekday())
}

func (c *Calendar) day(date string, year int, wd time.Weekday) Day {
	week := c.Week
	for _, s := range c.Seasons {
		if s.holds(date) {
			week = s.Week
			break
		}
	}
	d := Day{Date: date, Kind: Work, Hours: week[wd]}
	if len(d.Hours) == 0 {
		d.Kind = Rest
	}
	if c.Holidays != nil {
		d.Unpublished = !c.Holidays.Years[year]
		if e, there := c.Holidays.Days[date]; there {
			d.Name = e.Name
			switch {
			case e.Off:
				d.Kind, d.Hours = Off, c.OnHoliday
			case wd == time.Saturday || wd == time.Sunday || d.Kind == Rest:
				d.Kind, d.Hours = Swapped, c.swapped(week)
			}
		}
	}
	if own, there := c.Own[date]; there {
		d.Kind, d.Hours = Special, own.Hours
		if own.Name != "" {
			d.Name = own.Name
		}
	}
	if c.Always {
		d.Hours = wholeDay
	}
	return d
}

func (c *Calendar) swapped(week Week) Hours {
	if c.Swapped != nil {
		return c.Swapped
	}
	for _, wd := range []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday} {
		if len(week[wd]) > 0 {
			return week[wd]
		}
	}
	return nil
}

func (c *Calendar) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// farthest bounds how far a calendar looks ahead for an open hour: beyond, there is none.
const farthest = 800 // days

// Status is what a calendar says about a moment.
type Status struct {
	State       State
	Name        string    // the holiday's or special day's, whatever the state
	Next        time.Time // when it opens next; zero when it is open or never opens
	Until       time.Time // when it shuts, seen from an open hour; zero when it is shut or always open
	Unpublished bool      // see Day
}

// At gives the status at a moment.
func (c *Calendar) At(at time.Time) Status {
	w := c.walk(at)
	d := w.today()
	st := Status{State: Closed, Name: d.Name, Unpublished: d.Unpublished}
	if c.Always {
		st.State = Open
		return st
	}
	before := false
	for _, s := range d.Hours {
		from, to := w.at(s.From), w.at(s.To)
		switch {
		case !at.Before(from) && at.Before(to):
			st.State, st.Until = Open, c.until(to)
			return st
		case !at.Before(to):
			before = true
		case st.Next.IsZero():
			st.Next = from
		}
	}
	shutDay := d.Kind == Off || d.Kind == Special && len(d.Hours) == 0
	switch {
	case shutDay:
		st.State = Holiday
	case before && !st.Next.IsZero():
		st.State = Lunch
	}
	if st.Next.IsZero() {
		st.Next = c.opens(w)
	}
	return st
}

// opens finds the first opening on a later day than the walk's.
func (c *Calendar) opens(w walk) time.Time {
	for range farthest {
		w = w.next()
		if d := w.today(); len(d.Hours) > 0 {
			return w.at(d.Hours[0].From)
		}
	}
	return time.Time{}
}

// until finds when an open spell ends: one that ends at midnight may go on.
func (c *Calendar) until(end time.Time) time.Time {
	for range farthest {
		w := c.walk(end)
		hours := w.today().Hours
		if len(hours) == 0 || !w.at(hours[0].From).Equal(end) {
			return end
		}
		end = w.at(hours[0].To)
	}
	return time.Time{}
}

// IsOpen gives the state at a moment, the day's name and when it opens next (zero while it is open).
func (c *Calendar) IsOpen(at time.Time) (State, string, time.Time) {
	st := c.At(at)
	return st.State, st.Name, st.Next
}

// walk goes through local days.
type walk struct {
	c       *Calendar
	y, d    int
	m       time.Month
	weekday time.Weekday
}

func (c *Calendar) walk(at time.Time) walk {
	at = at.In(c.zone())
	y, m, d := at.Date()
	return walk{c: c, y: y, m: m, d: d, weekday: at.Weekday()}
}

func (w walk) next() walk {
	t := time.Date(w.y, w.m, w.d+1, 0, 0, 0, 0, time.UTC)
	y, m, d := t.Date()
	return walk{c: w.c, y: y, m: m, d: d, weekday: t.Weekday()}
}

func (w walk) today() Day { return w.c.day(date(w.y, w.m, w.d), w.y, w.weekday) }

// at gives the instant of a minute of the day; where clocks change, the wall clock counts.
func (w walk) at(m Minute) time.Time {
	return time.Date(w.y, w.m, w.d, 0, int(m), 0, 0, w.c.zone())
}

// date writes a date; time.Format does the same three times slower, and deadlines walk many days.
func date(y int, m time.Month, d int) string {
	if y < 0 || y > 9999 {
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Format(Layout)
	}
	return string([]byte{
		byte('0' + y/1000), byte('0' + y/100%10), byte('0' + y/10%10), byte('0' + y%10), '-',
		byte('0' + m/10), byte('0' + m%10), '-', byte('0' + d/10), byte('0' + d%10),
	})
}
