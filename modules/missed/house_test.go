package missed

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"))
}

// morning is 9:00 in Guangzhou on a working day.
var morning = time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)

// house is the module over a ledger of its own, with a clock by hand.
type house struct {
	*Module
	t     *testing.T
	l     *ledger.Ledger
	clock *clock.Manual
}

func (h *house) Keep(tx *store.Tx, at time.Time, place id.Site, subject, actor string, body event.Body) error {
	f := ledger.From(body, subject, actor, string(place))
	f.At = at.UnixMilli()
	return h.l.AppendTx(tx, f)
}

// Due opens the line from 8:30 to 17:30.
func due(c Call) time.Time {
	local := c.At.In(time.FixedZone("", 8*3600))
	if minute := local.Hour()*60 + local.Minute(); minute >= 17*60+30 {
		return c.At.Add(12 * time.Hour)
	}
	return c.At
}

func newHouse(t *testing.T, db *store.DB) *house {
	t.Helper()
	h := &house{t: t, clock: clock.NewManual(morning)}
	h.Module = New(Deps{
		DB: db, Clock: h.clock, Facts: h, Due: due, Log: slog.New(slog.DiscardHandler),
		Secret:  func(_ id.Number, q id.Queue) bool { return q == "tipoff" },
		Subtree: func(root id.Site) []id.Site { return []id.Site{root} },
	})
	must(t, db.Migrate(t.Context(), h.Name(), h.Migrations()))
	h.l = ledgertest.Open(t, ledger.Config{DB: db, Node: "node-1", Clock: h.clock}, h.Folds()...)
	h.l.Declare(h.Invariants()...)
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) fact(subject string, bodies ...event.Body) {
	h.t.Helper()
	for _, b := range bodies {
		must(h.t, h.l.Append(h.t.Context(), ledger.From(b, subject, "", "gz")))
	}
}

// call begins a call from a number a minute later, and gives its contact.
func (h *house) call(from string) string {
	h.t.Helper()
	h.clock.Advance(time.Minute)
	c := id.New(h.clock.Now())
	h.fact(c, event.ContactStarted{Medium: contact.Phone, Direction: contact.In, From: from, To: "12366", Number: "12366"})
	return c
}

// queue has a call wait in a queue for so long.
func (h *house) queue(c string, q id.Queue, wait time.Duration) {
	h.t.Helper()
	h.fact(c, event.ContactQueued{Queue: q, EnteredAt: 1, First: true, Caller: c})
	h.clock.Advance(wait)
}

// gaveUp is a whole call of somebody who gave up after a wait.
func (h *house) gaveUp(from string, wait time.Duration) string {
	h.t.Helper()
	c := h.call(from)
	h.queue(c, "vat", wait)
	h.fact(c, event.ContactAbandoned{Queue: "vat", EnteredAt: 1, WaitMs: wait.Milliseconds()}, event.ContactEnded{By: contact.ByCaller, Outcome: contact.Abandoned})
	return c
}

// answered is a whole call of somebody an agent spoke with.
func (h *house) answered(from string) string {
	h.t.Helper()
	c := h.call(from)
	h.queue(c, "vat", 10*time.Second)
	h.fact(c, event.ContactAnswered{Queue: "vat", Agent: "1001", EnteredAt: 1}, event.ContactEnded{Outcome: contact.Answered})
	return c
}

func (h *house) list(view string) []Row {
	h.t.Helper()
	s, err := h.List(h.t.Context(), Filter{View: view, User: "1001", Today: h.day(h.clock.Now(), "gz")}, store.Page{Limit: 200})
	must(h.t, err)
	return s.Rows
}

// only gives the one row of a number.
func (h *house) only(number string) Row {
	h.t.Helper()
	v, err := store.All(h.t.Context(), h.deps.DB, `SELECT `+columns+` FROM missed_row WHERE number = ? ORDER BY opened_at DESC, id DESC`, scanRow, number)
	must(h.t, err)
	if len(v) == 0 {
		h.t.Fatalf("nobody with the number %s has been missed", number)
	}
	return v[0]
}

func (h *house) sound() {
	h.t.Helper()
	ledgertest.Holds(h.t, h.l)
}

// again makes the module anew over the same database, as after kill -9.
func (h *house) again() *house {
	h.t.Helper()
	must(h.t, h.l.Close(context.Background()))
	n := &house{t: h.t, clock: h.clock}
	d := h.deps
	d.Facts = n
	n.Module = New(d)
	n.l = ledgertest.Open(h.t, ledger.Config{DB: d.DB, Node: "node-1", Clock: h.clock}, n.Folds()...)
	n.l.Declare(n.Invariants()...)
	return n
}
