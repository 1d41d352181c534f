package report

import (
	"context"
	"errors"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Drill asks for the rows behind one figure of a report: of one measure in one row, or of the total (Slot and
// Key nil).
type Drill struct {
	Query
	Measure string
	Slot    string  // as in the row; "" all intervals
	Key     *string // as in the row; nil all keys
}

// Behind is one row behind a figure: a queue visit, a contact as a whole, or a stretch of an agent's time. Figure
// is what it adds to the numerator; of a rate or mean, rows that add nothing to it count in the denominator.
type Behind struct {
	Contact
	Entered int64     `json:"entered,omitempty" doc:"When the visit began, unix ms; 0 for a whole contact"`
	How     tally.How `json:"how,omitempty" doc:"answered, abandoned, exited; empty while waiting"`
	Why     string    `json:"why,omitempty" doc:"Of an exit"`
	State   string    `json:"state,omitempty" doc:"Of a stretch of time"`
	Reason  string    `json:"reason,omitempty"`
	Ms      int64     `json:"ms,omitempty" doc:"Of a stretch of time"`
	Figure  int64     `json:"figure"`
	kind    behindKind
}

type behindKind uint8

const (
	behindVisit behindKind = iota
	behindContact
	behindTime
)

// Behind gives the rows behind the figure, oldest first.
func (m *Module) Behind(ctx context.Context, d Drill, page store.Page) (store.Slice[Behind], error) {
	none := store.Slice[Behind]{}
	if err := d.span(); err != nil {
		return none, err
	}
	measure, ok := m.measures[d.Measure]
	if !ok || measure.Num == nil {
		return none, fault.New(fault.Invalid, "report.measure.unknown", "measure", d.Measure).At("measure")
	}
	var at int64
	var last string
	if _, err := page.Key(&at, &last); err != nil {
		return none, err
	}
	s := &search{m: m, d: &d, measure: measure, at: at, last: last, want: page.Rows() + 1}
	s.source = sourceOf(measure)
	if err := s.run(ctx); err != nil {
		return none, err
	}
	for i := range s.found {
		m.dress(ctx, &s.found[i].Contact)
	}
	return store.Cut(page, s.found, func(b Behind) []any { return []any{b.sortKey(), b.sortID()} })
}

func (b *Behind) sortKey() int64 {
	if b.kind == behindContact {
		return b.At
	}
	return b.Entered
}

func (b *Behind) sortID() string {
	if b.kind == behindTime {
		return string(b.Agent) + "|" + b.State
	}
	return string(b.ID) + "|" + string(b.Queue)
}

// search goes through what could lie behind a figure, oldest first, and keeps what does.
type search struct {
	m       *Module
	d       *Drill
	measure tally.Measure
	source  source
	at      int64 // of the last row of the page before
	last    string
	want    int
	found   []Behind
}

// source says what a measure counts.
type source uint8

const (
	ofVisits source = iota
	ofCallers
	ofContacts
	ofDirects
	ofTime
)

// sourceOf finds it out by asking the measure: each source lights its own columns.
func sourceOf(m tally.Measure) source {
	lit := func(columns ...tally.Column) bool {
		for _, c := range columns {
			var s tally.Sums
			s.Counts[c] = 1
			if m.Num(&s) != 0 || m.Den != nil && m.Den(&s) != 0 {
				return true
			}
		}
		return false
	}
	switch {
	case lit(tally.DirectLegs, tally.DirectMs):
		return ofDirects
	case lit(tally.VisitColumns()...), lit(tally.Offered, tally.Missed, tally.Refused):
		return ofVisits
	case lit(tally.CallerColumns()...):
		return ofCallers
	case lit(tally.EntryColumns()...):
		return ofContacts
	}
	return ofTime
}

var errEnough = errors.New("enough")

func (s *search) run(ctx context.Context) error {
	if s.source == ofTime {
		return s.times(ctx)
	}
	bound, err := s.bound()
	if err != nil {
		return err
	}
	for len(s.found) < s.want {
		n, err := s.pack(ctx, bound)
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
		if n < loadPack || err != nil {
			break
		}
	}
	return nil
}

// bound gives the wall-clock span that holds all local days of the query, whatever the zone of a site.
func (s *search) bound() ([2]int64, error) {
	from, err := s.m.midnight(s.d.From, "from")
	if err != nil {
		return [2]int64{}, err
	}
	to, err := s.m.midnight(s.d.To, "to")
	const day = 24 * 3600 * 1000
	return [2]int64{from - day, to + 2*day}, err
}

// pack looks at the next contacts or visits in order of time and gives how many there were.
func (s *search) pack(ctx context.Context, bound [2]int64) (int, error) {
	type at struct {
		at      int64
		contact id.Contact
		queue   id.Queue
	}
	text := `SELECT entered_at, contact, queue FROM report_visit WHERE entered_at >= ? AND entered_at < ? AND
		(entered_at > ? OR entered_at = ? AND contact || '|' || queue > ?) ORDER BY entered_at, contact || '|' || queue LIMIT ?`
	if s.source == ofContacts || s.source == ofDirects {
		text = `SELECT started_at, contact, '' FROM report_contact WHERE started_at >= ? AND started_at < ? AND
			(started_at > ? OR started_at = ? AND contact || '|' > ?) ORDER BY started_at, contact LIMIT ?`
	}
	from := max(bound[0], s.at)
	next, err := store.All(ctx, s.m.db, text, func(r store.Scanner) (a at, err error) {
		err = r.Scan(&a.at, &a.contact, &a.queue)
		return a, err
	}, from, bound[1], s.at, s.at, s.last, loadPack)
	if err != nil {
		return 0, err
	}
	ids := make([]id.Contact, len(next))
	for i := range next {
		ids[i] = next[i].contact
	}
	contacts, err := loadContacts(ctx, s.m.db, ids)
	if err != nil {
		return 0, err
	}
	for _, n := range next {
		s.at, s.last = n.at, string(n.contact)+"|"+string(n.queue)
		if c := contacts[n.contact]; c != nil && c.Started != 0 {
			if err := s.weigh(ctx, c, n.at, n.queue); err != nil {
				return len(next), err
			}
		}
		if len(s.found) >= s.want {
			return len(next), errEnough
		}
	}
	return len(next), nil
}

// weigh keeps the contact, or its visit, when it adds to the figure.
func (s *search) weigh(ctx context.Context, c *tally.Contact, at int64, queue id.Queue) error {
	var rows []tally.Row
	b := Behind{Contact: listed(c), kind: behindVisit}
	switch s.source {
	case ofContacts, ofDirects:
		b.kind = behindContact
		rows = c.Figures()
	case ofCallers:
		r := c.Request()
		if r == nil || r.At != at || r.Queue != queue {
			return nil
		}
		first, err := store.One(ctx, s.m.db, `SELECT day, medium, caller, first_at, contact, slot, site, queue, asks, answers
			FROM report_caller WHERE day = ? AND medium = ? AND caller = ?`, scanCaller, r.Day, string(r.Medium), r.Caller)
		if err != nil || first.Contact != c.ID {
			return err
		}
		rows = first.Row()
	case ofVisits, ofTime:
		for i := range c.Visits {
			if v := &c.Visits[i]; v.Entered == at && v.Queue == queue {
				rows = c.VisitFigures(i)
			}
		}
	}
	if s.source == ofVisits || s.source == ofCallers {
		for i := range c.Visits {
			if v := &c.Visits[i]; v.Entered == at && v.Queue == queue {
				b.Entered, b.How, b.Why, b.Queue, b.WaitMs = v.Entered, v.How, v.Why, v.Queue, v.WaitMs
				if v.Agent != "" {
					b.Agent = v.Agent
				}
			}
		}
	}
	sum, hit, err := s.sum(ctx, rows, c)
	if err != nil || !hit {
		return err
	}
	b.Figure = s.measure.Num(&sum)
	s.found = append(s.found, b)
	return nil
}

// sum adds up the rows that lie in the query's row and tells whether they count in the measure.
func (s *search) sum(ctx context.Context, rows []tally.Row, c *tally.Contact) (sum tally.Sums, hit bool, err error) {
	for i := range rows {
		r := &rows[i]
		if r.Table != s.table() {
			continue
		}
		in, err := s.within(ctx, &r.Key, c)
		if err != nil {
			return sum, false, err
		}
		if in {
			sum.Counts.Add(&r.Counts)
		}
	}
	hit = s.measure.Num(&sum) != 0 || s.measure.Den != nil && s.measure.Den(&sum) != 0
	return sum, hit, nil
}

// table is the one the report takes the measure from.
func (s *search) table() tally.Table {
	switch {
	case s.source == ofContacts:
		return tally.ByEntry
	case s.d.By == ByAgent || s.d.Agent != "":
		return tally.ByAgent
	case s.d.By == ByTopic || s.d.By == ByDistrict || s.d.By == ByTaxType:
		return tally.ByTopic
	}
	return tally.ByQueue
}

// within tells whether a row of figures lies in the drilled row.
func (s *search) within(ctx context.Context, k *tally.Key, c *tally.Contact) (bool, error) {
	q := &s.d.Query
	medium := q.Medium
	if medium == "" {
		medium = contact.Phone
	}
	switch {
	case k.Day < q.From || k.Day > q.To,
		medium != "all" && k.Medium != medium,
		q.Queue != "" && k.Queue != q.Queue && k.Table != tally.ByEntry,
		q.Agent != "" && k.Table == tally.ByAgent && k.Agent != q.Agent,
		q.Number != "" && k.Table == tally.ByEntry && k.Number != q.Number,
		s.d.Slot != "" && q.label(k.Day, k.Slot) != s.d.Slot,
		s.d.Key != nil && s.keyOf(k) != *s.d.Key:
		return false, nil
	}
	sites, err := s.m.deps.subtree(ctx, q.Site)
	if err != nil || sites == nil {
		return err == nil, err
	}
	for _, site := range sites {
		if site == k.Site {
			return true, nil
		}
	}
	return false, nil
}

func (s *search) keyOf(k *tally.Key) string {
	switch s.d.By {
	case ByQueue:
		return string(k.Queue)
	case ByAgent:
		return string(k.Agent)
	case BySite:
		return string(k.Site)
	case ByNumber:
		return string(k.Number)
	case ByTopic:
		return k.Topic
	case ByDistrict:
		return k.District
	case ByTaxType:
		return k.TaxType
	case ByAll:
	}
	return ""
}

// listed makes a line of a contact.
func listed(c *tally.Contact) Contact {
	out := Contact{
		ID: c.ID, At: c.Started, Medium: c.Medium, Direction: c.Direction, From: c.From, To: c.To, Site: c.Site, Agent: c.Agent,
		TalkMs: c.TalkMs, HoldMs: c.HoldMs, WrapMs: c.WrapMs, LengthMs: c.Ms, Outcome: string(c.Outcome), Topic: c.Note.Topic,
		Recording: c.Recordings > 0,
	}
	for i := range c.Visits {
		out.Queue = c.Visits[i].Queue
		out.WaitMs += c.Visits[i].WaitMs
	}
	if c.Ended == 0 {
		out.Outcome = "open"
	}
	return out
}
