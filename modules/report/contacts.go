package report

import (
	"context"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Contact is one line of a list of contacts.
type Contact struct {
	ID        id.Contact        `json:"id"`
	At        int64             `json:"at" doc:"Start, unix ms"`
	Medium    contact.Medium    `json:"medium"`
	Direction contact.Direction `json:"direction"`
	From      string            `json:"from" doc:"The person's number, masked"`
	To        string            `json:"to"`
	Site      id.Site           `json:"site"`
	Queue     id.Queue          `json:"queue" doc:"The last one"`
	QueueName string            `json:"queue_name"`
	Agent     id.User           `json:"agent" doc:"The last one"`
	AgentName string            `json:"agent_name"`
	WaitMs    int64             `json:"wait_ms" doc:"In all queues"`
	TalkMs    int64             `json:"talk_ms"`
	HoldMs    int64             `json:"hold_ms"`
	WrapMs    int64             `json:"wrap_ms"`
	LengthMs  int64             `json:"length_ms" doc:"0 while open"`
	Outcome   string            `json:"outcome" enum:"open,answered,served,abandoned,left,turned,failed"`
	Topic     string            `json:"topic"`
	TopicName string            `json:"topic_name"`
	Recording bool              `json:"recording"`
}

// ContactFilter narrows the list. Zero fields do not narrow.
type ContactFilter struct {
	From, To string // local days, both included
	Number   string // of the person: whole, or its end with a leading *
	Agent    id.User
	Queue    id.Queue
	Site     id.Site
	Outcome  string // as in Contact
	Topic    string
	Medium   contact.Medium
}

// Contacts lists contacts, newest first.
func (m *Module) Contacts(ctx context.Context, f ContactFilter, page store.Page) (store.Slice[Contact], error) {
	where, err := m.contactScope(ctx, &f)
	if err != nil {
		return store.Slice[Contact]{}, err
	}
	var at int64
	var last string
	more, err := page.Key(&at, &last)
	if err != nil {
		return store.Slice[Contact]{}, err
	}
	if more {
		where.and(`(started_at < ? OR started_at = ? AND contact < ?)`, at, at, last)
	}
	found, err := store.All(ctx, m.db, newest(&where), scanListed, append(where.args, page.Rows()+1)...)
	if err != nil {
		return store.Slice[Contact]{}, err
	}
	for i := range found {
		m.dress(ctx, &found[i])
	}
	return store.Cut(page, found, func(c Contact) []any { return []any{c.At, string(c.ID)} })
}

func (m *Module) contactScope(ctx context.Context, f *ContactFilter) (filter, error) {
	var w filter
	if f.From != "" {
		from, err := m.midnight(f.From, "from")
		if err != nil {
			return w, err
		}
		w.and(`started_at >= ?`, from)
	}
	if f.To != "" {
		next, err := clock.AddDays(f.To, 1)
		if err != nil {
			return w, fault.New(fault.Invalid, "report.day.invalid", "day", f.To).At("to")
		}
		to, err := m.midnight(next, "to")
		if err != nil {
			return w, err
		}
		w.and(`started_at < ?`, to)
	}
	switch {
	case len(f.Number) > 1 && f.Number[0] == '*':
		w.and(`sender LIKE ? ESCAPE '\'`, "%"+store.Escape(f.Number[1:]))
	case f.Number != "":
		w.and(`sender = ?`, f.Number)
	}
	if f.Agent != "" {
		w.and(`(agent = ? OR EXISTS (SELECT 1 FROM report_visit v WHERE v.contact = report_contact.contact AND v.agent = ?))`, string(f.Agent), string(f.Agent))
	}
	if f.Queue != "" {
		w.and(`EXISTS (SELECT 1 FROM report_visit v WHERE v.contact = report_contact.contact AND v.queue = ?)`, string(f.Queue))
	}
	if f.Topic != "" {
		w.and(`topic = ?`, f.Topic)
	}
	if f.Medium != "" {
		w.and(`medium = ?`, string(f.Medium))
	}
	switch f.Outcome {
	case "":
	case "open":
		w.and(`ended_at = 0`)
	default:
		w.and(`ended_at > 0 AND outcome = ?`, f.Outcome)
	}
	sites, err := m.deps.subtree(ctx, f.Site)
	w.sites("site", sites)
	return w, err
}

// midnight gives the start of a local day at the root site.
func (m *Module) midnight(day, field string) (int64, error) {
	at, err := clock.SlotStart(day, 0, m.fold.zone(""))
	if err != nil {
		return 0, fault.New(fault.Invalid, "report.day.invalid", "day", day).At(field)
	}
	return at, nil
}

// newest lists what the filter lets through; its last argument is how many.
func newest(f *filter) string {
	return listQuery + ` WHERE started_at > 0` + f.text + ` ORDER BY started_at DESC, contact DESC LIMIT ?`
}

const listQuery = `SELECT contact, started_at, medium, direction, sender, reached, site, last_queue, agent, wait_ms, talk_ms,
	hold_ms, wrap_ms, length_ms, ended_at, outcome, topic, recordings FROM report_contact`

func scanListed(r store.Scanner) (c Contact, err error) {
	var ended, recordings int64
	err = r.Scan(&c.ID, &c.At, &c.Medium, &c.Direction, &c.From, &c.To, &c.Site, &c.Queue, &c.Agent, &c.WaitMs, &c.TalkMs,
		&c.HoldMs, &c.WrapMs, &c.LengthMs, &ended, &c.Outcome, &c.Topic, &recordings)
	c.Recording = recordings > 0
	if ended == 0 {
		c.Outcome = "open"
	}
	return c, err
}

// dress masks the number and gives the codes their names in the caller's language.
func (m *Module) dress(ctx context.Context, c *Contact) {
	c.From = phone.Mask(c.From)
	c.QueueName = m.spoken(ctx, KindQueue, string(c.Queue))
	c.AgentName = m.spoken(ctx, KindAgent, string(c.Agent))
	c.TopicName = m.spoken(ctx, KindTopic, c.Topic)
}

// spoken gives the name of a code in the caller's language, "" for no code.
func (m *Module) spoken(ctx context.Context, kind Kind, code string) string {
	zh, en := m.deps.name(ctx, kind, code)
	if web.Locale(ctx) == "en" {
		return en
	}
	return zh
}
