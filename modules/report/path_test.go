package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/modules/report/reporttest"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// pathGraph has every way of leaving a node: keys, silence, mistakes, a menu passed over, two ports to one place, a
// queue that gives back, hear-again.
func pathGraph() flow.Graph {
	none := 1
	return flow.Graph{Code: "main", Start: "hours", Nodes: []flow.Node{
		{ID: "hours", Kind: flow.HoursKind, Open: "menu", Closed: "sorry", Holiday: "sorry", Lunch: "sorry"},
		{
			ID: "menu", Kind: flow.MenuKind, Prompts: []string{"p"}, Retries: &none, Timeout: "q", Invalid: "q", Bypass: "q",
			Keys: []flow.Key{{Key: "1", To: "self"}, {Key: "2", To: "q"}, {Key: "*", To: "menu"}},
		},
		{ID: "self", Kind: flow.PlayKind, Prompts: []string{"p"}, Served: true, Next: "bye"},
		{ID: "q", Kind: flow.QueueKind, Queue: "vat", Failed: "sorry"},
		{ID: "sorry", Kind: flow.PlayKind, Prompts: []string{"p"}, Next: "bye"},
		{ID: "bye", Kind: flow.HangupKind},
	}}
}

// walker makes the facts of one contact that goes through the flow as chance has it, and counts by itself what it did.
type walker struct {
	rng   *rand.Rand
	f     *flow.Flow
	at    int64
	of    string
	facts []ledger.Fact
	did   map[string]int64
	sides map[bool]*menuCount
	node  string
	ended bool
}

func (w *walker) fact(b event.Body) {
	w.facts = append(w.facts, ledger.Fact{At: w.at, Kind: b.Kind(), Subject: w.of, Place: "gz", Body: ledger.Body(b)})
	w.at += 1000
}

func (w *walker) note(node, what, detail string) { w.did[node+" "+what+" "+detail]++ }

// steps writes the facts of an action and notes what they mean.
func (w *walker) steps(steps []flow.Step, how string) {
	for _, s := range steps {
		w.fact(event.ContactStepped{Flow: "main", Node: s.Node, Step: string(s.Kind), Key: s.Key, Why: s.Why, Via: s.Via})
		switch {
		case s.Why != "":
			w.note(s.Node, s.Why, "")
		case s.Key != "":
			w.note(s.Node, "pressed", s.Key)
			how = s.Key
		default:
			if w.node != "" {
				w.note(w.node, "taken", how+" "+s.Node)
			}
			w.note(s.Node, "visit", "")
			w.node = s.Node
		}
		if s.Served {
			w.fact(event.ContactServed{Flow: "main", Node: s.Node})
			w.note(s.Node, "served", "")
		}
	}
}

func (w *walker) end(by contact.Party, o contact.Outcome, what string) {
	if w.node != "" {
		w.note(w.node, what, "")
	}
	if by == "" {
		w.fact(event.ContactLost{LastHeard: w.at})
	} else {
		w.fact(event.ContactEnded{By: by, Outcome: o})
	}
	w.ended = true
}

// run plays the contact to its end, or leaves it open.
func (w *walker) run(noMenu, stays bool) {
	side := w.sides[noMenu]
	started := w.at
	w.fact(event.ContactStarted{Medium: contact.Phone, Direction: contact.In})
	w.fact(event.ContactGuided{Flow: "main", Version: 3, NoMenu: noMenu})
	w.note("", "entered", "")
	cursor, a := w.f.Start(flow.Entry{BypassMenu: noMenu})
	how := ""
	asked := false
	for n := 0; ; n++ {
		w.steps(a.Steps, how)
		if stays && n == 2 {
			return
		}
		if a.Hangup != nil {
			side.Contacts++
			switch a.Hangup.Outcome {
			case contact.Served:
				side.Served++
			case contact.Left:
				side.Left++
			}
			if asked {
				side.Asked++
			}
			w.end(contact.BySystem, a.Hangup.Outcome, "ended")
			return
		}
		in := flow.Input{Kind: flow.Done}
		switch how = ""; {
		case a.Hours != nil:
			in = flow.Input{Kind: flow.Hours, State: []day.State{day.Open, day.Open, day.Open, day.Closed, day.Holiday, day.Lunch}[w.rng.IntN(6)]}
			if in.State != day.Open {
				how = string(in.State)
			}
		case a.Queue != nil:
			asked = true
			w.fact(event.ContactQueued{Queue: "vat", EnteredAt: w.at, First: true})
			switch w.rng.IntN(4) {
			case 0:
				side.Contacts++
				side.Asked++
				side.Abandoned++
				w.end(contact.ByCaller, contact.Abandoned, "left")
				return
			case 1:
				in = flow.Input{Kind: flow.Failed, Why: "full"}
			default:
				side.Contacts++
				side.Asked++
				side.Answered++
				side.WaitMs += 700
				side.ReachMs += w.at - started
				w.fact(event.ContactAnswered{Queue: "vat", Agent: "1001", WaitMs: 700})
				w.note("q", "reached", "")
				w.node = ""
				w.end(contact.ByCaller, contact.Answered, "left")
				return
			}
		case a.Gather != nil:
			switch w.rng.IntN(8) {
			case 0, 1:
				in, how = flow.Input{Kind: flow.Timeout}, "timeout"
			case 2:
				in, how = flow.Input{Kind: flow.Pressed, Digits: "9"}, "invalid"
			case 3:
				side.Contacts++
				side.Left++
				w.end(contact.ByCaller, contact.Left, "left")
				return
			case 4:
				side.Contacts++
				w.end("", "", "lost")
				return
			default:
				in = flow.Input{Kind: flow.Pressed, Digits: []string{"1", "2", "*"}[w.rng.IntN(3)]}
			}
		}
		cursor, a = w.f.Next(cursor, in)
	}
}

// Where callers press, repeat, leave: the numbers are those of the calls, exactly, whatever pieces the facts are
// counted in, and what comes to a node leaves it.
func TestRowC6PathsEqualTheCalls(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := openPaths(t, db)
		did, _ := walked(t, h)
		if diff := cmp.Diff(did, shownPaths(t, h)); diff != "" {
			t.Errorf("calls - rows +\n%s", diff)
		}
		for _, what := range []string{"menu pressed *", "menu timeout ", "menu invalid ", "menu left ", "menu lost ", "q reached ", "q taken  sorry", "menu taken  q", "hours taken holiday sorry"} {
			if did[what] == 0 {
				t.Errorf("nobody did: %q", what)
			}
		}
		checkInvariants(t, h)
		tamper(t, db, `UPDATE report_path SET n = n + 1 WHERE node = 'menu' AND what = 'left'`)
		breaks(t, h, "report.paths", "path {Day:")
		if !slices.ContainsFunc(h.Invariants(), func(i ledger.Invariant) bool { return i.Name == "report.paths" }) {
			t.Error("the doctor does not ask")
		}
	})
}

// Callers past the menus and callers who met them, side by side: answer rate, wait, time to an agent.
func TestRowC5MenuReport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := openPaths(t, db)
		_, sides := walked(t, h)
		got := menus(t, h)
		if diff := cmp.Diff(map[bool]MenuSide{false: sideOf(sides[false]), true: sideOf(sides[true])},
			map[bool]MenuSide{false: got.Menu, true: got.Without}); diff != "" {
			t.Errorf("with and without menus: calls - report +\n%s", diff)
		}
		for _, side := range []MenuSide{got.Menu, got.Without} {
			if side.Contacts < 50 || side.Asked < side.Answered || *side.WaitMs != 700 || *side.ReachMs < *side.WaitMs || *side.AnswerRate > 1 {
				t.Errorf("%+v", side)
			}
		}
	})
}

// walked has 400 contacts go through the flow, counted in pieces as chance has it; it gives what they did.
func walked(t *testing.T, h *house) (map[string]int64, map[bool]*menuCount) {
	t.Helper()
	f, problems := flow.Compile(pathGraph(), flow.Env{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	rng := rand.New(rand.NewPCG(7, 7))
	did, sides := map[string]int64{}, map[bool]*menuCount{false: {}, true: {}}
	var all []ledger.Fact
	for i := range 400 {
		w := &walker{
			rng: rng, f: f, at: firstDay.UnixMilli() + 9*3_600_000 + int64(i)*2000, of: id.New(firstDay.Add(time.Duration(i) * time.Second)),
			did: did, sides: sides,
		}
		w.run(i%3 == 0, i%40 == 39)
		all = append(all, w.facts...)
	}
	slices.SortStableFunc(all, func(a, b ledger.Fact) int { return int(a.At - b.At) })
	for len(all) > 0 {
		n := min(1+rng.IntN(300), len(all))
		if err := h.ledger.Append(t.Context(), all[:n]...); err != nil {
			t.Fatal(err)
		}
		all = all[n:]
		if rng.IntN(3) == 0 {
			counted(t, h)
		}
	}
	counted(t, h)
	return did, sides
}

// A history as the demo has it, of calls before silence and ports were kept, is counted as well.
func TestRowC6PathsOfAHistory(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db, reporttest.Options{Seed: 3, From: firstDay, Days: 1, Calls: 80, Agents: 4, Queues: 2, Cut: true})
		counted(t, h)
		if n := shownPaths(t, h)["menu visit "] + shownPaths(t, h)["menu pressed 1"]; n < 20 {
			t.Errorf("%d steps are counted", n)
		}
		checkInvariants(t, h)
	})
}

func openPaths(t *testing.T, db *store.DB) *house {
	t.Helper()
	migrated(t, db)
	h := &house{clock: clock.NewManual(firstDay.Add(20 * time.Hour))}
	h.ledger = ledgertest.Open(t, ledger.Config{DB: db, Node: "node-1", Clock: h.clock})
	h.Module = New(Deps{Ledger: h.ledger, Clock: h.clock, Sites: tree{}})
	if err := h.ledger.Register(t.Context(), h.Folds()...); err != nil {
		t.Fatal(err)
	}
	return h
}

func counted(t *testing.T, h *house) {
	t.Helper()
	if behind, err := h.paths.catchUp(t.Context()); err != nil || behind {
		t.Fatal(behind, err)
	}
}

// shownPaths gives the rows as the walkers note them: keys without their mark, the port where it is said.
func shownPaths(t *testing.T, h *house) map[string]int64 {
	t.Helper()
	in := &pathInput{PathQuery: PathQuery{From: "2026-11-01", To: "2026-11-30", Flow: "main"}}
	got, err := h.getPaths(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for _, r := range got.Body.Rows {
		port := strings.TrimPrefix(r.Port, "key:")
		detail := ""
		switch r.What {
		case pathTaken:
			detail = fmt.Sprintf("%s %s", port, r.To)
		case pathPressed:
			detail = port
		}
		out[r.Node+" "+r.What+" "+detail] += r.N
	}
	return out
}

func menus(t *testing.T, h *house) *Menus {
	t.Helper()
	got, err := h.getMenus(t.Context(), &PathQuery{From: "2026-11-01", To: "2026-11-30"})
	if err != nil {
		t.Fatal(err)
	}
	return got.Body
}
