package day

import "time"

// longest bounds a span of working time in days: a hundred years.
const longest = 36_525

// Working gives how much working time lies from one moment to the other, 0 when to is not after from.
func (c *Calendar) Working(from, to time.Time) time.Duration {
	if !to.After(from) {
		return 0
	}
	if c.Always {
		return to.Sub(from)
	}
	var sum time.Duration
	w := c.walk(from)
	for range longest {
		if !w.at(0).Before(to) {
			break
		}
		for _, s := range w.today().Hours {
			a, b := w.at(s.From), w.at(s.To)
			if a.Before(from) {
				a = from
			}
			if b.After(to) {
				b = to
			}
			if b.After(a) {
				sum += b.Sub(a)
			}
		}
		w = w.next()
	}
	return sum
}

// AddWorking gives the first moment at which d of working time has passed since from; false when the calendar
// does not work so much within the days it looks ahead. Without any time to pass it is from itself.
func (c *Calendar) AddWorking(from time.Time, d time.Duration) (time.Time, bool) {
	if d <= 0 {
		return from, true
	}
	if c.Always {
		return from.Add(d), true
	}
	w := c.walk(from)
	idle := 0
	for range longest {
		hours := w.today().Hours
		if idle++; len(hours) > 0 {
			idle = 0
		}
		if idle > farthest {
			break
		}
		for _, s := range hours {
			a, b := w.at(s.From), w.at(s.To)
			if a.Before(from) {
				a = from
			}
			if !b.After(a) {
				continue
			}
			if left := b.Sub(a); left < d {
				d -= left
				continue
			}
			return a.Add(d), true
		}
		w = w.next()
	}
	return time.Time{}, false
}

// AddWorkdays gives the date n working days after date, counted as offices do: the day itself is not counted,
// and a day with any hours counts. With n 0 it is the date itself; false when there are not so many.
func (c *Calendar) AddWorkdays(date string, n int) (string, bool) {
	t, err := time.Parse(Layout, date)
	if err != nil || n < 0 {
		return "", false
	}
	w := walk{c: c, y: t.Year(), m: t.Month(), d: t.Day(), weekday: t.Weekday()}
	for i := 0; n > 0; i++ {
		if i > longest {
			return "", false
		}
		w = w.next()
		if len(w.today().Hours) > 0 {
			n--
		}
	}
	return w.today().Date, true
}
