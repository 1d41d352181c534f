package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/xuri/excelize/v2"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/reporttest"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// lived is a contact as its facts tell it.
type lived struct {
	number   string
	out      bool
	at, left int64
	day      string
	site     string
	queue    string
	wait     int64
	gaveUp   bool
	met      bool
}

// recountGiveUps follows everybody who gave up through all facts, each against each, with none of the code under test.
func recountGiveUps(t *testing.T, facts []ledger.Fact, by func(lived) string, zone *time.Location) map[string]GiveUpLine {
	t.Helper()
	of := map[string]*lived{}
	for _, f := range facts {
		if of[f.Subject] == nil && f.Kind == "contact.started" {
			b := bodyOf[event.ContactStarted](t, f)
			of[f.Subject] = &lived{number: b.From, out: b.Direction == contact.Out, at: f.At}
		}
		l := of[f.Subject]
		switch f.Kind {
		case "contact.queued":
			b := bodyOf[event.ContactQueued](t, f)
			l.day, _ = clock.Local(b.EnteredAt, zone)
			l.site, l.queue = f.Place, string(b.Queue)
		case "contact.abandoned":
			l.gaveUp, l.left, l.wait = true, f.At, bodyOf[event.ContactAbandoned](t, f).WaitMs
		case "contact.answered":
			l.met = true
		case "contact.ended":
			if l.out && bodyOf[event.ContactEnded](t, f).Outcome == contact.Answered {
				l.met = true
			}
		}
	}
	var all []*lived
	for _, l := range of {
		all = append(all, l)
	}
	sort.Slice(all, func(i, k int) bool { return all[i].at < all[k].at })
	out, waits := map[string]GiveUpLine{}, map[string][]int64{}
	for _, l := range all {
		if !l.gaveUp || l.met || l.out {
			continue
		}
		key := by(*l)
		line := out[key]
		if line.Waits == nil {
			line = GiveUpLine{Key: key, Waits: make([]int64, 9)}
		}
		line.GaveUp++
		waits[key] = append(waits[key], l.wait)
		class := 0
		for _, s := range []int64{5, 10, 20, 30, 60, 120, 180, 300} {
			if l.wait > s*1000 {
				class++
			}
		}
		line.Waits[class]++
		followGiveUp(&line, l, all, zone)
		out[key] = line
	}
	for key, line := range out {
		w := waits[key]
		sort.Slice(w, func(i, k int) bool { return w[i] < w[k] })
		var sum int64
		for _, ms := range w {
			sum += ms
		}
		line.WaitMs, line.MedianMs, line.LongestMs = sum/int64(len(w)), w[(len(w)-1)/2], w[len(w)-1]
		out[key] = line
	}
	return out
}

func followGiveUp(line *GiveUpLine, l *lived, all []*lived, zone *time.Location) {
	if l.number == "" {
		line.Unknown++
		return
	}
	back, met := int64(-1), ""
	for _, o := range all { // by start
		if o.number != l.number || o.at < l.left || o.at > l.left+7*24*3600_000 {
			continue
		}
		if !o.out && back < 0 {
			back = o.at
		}
		if o.met && met == "" {
			met = "came"
			if o.out {
				met = "called"
			}
		}
	}
	today, _ := clock.Local(l.left, zone)
	then, _ := clock.Local(back, zone)
	switch {
	case back < 0:
		line.BackNo++
	case back-l.left <= 30*60_000:
		line.BackSoon++
	case then == today:
		line.BackDay++
	default:
		line.BackWeek++
	}
	switch met {
	case "came":
		line.MetCame++
	case "called":
		line.MetCalled++
	default:
		line.MetNo++
	}
}

var giveUpSame = cmp.Options{cmpopts.IgnoreUnexported(GiveUpLine{}), cmpopts.IgnoreFields(GiveUpLine{}, "Name", "Young")}

// Row H4: the figures by queue, site, day and in all are those of a plain recount of the contacts' facts, and the rows of
// every grouping add up to the total; the lists hold as many contacts as the figures say.
func TestRowH4GiveUpsAreTheContacts(t *testing.T) {
	zone, err := clock.Zone("")
	if err != nil {
		t.Fatal(err)
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db, reporttest.Options{Seed: 44, From: firstDay, Days: 9, Calls: 130, Agents: 3, Queues: 4})
		callBackSome(t, h)
		from, to := "2026-11-02", "2026-11-30"
		facts, err := h.ledger.Since(t.Context(), 0, 1_000_000)
		if err != nil {
			t.Fatal(err)
		}
		var came, met int64
		for name, by := range map[string]func(lived) string{
			"queue": func(l lived) string { return l.queue }, "site": func(l lived) string { return l.site }, "day": func(l lived) string { return l.day },
			"all": func(lived) string { return "" },
		} {
			r, err := h.GiveUps(t.Context(), name, GiveUpQuery{From: from, To: to})
			if err != nil {
				t.Fatal(err)
			}
			want := recountGiveUps(t, facts, by, zone)
			if name == "all" {
				r.Rows = []GiveUpLine{r.Total}
			}
			got := map[string]GiveUpLine{}
			var sum GiveUpLine
			for _, l := range r.Rows {
				got[l.Key] = l
				sum.GaveUp += l.GaveUp
				if l.BackSoon+l.BackDay+l.BackWeek+l.BackNo+l.Unknown != l.GaveUp || l.MetCame+l.MetCalled+l.MetNo+l.Unknown != l.GaveUp {
					t.Errorf("%s %s: the parts do not add up: %+v", name, l.Key, l)
				}
			}
			if d := cmp.Diff(want, got, giveUpSame); d != "" {
				t.Errorf("by %s (-recount +report):\n%s", name, d)
			}
			if sum.GaveUp != r.Total.GaveUp {
				t.Errorf("by %s the rows add up to %d, the total is %d", name, sum.GaveUp, r.Total.GaveUp)
			}
			came, met = r.Total.BackSoon, r.Total.MetCalled
		}
		if came == 0 || met == 0 {
			t.Errorf("the history is too tame: %d came back soon, %d were called", came, met)
		}
		lists(t, h, GiveUpQuery{From: from, To: to})
	})
}

// callBackSome has some of those who gave up called by the house, and reached or not.
func callBackSome(t *testing.T, h *house) {
	t.Helper()
	n := 0
	for _, f := range h.facts {
		if f.Kind != "contact.abandoned" {
			continue
		}
		if n++; n%3 != 0 {
			continue
		}
		var number string
		for _, o := range h.facts {
			if o.Subject == f.Subject && o.Kind == "contact.started" {
				number = bodyOf[event.ContactStarted](t, o).From
			}
		}
		out, c, at := contact.Answered, fmt.Sprintf("OUT%d", n), f.At+int64(n)*60_000
		if n%2 == 0 {
			out = contact.Unreached
		}
		h.appendAt(t, at, c, id.Site(f.Place), event.ContactStarted{Medium: contact.Phone, Direction: contact.Out, From: number, To: number})
		h.appendAt(t, at+50_000, c, id.Site(f.Place), event.ContactEnded{Outcome: out, Ms: 50_000})
	}
}

func lists(t *testing.T, h *house, q GiveUpQuery) {
	t.Helper()
	all, err := h.giveUps(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.GiveUps(t.Context(), "all", q)
	if err != nil {
		t.Fatal(err)
	}
	l := newGiveUpLine("")
	for i := range all {
		l.take(&all[i], h.clock.Now().UnixMilli())
		if all[i].number == "" != (all[i].Back == BackUnknown) {
			t.Errorf("%+v", all[i])
		}
	}
	l.finish()
	if d := cmp.Diff(r.Total, l, giveUpSame); d != "" {
		t.Errorf("the list and the figures (-figures +list):\n%s", d)
	}
	if r.Total.Young > r.Total.MetNo {
		t.Errorf("%d young of %d", r.Total.Young, r.Total.MetNo)
	}
}

// Row H4: the exports hold what the screen shows.
func TestRowH4Exports(t *testing.T) {
	h := open(t, storetest.SQLite(t), reporttest.Options{Seed: 44, From: firstDay, Days: 2, Calls: 120, Agents: 2, Queues: 4})
	q := GiveUpQuery{From: "2026-11-02", To: "2026-11-30"}
	r, err := h.GiveUps(t.Context(), "queue", q)
	if err != nil {
		t.Fatal(err)
	}
	f, err := h.exportGiveUps(t.Context(), "queue", q, r, "csv")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(f.Body), "\uFEFF"))).ReadAll()
	if err != nil || len(rows) != len(r.Rows)+2 || len(rows[0]) != 2+13+9 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if got := rows[1][2]; got != fmt.Sprint(r.Rows[0].GaveUp) || rows[len(rows)-1][2] != fmt.Sprint(r.Total.GaveUp) {
		t.Errorf("csv: %v", rows)
	}
	f, err = h.exportGiveUps(t.Context(), "queue", q, r, "xlsx")
	if err != nil {
		t.Fatal(err)
	}
	x, err := excelize.OpenReader(bytes.NewReader(f.Body))
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if got, _ := x.GetCellValue("Sheet1", "C2"); got != fmt.Sprint(r.Rows[0].GaveUp) {
		t.Errorf("xlsx: %s", got)
	}
	if _, err := h.GiveUps(t.Context(), "queue", GiveUpQuery{From: "2026-01-01", To: "2026-12-31"}); err == nil {
		t.Error("a year was counted at once")
	}
}
