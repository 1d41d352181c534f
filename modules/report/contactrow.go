package report

import (
	"context"
	"encoding/json"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/store"
)

var contactColumns = []string{
	"contact", "site", "medium", "direction", "sender", "reached", "number", "started_at", "day", "slot",
	"ended_at", "ended_by", "outcome", "cause", "lost", "length_ms", "starts", "ends", "served", "asked_at", "caller",
	"first_queue", "last_queue", "agent", "agent_at", "wait_ms", "talk_ms", "hold_ms", "wrap_ms", "recordings",
	"noted_at", "noted_by", "topic", "tax_type", "district", "note_final", "more",
}

var visitColumns = []string{
	"contact", "entered_at", "queue", "known", "day", "slot", "site", "first", "caller", "how", "left_at", "wait_ms",
	"why", "rule", "agent", "offer", "answers", "offers", "parts",
}

// startColumns is the number of leading columns that stay once the start is known; indexes stand on them, so a
// later write leaves them alone.
const startColumns = 10

// more is what few contacts have; it is kept as JSON and read with the contact.
type more struct {
	Transfers []tally.Transfer `json:"transfers,omitempty"`
	Directs   []tally.Direct   `json:"directs,omitempty"`
	Misses    []tally.Made     `json:"misses,omitempty"`
}

func contactArgs(args []any, c *tally.Contact) []any {
	var asked int64
	var caller string
	if v := c.Asked(); v != nil {
		asked, caller = v.Entered, v.Caller
	}
	var first, last id.Queue
	var wait int64
	for i := range c.Visits {
		v := &c.Visits[i]
		if i == 0 {
			first = v.Queue
		}
		last = v.Queue
		wait += v.WaitMs
	}
	extra := ""
	if len(c.Transfers)+len(c.Directs)+len(c.Misses) > 0 {
		extra = text(more{c.Transfers, c.Directs, c.Misses})
	}
	return append(args, string(c.ID), string(c.Site), string(c.Medium), string(c.Direction), c.From, c.To, string(c.Number),
		c.Started, c.Day, c.Slot, c.Ended, string(c.By), string(c.Outcome), c.Cause, bit(c.Lost), c.Ms, c.Starts, c.Ends,
		bit(c.Served), asked, caller, string(first), string(last), string(c.Agent), c.AgentAt, wait, c.TalkMs, c.HoldMs,
		c.WrapMs, c.Recordings, c.Note.At, string(c.Note.Agent), c.Note.Topic, c.Note.TaxType, c.Note.District,
		bit(c.Note.Final), extra)
}

func visitArgs(args []any, c id.Contact, v *tally.Visit) []any {
	offers, parts := "", ""
	if len(v.Offers) > 0 {
		offers = text(v.Offers)
	}
	if len(v.Parts) > 0 {
		parts = text(v.Parts)
	}
	return append(args, string(c), v.Entered, string(v.Queue), bit(v.Known), v.Day, v.Slot, string(v.Site), bit(v.First),
		v.Caller, string(v.How), v.Left, v.WaitMs, v.Why, v.Rule, string(v.Agent), string(v.Offer), v.Answers, offers, parts)
}

func scanContact(r store.Scanner) (*tally.Contact, error) {
	c := &tally.Contact{}
	var lost, served, final, asked, wait int64
	var caller, first, last, extra string
	err := r.Scan(&c.ID, &c.Site, &c.Medium, &c.Direction, &c.From, &c.To, &c.Number, &c.Started, &c.Day, &c.Slot,
		&c.Ended, &c.By, &c.Outcome, &c.Cause, &lost, &c.Ms, &c.Starts, &c.Ends, &served, &asked, &caller, &first, &last,
		&c.Agent, &c.AgentAt, &wait, &c.TalkMs, &c.HoldMs, &c.WrapMs, &c.Recordings, &c.Note.At, &c.Note.Agent,
		&c.Note.Topic, &c.Note.TaxType, &c.Note.District, &final, &extra)
	if err != nil {
		return nil, err
	}
	c.Lost, c.Served, c.Note.Final = lost != 0, served != 0, final != 0
	if extra != "" {
		var m more
		if err := json.Unmarshal([]byte(extra), &m); err != nil {
			return nil, err
		}
		c.Transfers, c.Directs, c.Misses = m.Transfers, m.Directs, m.Misses
	}
	return c, nil
}

// visitRow is a visit with the contact it belongs to.
type visitRow struct {
	contact id.Contact
	tally.Visit
}

func scanVisit(r store.Scanner) (v visitRow, err error) {
	var known, first int64
	var offers, parts string
	err = r.Scan(&v.contact, &v.Entered, &v.Queue, &known, &v.Day, &v.Slot, &v.Site, &first, &v.Caller, &v.How, &v.Left,
		&v.WaitMs, &v.Why, &v.Rule, &v.Agent, &v.Offer, &v.Answers, &offers, &parts)
	if err != nil {
		return v, err
	}
	v.Known, v.First = known != 0, first != 0
	if offers != "" {
		if err = json.Unmarshal([]byte(offers), &v.Offers); err != nil {
			return v, err
		}
	}
	if parts != "" {
		err = json.Unmarshal([]byte(parts), &v.Parts)
	}
	return v, err
}

// loadPack is how many contacts one SELECT asks for.
const loadPack = 256

// loadContacts reads the contacts that are known, with their visits.
func loadContacts(ctx context.Context, q store.Querier, ids []id.Contact) (map[id.Contact]*tally.Contact, error) {
	out := make(map[id.Contact]*tally.Contact, len(ids))
	for len(ids) > 0 {
		n := packSize(len(ids), loadPack)
		args := padded(ids, n)
		ids = ids[min(n, len(ids)):]
		where := ` WHERE contact IN (` + store.In(n) + `)`
		err := store.Each(ctx, q, contactQuery+where, scanContact, func(c *tally.Contact) error {
			out[c.ID] = c
			return nil
		}, args...)
		if err != nil {
			return nil, err
		}
		err = store.Each(ctx, q, visitQuery+where+` ORDER BY contact, entered_at, queue`, scanVisit, func(v visitRow) error {
			if c := out[v.contact]; c != nil {
				c.Visits = append(c.Visits, v.Visit)
			}
			return nil
		}, args...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// packSize rounds n up to a power of four, at most limit: few texts, each kept prepared.
func packSize(n, limit int) int {
	size := 1
	for size < n && size < limit {
		size *= 4
	}
	return size
}

// padded gives n arguments: the first values, the last of them repeated.
func padded[T ~string](values []T, n int) []any {
	args := make([]any, n)
	for i := range args {
		args[i] = string(values[min(i, len(values)-1)])
	}
	return args
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // plain structs of strings and numbers: cannot fail
		panic("report: " + err.Error())
	}
	return string(b)
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
