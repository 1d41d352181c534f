package clock

import (
	"time"
	_ "time/tzdata" // Zone must not depend on the machine
)

// Slots is the number of quarter-hours in a day: the grain of every interval figure.
const Slots = 96

// SlotMillis is the length of a slot.
const SlotMillis = 15 * 60 * 1000

const dayLayout = "2006-01-02"

// Local gives the day ("2026-11-23") and the quarter-hour (0..95) in which the unix millisecond ms falls in
// loc. Where clocks are set back an hour the slots of that hour come twice, as they do on the wall.
func Local(ms int64, loc *time.Location) (day string, slot int) {
	t := time.UnixMilli(ms).In(loc)
	return t.Format(dayLayout), t.Hour()*4 + t.Minute()/15
}

// SlotStart gives the unix millisecond at which the slot of the local day begins, the inverse of Local. A
// local time that does not exist (clocks set forward) is taken as time.Date takes it.
func SlotStart(day string, slot int, loc *time.Location) (int64, error) {
	d, err := time.ParseInLocation(dayLayout, day, loc)
	if err != nil {
		return 0, err
	}
	return time.Date(d.Year(), d.Month(), d.Day(), slot/4, slot%4*15, 0, 0, loc).UnixMilli(), nil
}

// AddDays gives the day n days after day ("2026-11-23"), by the calendar.
func AddDays(day string, n int) (string, error) {
	d, err := time.Parse(dayLayout, day)
	if err != nil {
		return "", err
	}
	return d.AddDate(0, 0, n).Format(dayLayout), nil
}

// Zone gives the named time zone; "" is Asia/Shanghai, the zone of every Chinese site. It works where the
// system has no zone files, because the program carries its own (time/tzdata).
func Zone(name string) (*time.Location, error) {
	if name == "" {
		name = "Asia/Shanghai"
	}
	return time.LoadLocation(name)
}
