package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
)

// GiveUp is a contact whose person gave up waiting and whom no agent spoke with in it, and what became of them within
// seven days: whether they called again, and whether anybody spoke with them. Times are unix ms.
type GiveUp struct {
	Contact   id.Contact `json:"contact"`
	At        int64      `json:"at" doc:"when they gave up"`
	Number    string     `json:"number" doc:"masked; empty: withheld"`
	Site      id.Site    `json:"site"`
	Queue     id.Queue   `json:"queue"`
	QueueName string     `json:"queue_name"`
	WaitMs    int64      `json:"wait_ms"`
	Back      Back       `json:"back" enum:"soon,day,week,no,unknown" doc:"called again within 30 minutes, later that day, within seven days; not; number withheld"`
	BackMs    int64      `json:"back_ms" doc:"until they called again; 0: they did not"`
	Met       Met        `json:"met" enum:"came,called,no,unknown" doc:"an agent spoke with them: when they called again, when they were called; not; number withheld"`

	day    string
	number string
}

// Back says when somebody who gave up called again.
type Back string

// The ways, each without those before it.
const (
	BackSoon    Back = "soon" // within backSoon
	BackDay     Back = "day"  // later the same local day
	BackWeek    Back = "week" // within backWeek
	BackNo      Back = "no"
	BackUnknown Back = "unknown" // number withheld
)

// Met says how somebody who gave up was spoken with at last.
type Met string

// The ways; who was met both ways counts by the first.
const (
	MetCame    Met = "came"   // they called again and were answered
	MetCalled  Met = "called" // they were called and answered
	MetNo      Met = "no"
	MetUnknown Met = "unknown"
)

const (
	backSoon = 30 * time.Minute
	backWeek = 7 * 24 * time.Hour
	// giveUpDays bounds a report: two months.
	giveUpDays = 62
)

// waitEdges are the upper ends of the classes of waits, in ms; the last class has none.
func waitEdges() []int64 {
	return []int64{5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 180_000, 300_000}
}

// GiveUpQuery asks who gave up; zero fields do not narrow.
type GiveUpQuery struct {
	From, To string // local days, both included
	Site     id.Site
	Queue    id.Queue
}

// giveUps lists who gave up in the days, oldest first, with what became of them.
func (m *Module) giveUps(ctx context.Context, q GiveUpQuery) ([]GiveUp, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	all, err := m.abandoned(ctx, q)
	if err != nil {
		return nil, err
	}
	later, err := m.laterCalls(ctx, all)
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].follow(later[all[i].number], m.fold.zone(all[i].Site))
	}
	return all, nil
}

func (q *GiveUpQuery) check() error {
	days, err := spanOf(q.From, q.To)
	if err != nil {
		return err
	}
	if days > giveUpDays {
		return fault.New(fault.Invalid, "report.span.long", "days", days, "limit", giveUpDays).At("from")
	}
	return nil
}

// spanOf counts the days of a span, both ends included.
func spanOf(from, to string) (int, error) {
	a, err := time.Parse(time.DateOnly, from)
	if err != nil {
		return 0, fault.New(fault.Invalid, "report.day.invalid", "day", from).At("from")
	}
	b, err := time.Parse(time.DateOnly, to)
	if err != nil {
		return 0, fault.New(fault.Invalid, "report.day.invalid", "day", to).At("to")
	}
	days := int(b.Sub(a).Hours()/24) + 1
	if days < 1 {
		return 0, fault.New(fault.Invalid, "report.span.backward", "from", from, "to", to).At("to")
	}
	return days, nil
}

// abandoned reads the visits that ended so, by the index of their entry: a day of any zone lies within the bounds.
func (m *Module) abandoned(ctx context.Context, q GiveUpQuery) ([]GiveUp, error) {
	from, err := m.midnight(q.From, "from")
	if err != nil {
		return nil, err
	}
	to, err := m.midnight(q.To, "to")
	if err != nil {
		return nil, err
	}
	var w filter
	w.and(`v.entered_at >= ? AND v.entered_at < ? AND v.day >= ? AND v.day <= ?`, from-aDayMs, to+2*aDayMs, q.From, q.To)
	if q.Queue != "" {
		w.and(`v.queue = ?`, string(q.Queue))
	}
	sites, err := m.deps.subtree(ctx, q.Site)
	if err != nil {
		return nil, err
	}
	w.sites("v.site", sites)
	all, err := store.All(ctx, m.db, `SELECT v.contact, v.left_at, v.day, v.site, v.queue, v.wait_ms, c.sender FROM report_visit v JOIN report_contact c ON c.contact = v.contact
		WHERE v.known = 1 AND v.how = 'abandoned' AND c.started_at > 0 AND c.medium = 'phone' AND c.direction = 'in'
		AND NOT EXISTS (SELECT 1 FROM report_visit a WHERE a.contact = v.contact AND a.known = 1 AND a.how = 'answered')`+w.text+` ORDER BY v.left_at, v.contact LIMIT ?`,
		func(r store.Scanner) (g GiveUp, err error) {
			return g, r.Scan(&g.Contact, &g.At, &g.day, &g.Site, &g.Queue, &g.WaitMs, &g.number)
		}, append(w.args, maxRows+1)...)
	if err == nil && len(all) > maxRows {
		err = tooMany(len(all))
	}
	return all, err
}

const aDayMs = int64(24 * time.Hour / time.Millisecond)

// later is a contact with somebody who had given up.
type later struct {
	at  int64
	out bool
	met bool // an agent spoke with them
}

// numbersAtOnce bounds the numbers of one question.
const numbersAtOnce = 500

// laterCalls reads the calls from and to the numbers of those who gave up, by number, oldest first.
func (m *Module) laterCalls(ctx context.Context, of []GiveUp) (map[string][]later, error) {
	out := map[string][]later{}
	if len(of) == 0 {
		return out, nil
	}
	var numbers []string
	for i := range of {
		if n := of[i].number; n != "" {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	first, last := of[0].At, of[len(of)-1].At+backWeek.Milliseconds()
	for some := range slices.Chunk(slices.Compact(numbers), numbersAtOnce) {
		type row struct {
			number string
			later
		}
		rows, err := store.All(ctx, m.db, `SELECT c.sender, c.started_at, c.direction, c.outcome, (SELECT COUNT(*) FROM report_visit a WHERE a.contact = c.contact AND a.known = 1 AND a.how = 'answered')
			FROM report_contact c WHERE c.sender IN (`+store.In(len(some))+`) AND c.started_at >= ? AND c.started_at <= ? AND c.medium = 'phone' ORDER BY c.started_at, c.contact`,
			func(r store.Scanner) (v row, err error) {
				var direction, outcome string
				var answers int
				err = r.Scan(&v.number, &v.at, &direction, &outcome, &answers)
				v.out = direction == string(contact.Out)
				v.met = answers > 0 || v.out && outcome == string(contact.Answered)
				return v, err
			}, append(store.Args(some), first, last)...)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[r.number] = append(out[r.number], r.later)
		}
	}
	return out, nil
}

// follow says what became of the person.
func (g *GiveUp) follow(calls []later, zone *time.Location) {
	g.Back, g.Met = BackNo, MetNo
	if g.number == "" {
		g.Back, g.Met = BackUnknown, MetUnknown
		return
	}
	from, _ := slices.BinarySearchFunc(calls, g.At, func(c later, at int64) int { return cmp.Compare(c.at, at) })
	for _, c := range calls[from:] {
		if c.at-g.At > backWeek.Milliseconds() {
			break
		}
		if !c.out && g.Back == BackNo {
			g.BackMs, g.Back = c.at-g.At, backOf(g.At, c.at, zone)
		}
		if c.met && g.Met == MetNo {
			g.Met = MetCame
			if c.out {
				g.Met = MetCalled
			}
		}
	}
}

func backOf(left, back int64, zone *time.Location) Back {
	a, _ := clock.Local(left, zone)
	b, _ := clock.Local(back, zone)
	switch {
	case back-left <= backSoon.Milliseconds():
		return BackSoon
	case a == b:
		return BackDay
	}
	return BackWeek
}
