package demo

import (
	"time"
)

// withoutMenus says whether menus were switched off that day: the Wednesdays of the last three weeks were a trial, so
// that the report of calls with and without menus has both sides to compare.
func withoutMenus(day int, date time.Time) bool {
	return day >= Days-21 && date.Weekday() == time.Wednesday
}

// Days is how long the history is.
const Days = 150

// season is the story's part a day belongs to.
type season struct {
	target float64 // agent answer rate
	fresh  int     // agents that are not there yet: the first 14 came with the recovery (19 of 33 before)
	slow   float64 // how much longer a call took on the platform of the day
}

// The story: about 80 % before the move to one platform, just over 30 % at the worst, 91.4 % in the end. Days are
// counted from the first of Days; between the parts the rate moves in a straight line.
const (
	fellAt, worstAt, roseAt, bestAt = 42, 50, 84, 104
	before, worst, best             = 0.80, 0.31, 0.914
	slowest                         = 1.36 // just after the move
)

// seasonOf gives the story's part for a day of the history.
func seasonOf(day int) season {
	line := func(from, to float64, a, b int) float64 { return from + (to-from)*float64(day-a)/float64(b-a) }
	switch {
	case day < fellAt:
		return season{before, 14, 1}
	case day < worstAt:
		return season{line(before, worst, fellAt, worstAt), 14, slowest}
	case day < roseAt:
		return season{worst, 14, slowest}
	case day < bestAt:
		return season{line(worst, best, roseAt, bestAt), 0, 1}
	}
	return season{best, 0, 1}
}

// halfHours are the shares of a day's calls by half-hour of work (traffic profile of the hotline).
var halfHours = []struct { // never written to
	minute int // of the day
	share  float64
}{
	{510, .085},
	{540, .098},
	{570, .103},
	{600, .102},
	{630, .094},
	{660, .076},
	{690, .044},
	{840, .068},
	{870, .080},
	{900, .078},
	{930, .068},
	{960, .056},
	{990, .036},
	{1020, .012},
}

// callsPerDay is a tenth of the bureau's on a Wednesday of an ordinary month, redials not counted.
const callsPerDay = 184.0

// volume is how many people call for the first time on a working day.
func volume(date time.Time, works func(time.Time) bool) float64 {
	weekday := map[time.Weekday]float64{
		time.Monday: 1.16, time.Tuesday: 1.05, time.Wednesday: 1, time.Thursday: .95, time.Friday: .84,
	}[date.Weekday()]
	if weekday == 0 {
		weekday = .8 // a make-up working day at the weekend
	}
	return callsPerDay * weekday * filing(date, works)
}

// filing is the factor of the filing window: the month's first half, its end put off over days off
// (implementation rules of the tax collection law, article 109).
func filing(date time.Time, works func(time.Time) bool) float64 {
	last := time.Date(date.Year(), date.Month(), 15, 0, 0, 0, 0, date.Location())
	for range 15 {
		if works(last.Add(10 * time.Hour)) {
			break
		}
		last = last.AddDate(0, 0, 1)
	}
	d := date.Day()
	switch {
	case d == last.Day():
		return 1.62
	case d > last.Day():
		return .78
	case d <= 5:
		return 1.02
	case d <= 10:
		return 1.12
	}
	return 1.35
}
