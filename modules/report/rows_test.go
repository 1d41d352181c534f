package report

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/reporttest"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

var threeDays = reporttest.Options{Seed: 5, From: firstDay, Days: 3, Calls: 160, Agents: 8, Queues: 6, Cut: true}

// Interval, day, month, year; queue, agent, branch, topic, district, tax type: the totals agree at every level.
func TestRowH2TotalsAgreeAtEveryLevel(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db, threeDays)
		want := h.table(t, Query{By: ByAll, Step: Day}).Total
		if want.Counts[tally.Entered] < 300 || want.Counts[tally.Abandoned] < 10 || want.Counts[tally.Served] < 10 {
			t.Fatalf("the history is too thin: %v", want.Counts)
		}
		for _, by := range []By{ByAll, ByQueue, ByAgent, BySite, ByTopic, ByDistrict, ByTaxType} {
			for _, step := range []Step{Quarter, HalfHour, Day, Month, Year} {
				q := Query{By: by, Step: step}
				if q.slots() && (by == ByTopic || by == ByDistrict || by == ByTaxType) {
					continue
				}
				got := h.table(t, q)
				columns := tally.VisitColumns()
				for _, c := range columns {
					if c == tally.MaxWaitMs && (by == ByTopic || by == ByDistrict || by == ByTaxType) {
						continue // a topic may change, and a maximum cannot be taken back
					}
					if got.Total.Counts[c] != want.Counts[c] {
						t.Errorf("by %s, step %s: %v is %d, and %d in all", by, step, c, got.Total.Counts[c], want.Counts[c])
					}
				}
				var sum tally.Sums
				for i := range got.Rows {
					sum.Add(&got.Rows[i].Sums)
				}
				if by != ByAgent && sum != got.Total.Sums {
					t.Errorf("by %s, step %s: the rows add up to\n%v, the total is\n%v", by, step, sum, got.Total.Sums)
				}
				if by == ByAgent && sum.Counts[tally.Answered] != want.Counts[tally.Answered] {
					t.Errorf("agents answered %d of %d", sum.Counts[tally.Answered], want.Counts[tally.Answered])
				}
				if (by == ByAll || by == BySite || by == ByAgent) && got.Total.Spent != want.Spent {
					t.Errorf("by %s, step %s: agents' time is %v, and %v in all", by, step, got.Total.Spent, want.Spent)
				}
			}
		}
		numbers := h.table(t, Query{By: ByNumber, Step: Day})
		for _, c := range tally.EntryColumns() {
			if numbers.Total.Counts[c] != want.Counts[c] {
				t.Errorf("by number: %v is %d, and %d in all", c, numbers.Total.Counts[c], want.Counts[c])
			}
		}
		bySite := map[id.Site]int64{}
		for _, s := range []id.Site{"gz", "sz", "gd"} {
			bySite[s] = h.table(t, Query{By: ByQueue, Step: Day, Site: s}).Total.Counts[tally.Entered]
		}
		if bySite["gd"] != want.Counts[tally.Entered] || bySite["gz"]+bySite["sz"] != bySite["gd"] || bySite["gz"] == 0 {
			t.Errorf("a subtree's figures are not those of its sites: %v", bySite)
		}
	})
}

// A late fact re-states its interval, and the row says so; intervals it does not touch stay as they were.
func TestRowH2LateFactRestatesItsInterval(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db, threeDays)
		q := Query{By: ByQueue, Step: Quarter, From: "2026-11-02", To: "2026-11-04"}
		before := h.table(t, q)
		for i := range before.Rows {
			if before.Rows[i].Restated != 0 {
				t.Fatalf("%s %s is marked before any late fact", before.Rows[i].Slot, before.Rows[i].Key)
			}
		}
		// A city's line was down: a call of the first day, 10:07 to 10:09, comes in two days later.
		at := firstDay.Add(10*60*60e9 + 7*60e9).UnixMilli()
		late := id.New(h.clock.Now())
		h.appendAt(t, at, late, "gz", event.ContactStarted{Medium: "phone", Direction: "in", From: "013900000137", Number: "12366"})
		h.appendAt(t, at+5000, late, "gz", event.ContactQueued{Queue: "vat", EnteredAt: at + 5000, First: true, Caller: "013900000137"})
		h.appendAt(t, at+65000, late, "gz", event.ContactAbandoned{Queue: "vat", EnteredAt: at + 5000, WaitMs: 60000})
		after := h.table(t, q)
		found := false
		for i := range after.Rows {
			r := &after.Rows[i]
			touched := r.Slot == "2026-11-02T10:00" && r.Key == "vat"
			if touched != (r.Restated != 0) {
				t.Errorf("%s %s: restated at %d", r.Slot, r.Key, r.Restated)
			}
			found = found || touched
		}
		if !found || after.Total.Counts[tally.Abandoned] != before.Total.Counts[tally.Abandoned]+1 {
			t.Errorf("the late call is not counted: %v → %v", before.Total.Counts, after.Total.Counts)
		}
		for _, r := range h.table(t, Query{By: ByQueue, Step: Day}).Rows {
			if touched := r.Slot == "2026-11-02" && r.Key == "vat"; touched != (r.Restated != 0) {
				t.Errorf("day %s %s: restated at %d", r.Slot, r.Key, r.Restated)
			}
		}
		checkInvariants(t, h)
	})
}

// Pain 32: reports showed a figure and nothing behind it: no rows, no drill-down, no agent's time (chatwoot/chatwoot#3570,
// #15243, #6887). Opening any figure of any row gives rows that add up to it.
func TestPain32FiguresOpenTheirRows(t *testing.T) {
	h := open(t, storetest.SQLite(t), reporttest.Options{Seed: 6, From: firstDay, Days: 2, Calls: 90, Agents: 5, Queues: 4, Cut: true})
	for _, by := range []By{ByAll, ByQueue, ByAgent, BySite, ByNumber, ByTopic, ByDistrict} {
		q := Query{By: by, Step: Day, From: "2026-11-02", To: "2026-11-03"}
		table := h.table(t, q)
		for _, measure := range table.columns() {
			if measure == "max_wait_ms" {
				continue
			}
			for i := range len(table.Rows) + 1 {
				d := Drill{Query: q, Measure: measure}
				r := &table.Total
				if i < len(table.Rows) {
					r = &table.Rows[i]
					d.Slot, d.Key = r.Slot, &r.Key
				} else if by == ByAgent {
					continue // the total holds what no agent answered
				}
				checkBehind(t, h, d, r)
			}
		}
	}
}

func checkBehind(t *testing.T, h *house, d Drill, r *Row) {
	t.Helper()
	m := h.measures[d.Measure]
	sum, n := int64(0), 0
	p := store.Page{Limit: 23}
	for {
		s, err := h.Behind(t.Context(), d, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range s.Rows {
			sum += b.Figure
		}
		n += len(s.Rows)
		if s.Next == "" {
			break
		}
		p.After = s.Next
	}
	if want := m.Num(&r.Sums); sum != want {
		t.Errorf("by %s, %s %s: %s is %d, its %d rows add up to %d", d.By, r.Slot, r.Key, d.Measure, want, n, sum)
	}
	if m.Den != nil && m.Unit == tally.Rate && sourceOf(m) != ofTime {
		if want := m.Den(&r.Sums); int64(n) < want/2 && want < 20 {
			t.Errorf("by %s, %s %s: %s divides by %d, and has %d rows", d.By, r.Slot, r.Key, d.Measure, want, n)
		}
	}
}

func TestQueriesThatCannotBeAnswered(t *testing.T) {
	h := open(t, storetest.SQLite(t), reporttest.Options{Seed: 1, From: firstDay, Days: 1, Calls: 5, Agents: 1, Queues: 1})
	for _, c := range []struct {
		name string
		q    Query
		code string
	}{
		{"a day that is none", Query{By: ByQueue, Step: Day, From: "2.11.2026", To: "2026-11-03"}, "report.day.invalid"},
		{"backwards", Query{By: ByQueue, Step: Day, From: "2026-11-03", To: "2026-11-02"}, "report.span.backward"},
		{"quarter-hours of a year", Query{By: ByQueue, Step: Quarter, From: "2026-01-01", To: "2026-12-31"}, "report.span.long"},
		{"topics by quarter-hour", Query{By: ByTopic, Step: Quarter, From: "2026-11-02", To: "2026-11-02"}, "report.step.short"},
		{"a step that is none", Query{By: ByQueue, Step: "week", From: "2026-11-02", To: "2026-11-02"}, "report.step.unknown"},
		{"a grouping that is none", Query{By: "moon", Step: Day, From: "2026-11-02", To: "2026-11-02"}, "report.by.unknown"},
	} {
		_, err := h.Table(t.Context(), c.q)
		if got := fault.CodeOf(err); got != c.code {
			t.Errorf("%s: %q, want %q", c.name, got, c.code)
		}
		if !h.texts.Has("zh", "fault."+c.code) || !h.texts.Has("en", "fault."+c.code) {
			t.Errorf("%s has no sentence", c.code)
		}
	}
}

// States that still last count up to now, in the slots they were spent in.
func TestLastingStatesCountUpToNow(t *testing.T) {
	h := open(t, storetest.SQLite(t), reporttest.Options{Seed: 1, From: firstDay, Days: 1, Calls: 0, Agents: 1, Queues: 1, Cut: true})
	day := h.table(t, Query{By: ByAgent, Step: Day, From: "2026-11-02", To: "2026-11-02"})
	signed := h.facts[0].At
	if want := h.clock.Now().UnixMilli() - signed; day.Total.SignedInMs() != want {
		t.Errorf("signed in for %d ms, shown are %d", want, day.Total.SignedInMs())
	}
	for _, r := range h.table(t, Query{By: ByAgent, Step: Quarter, From: "2026-11-02", To: "2026-11-02"}).Rows {
		if r.SignedInMs() > 15*60*1000 {
			t.Errorf("%s: %d ms in a quarter-hour", r.Slot, r.SignedInMs())
		}
	}
	got, err := h.MyDay(t.Context(), "1000", "")
	if err != nil || got.SignedInMs != day.Total.SignedInMs() {
		t.Errorf("my day says %+v, %v", got, err)
	}
}

// My day is the report's row of the agent.
func TestMyDayEqualsTheReport(t *testing.T) {
	h := open(t, storetest.SQLite(t), threeDays)
	for _, r := range h.table(t, Query{By: ByAgent, Step: Day, From: "2026-11-04", To: "2026-11-04"}).Rows {
		got, err := h.MyDay(t.Context(), id.User(r.Key), "2026-11-04")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]int64{r.Counts[tally.Answered], r.Counts[tally.TalkMs], r.Spent[tally.ReadyMs], r.SignedInMs()},
			[]int64{got.Answered, got.TalkMs, got.ReadyMs, got.SignedInMs}); diff != "" {
			t.Errorf("%s (-report +day): %s", r.Key, diff)
		}
	}
}

func TestSentences(t *testing.T) {
	h := open(t, storetest.SQLite(t), threeDays)
	for _, c := range []struct {
		q    Query
		code string
	}{
		{Query{By: ByQueue, Step: Day}, "report.sentence.below_worst"},
		{Query{By: ByAgent, Step: Day}, "report.sentence.agents"},
		{Query{By: ByNumber, Step: Day}, "report.sentence.below"},
		{Query{By: ByQueue, Step: Day, From: "2027-01-01", To: "2027-01-02"}, "report.sentence.empty"},
	} {
		table := h.table(t, c.q)
		s := h.sentence(t.Context(), table)
		if s.Code != c.code {
			t.Errorf("by %s: %s, want %s (%v)", c.q.By, s.Code, c.code, s.Params)
		}
		for _, lang := range []string{"zh", "en"} {
			if text := h.texts.Say(lang, s.Code, s.Params); text == s.Code || containsBrace(text) {
				t.Errorf("%s in %s: %q", s.Code, lang, text)
			}
		}
	}
}

func containsBrace(s string) bool {
	for _, r := range s {
		if r == '{' {
			return true
		}
	}
	return false
}

func checkInvariants(t *testing.T, h *house) {
	t.Helper()
	for _, inv := range h.Invariants() {
		found, err := inv.Check(t.Context(), h.db)
		if err != nil {
			t.Fatalf("%s: %v", inv.Name, err)
		}
		if len(found) > 0 {
			t.Errorf("%s is broken %d times, first: %s", inv.Name, len(found), fmt.Sprint(found[0]))
		}
	}
}
