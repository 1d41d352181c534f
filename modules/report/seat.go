package report

import (
	"context"
	"encoding/json"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// seatKey is whose work stands in a row of report_seat, and where. Site is the agent's at sign-in.
type seatKey struct {
	Day   string
	Site  id.Site
	Seat  id.Seat
	Agent id.User
}

// seatCount is what a row counts.
type seatCount struct {
	SignedMs, BusyMs, TalkMs, Offered, Answered int64
}

func (c *seatCount) add(o seatCount) {
	c.SignedMs += o.SignedMs
	c.BusyMs += o.BusyMs
	c.TalkMs += o.TalkMs
	c.Offered += o.Offered
	c.Answered += o.Answered
}

// seatKinds are the facts that seats' figures are made of.
func seatKinds() []string {
	return []string{
		event.AgentSignedIn{}.Kind(), event.AgentChanged{}.Kind(), event.ContactOffered{}.Kind(), event.ContactAnswered{}.Kind(), event.LegEnded{}.Kind(),
	}
}

// seatFold counts the facts of one day. Those of the day before are read too: they tell who sits where at midnight.
type seatFold struct {
	day  string
	sits map[id.User]seatKey
	rows map[seatKey]*seatCount
}

func (s *seatFold) of(agent id.User, place string) *seatCount {
	k, ok := s.sits[agent]
	if !ok {
		k = seatKey{Day: s.day, Site: id.Site(place), Agent: agent}
		s.sits[agent] = k
	}
	if s.rows[k] == nil {
		s.rows[k] = &seatCount{}
	}
	return s.rows[k]
}

func (s *seatFold) take(f ledger.Fact) error {
	counts := f.Day == s.day
	switch f.Kind {
	case event.AgentSignedIn{}.Kind():
		if b, ok := ledger.Read[event.AgentSignedIn](&f); ok {
			s.sits[id.User(f.Subject)] = seatKey{Day: s.day, Site: id.Site(f.Place), Seat: b.Seat, Agent: id.User(f.Subject)}
		}
	case event.AgentChanged{}.Kind():
		b, ok := ledger.Read[event.AgentChanged](&f)
		if !ok || !counts || b.Was == event.SignedOut {
			return nil
		}
		c := s.of(id.User(f.Subject), f.Place)
		c.SignedMs += b.WasMs
		if b.Was == event.Talking || b.Was == event.Wrapup {
			c.BusyMs += b.WasMs
		}
	case event.ContactOffered{}.Kind():
		var b struct { // its trace is long and not needed
			Agent id.User `json:"agent"`
		}
		if counts && json.Unmarshal(f.Body, &b) == nil && b.Agent != "" {
			s.of(b.Agent, f.Place).Offered++
		}
	case event.ContactAnswered{}.Kind():
		if b, ok := ledger.Read[event.ContactAnswered](&f); ok && counts && b.Agent != "" {
			s.of(b.Agent, f.Place).Answered++
		}
	case event.LegEnded{}.Kind():
		if b, ok := ledger.Read[event.LegEnded](&f); ok && counts && b.Agent != "" && b.Role == "agent" {
			s.of(b.Agent, f.Place).TalkMs += b.TalkMs + b.HoldMs
		}
	}
	return nil
}

// settledAfter is after how many days a day is no longer counted anew: late facts come within two.
const settledAfter = 2

// seatDay gives a day's rows: remembered, or counted from the facts and remembered when the day is long over.
func (m *Module) seatDay(ctx context.Context, day string) (map[seatKey]*seatCount, error) {
	known, err := store.One(ctx, m.db, `SELECT COUNT(*) FROM report_seat_day WHERE day = ?`, store.Col[int64], day)
	if err != nil {
		return nil, err
	}
	if known > 0 {
		return m.seatRows(ctx, day)
	}
	before, err := clock.AddDays(day, -1)
	if err != nil {
		return nil, err
	}
	fold := &seatFold{day: day, sits: map[id.User]seatKey{}, rows: map[seatKey]*seatCount{}}
	if err := m.deps.Ledger.Range(ctx, ledger.Span{From: before, To: day, Kinds: seatKinds()}, fold.take); err != nil {
		return nil, err
	}
	settled, err := clock.AddDays(m.today(), -settledAfter)
	if err != nil || day >= settled {
		return fold.rows, err
	}
	return fold.rows, m.keepSeatDay(ctx, day, fold.rows)
}

func (m *Module) keepSeatDay(ctx context.Context, day string, rows map[seatKey]*seatCount) error {
	return m.db.Tx(ctx, func(tx *store.Tx) error {
		n, err := store.Exec(ctx, tx, `INSERT INTO report_seat_day (day) VALUES (?) ON CONFLICT (day) DO NOTHING`, day)
		if err != nil || n == 0 { // somebody else has counted it meanwhile
			return err
		}
		for k, c := range rows {
			if _, err := store.Exec(ctx, tx, `INSERT INTO report_seat (day, site, seat, agent, signed_ms, busy_ms, talk_ms, offered, answered)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, day, string(k.Site), string(k.Seat), string(k.Agent), c.SignedMs, c.BusyMs, c.TalkMs, c.Offered, c.Answered); err != nil {
				return err
			}
		}
		return nil
	})
}

func (m *Module) seatRows(ctx context.Context, day string) (map[seatKey]*seatCount, error) {
	out := map[seatKey]*seatCount{}
	type row struct {
		k seatKey
		c seatCount
	}
	return out, store.Each(ctx, m.db, `SELECT site, seat, agent, signed_ms, busy_ms, talk_ms, offered, answered FROM report_seat WHERE day = ?`,
		func(r store.Scanner) (v row, err error) {
			v.k.Day = day
			return v, r.Scan(&v.k.Site, &v.k.Seat, &v.k.Agent, &v.c.SignedMs, &v.c.BusyMs, &v.c.TalkMs, &v.c.Offered, &v.c.Answered)
		}, func(v row) error {
			c := v.c
			out[v.k] = &c
			return nil
		}, day)
}
