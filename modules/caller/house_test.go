package caller

import (
	"context"
	"encoding/json"
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
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"))
}

// morning is 9:00 in Guangzhou on a working day.
var morning = time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)

const (
	ann  = "013900000137"
	bob  = "013900000138"
	fixd = "02083330000"
)

// house is the module over a ledger of its own, with a clock by hand.
type house struct {
	*Module
	t     *testing.T
	l     *ledger.Ledger
	clock *clock.Manual
	book  *section.Book
	heard chan struct{} // talks are counted
}

// Put is the configuration as the house has it, with its checks.
func (h *house) Put(ctx context.Context, key, code string, body json.RawMessage, o section.Options) (section.Result, error) {
	return h.book.Put(ctx, key, code, body, o)
}

// Follow is the ledger's, from now on.
func (h *house) Follow(ctx context.Context, begun func(), f func(ledger.Fact)) error {
	head, err := h.l.Head(ctx)
	if err != nil {
		return err
	}
	begun()
	close(h.heard)
	return h.l.Follow(ctx, head, f)
}

func newHouse(t *testing.T, db *store.DB, r Rules) *house {
	t.Helper()
	h := &house{t: t, clock: clock.NewManual(morning), heard: make(chan struct{})}
	h.Module = New(Deps{
		DB: db, Clock: h.clock, Stream: h, Publish: h, Log: slog.New(slog.DiscardHandler),
		Secret: func(n id.Number, q id.Queue) bool { return q == "tipoff" || n == "12388" },
	})
	must(t, db.Migrate(t.Context(), h.Name(), h.Migrations()))
	must(t, db.Migrate(t.Context(), "section", section.Migrations()))
	h.l = ledgertest.Open(t, ledger.Config{DB: db, Node: "node-1", Clock: h.clock})
	h.l.Declare(h.Invariants()...)
	var err error
	h.book, err = section.New(t.Context(), section.Config{DB: db, Clock: h.clock, Log: slog.New(slog.DiscardHandler)}, h.Sections()...)
	must(t, err)
	h.rule(r)
	return h
}

// rule sets the rule about calling often, as the configuration does.
func (h *house) rule(r Rules) {
	h.t.Helper()
	must(h.t, rulesTable.Put(h.t.Context(), h.deps.DB, rulesKey, r))
	must(h.t, h.reload(h.t.Context()))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) fact(subject string, actor id.User, bodies ...event.Body) {
	h.t.Helper()
	for _, b := range bodies {
		must(h.t, h.l.Append(h.t.Context(), ledger.From(b, subject, string(actor), "gz")))
	}
}

// call is a whole call from a number to a queue a minute after the one before, with a talk so long; 0: nobody answered.
func (h *house) call(from string, queue id.Queue, talk time.Duration) id.Contact {
	h.t.Helper()
	h.clock.Advance(time.Minute)
	c := id.New(h.clock.Now())
	h.fact(c, "", event.ContactStarted{Medium: contact.Phone, Direction: contact.In, From: from, To: "12366", Number: "12366"},
		event.ContactQueued{Queue: queue, EnteredAt: 1, First: true, Caller: from})
	if talk == 0 {
		h.fact(c, "", event.ContactAbandoned{Queue: queue, EnteredAt: 1}, event.ContactEnded{By: contact.ByCaller, Outcome: contact.Abandoned})
		return id.Contact(c)
	}
	h.fact(c, "1001", event.ContactAnswered{Queue: queue, Agent: "1001", EnteredAt: 1})
	h.clock.Advance(talk)
	h.fact(c, "", event.ContactEnded{By: contact.ByCaller, Outcome: contact.Answered})
	return id.Contact(c)
}

// run starts the module, as the house does, until the test ends.
func (h *house) run() {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Start(ctx) }()
	<-h.Ready()
	<-h.heard
	h.t.Cleanup(func() {
		cancel()
		must(h.t, <-done)
	})
}

// until waits for what comes by the ledger's stream.
func (h *house) until(what string, f func() bool) {
	h.t.Helper()
	for end := time.Now().Add(time.Minute); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("%s did not come about", what)
		}
	}
}

// counted waits for a number to have so many talks.
func (h *house) counted(number string, n int) {
	h.t.Helper()
	h.until("the count", func() bool { return h.talks.since(number, 0) == n })
}
