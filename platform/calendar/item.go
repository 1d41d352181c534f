package calendar

import (
	"time"

	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
)

// Calendar is an item of the section `calendars`.
type Calendar struct {
	Code         string      `json:"code" minLength:"1" maxLength:"32"`
	Name         string      `json:"name" minLength:"1" maxLength:"64"`
	NameEn       string      `json:"name_en,omitempty" maxLength:"64"`
	Site         id.Site     `json:"site,omitempty" ref:"sites" doc:"whose people may change it; empty: those of the whole house"`
	Timezone     string      `json:"timezone,omitempty" doc:"empty: Asia/Shanghai"`
	Always       bool        `json:"always,omitempty" doc:"open day and night, whatever else is said"`
	Weekly       Weekly      `json:"weekly,omitzero"`
	Seasons      []Season    `json:"seasons,omitempty" maxItems:"12"`
	Holidays     string      `json:"holidays,omitempty" doc:"table of public holidays, cn; empty: none is kept"`
	HolidayHours []day.Spell `json:"holiday_hours,omitempty" maxItems:"8" doc:"hours on public holidays; empty: shut"`
	SwappedHours []day.Spell `json:"swapped_hours,omitempty" maxItems:"8" doc:"hours of weekend days worked for a holiday; empty: Monday's"`
	Special      []Special   `json:"special,omitempty" maxItems:"1000"`
}

// Weekly gives the hours of each day of the week; a day without hours is off.
type Weekly struct {
	Mon []day.Spell `json:"mon,omitempty" maxItems:"8"`
	Tue []day.Spell `json:"tue,omitempty" maxItems:"8"`
	Wed []day.Spell `json:"wed,omitempty" maxItems:"8"`
	Thu []day.Spell `json:"thu,omitempty" maxItems:"8"`
	Fri []day.Spell `json:"fri,omitempty" maxItems:"8"`
	Sat []day.Spell `json:"sat,omitempty" maxItems:"8"`
	Sun []day.Spell `json:"sun,omitempty" maxItems:"8"`
}

// Season is a part of the year with hours of its own.
type Season struct {
	Name   string `json:"name,omitempty"`
	From   string `json:"from" minLength:"5" doc:"first day, 06-15 for every year or 2026-06-15"`
	To     string `json:"to" minLength:"5" doc:"last day"`
	Weekly Weekly `json:"weekly"`
}

// Special is a day treated in its own way, whatever week and holidays say.
type Special struct {
	Date  string      `json:"date" minLength:"10" maxLength:"10"`
	Hours []day.Spell `json:"hours,omitempty" maxItems:"8" doc:"empty: shut all day"`
	Name  string      `json:"name,omitempty" maxLength:"64"`
}

func (w Weekly) week() day.Week {
	var out day.Week
	for wd, h := range map[time.Weekday][]day.Spell{
		time.Monday: w.Mon, time.Tuesday: w.Tue, time.Wednesday: w.Wed, time.Thursday: w.Thu, time.Friday: w.Fri,
		time.Saturday: w.Sat, time.Sunday: w.Sun,
	} {
		out[wd] = day.Hours(h).Sort()
	}
	return out
}

// value makes the calendar that is asked.
func (c Calendar) value(tables map[string]*day.Holidays) (*day.Calendar, error) {
	zone, err := clock.Zone(c.Timezone)
	if err != nil {
		return nil, err
	}
	out := &day.Calendar{
		Code: c.Code, Zone: zone, Always: c.Always, Week: c.Weekly.week(),
		Swapped: day.Hours(c.SwappedHours).Sort(), OnHoliday: day.Hours(c.HolidayHours).Sort(),
		Own: map[string]day.Own{},
	}
	for _, s := range c.Seasons {
		out.Seasons = append(out.Seasons, day.Season{From: s.From, To: s.To, Week: s.Weekly.week()})
	}
	for _, s := range c.Special {
		out.Own[s.Date] = day.Own{Hours: day.Hours(s.Hours).Sort(), Name: s.Name}
	}
	if c.Holidays != "" {
		if out.Holidays = tables[c.Holidays]; out.Holidays == nil {
			out.Holidays = &day.Holidays{}
		}
	}
	return out, nil
}
