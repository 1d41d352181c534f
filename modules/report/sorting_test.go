package report

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/reporttest"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// Row A6: moved ÷ screened. A contact counts once, on the day it was sorted, however often it is moved, also past
// midnight; who stayed in the line's own queue was not sorted wrongly.
func TestRowA6MovedOfScreened(t *testing.T) {
	h := open(t, storetest.SQLite(t), reporttest.Options{From: firstDay})
	const day = 24 * 3600 * 1000
	start := h.clock.Now().UnixMilli() + 5*day
	from, _ := clock.AddDays(h.today(), 5)
	to, _ := clock.AddDays(h.today(), 6)
	next, _ := clock.AddDays(h.today(), 7)
	screened := func(at int64, c, as string, queue id.Queue) {
		h.appendAt(t, at, c, "gz", event.ContactScreened{Line: "etax", Queue: queue, As: as})
	}
	moved := func(at int64, c string, line id.Queue) {
		h.appendAt(t, at, c, "gz", event.ContactMoved{Agent: "a1", Line: line, To: "x"})
	}
	screened(start, "c1", "fault", "etax-fault")
	screened(start+1, "c2", "fault", "etax-fault")
	screened(start+2, "c3", "policy", "etax-policy")
	screened(start+3, "c4", "operation", "etax") // not sure
	moved(start+10, "c1", "etax")
	moved(start+20, "c1", "etax")
	moved(start+30, "c4", "etax")
	moved(start+40, "c5", "etax") // was never screened
	moved(start+50, "c2", "other")
	screened(start+day, "c6", "fault", "etax-fault")
	moved(start+2*day, "c6", "etax")
	screened(start+2*day, "c7", "fault", "etax-fault") // past the span
	s, err := h.sorting(t.Context(), "as", from, to, "gd")
	if err != nil || len(s.Rows) != 3 {
		t.Fatalf("%+v, %v", s, err)
	}
	none, faults, policy := s.Rows[0], s.Rows[1], s.Rows[2]
	if none.Key != "" || none.Unsure != 1 || none.Moved != 1 || none.Right != nil {
		t.Errorf("unsure %+v", none)
	}
	if faults.Screened != 3 || faults.Moved != 2 || *faults.Rate != 0.667 || *faults.Right != 0.333 || policy.Moved != 0 || *policy.Right != 1 {
		t.Errorf("faults %+v, policy %+v", faults, policy)
	}
	if s.Total.Screened != 5 || s.Total.Moved != 3 || *s.Total.Rate != 0.6 || *s.Total.Right != 0.5 {
		t.Errorf("all %+v", s.Total)
	}
	if d, err := h.sorting(t.Context(), "day", from, next, "gd"); err != nil || len(d.Rows) != 3 || d.Rows[2].Screened != 1 {
		t.Errorf("by day %+v, %v", d, err)
	}
	if d, err := h.sorting(t.Context(), "line", from, to, "sz"); err != nil || len(d.Rows) != 0 || d.Total.Rate != nil {
		t.Errorf("another site %+v, %v", d, err)
	}
}

// Seats, satisfaction and screening go to files as the screen shows them: a name is no formula, numbers stay numbers.
func TestSheets(t *testing.T) {
	rate := 0.625
	s := &sheet{
		name: "kapok-x", head: []string{"a", "b", "c", "d", "e", "f"},
		rows: [][]sheetCell{
			{textCell("=cmd()"), countCell(12), numberCell(cellRate, &rate), timeCell(3_725_400), numberCell(cellFixed, &rate), numberCell(cellFixed, nil)},
			{textCell("广州"), countCell(0), numberCell(cellRate, nil), timeCell(59_600), numberCell(cellFixed, &rate), numberCell(cellFixed, nil)},
		},
	}
	out, err := s.file("csv")
	if err != nil || !strings.Contains(out.Disposition, `"kapok-x.csv"`) {
		t.Fatal(out, err)
	}
	lines, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(out.Body, []byte("\uFEFF")))).ReadAll()
	if err != nil || strings.Join(lines[1], "|") != "'=cmd()|12|62.5%|1:02:05|0.62|–" || strings.Join(lines[2][:4], "|") != "广州|0|–|1:00" {
		t.Errorf("%q, %v", lines, err)
	}
	if out, err = s.file("xlsx"); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(bytes.NewReader(out.Body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = book.Close() }()
	for at, want := range map[string]string{"A1": "a", "A2": "=cmd()", "B2": "12", "C2": "62.5%", "D2": "1:02:05", "F2": "–", "A3": "广州", "D3": "1:00"} {
		if v, err := book.GetCellValue("Sheet1", at); err != nil || v != want {
			t.Errorf("%s is %q, %v, want %q", at, v, err, want)
		}
	}
	if f, err := book.GetCellFormula("Sheet1", "A2"); err != nil || f != "" {
		t.Errorf("a name became the formula %q, %v", f, err)
	}
	if _, err := s.file("pdf"); err == nil {
		t.Error("an unknown form was written")
	}
}

// The routes give what the screen has, to those who may take figures away.
func TestSheetRoutes(t *testing.T) {
	h := open(t, storetest.SQLite(t), reporttest.Options{Seed: 5, From: firstDay, Days: 2, Calls: 60, Agents: 6, Queues: 3})
	from, to := h.facts[0].Day, h.facts[len(h.facts)-1].Day
	r, err := h.seatReport(t.Context(), "agent", from, to, "gd")
	if err != nil {
		t.Fatal(err)
	}
	in := &seatsFileIn{SheetQuery: SheetQuery{From: from, To: to, Format: "csv"}, By: "agent"}
	out, err := h.getSeatsFile(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(out.Body, []byte("\uFEFF")))).ReadAll()
	if err != nil || len(lines) != len(r.Rows)+2 || lines[1][1] != r.Rows[0].Key {
		t.Errorf("%d lines for %d rows: %v, %v", len(lines), len(r.Rows), lines[:2], err)
	}
	for _, f := range []string{"csv", "xlsx"} {
		if _, err := h.getSatisfactionFile(t.Context(), &satisfactionFileIn{SheetQuery: SheetQuery{From: from, To: to, Format: f}, By: "queue"}); err != nil {
			t.Error(err)
		}
		if _, err := h.getSortingFile(t.Context(), &sortingFileIn{SheetQuery: SheetQuery{From: from, To: to, Format: f}, By: "line"}); err != nil {
			t.Error(err)
		}
	}
}
