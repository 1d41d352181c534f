package calendar

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Changer changes an item of the configuration: the section.Book.
type Changer interface {
	Put(ctx context.Context, section, code string, body json.RawMessage, o section.Options) (section.Result, error)
}

// Routes registers the pages' API. The clock tells what is open now.
func (c *Calendars) Routes(api *web.API, book Changer, clk clock.Clock) {
	r := &routes{c, book, clk}
	web.Get(api, "/api/v1/calendar", right.Own, "Calendars and whether they are open now", r.list)
	web.Get(api, "/api/v1/calendar/{code}/days", right.Own, "Every day of a year", r.days)
	web.Put(api, "/api/v1/calendar/{code}/days/{date}", Manage, "Treat a day in its own way", r.put)
}

type routes struct {
	c     *Calendars
	book  Changer
	clock clock.Clock
}

type stateNow struct {
	Code   string    `json:"code"`
	Name   string    `json:"name"`
	NameEn string    `json:"name_en,omitempty"`
	State  day.State `json:"state"`
	Day    string    `json:"day,omitempty" doc:"name of the holiday or special day"`
	Next   int64     `json:"next,omitempty" doc:"next opening, unix ms; 0 while open"`
	Until  int64     `json:"until,omitempty" doc:"when it shuts, unix ms"`
}

type listOut struct{ Body []stateNow }

func (r *routes) list(_ context.Context, _ *struct{}) (*listOut, error) {
	s, now := r.c.now.Load(), r.clock.Now()
	out := &listOut{Body: []stateNow{}}
	for _, item := range s.list {
		st := s.codes[item.Code].At(now)
		v := stateNow{Code: item.Code, Name: item.Name, NameEn: item.NameEn, State: st.State, Day: st.Name}
		if !st.Next.IsZero() {
			v.Next = st.Next.UnixMilli()
		}
		if !st.Until.IsZero() {
			v.Until = st.Until.UnixMilli()
		}
		out.Body = append(out.Body, v)
	}
	return out, nil
}

type daysIn struct {
	Code string `path:"code"`
	Year int    `query:"year" minimum:"1990" maximum:"2100" required:"true"`
}

type daysOut struct {
	Body struct {
		Code      string   `json:"code"`
		Year      int      `json:"year"`
		Published bool     `json:"published" doc:"false: the year's public holidays are not known yet, the days are what the week says"`
		Days      []oneDay `json:"days"`
	}
}

type oneDay struct {
	Date    string      `json:"date"`
	Kind    day.Kind    `json:"kind" enum:"work,rest,off,swapped,special"`
	Name    string      `json:"name,omitempty"`
	Hours   []day.Spell `json:"hours"`
	Minutes int         `json:"minutes" doc:"working time of the day"`
}

func (r *routes) days(_ context.Context, in *daysIn) (*daysOut, error) {
	cal, ok := r.c.Get(in.Code)
	if !ok {
		return nil, missing(in.Code)
	}
	out := &daysOut{}
	out.Body.Code, out.Body.Year = in.Code, in.Year
	out.Body.Published = cal.Holidays == nil || cal.Holidays.Years[in.Year]
	for d := time.Date(in.Year, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() == in.Year; d = d.AddDate(0, 0, 1) {
		v := cal.Day(d.Format(day.Layout))
		out.Body.Days = append(out.Body.Days, oneDay{v.Date, v.Kind, v.Name, append([]day.Spell{}, v.Hours...), v.Hours.Minutes()})
	}
	return out, nil
}

type putIn struct {
	Code string `path:"code"`
	Date string `path:"date"`
	Body struct {
		Follow bool        `json:"follow,omitempty" doc:"true: no own way any more, week and holidays hold"`
		Hours  []day.Spell `json:"hours,omitempty" doc:"empty: shut all day"`
		Name   string      `json:"name,omitempty" maxLength:"64"`
	}
}

type putOut struct{ Body oneDay }

func (r *routes) put(ctx context.Context, in *putIn) (*putOut, error) {
	s := r.c.now.Load()
	i := slices.IndexFunc(s.list, func(c Calendar) bool { return c.Code == in.Code })
	if i < 0 {
		return nil, missing(in.Code)
	}
	if !day.Valid(in.Date) {
		return nil, fault.New(fault.Invalid, "calendar.date.invalid", "date", in.Date).At("date")
	}
	item := s.list[i]
	item.Special = slices.DeleteFunc(slices.Clone(item.Special), func(d Special) bool { return d.Date == in.Date })
	if !in.Body.Follow {
		item.Special = append(item.Special, Special{Date: in.Date, Hours: in.Body.Hours, Name: in.Body.Name})
		slices.SortFunc(item.Special, func(a, b Special) int { return strings.Compare(a.Date, b.Date) })
	}
	body, err := json.Marshal(item)
	if err != nil {
		return nil, err
	}
	res, err := r.book.Put(ctx, "calendars", in.Code, body, section.Options{
		By:  string(web.Principal(ctx).User),
		May: func(_ string, need right.Right, site id.Site) error { return web.May(ctx, need, site) },
	})
	if err != nil {
		return nil, err
	}
	if len(res.Problems) > 0 {
		p := res.Problems[0]
		return nil, &fault.Fault{Kind: fault.Invalid, Code: p.Code, Field: p.Path, Params: p.Params}
	}
	cal, ok := r.c.Get(in.Code)
	if !ok {
		return nil, missing(in.Code)
	}
	v := cal.Day(in.Date)
	return &putOut{Body: oneDay{v.Date, v.Kind, v.Name, append([]day.Spell{}, v.Hours...), v.Hours.Minutes()}}, nil
}

func missing(code string) error {
	return fault.New(fault.NotFound, "calendar.calendar.missing", "code", code)
}
