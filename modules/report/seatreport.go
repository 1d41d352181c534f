package report

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Cost is what an hour of an agent's sign-in costs at a site and below: pay, room, line and equipment, in yuan.
type Cost struct {
	Site    id.Site `json:"site" ref:"sites" minLength:"1"`
	PerHour float64 `json:"per_hour" minimum:"0" maximum:"100000"`
}

var costTable = store.Docs[Cost]{Table: "report_cost"}

// Sections gives what of the reports can be configured.
func (m *Module) Sections() []section.Section {
	return []section.Section{section.Of(section.Spec[Cost]{
		Key: "costs", Order: 85, Right: ManageCost, IDField: "site",
		ID:   func(c Cost) string { return string(c.Site) },
		Site: func(c Cost) id.Site { return c.Site },
		Load: func(ctx context.Context, tx *store.Tx) ([]Cost, error) { return costTable.Load(ctx, tx) },
		Put: func(ctx context.Context, tx *store.Tx, c Cost) error {
			return costTable.Put(ctx, tx, string(c.Site), c)
		},
		Drop: func(ctx context.Context, tx *store.Tx, code string) error { return costTable.Drop(ctx, tx, code) },
	})}
}

// costs gives the cost of an hour by site: the nearest that was set on the way up.
func (m *Module) costs(ctx context.Context) (map[id.Site]float64, error) {
	all, err := costTable.Load(ctx, m.db)
	if err != nil {
		return nil, err
	}
	type reach struct {
		sites   []id.Site
		perHour float64
	}
	var reaches []reach
	for _, c := range all {
		sites, err := m.deps.subtree(ctx, c.Site)
		if err != nil {
			return nil, err
		}
		reaches = append(reaches, reach{sites, c.PerHour})
	}
	slices.SortStableFunc(reaches, func(a, b reach) int { return cmp.Compare(len(b.sites), len(a.sites)) })
	out := map[id.Site]float64{}
	for _, r := range reaches { // the widest first: what lies deeper holds
		for _, s := range r.sites {
			out[s] = r.perHour
		}
	}
	return out, nil
}

// SeatLine is one seat, site or agent. Rates are 0..1; null where there is nothing to divide by or no cost was set.
type SeatLine struct {
	Key       string   `json:"key"`
	Name      string   `json:"name"`
	Site      id.Site  `json:"site"`
	Seats     int      `json:"seats" doc:"how many were used"`
	Agents    int      `json:"agents"`
	SignedMs  int64    `json:"signed_ms"`
	BusyMs    int64    `json:"busy_ms" doc:"talking and wrapping up"`
	TalkMs    int64    `json:"talk_ms" doc:"of agents' legs, hold included"`
	Offered   int64    `json:"offered"`
	Answered  int64    `json:"answered"`
	Rate      *float64 `json:"rate" doc:"answered ÷ offered"`
	PerHour   *float64 `json:"per_hour" doc:"answered in an hour of sign-in"`
	Share     *float64 `json:"share" doc:"of all answered"`
	Cost      *float64 `json:"cost" doc:"yuan"`
	CostACall *float64 `json:"cost_a_call" doc:"yuan for an answered call"`
	Rank      int      `json:"rank" doc:"1 is best: by cost of an answered call, where every line has one, else by answered in an hour"`

	seats  map[id.Seat]bool
	agents map[id.User]bool
	cost   float64
	priced bool
}

// SeatReport is the figures of seats, sites or agents over days.
type SeatReport struct {
	Rows  []SeatLine `json:"rows"`
	Total SeatLine   `json:"total"`
}

// seatDaysMost bounds a report: a quarter.
const seatDaysMost = 92

// seatReport sums the days from–to at a site and below.
func (m *Module) seatReport(ctx context.Context, by, from, to string, root id.Site) (*SeatReport, error) {
	days, err := daysOf(from, to)
	if err != nil {
		return nil, err
	}
	sites, err := m.deps.subtree(ctx, root)
	if err != nil {
		return nil, err
	}
	cost, err := m.costs(ctx)
	if err != nil {
		return nil, err
	}
	rows := map[string]*SeatLine{}
	total := newSeatLine("", "")
	for _, day := range days {
		all, err := m.seatDay(ctx, day)
		if err != nil {
			return nil, err
		}
		for k, c := range all {
			if sites != nil && !slices.Contains(sites, k.Site) {
				continue
			}
			key := map[string]string{"seat": string(k.Seat), "site": string(k.Site), "agent": string(k.Agent)}[by]
			if rows[key] == nil {
				rows[key] = newSeatLine(key, k.Site)
			}
			rows[key].take(k, *c, cost)
			total.take(k, *c, cost)
		}
	}
	out := &SeatReport{Rows: []SeatLine{}}
	for _, l := range rows {
		l.finish(total.Answered)
		l.Name = m.seatLineName(ctx, by, l.Key)
		out.Rows = append(out.Rows, *l)
	}
	total.finish(total.Answered)
	out.Total = *total
	rank(out.Rows)
	return out, nil
}

func (m *Module) seatLineName(ctx context.Context, by, key string) string {
	kind := map[string]Kind{"site": KindSite, "agent": KindAgent}[by]
	if kind == "" {
		return key
	}
	return m.spoken(ctx, kind, key)
}

func newSeatLine(key string, site id.Site) *SeatLine {
	return &SeatLine{Key: key, Site: site, seats: map[id.Seat]bool{}, agents: map[id.User]bool{}, priced: true}
}

func (l *SeatLine) take(k seatKey, c seatCount, cost map[id.Site]float64) {
	sum := seatCount{l.SignedMs, l.BusyMs, l.TalkMs, l.Offered, l.Answered}
	sum.add(c)
	l.SignedMs, l.BusyMs, l.TalkMs, l.Offered, l.Answered = sum.SignedMs, sum.BusyMs, sum.TalkMs, sum.Offered, sum.Answered
	if k.Seat != "" {
		l.seats[k.Seat] = true
	}
	l.agents[k.Agent] = true
	perHour, ok := cost[k.Site]
	l.priced = l.priced && ok
	l.cost += perHour * float64(c.SignedMs) / 3_600_000
}

func (l *SeatLine) finish(all int64) {
	l.Seats, l.Agents = len(l.seats), len(l.agents)
	l.Rate = over(float64(l.Answered), float64(l.Offered), 3)
	l.PerHour = over(float64(l.Answered), float64(l.SignedMs)/3_600_000, 2)
	l.Share = over(float64(l.Answered), float64(all), 3)
	if l.priced && len(l.agents) > 0 {
		l.Cost = over(l.cost, 1, 2)
		l.CostACall = over(l.cost, float64(l.Answered), 2)
	}
}

// over divides and rounds; nil where there is nothing to divide by.
func over(num, den float64, digits int) *float64 {
	if den == 0 {
		return nil
	}
	p := math.Pow10(digits)
	v := math.Round(num/den*p) / p
	return &v
}

// rank orders the rows, the best first; equal ones share a rank.
func rank(rows []SeatLine) {
	priced := len(rows) > 0 && !slices.ContainsFunc(rows, func(l SeatLine) bool { return l.Cost == nil })
	worth := func(l SeatLine) float64 {
		switch {
		case priced && l.CostACall != nil:
			return -*l.CostACall
		case priced:
			return math.Inf(-1) // costs, and answers nothing
		case l.PerHour != nil:
			return *l.PerHour
		}
		return -1
	}
	slices.SortFunc(rows, func(a, b SeatLine) int { return cmp.Or(cmp.Compare(worth(b), worth(a)), cmp.Compare(a.Key, b.Key)) })
	for i := range rows {
		rows[i].Rank = i + 1
		if i > 0 && worth(rows[i]) == worth(rows[i-1]) {
			rows[i].Rank = rows[i-1].Rank
		}
	}
}

// daysOf gives the days from–to, both included.
func daysOf(from, to string) ([]string, error) {
	var out []string
	for day := from; day <= to; {
		out = append(out, day)
		next, err := clock.AddDays(day, 1)
		if err != nil || len(out) > seatDaysMost {
			return nil, fault.New(fault.Invalid, "report.seat.days", "most", seatDaysMost).At("to").Because(err)
		}
		day = next
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Invalid, "report.seat.days", "most", seatDaysMost).At("to")
	}
	return out, nil
}

type seatsIn struct {
	By   string  `query:"by" enum:"seat,site,agent" default:"site"`
	From string  `query:"from" required:"true" doc:"Local day, 2026-11-01"`
	To   string  `query:"to" required:"true" doc:"Local day, included; at most a quarter"`
	Site id.Site `query:"site"`
}

func (m *Module) getSeats(ctx context.Context, in *seatsIn) (*body[*SeatReport], error) {
	site, err := place(ctx, SeeReport, in.Site)
	if err != nil {
		return nil, err
	}
	r, err := m.seatReport(ctx, in.By, in.From, in.To, site)
	return &body[*SeatReport]{r}, err
}

func (m *Module) seatRoutes(api *web.API) {
	web.Get(api, "/api/v1/reports/seats", SeeReport, "Traffic, hours and cost by seat, site or agent", m.getSeats)
	web.Get(api, "/api/v1/reports/satisfaction", SeeReport, "What callers said of the service", m.getSatisfaction)
	m.sheetRoutes(api)
}
