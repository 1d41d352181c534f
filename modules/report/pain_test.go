package report

import (
	"fmt"
	"testing"

	"github.com/kapok-hotline/kapok/modules/report/reporttest"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// The numbers are those of docs/pains.md.

// Pain 13: looking for a call took more than a minute with 29 million rows, for want of indexes (FreePBX#737,
// FreePBX/cdr PR#50). No search of the list reads the whole table: each walks an index, and stops when a page is full.
func TestPain13NoSearchReadsEverything(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db, reporttest.Options{Seed: 2, From: firstDay, Days: 1, Calls: 40, Agents: 2, Queues: 2})
		for name, f := range map[string]ContactFilter{
			"the newest":           {},
			"a number":             {Number: "013900000137"},
			"the end of a number":  {Number: "*0137", From: "2026-11-02", To: "2026-11-02"},
			"a span of days":       {From: "2026-11-02", To: "2026-11-03"},
			"an agent's day":       {Agent: "1001", From: "2026-11-02", To: "2026-11-02"},
			"a queue's abandoned":  {Queue: "vat", Outcome: "abandoned", From: "2026-11-02", To: "2026-11-02"},
			"a topic's month":      {Topic: "0101", From: "2026-11-01", To: "2026-11-30"},
			"a city's phone calls": {Site: "gz", Medium: "phone"},
		} {
			where, err := h.contactScope(t.Context(), &f)
			if err != nil {
				t.Fatal(err)
			}
			if plan := storetest.Plan(t, db, newest(&where), append(where.args, 51)...); storetest.ReadsAll(plan) {
				t.Errorf("%s:\n%s", name, plan)
			}
		}
		for _, q := range []string{
			`SELECT 1 FROM report_leg WHERE contact = ?`,
			`SELECT 1 FROM report_visit WHERE contact = ?`,
		} {
			if plan := storetest.Plan(t, db, q, "01X"); storetest.ReadsAll(plan) {
				t.Errorf("%s:\n%s", q, plan)
			}
		}
	})
}

// Pain 25: an export ended after fifty rows without a word (fusionpbx#1563).
func TestPain25ExportsHaveEveryRow(t *testing.T) {
	h := open(t, storetest.SQLite(t), threeDays)
	leader := webtest.New(t, h.Module).As("leader", webtest.At("gd"), webtest.With(ExportReport))
	const query = "by=queue&step=15&from=2026-11-02&to=2026-11-04"
	var screen Interval
	leader.Get("/api/v1/reports/interval?" + query).OK().Into(&screen)
	if len(screen.Rows) < 200 {
		t.Fatalf("only %d rows prove nothing", len(screen.Rows))
	}
	lines := readCSV(t, leader.Get("/api/v1/reports/interval/export?format=csv&"+query).OK().Body)
	sheet := readXLSX(t, leader.Get("/api/v1/reports/interval/export?format=xlsx&"+query).OK().Body)
	if want := len(screen.Rows) + 2; len(lines) != want || len(sheet) != want { // a heading and the total
		t.Errorf("%d lines as CSV, %d as XLSX, want %d", len(lines), len(sheet), want)
	}
	seen, next := map[string]bool{}, ""
	for range 100 { // and the list of contacts goes on to its end
		var page struct {
			Items []struct{ ID string }
			Next  string
		}
		leader.Get(fmt.Sprintf("/api/v1/contacts?limit=50&cursor=%s", next)).OK().Into(&page)
		for _, c := range page.Items {
			seen[c.ID] = true
		}
		if next = page.Next; next == "" {
			break
		}
	}
	contacts := map[string]bool{}
	for _, f := range h.facts {
		if f.Kind == "contact.started" {
			contacts[f.Subject] = true
		}
	}
	if len(seen) != len(contacts) || len(seen) <= 50 {
		t.Errorf("the list has %d contacts, there were %d", len(seen), len(contacts))
	}
}
