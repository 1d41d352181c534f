package report

import (
	"bytes"
	"context"
	"encoding/csv"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/reporttest"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Every contact is listed once, newest first, whatever the page's length; filters leave out what they should.
func TestContactsList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db, reporttest.Options{Seed: 4, From: firstDay, Days: 2, Calls: 400, Agents: 3, Queues: 4, Cut: true})
		all := map[id.Contact]ledgerContact{}
		for _, f := range h.facts {
			c := all[id.Contact(f.Subject)]
			switch f.Kind {
			case "contact.started":
				c = ledgerContact{from: bodyOf[event.ContactStarted](t, f).From, day: f.Day, site: id.Site(f.Place)}
			case "contact.queued":
				c.queues += " " + string(bodyOf[event.ContactQueued](t, f).Queue) + " "
			case "contact.answered":
				c.agents += " " + string(bodyOf[event.ContactAnswered](t, f).Agent) + " "
			case "contact.ended":
				c.outcome = string(bodyOf[event.ContactEnded](t, f).Outcome)
			case "contact.lost":
				c.outcome = "failed"
			default:
				continue
			}
			all[id.Contact(f.Subject)] = c
		}
		some := h.facts[0]
		for _, f := range h.facts {
			if f.Kind == "contact.started" && bodyOf[event.ContactStarted](t, f).From != "" {
				some = f
			}
		}
		number := bodyOf[event.ContactStarted](t, some).From
		for _, c := range []struct {
			name string
			f    ContactFilter
			want func(ledgerContact) bool
		}{
			{"all", ContactFilter{}, func(ledgerContact) bool { return true }},
			{"one day", ContactFilter{From: "2026-11-02", To: "2026-11-02"}, func(c ledgerContact) bool { return c.day == "2026-11-02" }},
			{"a number", ContactFilter{Number: number}, func(c ledgerContact) bool { return c.from == number }},
			{"the end of a number", ContactFilter{Number: "*" + number[7:]}, func(c ledgerContact) bool { return strings.HasSuffix(c.from, number[7:]) }},
			{"a queue", ContactFilter{Queue: "vat"}, func(c ledgerContact) bool { return strings.Contains(c.queues, " vat ") }},
			{"an agent", ContactFilter{Agent: "1001"}, func(c ledgerContact) bool { return strings.Contains(c.agents, " 1001 ") }},
			{"abandoned", ContactFilter{Outcome: "abandoned"}, func(c ledgerContact) bool { return c.outcome == "abandoned" }},
			{"open", ContactFilter{Outcome: "open"}, func(c ledgerContact) bool { return c.outcome == "" }},
			{"a site", ContactFilter{Site: "sz"}, func(c ledgerContact) bool { return c.site == "sz" }},
			{"a province", ContactFilter{Site: "gd"}, func(ledgerContact) bool { return true }},
		} {
			want := 0
			for _, x := range all {
				if c.want(x) {
					want++
				}
			}
			seen := map[id.Contact]bool{}
			p := store.Page{Limit: 37}
			last := int64(1) << 62
			for {
				s, err := h.Contacts(t.Context(), c.f, p)
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range s.Rows {
					if x.At > last || seen[x.ID] || !c.want(all[x.ID]) {
						t.Errorf("%s: %+v is out of order, shown twice or out of place", c.name, x)
					}
					last, seen[x.ID] = x.At, true
					if len(x.From) >= 11 && !strings.Contains(x.From, "****") {
						t.Errorf("%s: the number %s is shown", c.name, x.From)
					}
				}
				if p.After = s.Next; s.Next == "" {
					break
				}
			}
			if len(seen) != want || want == 0 {
				t.Errorf("%s: %d contacts, want %d", c.name, len(seen), want)
			}
		}
	})
}

type ledgerContact struct {
	from, day, queues, agents, outcome string
	site                               id.Site
}

// ladder gives a message with the caller's number in it.
type ladder struct{}

func (ladder) Ladder(context.Context, id.Contact) ([]Message, error) {
	return []Message{{At: 1, From: "ct", To: "kapok", Text: "INVITE sip:12366@kapok", Raw: "From: <sip:13900000137@ct>"}}, nil
}

// Over HTTP: rights, sites, masking, detail, reveal with its reason in the audit.
func TestReportAPI(t *testing.T) {
	h := open(t, storetest.SQLite(t), threeDays, func(d *Deps) { d.Ladder = ladder{} })
	c := "01HDETA00000000000000000AA"
	at := h.clock.Now().UnixMilli()
	h.append(t, c, "gz",
		event.ContactStarted{Medium: contact.Phone, Direction: contact.In, From: "013900000137", To: "12366", Number: "12366"},
		event.LegStarted{Leg: "leg-1", Role: "caller", Peer: "013900000137"},
		event.ContactQueued{Queue: "vat", EnteredAt: at, First: true, Caller: "013900000137"},
		event.ContactOffered{Offer: "offer-1", Queue: "vat", Agent: "1001", EnteredAt: at, Trace: map[string]any{"why": "longest idle"}},
		event.ContactAnswered{Offer: "offer-1", Queue: "vat", Agent: "1001", EnteredAt: at, WaitMs: 4000},
		event.RecordingStored{Recording: "rec-1", Ms: 60000, LeftDB: -30, RightDB: -31},
		event.WrapupSaved{Agent: "1001", Topic: "0101", TaxID: "91440101MA5CX0000X", Name: "张三", Question: "开票", Final: true},
	)
	b := webtest.New(t, h.Module)
	b.Tree("gz", "gd")
	b.Tree("sz", "gd")
	if n := b.CheckRoutes(append(h.Rights(), SeeNumber)...); n == 0 {
		t.Error("no routes")
	}
	query := "by=queue&step=day&from=2026-11-02&to=2026-11-04"
	var detail Detail
	b.Run(
		webtest.Scenario{Name: "nobody sees the wall", URL: "/api/v1/wallboard", Status: 401},
		webtest.Scenario{Name: "an agent sees the wall of their site", As: "agent", URL: "/api/v1/wallboard", Status: 200, Want: []string{`"site":"gz"`, `"spark"`}},
		webtest.Scenario{Name: "not that of another", As: "agent", URL: "/api/v1/wallboard?site=sz", Status: 403, Code: "web.right.missing"},
		webtest.Scenario{Name: "the province's leader sees a city's", As: "leader", Opts: []webtest.Option{webtest.At("gd")}, URL: "/api/v1/wallboard?site=sz", Status: 200},
		webtest.Scenario{Name: "an agent sees no reports", As: "agent", URL: "/api/v1/reports/interval?" + query, Status: 403},
		webtest.Scenario{
			Name: "a leader does, a sentence first", As: "leader", URL: "/api/v1/reports/interval?" + query, Status: 200,
			Want: []string{`"sentence":{"code":"report.sentence.`, `"shown"`, `"JTL"`}, Not: []string{`"key":"sz-vat"`},
		},
		webtest.Scenario{Name: "a quality assessor may see but not take away", As: "quality", URL: "/api/v1/reports/interval/export?" + query, Status: 403},
		webtest.Scenario{Name: "figures open their rows", As: "leader", URL: "/api/v1/reports/interval/contacts?" + query + "&slot=2026-11-02&key=vat&measure=abandoned", Status: 200, Want: []string{`"how":"abandoned"`}},
		webtest.Scenario{Name: "a measure that is none", As: "leader", URL: "/api/v1/reports/interval/contacts?" + query + "&key=vat&measure=luck", Status: 422, Code: "report.measure.unknown"},
		webtest.Scenario{Name: "the dictionary", As: "leader", URL: "/api/v1/reports/measures", Status: 200, Want: []string{`"id":"JTLU"`, "来电人接通率", "Caller answer rate"}},
		webtest.Scenario{Name: "an agent sees no list of contacts", As: "agent", URL: "/api/v1/contacts", Status: 403},
		webtest.Scenario{Name: "a leader finds a contact by its number, masked", As: "leader", URL: "/api/v1/contacts?number=013900000137", Status: 200, Want: []string{c, "139****0137"}, Not: []string{"013900000137"}},
		webtest.Scenario{Name: "a contact of another site", As: "leader", Opts: []webtest.Option{webtest.At("sz")}, URL: "/api/v1/contacts/" + c, Status: 403},
		webtest.Scenario{Name: "a contact that is none", As: "leader", URL: "/api/v1/contacts/01NONE", Status: 404, Code: "report.contact.unknown"},
		webtest.Scenario{
			Name: "the whole contact, nothing of the person in clear", As: "leader", URL: "/api/v1/contacts/" + c, Status: 200,
			Not: []string{"13900000137", "张三", "91440101MA5CX0000X"}, Want: []string{"longest idle", "rec-1", "INVITE"},
			Check: func(a *webtest.Answer) { a.Into(&detail) },
		},
		webtest.Scenario{Name: "the number needs a reason", As: "leader", Method: "POST", URL: "/api/v1/contacts/" + c + "/number", Body: map[string]string{"reason": ""}, Status: 422},
		webtest.Scenario{Name: "and the right", As: "quality", Method: "POST", URL: "/api/v1/contacts/" + c + "/number", Body: map[string]string{"reason": "回拨"}, Status: 403},
		webtest.Scenario{Name: "with both it is shown", As: "leader", Method: "POST", URL: "/api/v1/contacts/" + c + "/number", Body: map[string]string{"reason": "回拨核实"}, Status: 200, Want: []string{"013900000137"}},
	)
	audit := b.Audit()
	if n := len(audit); n == 0 || audit[n-1].Detail["reason"] != "回拨核实" || audit[n-1].Subject["id"] != c {
		t.Errorf("the look is not in the audit with its reason: %+v", audit)
	}
	if len(detail.Legs) != 1 || len(detail.Offers) != 1 || detail.Offers[0].Result != "answered" || len(detail.Recordings) != 1 ||
		detail.Wrapup == nil || detail.Wrapup.Question != "开票" || len(detail.Facts) != 7 || len(detail.Visits) != 1 {
		t.Errorf("the detail lacks something: %+v", detail)
	}
}

// What is exported equals what the API shows, to the digit; the file itself is golden.
func TestExportEqualsScreen(t *testing.T) {
	h := open(t, storetest.SQLite(t), threeDays)
	b := webtest.New(t, h.Module)
	leader := b.As("leader", webtest.At("gd"), webtest.With(ExportReport))
	for _, c := range []struct{ name, query string }{
		{"queues-days", "by=queue&step=day&from=2026-11-02&to=2026-11-04"},
		{"agents-month", "by=agent&step=month&from=2026-11-01&to=2026-11-30"},
		{"all-halfhours", "by=all&step=30&from=2026-11-02&to=2026-11-02"},
	} {
		var screen Interval
		leader.Get("/api/v1/reports/interval?" + c.query).OK().Into(&screen)
		lines := readCSV(t, leader.Get("/api/v1/reports/interval/export?format=csv&"+c.query).OK().Body)
		golden(t, c.name+".csv", lines)
		sheet := readXLSX(t, leader.Get("/api/v1/reports/interval/export?format=xlsx&"+c.query).OK().Body)
		if d := cmp.Diff(lines, sheet); d != "" {
			t.Errorf("%s: CSV and XLSX differ (-csv +xlsx):\n%s", c.name, d)
		}
		if len(lines) != len(screen.Rows)+2 {
			t.Fatalf("%s: %d lines for %d rows", c.name, len(lines), len(screen.Rows))
		}
		for i, line := range lines[1:] {
			r := screen.Totals
			if i < len(screen.Rows) {
				r = screen.Rows[i]
			}
			for k, id := range screen.Columns {
				if line[leads+k] != r.Shown[id] {
					t.Errorf("%s line %d: %s is %q in the file and %q on the screen", c.name, i, id, line[leads+k], r.Shown[id])
				}
			}
		}
	}
}

func readCSV(t *testing.T, raw []byte) [][]string {
	t.Helper()
	if !bytes.HasPrefix(raw, []byte("\xEF\xBB\xBF")) {
		t.Error("the CSV has no byte order mark")
	}
	lines, err := csv.NewReader(bytes.NewReader(raw[3:])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// readXLSX gives the cells as a spreadsheet shows them.
func readXLSX(t *testing.T, raw []byte) [][]string {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		for len(rows[i]) < len(rows[0]) {
			rows[i] = append(rows[i], "")
		}
	}
	return rows
}

func golden(t *testing.T, name string, lines [][]string) {
	t.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(lines); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", url.PathEscape(name))
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("%s (-golden +now):\n%s", name, d)
	}
}

func TestHarmlessNames(t *testing.T) {
	for _, c := range []struct{ in, want string }{{"=1+1", "'=1+1"}, {"@x", "'@x"}, {"增值税", "增值税"}, {"", ""}} {
		if got := harmless(c.in); got != c.want {
			t.Errorf("harmless(%q) = %q", c.in, got)
		}
	}
}
