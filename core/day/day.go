package day

import "time"

// Kind is what sort of day it is.
type Kind string

// The kinds.
const (
	Work    Kind = "work"    // an ordinary working day
	Rest    Kind = "rest"    // a weekly day off
	Off     Kind = "off"     // a public holiday, or a day the holiday table gives off for one
	Swapped Kind = "swapped" // a weekend day that is worked for one given off
	Special Kind = "special" // a day of the calendar's own making
)

// Layout is how dates are written: 2026-11-23.
const Layout = "2006-01-02"

// Day is what a calendar says about one day.
type Day struct {
	Date  string `json:"date"`
	Kind  Kind   `json:"kind"`
	Name  string `json:"name,omitempty"` // the holiday's, or what the special day is for
	Hours Hours  `json:"hours"`          // nil: shut all day
	// Unpublished says that the holiday table of the year is not out yet: the day is what the week says.
	Unpublished bool `json:"unpublished,omitempty"`
}

// Valid reports whether s is a date of the calendar, written 2026-11-23.
func Valid(s string) bool {
	t, err := time.Parse(Layout, s)
	return err == nil && t.Format(Layout) == s
}

// Holidays is a table of public holidays and of weekend days worked for them.
type Holidays struct {
	Days  map[string]Entry // by date
	Years map[int]bool     // published
}

// Entry is a day of the table.
type Entry struct {
	Off  bool // given off; else worked
	Name string
}

// Own is a day a calendar treats in its own way.
type Own struct {
	Hours Hours // nil: shut
	Name  string
}

// Season is a part of the year with a week of its own; From and To are dates, both included, or month and day
// (06-01) for every year. A season may run over New Year.
type Season struct {
	From, To string
	Week     Week
}

// holds tells whether the date lies in the season.
func (s Season) holds(date string) bool {
	if len(s.From) < len(date) && len(date) == len(Layout) {
		date = date[len(Layout)-len(s.From):]
	}
	if s.From <= s.To {
		return s.From <= date && date <= s.To
	}
	return date >= s.From || date <= s.To
}

// Week gives the hours of each day of the week, by time.Weekday: Sunday is 0.
type Week [7]Hours
