package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report"
	"github.com/kapok-hotline/kapok/modules/routing"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// past plays random histories of a hotline on the real brain: callers come, leave, are offered, refused, missed,
// answered, transferred; agents come, go and lose their phones; the right to decide is lost and taken. The telephone
// is played by the test, which writes a call's own facts as voice does.
type past struct {
	t     *testing.T
	rnd   *rand.Rand
	clock *clock.Manual
	r     *routing.Module
	turns chan *rights
	now   *rights

	mu    sync.Mutex
	facts []ledger.Fact
	rings map[id.User]*ring
	calls map[id.Contact]*played
	moved []id.Contact
}

type ring struct {
	offer   contact.Offer
	confirm func() bool
	end     chan error
	began   time.Time
	leg     id.Leg
}

// played is a call under way.
type played struct {
	id      id.Contact
	started time.Time
	caller  id.Leg
	queue   id.Queue
	entered time.Time
	agent   id.User // talks
	leg     id.Leg
	rang    time.Time
	talking time.Time
	in      id.Queue // of the agent's leg
	waits   bool
}

type rights struct {
	fence int64
	lost  chan struct{}
}

func (r *rights) Fence() int64                  { return r.fence }
func (r *rights) Lost() <-chan struct{}         { return r.lost }
func (r *rights) Release(context.Context) error { return nil }

func (p *past) Lease(ctx context.Context) (routing.Lease, error) {
	select {
	case r := <-p.turns:
		return r, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *past) Post(at time.Time, place id.Site, subject, actor string, body event.Body) {
	raw, err := json.Marshal(body)
	if err != nil {
		p.t.Error(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.facts = append(p.facts, ledger.Fact{
		ID: id.Fact(id.New(at)), At: at.UnixMilli(), Kind: body.Kind(), Subject: subject, Actor: actor, Place: string(place), Body: raw,
	})
}

func (p *past) Connect(ctx context.Context, o contact.Offer, confirm func() bool) error {
	a := o.Endpoint.Agent
	x := &ring{offer: o, confirm: confirm, end: make(chan error, 1), began: p.clock.Now(), leg: id.Leg(id.New(p.clock.Now()))}
	p.mu.Lock()
	p.rings[a] = x
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		if p.rings[a] == x {
			delete(p.rings, a)
		}
		p.mu.Unlock()
	}()
	select {
	case err := <-x.end:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *past) Move(_ context.Context, c id.Contact, _ id.User, _ contact.Target) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moved = append(p.moved, c)
	return nil
}

func (p *past) End(context.Context, id.Contact, contact.Party) error { return nil }

var (
	pastQueues = []id.Queue{"q1", "q2", "q3"}
	pastAgents = []id.User{"a1", "a2", "a3", "a4"}
)

// TestHistories: whatever happens, the facts satisfy every invariant of the reports.
func TestHistories(t *testing.T) {
	const histories = 1000
	ctx := t.Context()
	db := storetest.SQLite(t)
	c := clock.NewManual(time.Date(2026, 11, 1, 1, 0, 0, 0, time.UTC))
	l := ledgertest.Open(t, ledger.Config{DB: db, Node: "node-1", Clock: c})
	rep := report.New(report.Deps{Ledger: l, Clock: c, Sites: oneSite{}})
	p := &past{t: t, rnd: rand.New(rand.NewPCG(7, 11)), clock: c, turns: make(chan *rights, 1), rings: map[id.User]*ring{}, calls: map[id.Contact]*played{}}
	p.r = routing.New(routing.Deps{
		DB: db, Clock: c, Facts: p, Leases: p, Log: slog.New(slog.DiscardHandler), Channels: func(contact.Medium) contact.Channel { return p },
	})
	for name, m := range map[string]hasMigrations{"report": rep, "routing": p.r} {
		check(t, db.Migrate(ctx, name, m.Migrations()))
	}
	check(t, l.Register(ctx, slices.Concat(rep.Folds(), p.r.Folds())...))
	l.Declare(rep.Invariants()...)
	p.furnish(db)
	life, end := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.r.Start(life) }()
	<-p.r.Ready()
	p.lead()
	for n := range histories {
		p.play(n)
		if n%25 == 0 {
			check(t, l.Append(ctx, p.taken()...))
		}
	}
	end()
	check(t, <-done)
	if facts := p.taken(); len(facts) > 0 {
		check(t, l.Append(ctx, facts...))
	}
	ledgertest.Holds(t, l)
	kinds := map[string]int{}
	for _, k := range ledgertest.Kinds(t, l) {
		kinds[k]++
	}
	t.Log(kinds)
	for _, k := range []string{"contact.answered", "contact.missed", "contact.abandoned", "contact.exited", "contact.transferred", "agent.changed"} {
		if kinds[k] < histories/10 {
			t.Errorf("%s happened %d times only", k, kinds[k])
		}
	}
	open, err := store.One(ctx, db, `SELECT (SELECT COUNT(*) FROM routing_open_contact) + (SELECT COUNT(*) FROM routing_open_agent)`, store.Col[int])
	if err != nil || open != 0 {
		t.Errorf("%d are open at the end, %v", open, err)
	}
}

func (p *past) furnish(db *store.DB) {
	put := func(table, code string, v any) {
		body, err := json.Marshal(v)
		check(p.t, err)
		_, err = store.Exec(p.t.Context(), db, `INSERT INTO `+table+` (code, body) VALUES (?, ?)`, code, string(body))
		check(p.t, err)
	}
	for i, q := range pastQueues {
		put("routing_queue", string(q), routing.Queue{
			Code: q, Name: string(q), Site: "gz", RingS: 10, WrapupS: 15 * i, MaxLength: 4, OnFull: "full", MaxWaitS: 120, OnMaxWait: "long", NoAgentsS: 20, OnNoAgents: "none",
		})
	}
	for _, a := range pastAgents {
		put("routing_agent", string(a), routing.Agent{User: a})
	}
}

// lead gives the right to decide, and waits until it is used.
func (p *past) lead() {
	p.now = &rights{fence: p.clock.Now().UnixMilli(), lost: make(chan struct{})}
	p.turns <- p.now
	for len(p.turns) > 0 {
		time.Sleep(50 * time.Microsecond)
	}
}

func (p *past) taken() []ledger.Fact {
	p.mu.Lock()
	defer p.mu.Unlock()
	facts := p.facts
	p.facts = nil
	return facts
}

func (p *past) play(n int) {
	for _, a := range pastAgents[:1+p.rnd.IntN(len(pastAgents))] {
		p.signIn(a)
	}
	for step := range 30 {
		p.pass(time.Duration(p.rnd.IntN(9000)) * time.Millisecond)
		p.step(fmt.Sprintf("%d-%d", n, step))
	}
	for _, x := range p.open() {
		p.leave(x)
	}
	for _, a := range pastAgents {
		p.free(p.r.SignOut(p.t.Context(), a, ""))
	}
	p.pass(time.Second)
}

// pass moves the clock and lets what came of it happen.
func (p *past) pass(d time.Duration) {
	p.clock.Advance(d)
	p.settle()
	p.mu.Lock()
	moved := p.moved
	p.moved = nil
	p.mu.Unlock()
	for _, c := range moved {
		if x := p.calls[c]; x != nil { // the rule's flow says its text, and hangs up
			x.waits = false
			p.hangUp(x, contact.BySystem, contact.Turned)
		}
	}
}

// settle gives the brain's timers and the ringing their turn.
func (p *past) settle() {
	for range 2 {
		p.clock.Advance(0)
		_, _, err := p.r.SignedIn(p.t.Context(), "nobody")
		check(p.t, err)
		runtime.Gosched()
	}
}

func (p *past) open() (out []*played) {
	for _, x := range p.calls {
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b *played) int { return strings.Compare(string(a.id), string(b.id)) })
	return out
}

func (p *past) step(name string) {
	ctx, a := p.t.Context(), pastAgents[p.rnd.IntN(len(pastAgents))]
	switch p.rnd.IntN(20) {
	case 0, 1, 2, 3:
		p.call(id.Contact("c" + name))
	case 4, 5, 6, 7, 8, 9, 10:
		p.pickUp(a)
	case 11, 12:
		if open := p.open(); len(open) > 0 {
			p.leave(open[p.rnd.IntN(len(open))])
		}
	case 13:
		p.transfer(a)
	case 14:
		p.free(p.r.WrapUpDone(ctx, a))
	case 15:
		p.free(p.r.Want(ctx, a, p.rnd.IntN(3) > 0, "REST"))
	case 16:
		_, err := p.r.EndpointChanged(ctx, contact.Endpoint{Agent: a}, p.rnd.IntN(3) > 0)
		check(p.t, err)
	case 17:
		p.signIn(a)
	case 18:
		if p.rnd.IntN(2) == 0 {
			p.free(p.r.SignOut(ctx, a, ""))
		} else {
			check(p.t, p.r.Lapsed(ctx, a))
		}
	default:
		if p.rnd.IntN(4) == 0 {
			close(p.now.lost)
			p.pass(time.Duration(p.rnd.IntN(3000)) * time.Millisecond)
			p.lead()
		}
	}
}

// free lets refusals be: asking an agent who is not there, or signing out who talks.
func (p *past) free(err error) {
	if err != nil && fault.CodeOf(err) == "" {
		p.t.Fatal(err)
	}
}

func (p *past) signIn(a id.User) {
	p.free(p.r.SignIn(p.t.Context(), a, "gz", contact.Endpoint{Agent: a}, "", func() bool { return true }))
	p.free(p.r.Want(p.t.Context(), a, true, ""))
}

func (p *past) say(c id.Contact, a id.User, b event.Body) {
	p.Post(p.clock.Now(), "gz", string(c), string(a), b)
}

func (p *past) call(c id.Contact) {
	x := &played{id: c, started: p.clock.Now(), caller: id.Leg(id.New(p.clock.Now()))}
	p.calls[c] = x
	p.say(c, "", event.ContactStarted{Medium: contact.Phone, Direction: contact.In, From: "0139", To: "12366", Number: "12366"})
	p.say(c, "", event.LegStarted{Leg: x.caller, Role: "caller"})
	p.say(c, "", event.LegAnswered{Leg: x.caller})
	p.enter(x, true)
}

func (p *past) enter(x *played, first bool) {
	x.queue, x.waits = pastQueues[p.rnd.IntN(len(pastQueues))], true
	at := p.clock.Now()
	if next := x.entered.Add(time.Millisecond); at.Before(next) {
		at = next
	}
	x.entered = at
	check(p.t, p.r.Enter(p.t.Context(), x.queue, routing.Entry{
		Contact: x.id, Medium: contact.Phone, Site: "gz", Caller: "0139" + string(x.id[len(x.id)-1]), First: first, At: at, Since: x.started,
	}))
	p.settle()
}

// pickUp has the phone of an agent, or of another, do something, if it rings.
func (p *past) pickUp(a id.User) {
	p.mu.Lock()
	x := p.rings[a]
	for _, other := range pastAgents {
		if x == nil {
			a, x = other, p.rings[other]
		}
	}
	delete(p.rings, a) // it is picked up once
	p.mu.Unlock()
	if x == nil {
		return
	}
	switch p.rnd.IntN(6) {
	case 0:
		x.end <- fault.New(fault.Conflict, "contact.refused")
	case 1:
		x.end <- fault.New(fault.Unavailable, "contact.unreachable")
	default:
		c := p.calls[x.offer.Contact]
		if c == nil || !x.confirm() {
			x.end <- fault.New(fault.Conflict, "contact.void")
			break
		}
		x.end <- nil
		c.waits = false
		p.say(c.id, a, event.LegStarted{Leg: x.leg, Role: "agent", Agent: a, Queue: x.offer.Queue})
		p.say(c.id, a, event.LegAnswered{Leg: x.leg})
		c.agent, c.leg, c.rang, c.talking, c.in = a, x.leg, p.clock.Now(), p.clock.Now(), x.offer.Queue
	}
	p.settle()
}

// dropAgent ends the agent's leg of a call.
func (p *past) dropAgent(x *played) {
	if x.agent == "" {
		return
	}
	now := p.clock.Now()
	f := event.LegEnded{Leg: x.leg, Role: "agent", Agent: x.agent, Queue: x.in, TalkMs: now.UnixMilli() - x.talking.UnixMilli(), RingMs: x.talking.UnixMilli() - x.rang.UnixMilli()}
	if x.in != "" {
		f.EnteredAt = x.entered.UnixMilli()
	}
	p.say(x.id, x.agent, f)
	check(p.t, p.r.Done(p.t.Context(), x.id, x.agent))
	x.agent = ""
}

// leave hangs up a call, whatever it is doing.
func (p *past) leave(x *played) {
	if x.waits {
		check(p.t, p.r.Leave(p.t.Context(), x.id))
		p.hangUp(x, contact.ByCaller, contact.Abandoned)
		return
	}
	p.hangUp(x, contact.ByCaller, contact.Answered)
}

func (p *past) hangUp(x *played, by contact.Party, how contact.Outcome) {
	p.dropAgent(x)
	ms := p.clock.Now().UnixMilli() - x.started.UnixMilli()
	p.say(x.id, "", event.LegEnded{Leg: x.caller, Role: "caller", TalkMs: ms})
	p.say(x.id, "", event.ContactEnded{By: by, Outcome: how, Ms: ms})
	delete(p.calls, x.id)
	p.settle()
}

// transfer gives a call an agent has to a queue or to another agent.
func (p *past) transfer(to id.User) {
	ctx := p.t.Context()
	for _, x := range p.open() {
		if x.agent == "" || x.agent == to {
			continue
		}
		if p.rnd.IntN(2) == 0 {
			p.say(x.id, x.agent, event.ContactTransferred{Agent: x.agent, To: contact.Target{Kind: contact.ToQueue, Code: "q"}})
			p.dropAgent(x)
			p.enter(x, false)
			return
		}
		if _, err := p.r.Take(ctx, x.id, contact.Phone, to, x.queue); err != nil {
			p.free(err)
			return
		}
		p.say(x.id, x.agent, event.ContactTransferred{Agent: x.agent, To: contact.Target{Kind: contact.ToAgent, Code: string(to)}})
		p.dropAgent(x)
		leg := id.Leg(id.New(p.clock.Now()))
		rang := p.clock.Now()
		p.say(x.id, to, event.LegStarted{Leg: leg, Role: "agent", Agent: to})
		p.clock.Advance(time.Duration(p.rnd.IntN(20_000)) * time.Millisecond)
		if p.rnd.IntN(3) > 0 {
			check(p.t, p.r.Taken(ctx, x.id, to))
			p.say(x.id, to, event.LegAnswered{Leg: leg})
			x.agent, x.leg, x.rang, x.talking, x.in = to, leg, rang, p.clock.Now(), ""
			return
		}
		p.say(x.id, to, event.LegEnded{Leg: leg, Role: "agent", Agent: to, RingMs: p.clock.Now().UnixMilli() - rang.UnixMilli()})
		check(p.t, p.r.Done(ctx, x.id, to))
		p.enter(x, false)
		return
	}
}

// oneSite is the whole tree.
type oneSite struct{}

func (oneSite) Subtree(context.Context, id.Site) ([]id.Site, error) { return []id.Site{"gz"}, nil }

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
