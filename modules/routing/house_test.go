package routing

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// said is a fact as it was posted.
type said struct {
	at      int64
	subject string
	body    event.Body
}

// house is routing with a clock by hand, a list of facts and a channel whose endpoints do what the test says.
type house struct {
	*Module
	t      *testing.T
	clock  *clock.Manual
	open   bool // of the calendar
	end    context.CancelFunc
	done   chan error
	leases *leases
	change func()

	mu    sync.Mutex
	facts []said
	rings map[id.User]*ringing
	moves []string
}

// ringing is an endpoint that rings: answer it by take, refuse it by refuse.
type ringing struct {
	offer   contact.Offer
	confirm func() bool
	ctx     context.Context //nolint:containedctx // the ringing's own
	end     chan error
	gone    chan struct{} // closed when it rings no more
}

func (h *house) Post(at time.Time, _ id.Site, subject, _ string, body event.Body) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.facts = append(h.facts, said{at.UnixMilli(), subject, body})
}

func (h *house) Connect(ctx context.Context, o contact.Offer, confirm func() bool) error {
	r := &ringing{offer: o, confirm: confirm, ctx: ctx, end: make(chan error, 1), gone: make(chan struct{})}
	h.mu.Lock()
	h.rings[o.Endpoint.Agent] = r
	h.mu.Unlock()
	defer close(r.gone)
	defer func() {
		h.mu.Lock()
		if h.rings[o.Endpoint.Agent] == r {
			delete(h.rings, o.Endpoint.Agent)
		}
		h.mu.Unlock()
	}()
	select {
	case err := <-r.end:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *house) Move(_ context.Context, c id.Contact, _ id.User, to contact.Target) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.moves = append(h.moves, string(c)+" "+to.Code)
	return nil
}

func (h *house) End(context.Context, id.Contact, contact.Party) error { return nil }

func (h *house) Open(string, time.Time) bool { return h.open }

var start = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

type option func(*house)

// withLease has the house ask for the right to decide.
func withLease(h *house) { h.leases = &leases{given: make(chan *lease, 8)} }

// newHouse makes a house of two queues: vat (skill vat, a calendar, rules) and general, for the agents a, b and c.
func newHouse(t *testing.T, options ...option) *house {
	t.Helper()
	h := &house{t: t, clock: clock.NewManual(start), open: true, rings: map[id.User]*ringing{}, done: make(chan error, 1)}
	for _, o := range options {
		o(h)
	}
	db := storetest.SQLite(t)
	deps := Deps{
		DB: db, Clock: h.clock, Facts: h, Hours: h, Log: slog.New(slog.DiscardHandler),
		Channels: func(contact.Medium) contact.Channel { return h },
		Changed:  func(f func()) { h.change = f },
	}
	if h.leases != nil {
		deps.Leases = h.leases
	}
	h.Module = New(deps)
	must(t, db.Migrate(t.Context(), "routing", h.Migrations()))
	// The open fold's query reads the ledger's table, which a test without a ledger does not have.
	_, err := store.Exec(t.Context(), db, `CREATE TABLE ledger_fact (subject TEXT, at BIGINT)`)
	must(t, err)
	h.configure(Queue{
		Code: "vat", Name: "VAT", Site: "gz", Needs: []Need{{Skill: "vat", Level: 1}}, RingS: 20, WrapupS: 30, MaxLength: 3, OnFull: "full",
		MaxWaitS: 300, OnMaxWait: "sorry", NoAgentsS: 10, OnNoAgents: "nobody", Calendar: "gz", OnClosing: "closed",
	}, Queue{Code: "general", Name: "general", Site: "gz", RingS: 20})
	for _, a := range []id.User{"a", "b", "c"} {
		must(t, agentTable.Put(t.Context(), db, string(a), Agent{User: a, Skills: map[id.Skill]int{"vat": 3}}))
	}
	ctx, cancel := context.WithCancel(context.Background())
	h.end = cancel
	go func() { h.done <- h.Start(ctx) }()
	<-h.Ready()
	t.Cleanup(h.stop)
	if h.leases == nil {
		h.until("the brain decides", func() bool { return h.leads() })
	}
	return h
}

func (h *house) configure(queues ...Queue) {
	h.t.Helper()
	for _, q := range queues {
		must(h.t, queueTable.Put(h.t.Context(), h.deps.DB, string(q.Code), q))
	}
	if h.change != nil {
		h.change()
	}
}

func (h *house) leads() (yes bool) {
	must(h.t, h.do(h.t.Context(), request{look: func(t *thinker) { yes = t.leading }}))
	return yes
}

// stop ends the house as a process does; a second time it does nothing.
func (h *house) stop() {
	h.end()
	for {
		select {
		case err := <-h.done:
			if err != nil {
				h.t.Error(err)
			}
			h.done <- nil
			return
		case <-time.After(5 * time.Millisecond):
			h.clock.Advance(time.Second) // nobody says that an open contact is over: the brain's patience has an end
		}
	}
}

// pass lets time go by, second by second, and returns when the brain has followed.
func (h *house) pass(d time.Duration) {
	h.t.Helper()
	for d > 0 {
		step := min(d, time.Second)
		h.clock.Advance(step)
		d -= step
		h.settled()
	}
}

// settled returns when no timer of the brain is due.
func (h *house) settled() {
	h.t.Helper()
	h.until("the brain's timers", func() (idle bool) {
		h.clock.Advance(0) // a timer set for now
		must(h.t, h.do(h.t.Context(), request{look: func(t *thinker) {
			at, ok := t.brain.Next()
			idle = !ok || at > t.now()
		}}))
		return idle
	})
}

func (h *house) until(what string, f func() bool) {
	h.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if f() {
			return
		}
	}
	h.t.Fatalf("%s did not come about; the facts:\n%s", what, h.story(""))
}

// signIn brings agents to work, ready.
func (h *house) signIn(agents ...id.User) {
	h.t.Helper()
	for _, a := range agents {
		must(h.t, h.SignIn(h.t.Context(), a, "gz", contact.Endpoint{Agent: a}, "", func() bool { return true }))
		must(h.t, h.Want(h.t.Context(), a, true, ""))
	}
}

func (h *house) enter(queue id.Queue, c id.Contact) {
	h.t.Helper()
	must(h.t, h.Enter(h.t.Context(), queue, Entry{Contact: c, Medium: contact.Phone, Site: "gz", Caller: "0" + string(c), First: true}))
}

// rung waits until the agent's endpoint rings.
func (h *house) rung(a id.User) (r *ringing) {
	h.t.Helper()
	h.until("agent "+string(a)+" rings", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		r = h.rings[a]
		return r != nil
	})
	return r
}

// silent waits until the agent's endpoint does not ring.
func (h *house) silent(a id.User) {
	h.t.Helper()
	h.until("agent "+string(a)+" is silent", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.rings[a] == nil
	})
}

// take answers; it gives whether the offer still stood.
func (r *ringing) take() bool {
	ok := r.confirm()
	if ok {
		r.end <- nil
	} else {
		r.end <- fault.New(fault.Conflict, "contact.void")
	}
	<-r.gone
	return ok
}

func (r *ringing) refuse(code string) {
	r.end <- fault.New(fault.Conflict, code)
	<-r.gone
}

// state gives an agent's state as the facts have it.
func (h *house) state(a id.User) (s string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.facts {
		if f.subject != string(a) {
			continue
		}
		switch b := f.body.(type) {
		case event.AgentChanged:
			s = string(b.State)
			if b.Reason != "" {
				s += " " + b.Reason
			}
		case event.AgentSignedOut:
			s = ""
		}
	}
	return s
}

// story writes the facts of a subject ("" is all) as lines: seconds since the start, what, details.
func (h *house) story(subject string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var b strings.Builder
	for _, f := range h.facts {
		if subject != "" && f.subject != subject {
			continue
		}
		fmt.Fprintf(&b, "%g ", float64(f.at-start.UnixMilli())/1000)
		if subject == "" {
			b.WriteString(f.subject + " ")
		}
		b.WriteString(f.body.Kind() + detail(f.body) + "\n")
	}
	return b.String()
}

func detail(b event.Body) string {
	switch b := b.(type) {
	case event.ContactOffered:
		return " " + string(b.Agent)
	case event.ContactMissed:
		return " " + string(b.Agent) + " " + b.Why
	case event.ContactAnswered:
		return fmt.Sprintf(" %s %d", b.Agent, b.WaitMs)
	case event.ContactAbandoned:
		return fmt.Sprintf(" %d", b.WaitMs)
	case event.ContactExited:
		return fmt.Sprintf(" %s %s %d", b.Why, b.Rule, b.WaitMs)
	case event.AgentChanged:
		return fmt.Sprintf(" %s>%s%s %d%s", b.Was, b.State, spaced(b.Reason), b.WasMs, spaced(string(b.With)))
	case event.AgentSignedOut:
		return fmt.Sprintf(" %d%s", b.Ms, spaced(b.Why))
	}
	return ""
}

func spaced(s string) string {
	if s == "" {
		return ""
	}
	return " " + s
}

// tells compares a subject's story with lines.
func (h *house) tells(subject string, want ...string) {
	h.t.Helper()
	got := strings.TrimSpace(h.story(subject))
	if w := strings.Join(want, "\n"); got != w {
		h.t.Errorf("%s:\n%s\n\nwant:\n%s", subject, got, w)
	}
}

// sums fails the test when an agent's states do not add up to the time signed in, to the millisecond.
func (h *house) sums() {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	sum := map[string]int64{}
	for _, f := range h.facts {
		switch b := f.body.(type) {
		case event.AgentSignedIn:
			sum[f.subject] = 0
		case event.AgentChanged:
			if b.Was != event.SignedOut {
				sum[f.subject] += b.WasMs
			}
		case event.AgentSignedOut:
			if b.Ms != sum[f.subject] {
				h.t.Errorf("%s was signed in for %d ms, and the states add up to %d", f.subject, b.Ms, sum[f.subject])
			}
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// leases gives leases when the test says so.
type leases struct{ given chan *lease }

type lease struct {
	fence    int64
	lost     chan struct{}
	released chan struct{}
}

func (l *leases) Lease(ctx context.Context) (Lease, error) {
	select {
	case x := <-l.given:
		return x, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *leases) give(fence int64) *lease {
	x := &lease{fence: fence, lost: make(chan struct{}), released: make(chan struct{})}
	l.given <- x
	return x
}

func (l *lease) Fence() int64          { return l.fence }
func (l *lease) Lost() <-chan struct{} { return l.lost }
func (l *lease) Release(context.Context) error {
	close(l.released)
	return nil
}

func asJSON(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
