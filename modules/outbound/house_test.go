package outbound

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"))
}

// house is the module with a clock by hand, a real ledger, agents the test sets and a telephone that does what the test
// says.
type house struct {
	*Module
	t     *testing.T
	l     *ledger.Ledger
	clock *clock.Manual
	b     *webtest.Bench

	mu      sync.Mutex
	idle    []Idle
	waiting int
	state   day.State
	sent    []contact.Outcall
	stopped []string // contacts cancelled
	refuse  error    // of the next Send
	past    []Past
}

var monday = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC) // ten in the morning in Guangzhou

func newHouse(t *testing.T, db *store.DB) *house {
	t.Helper()
	h := &house{t: t, clock: clock.NewManual(monday), state: day.Open}
	h.remake(db)
	must(t, db.Migrate(t.Context(), h.Name(), h.Migrations()))
	zone := time.FixedZone("CST", 8*3600)
	h.l = ledgertest.Open(t, ledger.Config{DB: db, Node: "n1", Clock: h.clock, Zone: func(string) *time.Location { return zone }})
	h.deps.Ledger = h.l
	h.l.Declare(h.Invariants()...)
	h.serve()
	return h
}

// remake makes the module anew over the same tables, as a restart does.
func (h *house) remake(db *store.DB) {
	h.Module = New(Deps{
		DB: db, Clock: h.clock, Facts: h, Calls: h, Staff: h, Contacts: h, Ledger: h.l, Log: slog.New(slog.DiscardHandler),
		Hours: func(string, time.Time) day.State { h.mu.Lock(); defer h.mu.Unlock(); return h.state },
		Zone:  func(string) *time.Location { return time.FixedZone("CST", 8*3600) },
	})
}

func (h *house) serve() {
	h.b = webtest.New(h.t, h.Module)
	h.deps.Hub = h.b.Server.Hub()
}

func (h *house) Keep(tx *store.Tx, at time.Time, place id.Site, subject, actor string, b event.Body) error {
	f := ledger.From(b, subject, actor, string(place))
	f.At = at.UnixMilli()
	return h.l.AppendTx(tx, f)
}

func (h *house) CallOut(_ context.Context, o contact.Outcall) (id.Contact, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.refuse; err != nil {
		h.refuse = nil
		return "", err
	}
	h.sent = append(h.sent, o)
	h.idle = slices.DeleteFunc(h.idle, func(i Idle) bool { return i.Agent == o.Agent })
	return o.Contact, nil
}

func (h *house) GiveUp(_ context.Context, c id.Contact, why string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = append(h.stopped, string(c)+" "+why)
	return nil
}

// says writes facts of a contact and lets the module hear them.
func (h *house) says(c id.Contact, deaf bool, bodies ...event.Body) {
	h.t.Helper()
	for _, b := range bodies {
		f := ledger.From(b, string(c), "", "gz")
		f.At = h.clock.Now().UnixMilli()
		must(h.t, h.l.Append(h.t.Context(), f))
		if !deaf {
			h.heard(h.t.Context(), f)
		}
	}
}

// rings begins the call: the agent's telephone rings.
func (h *house) rings(o contact.Outcall) {
	h.t.Helper()
	h.says(o.Contact, false, event.ContactStarted{Medium: contact.Phone, Direction: contact.Out, From: o.Number},
		event.CalloutBegun{Agent: o.Agent, Purpose: o.Purpose, Ref: o.Ref}, event.LegStarted{Leg: "a", Role: "agent", Agent: o.Agent})
}

// dials lets the agent answer.
func (h *house) dials(o contact.Outcall) {
	h.t.Helper()
	h.rings(o)
	h.says(o.Contact, false, event.LegAnswered{Leg: "a"}, event.LegStarted{Leg: "c", Role: "caller"})
}

func (h *house) talks(o contact.Outcall) {
	h.t.Helper()
	h.dials(o)
	h.says(o.Contact, false, event.CalloutAnswered{Agent: o.Agent, Purpose: o.Purpose, Ref: o.Ref})
}

func (h *house) ends(o contact.Outcall, result, code string) {
	h.t.Helper()
	h.says(o.Contact, false, event.CalloutEnded{Agent: o.Agent, Purpose: o.Purpose, Ref: o.Ref, Result: result, Code: code}, event.ContactEnded{})
}

func (h *house) Spare(context.Context, id.Queue) ([]Idle, int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.idle), h.waiting, nil
}

func (h *house) Serves(agent id.User, _ id.Queue) bool { return agent != "1009" }
func (h *house) Within(site, root id.Site) bool {
	return root == "" || site == root || strings.HasPrefix(string(site), string(root))
}

func (h *house) SiteOf(agent id.User) id.Site {
	if agent == "2001" {
		return "sz"
	}
	return "gz"
}
func (h *house) Holds(agent id.User, _ right.Right, _ id.Site) bool { return agent != "1008" }
func (h *house) AgentName(agent id.User) string                     { return "坐席" + string(agent) }
func (h *house) Past(context.Context, PastFilter) ([]Past, error)   { return h.past, nil }

// staff makes agents idle since a minute ago.
func (h *house) staff(agents ...id.User) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.idle = nil
	for i, a := range agents {
		h.idle = append(h.idle, Idle{Agent: a, Site: h.SiteOf(a), Since: h.clock.Now().Add(-time.Minute).UnixMilli() + int64(i)})
	}
}

// begin puts a list in force and people on it.
func (h *house) begins(l List, numbers ...string) {
	h.t.Helper()
	must(h.t, listTable.Put(h.t.Context(), h.deps.DB, l.Code, l))
	_, err := store.Exec(h.t.Context(), h.deps.DB, `INSERT INTO outbound_run (list, by_user, at) VALUES (?, '', 0) ON CONFLICT DO NOTHING`, l.Code)
	must(h.t, err)
	must(h.t, h.reload(h.t.Context()))
	var all []person
	for _, n := range numbers {
		all = append(all, person{number: n, name: "某" + n[len(n)-2:]})
	}
	_, err = h.add(h.t.Context(), l, all, false)
	must(h.t, err)
}

func visit(mode string) List {
	return List{Code: "visit", Name: "回访", Kind: "visit", Mode: mode, Site: "gz", Queue: "vat", Tries: 2, GapMin: 30, RingS: 40, From: "09:00", To: "18:00", IdleS: 5, Script: "您好"}
}

// look is one turn of the house.
func (h *house) look() {
	h.t.Helper()
	now := h.now()
	h.sweep(h.t.Context(), now)
	h.count(h.t.Context())
	h.pace(h.t.Context(), h.running(Progressive), now)
}

// taken gives the calls asked for since it was asked last.
func (h *house) taken() []contact.Outcall {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.sent
	h.sent = nil
	return out
}

// one gives the only call asked for.
func (h *house) one() contact.Outcall {
	h.t.Helper()
	all := h.taken()
	if len(all) != 1 {
		h.t.Fatalf("%d calls, want one", len(all))
	}
	return all[0]
}

// person gives who is called at a number.
func (h *house) person(number string) person {
	h.t.Helper()
	all, err := people(h.t.Context(), h.deps.DB, `number = ?`, number)
	must(h.t, err)
	if len(all) != 1 {
		h.t.Fatalf("%d people at %s", len(all), number)
	}
	return all[0]
}

func (h *house) stands(number string, s State, how string) {
	h.t.Helper()
	if p := h.person(number); p.state != s || p.how != how {
		h.t.Errorf("%s is %s (%s), want %s (%s)", number, p.state, p.how, s, how)
	}
}

// calls lets somebody call in, and an agent answer or not.
func (h *house) calls(c id.Contact, number string, answered bool) {
	h.t.Helper()
	h.says(c, false, event.ContactStarted{Medium: contact.Phone, Direction: contact.In, From: number})
	if answered {
		h.says(c, false, event.ContactAnswered{Agent: "1001"})
	}
	h.says(c, false, event.ContactEnded{})
}

// sound fails when a law is broken.
func (h *house) sound() {
	h.t.Helper()
	ledgertest.Holds(h.t, h.l)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func fails(t *testing.T, err error, code string) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Errorf("%v, want %s", err, code)
	}
}
