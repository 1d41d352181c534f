package report

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/reporttest"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web"
)

// The figures on the wall equal the report of the same interval, and its gauges a plain look at the facts: with
// calls waiting, talking and open, after a restart as before it.
func TestRowG1WallboardEqualsReport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db, reporttest.Options{Seed: 12, From: firstDay, Days: 2, Calls: 1500, Agents: 6, Queues: 4, Cut: true})
		if err := h.live.load(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, site := range []id.Site{"", "gz", "sz"} {
			w, err := h.Wallboard(t.Context(), site)
			if err != nil {
				t.Fatal(err)
			}
			all := h.table(t, Query{By: ByAll, Step: Day, From: "2026-11-03", To: "2026-11-03", Site: site})
			for id, got := range map[string]*float64{"JTL": w.RateToday, "JTL2": w.TotalToday, "JTLU": w.CallerToday} {
				if want := h.figure(id, &all.Total); diff(got, want) != "" {
					t.Errorf("%q: %s on the wall and in the report: %s", site, id, diff(got, want))
				}
			}
			queues := h.table(t, Query{By: ByQueue, Step: Day, From: "2026-11-03", To: "2026-11-03", Site: site})
			if len(queues.Rows) == 0 || len(queues.Rows) > len(w.Queues) {
				t.Fatalf("%q: %d queues in the report, %d on the wall", site, len(queues.Rows), len(w.Queues))
			}
			for _, q := range w.Queues {
				for i := range queues.Rows {
					if r := &queues.Rows[i]; r.Key == string(q.Code) && (q.Entered != r.Counts[tally.Entered] ||
						q.Answered != r.Counts[tally.Answered] || q.Abandoned != r.Counts[tally.Abandoned] || diff(q.Rate, h.figure("JTL", r)) != "") {
						t.Errorf("%q: queue %s on the wall %+v, in the report %v", site, q.Code, q, r.Counts)
					}
				}
			}
			checkGauges(t, h, w, site)
		}
	})
}

func diff(a, b *float64) string { return cmp.Diff(a, b) }

// checkGauges compares with a look at the facts that has none of the code under test.
func checkGauges(t *testing.T, h *house, w *Wallboard, site id.Site) {
	t.Helper()
	type stay struct {
		at   int64
		left bool
		won  bool
	}
	stays, states := map[string]*stay{}, map[string]string{}
	for _, f := range h.facts {
		if site != "" && f.Place != string(site) {
			continue
		}
		switch f.Kind {
		case "contact.queued":
			b := bodyOf[event.ContactQueued](t, f)
			stays[f.Subject+string(b.Queue)] = &stay{at: b.EnteredAt}
		case "contact.answered":
			s := stays[f.Subject+string(bodyOf[event.ContactAnswered](t, f).Queue)]
			s.left, s.won = true, true
		case "contact.abandoned":
			stays[f.Subject+string(bodyOf[event.ContactAbandoned](t, f).Queue)].left = true
		case "contact.exited":
			stays[f.Subject+string(bodyOf[event.ContactExited](t, f).Queue)].left = true
		case "agent.changed":
			states[f.Subject] = string(bodyOf[event.AgentChanged](t, f).State)
		}
	}
	waiting, oldest, came, won := 0, int64(0), int64(0), int64(0)
	for _, s := range stays {
		if !s.left {
			waiting++
			if oldest == 0 || s.at < oldest {
				oldest = s.at
			}
		}
		if s.left && s.at > w.At-30*60*1000 { // who still waits is in no rate yet
			came++
			if s.won {
				won++
			}
		}
	}
	if waiting != w.Waiting || oldest != 0 && (w.LongestSince == nil || *w.LongestSince != oldest || w.LongestMs != w.At-oldest) {
		t.Errorf("%q: %d wait, the oldest since %d; the wall says %d, %v", site, waiting, oldest, w.Waiting, w.LongestSince)
	}
	if site == "" && waiting == 0 {
		t.Error("nobody waits: the history proves nothing")
	}
	if want := rate(won, came); diff(w.RateNow, want) != "" {
		t.Errorf("%q: rate now: %s", site, diff(w.RateNow, want))
	}
	for agent, state := range states {
		shown := "signed_out"
		for _, a := range w.Agents {
			if string(a.Code) == agent {
				shown = string(a.State)
			}
		}
		if shown != state {
			t.Errorf("%q: agent %s is %s, the wall says %s", site, agent, state, shown)
		}
	}
}

// The live state followed fact by fact is the one rebuilt from the tables.
func TestLiveStateIsTheSameAfterARestart(t *testing.T) {
	h := open(t, storetest.SQLite(t), reporttest.Options{Seed: 3, From: firstDay, Days: 1, Calls: 1500, Agents: 5, Queues: 4, Cut: true})
	followed := newLive(h.Module)
	for _, f := range h.facts {
		followed.take(f)
	}
	followed.prune(h.clock.Now())
	if err := h.live.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, b := followed.look(nil), h.live.look(nil)
	if d := cmp.Diff(byTime(a.waiting), byTime(b.waiting)); d != "" {
		t.Errorf("waiting (-followed +rebuilt): %s", d)
	}
	if d := cmp.Diff(tally.Spark(a.visits, a.now), tally.Spark(b.visits, b.now)); d != "" {
		t.Errorf("sparks (-followed +rebuilt): %s", d)
	}
	if d := cmp.Diff(a.serving, b.serving); d != "" {
		t.Errorf("serving (-followed +rebuilt): %s", d)
	}
	if len(a.agents) != len(b.agents) {
		t.Errorf("%d agents followed, %d rebuilt", len(a.agents), len(b.agents))
	}
}

func byTime(stays []tally.Stay) map[int64]tally.Stay {
	out := map[int64]tally.Stay{}
	for _, s := range stays {
		out[s.Entered] = s
	}
	return out
}

// hub takes what is published.
type hub struct {
	mu   sync.Mutex
	sent []Wallboard
	to   []web.Audience
	news chan struct{}
}

func (h *hub) Publish(topic string, to web.Audience, data any) error {
	raw, err := json.Marshal(data)
	var w Wallboard
	if err == nil {
		err = json.Unmarshal(raw, &w)
	}
	h.mu.Lock()
	h.sent, h.to = append(h.sent, w), append(h.to, to)
	h.mu.Unlock()
	select {
	case h.news <- struct{}{}:
	default:
	}
	_ = topic
	return err
}

func (h *hub) Heard(topic string) bool { return topic == wallTopic }

func (h *hub) last(site id.Site) (Wallboard, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := len(h.sent) - 1; i >= 0; i-- {
		if h.sent[i].Site == site {
			return h.sent[i], h.to[i].Right == SeeWall && h.to[i].Site == site
		}
	}
	return Wallboard{}, false
}

// A caller who enters a queue is at once on every wall that shows it and on no other, and gone from it on leaving;
// a wall where nothing happens still gets pictures. (Pictures go out every second: the log says how fresh.)
func TestRowG1FreshWithinTwoSeconds(t *testing.T) {
	db := storetest.SQLite(t)
	migrated(t, db)
	l := ledgertest.Open(t, ledger.Config{DB: db, Node: "node-1"})
	to := &hub{news: make(chan struct{}, 1)}
	m := New(Deps{Ledger: l, Hub: to, Sites: tree{}})
	if err := l.Register(t.Context(), m.Folds()...); err != nil {
		t.Fatal(err)
	}
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Start(ctx) }()
	<-m.Ready()
	put := func(subject string, body event.Body) {
		t.Helper()
		if err := l.Append(ctx, ledger.Fact{Kind: body.Kind(), Subject: subject, Place: "gz", Body: ledger.Body(body)}); err != nil {
			t.Fatal(err)
		}
	}
	until := func(what string, ok func() bool) {
		t.Helper()
		begun := time.Now()
		defer func() { t.Logf("%s after %v", what, time.Since(begun)) }()
		for !ok() {
			if time.Since(begun) > 20*time.Second { // a loaded machine; the log says how long it took
				t.Errorf("not %s", what)
				return
			}
			select {
			case <-to.news:
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	now := clock.System().Now().UnixMilli()
	put("c1", event.ContactStarted{Medium: contact.Phone, Direction: contact.In, From: "013900000137", Number: "12366"})
	put("c1", event.ContactQueued{Queue: "vat", EnteredAt: now, First: true, Caller: "013900000137"})
	until("waiting at gz and above", func() bool {
		gz, ok := to.last("gz")
		gd, ok2 := to.last("gd")
		return ok && ok2 && gz.Waiting == 1 && gd.Waiting == 1
	})
	put("c1", event.ContactAnswered{Queue: "vat", Agent: "1001", EnteredAt: now, WaitMs: 300})
	until("answered", func() bool {
		gz, _ := to.last("gz")
		return gz.Waiting == 0 && gz.RateToday != nil && *gz.RateToday == 1 && gz.RateNow != nil && *gz.RateNow == 1
	})
	if _, shown := to.last("sz"); shown {
		t.Error("sz, where nothing is, was shown")
	}
	first, _ := to.last("gz")
	until("a picture of the idle house", func() bool { // the heartbeat
		w, _ := to.last("gz")
		return w.At > first.At
	})
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Start: %v", err)
	}
}
