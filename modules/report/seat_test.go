package report

import (
	"testing"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/reporttest"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// TestRowH3: each unit's seats, hours, calls, rate, cost of an answered call and share, ranked; the sums are those of
// the interval report, whether a day is counted anew or remembered.
func TestRowH3(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db, reporttest.Options{Seed: 5, From: firstDay, Days: 6, Calls: 150, Agents: 8, Queues: 4})
		ctx := t.Context()
		days := map[string]bool{}
		for _, f := range h.facts {
			days[f.Day] = true
		}
		from, to := h.facts[0].Day, h.facts[len(h.facts)-1].Day
		for _, by := range []string{"seat", "site", "agent"} {
			for _, look := range []string{"counted", "remembered"} {
				r, err := h.seatReport(ctx, by, from, to, "gd")
				if err != nil {
					t.Fatal(err)
				}
				whole := h.table(t, Query{By: ByAgent, Step: Day, From: from, To: to, Medium: "phone", Site: "gd"})
				if r.Total.SignedMs != whole.Total.SignedInMs() {
					t.Errorf("%s, %s: signed in %d ms, the report says %d", by, look, r.Total.SignedMs, whole.Total.SignedInMs())
				}
				var answered, offered int64
				var share float64
				for i, l := range r.Rows {
					answered += l.Answered
					offered += l.Offered
					share += *l.Share
					if l.Rank < 1 || i > 0 && l.Rank < r.Rows[i-1].Rank || l.Cost != nil {
						t.Errorf("%s: row %d is %+v", by, i, l)
					}
				}
				if answered == 0 || answered != r.Total.Answered || offered != r.Total.Offered || share < 0.99 || share > 1.01 {
					t.Errorf("%s, %s: answered %d of %d, offered %d of %d, shares %v", by, look, answered, r.Total.Answered, offered, r.Total.Offered, share)
				}
			}
		}
		kept, err := store.One(ctx, db, `SELECT COUNT(*) FROM report_seat_day`, store.Col[int64])
		if err != nil || kept == 0 || int(kept) >= len(days) {
			t.Errorf("%d of %d days are remembered, %v", kept, len(days), err)
		}
	})
}

// TestSeatCost: two units with one agent each; the hour costs more at the second, and both answer one call.
func TestSeatCost(t *testing.T) {
	h := open(t, storetest.SQLite(t), reporttest.Options{From: firstDay})
	ctx := t.Context()
	hour := int64(3_600_000)
	start := h.clock.Now().UnixMilli() + 5*24*hour // beyond the history
	day, err := clock.AddDays(h.today(), 5)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range []struct {
		agent id.User
		site  id.Site
		seat  id.Seat
	}{{"a1", "gz", "A01"}, {"a2", "sz", "S01"}} {
		a := string(x.agent)
		c := "c" + a
		h.appendAt(t, start, a, x.site, event.AgentSignedIn{Endpoint: contact.Endpoint{Agent: x.agent}, Seat: x.seat})
		h.appendAt(t, start, c, "gz", event.ContactOffered{Offer: id.Offer(c), Agent: x.agent, Queue: "q"})
		h.appendAt(t, start, c, "gz", event.ContactAnswered{Offer: id.Offer(c), Agent: x.agent, Queue: "q"})
		h.appendAt(t, start, c, "gz", event.LegEnded{Leg: id.Leg(c), Role: "agent", Agent: x.agent, TalkMs: 90_000, HoldMs: 10_000})
		h.appendAt(t, start, a, x.site, event.AgentChanged{State: event.Wrapup, Was: event.Talking, WasMs: 100_000, Contact: id.Contact(c)})
		h.appendAt(t, start, a, x.site, event.AgentChanged{State: event.Away, Was: event.Wrapup, WasMs: hour*int64(i+1) - 100_000, Contact: id.Contact(c)})
	}
	for _, c := range []Cost{{Site: "gd", PerHour: 50}, {Site: "sz", PerHour: 80}} {
		if err := costTable.Put(ctx, h.db, string(c.Site), c); err != nil {
			t.Fatal(err)
		}
	}
	r, err := h.seatReport(ctx, "site", day, day, "gd")
	if err != nil || len(r.Rows) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	gz, sz := r.Rows[0], r.Rows[1]
	if gz.Key != "gz" || gz.Rank != 1 || *gz.CostACall != 50 || gz.SignedMs != hour || gz.TalkMs != 100_000 || *gz.Rate != 1 || *gz.Share != 0.5 || gz.Seats != 1 {
		t.Errorf("gz %+v", gz)
	}
	if sz.Key != "sz" || sz.Rank != 2 || *sz.Cost != 160 || *sz.PerHour != 0.5 {
		t.Errorf("sz %+v", sz)
	}
	if *r.Total.Cost != 210 || *r.Total.CostACall != 105 {
		t.Errorf("all %+v", r.Total)
	}
	if one, err := h.seatReport(ctx, "seat", day, day, "sz"); err != nil || len(one.Rows) != 1 || one.Rows[0].Key != "S01" {
		t.Errorf("a site alone: %+v, %v", one, err)
	}
	if _, err := h.seatReport(ctx, "seat", "2026-11-02", "2026-11-01", ""); err == nil {
		t.Error("days the wrong way round were taken")
	}
}

// TestSatisfaction: 满意率 is grades 3 and better ÷ answers; who says nothing counts as asked alone.
func TestSatisfaction(t *testing.T) {
	h := open(t, storetest.SQLite(t), reporttest.Options{From: firstDay})
	at := h.clock.Now().UnixMilli()
	for i, grade := range []int{5, 3, 1, 0, 4} {
		c, agent := "c"+string(rune('1'+i)), id.User("a1")
		if i == 4 {
			agent = "a2"
		}
		h.appendAt(t, at, c, "gz", event.SurveyAsked{Agent: agent, Queue: "vat"})
		if grade > 0 {
			h.appendAt(t, at, c, "gz", event.SurveyAnswered{Agent: agent, Queue: "vat", Grade: grade})
		}
	}
	day := h.today()
	s, err := h.satisfaction(t.Context(), "agent", day, day, "gd")
	if err != nil || len(s.Rows) != 2 {
		t.Fatalf("%+v, %v", s, err)
	}
	if a := s.Rows[0]; a.Key != "a1" || a.Asked != 4 || a.Answered != 3 || *a.Rate != 0.667 || *a.Mean != 3 {
		t.Errorf("a1 %+v", a)
	}
	if s.Total.Asked != 5 || *s.Total.Rate != 0.75 || s.Total.Grades != [5]int64{1, 0, 1, 1, 1} {
		t.Errorf("all %+v", s.Total)
	}
	if none, err := h.satisfaction(t.Context(), "queue", day, day, "sz"); err != nil || len(none.Rows) != 0 || none.Total.Rate != nil {
		t.Errorf("another site: %+v, %v", none, err)
	}
}
