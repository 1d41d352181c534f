package report

import (
	"context"
	"slices"
	"strings"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Wallboard is what the wall shows of a site and all below it. Rates are the phone's. The figures of today are
// those of the report of today; the rest is the state of the moment At.
type Wallboard struct {
	At           int64         `json:"at" doc:"unix ms the picture was taken"`
	Site         id.Site       `json:"site"`
	SiteName     string        `json:"site_name"`
	SiteNameEn   string        `json:"site_name_en"`
	Waiting      int           `json:"waiting" doc:"Callers in queues"`
	LongestMs    int64         `json:"longest_ms" doc:"Longest wait of those waiting"`
	LongestSince *int64        `json:"longest_since" doc:"unix ms it began, null when nobody waits"`
	RateNow      *float64      `json:"rate_now" doc:"Agent answer rate of those who came in the last 30 minutes, 0..1"`
	RateToday    *float64      `json:"rate_today" doc:"Agent answer rate of today"`
	TotalToday   *float64      `json:"total_rate_today" doc:"Total answer rate of today"`
	CallerToday  *float64      `json:"caller_rate_today" doc:"Caller answer rate of today"`
	Target       float64       `json:"target" doc:"Of the agent answer rate"`
	Spark        SparkLines    `json:"spark" doc:"Two hours in pieces of five minutes, the last one running"`
	Queues       []QueueState  `json:"queues"`
	Agents       []AgentStatus `json:"agents" doc:"Those signed in"`
}

// SparkLines are three lines of 24 points.
type SparkLines struct {
	Waiting []int64    `json:"waiting" doc:"Most who waited at once"`
	Longest []int64    `json:"longest" doc:"Longest wait reached, ms"`
	Rate    []*float64 `json:"rate" doc:"Agent answer rate of those who came; null: nobody came"`
}

// QueueState is one queue on the wall. The numbers of agents are of those who serve it, whichever queue they
// are busy for.
type QueueState struct {
	Code         id.Queue `json:"code"`
	Name         string   `json:"name"`
	NameEn       string   `json:"name_en"`
	Waiting      int      `json:"waiting"`
	LongestSince *int64   `json:"longest_since" doc:"unix ms"`
	Entered      int64    `json:"entered" doc:"Today"`
	Answered     int64    `json:"answered" doc:"Today"`
	Abandoned    int64    `json:"abandoned" doc:"Today"`
	Rate         *float64 `json:"rate" doc:"Agent answer rate of today"`
	SL20         *float64 `json:"sl20" doc:"Service level of today, 20 s"`
	Ready        int      `json:"ready"`
	Ringing      int      `json:"ringing"`
	Talking      int      `json:"talking"`
	Wrapup       int      `json:"wrapup"`
	Away         int      `json:"away"`
	Target       float64  `json:"target"`
}

// AgentStatus is one signed-in agent on the wall.
type AgentStatus struct {
	Code   id.User          `json:"code"`
	Name   string           `json:"name"`
	NameEn string           `json:"name_en"`
	State  event.AgentState `json:"state" enum:"ready,ringing,talking,wrapup,away"`
	Reason string           `json:"reason"`
	Since  int64            `json:"since" doc:"unix ms"`
	Site   id.Site          `json:"site"`
	Queue  id.Queue         `json:"queue" doc:"Of the contact they talk to or write up"`
}

// rateNowSpan is the span of RateNow in milliseconds.
const rateNowSpan = 30 * 60 * 1000

// Wallboard gives the picture of a site and all below it; site "" is the whole house.
func (m *Module) Wallboard(ctx context.Context, site id.Site) (*Wallboard, error) {
	f, err := m.dayFigures(ctx, site)
	if err != nil {
		return nil, err
	}
	return m.wallboard(ctx, site, f)
}

// dayFigures is what the wall takes from the report of today.
type dayFigures struct {
	day    string
	all    *Table
	queues *Table
}

func (m *Module) dayFigures(ctx context.Context, site id.Site) (*dayFigures, error) {
	f := &dayFigures{day: m.today()}
	q := Query{By: ByAll, Step: Day, From: f.day, To: f.day, Site: site, timeless: true}
	var err error
	if f.all, err = m.Table(ctx, q); err != nil {
		return nil, err
	}
	q.By = ByQueue
	f.queues, err = m.Table(ctx, q)
	return f, err
}

func (m *Module) wallboard(ctx context.Context, site id.Site, f *dayFigures) (*Wallboard, error) {
	sites, err := m.deps.subtree(ctx, site)
	if err != nil {
		return nil, err
	}
	p := m.live.look(sites)
	w := &Wallboard{At: p.now, Site: site, Target: m.measures["JTL"].Target, Queues: []QueueState{}, Agents: []AgentStatus{}}
	w.SiteName, w.SiteNameEn = m.deps.name(ctx, KindSite, string(site))
	w.Waiting = len(p.waiting)
	w.LongestSince = longest(p.waiting)
	if w.LongestSince != nil {
		w.LongestMs = max(p.now-*w.LongestSince, 0)
	}
	w.RateNow = rateNow(p)
	s := tally.Spark(p.visits, p.now)
	w.Spark = SparkLines{s.Waiting, s.Longest, s.Rate}
	t := &f.all.Total
	w.RateToday, w.TotalToday, w.CallerToday = m.figure("JTL", t), m.figure("JTL2", t), m.figure("JTLU", t)
	m.people(ctx, w, p)
	return w, m.queues(ctx, w, p, sites, f.queues)
}

func longest(waiting []tally.Stay) *int64 {
	var since *int64
	for i := range waiting {
		if at := waiting[i].Entered; since == nil || at < *since {
			since = &at
		}
	}
	return since
}

// rateNow is the agent answer rate of those who came in the last half-hour and no longer wait.
func rateNow(p *picture) *float64 {
	var s tally.Sums
	for i := range p.visits {
		if v := &p.visits[i]; v.Entered > p.now-rateNowSpan && v.Entered <= p.now && !v.Undecided() {
			s.Counts[tally.Entered]++
			if v.How == tally.Taken {
				s.Counts[tally.Answered]++
			}
		}
	}
	return rate(s.Counts[tally.Answered], s.Counts[tally.Entered])
}

func rate(num, den int64) *float64 {
	if den == 0 {
		return nil
	}
	v := tally.Round(float64(num) / float64(den))
	return &v
}

// people lists the agents and what they do.
func (m *Module) people(ctx context.Context, w *Wallboard, p *picture) {
	for _, a := range p.agents {
		s := AgentStatus{Code: a.Agent, State: a.State, Reason: a.Reason, Since: a.Since, Site: a.Site, Queue: a.Queue}
		s.Name, s.NameEn = m.deps.name(ctx, KindAgent, string(a.Agent))
		if a.State == event.Talking {
			s.Queue = p.serving[a.Agent]
		}
		w.Agents = append(w.Agents, s)
	}
	slices.SortFunc(w.Agents, func(a, b AgentStatus) int { return strings.Compare(string(a.Code), string(b.Code)) })
}

func (m *Module) figure(id string, r *Row) *float64 {
	if v, ok := m.value(id, &r.Sums); ok {
		return &v
	}
	return nil
}

// queues lists the site's queues: those configured, and those only the facts of today know.
func (m *Module) queues(ctx context.Context, w *Wallboard, p *picture, sites []id.Site, t *Table) error {
	at := map[id.Queue]*QueueState{}
	open := func(code id.Queue, target float64) *QueueState {
		if at[code] == nil {
			q := &QueueState{Code: code, Target: w.Target}
			q.Name, q.NameEn = m.deps.name(ctx, KindQueue, string(code))
			if target != 0 {
				q.Target = target
			}
			at[code] = q
		}
		return at[code]
	}
	if m.deps.Floor != nil {
		known, err := m.deps.Floor.Queues(ctx)
		if err != nil {
			return err
		}
		for _, q := range known {
			if sites == nil || slices.Contains(sites, q.Site) {
				open(q.Code, q.Target)
			}
		}
	}
	for i := range t.Rows {
		r := &t.Rows[i]
		q := open(id.Queue(r.Key), 0)
		q.Entered, q.Answered, q.Abandoned = r.Counts[tally.Entered], r.Counts[tally.Answered], r.Counts[tally.Abandoned]
		q.Rate, q.SL20 = m.figure("JTL", r), m.figure("SL20", r)
	}
	for i := range p.waiting {
		v := &p.waiting[i]
		q := open(v.Queue, 0)
		q.Waiting++
		if q.LongestSince == nil || v.Entered < *q.LongestSince {
			q.LongestSince = &v.Entered
		}
	}
	m.staff(ctx, w, at)
	for _, q := range at {
		w.Queues = append(w.Queues, *q)
	}
	slices.SortFunc(w.Queues, func(a, b QueueState) int { return strings.Compare(string(a.Code), string(b.Code)) })
	return nil
}

// staff counts each agent at the queues they serve.
func (m *Module) staff(ctx context.Context, w *Wallboard, at map[id.Queue]*QueueState) {
	for _, a := range w.Agents {
		serves := []id.Queue{a.Queue}
		if m.deps.Floor != nil {
			serves = m.deps.Floor.Serves(ctx, a.Code)
		}
		for _, code := range serves {
			q := at[code]
			if q == nil {
				continue
			}
			switch a.State {
			case event.Ready:
				q.Ready++
			case event.Ringing:
				q.Ringing++
			case event.Talking:
				q.Talking++
			case event.Wrapup:
				q.Wrapup++
			case event.Away:
				q.Away++
			case event.SignedOut:
			}
		}
	}
}

// wallTopic is the socket topic of the wallboard.
const wallTopic = "wallboard"

// holders are those who may see the wallboard of a site.
func holders(site id.Site) web.Audience { return web.Holders(SeeWall, site) }
