package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"))
}

// house is the module with a clock by hand, figures the test sets, and steps that note what is asked of them.
type house struct {
	*Module
	t     *testing.T
	clock *clock.Manual

	mu    sync.Mutex
	state State
	facts []string
	deeds []string
	fails string // this deed fails
}

var began = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

func (h *house) Look(context.Context, id.Site) (State, map[id.Queue]State, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state, map[id.Queue]State{"vat": h.state}, nil
}

func (h *house) Keep(_ *store.Tx, at time.Time, place id.Site, _, actor string, b event.Body) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := fmt.Sprintf("%g %s", at.Sub(began).Seconds(), b.Kind())
	switch b := b.(type) {
	case event.AlertRaised:
		s += fmt.Sprintf(" %s %g", b.Rule, b.Value)
	case event.AlertCleared:
		s += fmt.Sprintf(" %s %d", b.Rule, b.Ms)
	case event.SurgeStepped:
		s += fmt.Sprintf(" %d %s %v", b.Step, b.What, b.Undone)
	}
	h.facts = append(h.facts, s)
	return nil
}

type step struct {
	h    *house
	kind Kind
}

func (s step) Do(_ context.Context, d Doing, again bool) error {
	return s.h.deed(fmt.Sprintf("do %s again=%v", s.kind, again), d)
}

func (s step) Undo(_ context.Context, d Doing) error { return s.h.deed("undo "+string(s.kind), d) }

func (h *house) deed(what string, d Doing) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fails != "" && strings.HasPrefix(what, h.fails) {
		return errors.New("it does not go")
	}
	if d.Key == "" || d.Why != "人太多" {
		h.t.Errorf("%s is told %+v", what, d)
	}
	h.deeds = append(h.deeds, what)
	return nil
}

func (h *house) set(s State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state = s
}

func newHouse(t *testing.T, db *store.DB, at *clock.Manual) *house {
	t.Helper()
	h := &house{t: t, clock: at}
	h.Module = New(Deps{
		DB: db, Clock: at, Facts: h, Figures: h, Log: slog.New(slog.DiscardHandler),
		Steps:  map[Kind]Step{Recall: step{h, Recall}, Notice: step{h, Notice}},
		Within: func(site, root id.Site) bool { return site == root },
	})
	must(t, db.Migrate(t.Context(), "alert", h.Migrations()))
	return h
}

// run starts the module; the result stops it, as a restart does.
func (h *house) run() (stop func()) {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Start(ctx) }()
	<-h.Ready()
	h.settle()
	return func() {
		cancel()
		must(h.t, <-done)
	}
}

// settle waits until the watch sleeps.
func (h *house) settle() {
	h.t.Helper()
	for range 2000 {
		if h.clock.Waiting() > 0 && len(h.wake) == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	h.t.Fatal("the watch never rests")
}

// pass lets time go by in looks.
func (h *house) pass(d time.Duration) {
	h.t.Helper()
	for ; d > 0; d -= every {
		h.settle()
		h.clock.Advance(every)
		time.Sleep(2 * time.Millisecond) // the watch takes its turn
		h.settle()
	}
}

func (h *house) said() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.facts
	h.facts = nil
	return out
}

func (h *house) did() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.deeds
	h.deeds = nil
	return out
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Hysteresis: an alert comes only after the figure has been beyond for long enough, and goes only once it has been
// within the other limit for long enough; in between nothing flutters.
func TestHysteresis(t *testing.T) {
	rate := Rule{Code: "r", Figure: Rate, Raise: 0.8, ForS: 10, Clear: 0.9, CalmS: 10}
	wait := Rule{Code: "w", Figure: Longest, Raise: 60, ForS: 10, Clear: 30, CalmS: 10}
	for _, x := range []struct {
		name   string
		rule   Rule
		values []float64 // each 5 s; negative: not known
		want   string    // r raised, c cleared, . nothing
	}{
		{"too short", wait, []float64{70, 70, 50, 70, 70}, "....."},
		{"long enough", wait, []float64{70, 70, 70}, "..r"},
		{"between the limits it stays", wait, []float64{70, 70, 70, 50, 40, 31, 50}, "..r...."},
		{"calm too short", wait, []float64{70, 70, 70, 20, 20, 40, 20}, "..r...."},
		{"calm long enough, and again", wait, []float64{70, 70, 70, 20, 20, 20, 70, 70, 70}, "..r..c..r"},
		{"swinging about the limit", wait, []float64{61, 59, 61, 59, 61, 59, 61}, "......."},
		{"a rate that falls", rate, []float64{0.7, 0.7, 0.7, 0.85, 0.85, 0.85, 0.95, 0.95, 0.95}, "..r.....c"},
		{"nobody came: nothing is raised", rate, []float64{-1, -1, -1, 0.7, -1, 0.7, 0.7}, "......."},
		{"nobody comes any more: it goes", rate, []float64{0.7, 0.7, 0.7, -1, -1, -1}, "..r..c"},
	} {
		w, got := watched{}, ""
		for i, v := range x.values {
			raise, clear := w.step(&x.rule, v, v >= 0, int64(i)*5000+1)
			switch {
			case raise:
				w.open = "a"
				got += "r"
			case clear:
				w.open = ""
				got += "c"
			default:
				got += "."
			}
		}
		if got != x.want {
			t.Errorf("%s: %s, want %s", x.name, got, x.want)
		}
	}
}

// G4, the alerts: raised and cleared once each in the ledger, over a restart too, pushed to the leaders of the site,
// kept until somebody has taken care of them.
func TestRowG4(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		at := clock.NewManual(began)
		h := newHouse(t, db, at)
		must(t, ruleTable.Put(t.Context(), db, "q", Rule{Code: "q", Name: "排队", Site: "gz", Queue: "vat", Figure: Waiting, Raise: 10, ForS: 10, Clear: 5, CalmS: 10, Plan: "peak"}))
		must(t, ruleTable.Put(t.Context(), db, "s", Rule{Code: "s", Name: "无人", Site: "gz", Figure: Staffed, Raise: 1, ForS: 5, Clear: 1, CalmS: 5}))
		must(t, planTable.Put(t.Context(), db, "peak", Plan{Code: "peak", Name: "高峰", Site: "gz", Steps: []PlanStep{{Kind: Recall}}}))
		h.set(State{Staffed: 3})
		b := webtest.New(t, h.Module)
		h.deps.Hub = b.Server.Hub()
		leader, other := b.As("leader", webtest.At("gz"), webtest.User("2001")), b.As("leader", webtest.At("sz"), webtest.User("2002"))
		stop := h.run()
		heard := leader.Socket("alerts")
		h.pass(10 * time.Second)
		h.set(State{Waiting: 12, Staffed: 3})
		h.pass(15 * time.Second)
		if d := cmp.Diff([]string{"25 alert.raised q 12"}, h.said()); d != "" {
			t.Errorf("the ledger (-want +got):\n%s", d)
		}
		if m := heard.Next(); m.Topic != "alerts" || !strings.Contains(string(m.Data), `"raised"`) {
			t.Errorf("the leader's page heard %s %s", m.Topic, m.Data)
		}
		var board struct {
			Open  []View
			Past  []View
			Plans []SurgeView
		}
		leader.Get("/api/v1/alerts").OK().Into(&board)
		if len(board.Open) != 1 || board.Open[0].Value != 12 || board.Open[0].Limit != 10 || board.Open[0].Plan != "peak" || len(board.Plans) != 1 {
			t.Errorf("the page shows %+v", board)
		}
		first := board.Open[0].ID
		other.Post("/api/v1/alerts/"+first+"/handled", nil).Fails(404, "alert.alert.none")
		leader.Post("/api/v1/alerts/"+first+"/handled", nil).OK()
		other.Get("/api/v1/alerts").OK().Into(&board)
		if len(board.Open)+len(board.Plans) != 0 {
			t.Errorf("a leader elsewhere sees %+v", board)
		}
		stop()

		h2 := newHouse(t, db, at) // the same table: what stands is known, and not raised again
		h2.set(State{Waiting: 12, Staffed: 0})
		stop = h2.run()
		h2.pass(10 * time.Second)
		h2.set(State{Waiting: 4, Staffed: 2})
		h2.pass(15 * time.Second)
		got := strings.Join(h2.said(), "\n")
		for _, want := range []string{"alert.raised s 0", "alert.cleared q", "alert.cleared s"} {
			if strings.Count(got, want) != 1 {
				t.Errorf("%q is not there once:\n%s", want, got)
			}
		}
		if strings.Contains(got, "raised q") {
			t.Errorf("raised twice:\n%s", got)
		}
		b = webtest.New(t, h2.Module)
		b.As("leader", webtest.At("gz"), webtest.User("2001")).Get("/api/v1/alerts").OK().Into(&board)
		if len(board.Open) != 0 || len(board.Past) != 2 || board.Past[1].Handled != "2001" {
			t.Errorf("the history is %+v", board.Past)
		}
		must(t, ruleTable.Drop(t.Context(), db, "s"))
		stop()
	})
}

// G4, the surge plan: steps in order, undone in the opposite order, each written down; a step that fails is tried again
// and none is passed over; after a restart it goes on where it was, and what was said once is not said twice.
func TestRowG4Surge(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		at := clock.NewManual(began)
		h := newHouse(t, db, at)
		must(t, planTable.Put(t.Context(), db, "peak", Plan{Code: "peak", Name: "高峰", Site: "gz", Steps: []PlanStep{{Kind: Recall}, {Kind: Notice, Prompt: "busy"}}}))
		stop := h.run()
		b := webtest.New(t, h.Module)
		leader := b.As("leader", webtest.At("gz"), webtest.User("2001"))
		why := map[string]any{"why": "人太多"}
		b.As("leader", webtest.At("sz")).Post("/api/v1/surge/peak/start", why).Fails(404, "alert.surge.none")
		b.As("agent", webtest.At("gz")).Post("/api/v1/surge/peak/start", why).Fails(403, "web.right.missing")
		leader.Post("/api/v1/surge/peak/stop", nil).Fails(409, "alert.surge.off")
		h.mu.Lock()
		h.fails = "do notice"
		h.mu.Unlock()
		leader.Post("/api/v1/surge/peak/start", why).OK()
		leader.Post("/api/v1/surge/peak/start", why).Fails(409, "alert.surge.on")
		h.pass(10 * time.Second)
		if d := cmp.Diff([]string{"do recall again=false"}, h.did()); d != "" {
			t.Errorf("while the second step fails (-want +got):\n%s", d)
		}
		stop()

		h = newHouse(t, db, at) // a restart half-way
		stop = h.run()
		h.pass(5 * time.Second)
		if d := cmp.Diff([]string{"do recall again=true", "do notice again=false"}, h.did()); d != "" {
			t.Errorf("after the restart (-want +got):\n%s", d)
		}
		var board struct {
			Plans   []SurgeView
			Offered []Kind
		}
		b = webtest.New(t, h.Module)
		leader = b.As("leader", webtest.At("gz"), webtest.User("2001"))
		leader.Get("/api/v1/alerts").OK().Into(&board)
		if r := board.Plans[0].Run; r == nil || r.Done != 2 || r.By != "2001" || r.Undoing {
			t.Errorf("the page shows %+v", r)
		}
		if d := cmp.Diff([]Kind{Notice, Recall}, board.Offered); d != "" {
			t.Errorf("offered (-want +got):\n%s", d)
		}
		if all, err := h.Standing(t.Context()); err != nil || len(all) != 2 || all[1].Step.Prompt != "busy" || all[1].Site != "gz" {
			t.Errorf("in force for every process: %+v, %v", all, err)
		}
		leader.Post("/api/v1/surge/peak/stop", nil).OK()
		h.pass(10 * time.Second)
		if d := cmp.Diff([]string{"undo notice", "undo recall"}, h.did()); d != "" {
			t.Errorf("undone (-want +got):\n%s", d)
		}
		var steps []string
		for _, f := range h.said() {
			_, f, _ = strings.Cut(f, " ")
			steps = append(steps, f)
		}
		if d := cmp.Diff([]string{"surge.stepped 2 notice false", "surge.stepped 2 notice true", "surge.stepped 1 recall true", "surge.stepped 0  true"}, steps); d != "" {
			t.Errorf("written down (-want +got):\n%s", d)
		}
		if all, err := h.Standing(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("still in force: %+v, %v", all, err)
		}
		board.Plans = nil
		leader.Get("/api/v1/alerts").OK().Into(&board)
		if board.Plans[0].Run != nil {
			t.Errorf("it is over, and shows %+v", board.Plans[0].Run)
		}
		stop()
	})
}

// A rule whose clearing limit itself calls for the alert would flutter for ever; a step this house cannot do is refused.
func TestChecks(t *testing.T) {
	m := New(Deps{Steps: map[Kind]Step{Recall: step{}}})
	for name, r := range map[string]Rule{
		"clears above what raises": {Figure: Waiting, Raise: 5, Clear: 6},
		"a rate the wrong way":     {Figure: Rate, Raise: 0.9, Clear: 0.8},
	} {
		if p := checkRule(nil, r); len(p) != 1 || p[0].Code != "alert.rule.order" {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if p := checkRule(nil, Rule{Figure: Rate, Raise: 0.8, Clear: 0.9}); p != nil {
		t.Errorf("a good rule: %+v", p)
	}
	if p := m.checkPlan(nil, Plan{Steps: []PlanStep{{Kind: Recall}, {Kind: Notice}}}); len(p) != 2 || p[0].Path != "steps[1].kind" {
		t.Errorf("a plan beyond what the house can: %+v", p)
	}
}
