package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/modules/missed"
	"github.com/kapok-hotline/kapok/modules/outbound"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// lists are the two modules that call people back, over one ledger, joined as the house joins them. The telephone is
// the test's.
type lists struct {
	t      *testing.T
	l      *ledger.Ledger
	clock  *clock.Manual
	missed *missed.Module
	out    *outbound.Module
	b      *webtest.Bench

	mu   sync.Mutex
	idle []outbound.Idle
	sent []contact.Outcall
}

func openLists(t *testing.T, db *store.DB, list string) *lists {
	t.Helper()
	x := &lists{t: t, clock: clock.NewManual(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC))} // ten in the morning
	zone := func(string) *time.Location { return time.FixedZone("CST", 8*3600) }
	x.missed = missed.New(missed.Deps{
		DB: db, Clock: x.clock, Facts: x, Calls: x, Zone: zone, Log: slog.New(slog.DiscardHandler),
		Rung: func(ctx context.Context, number string) (bool, error) { return x.out.Rings(ctx, number) },
	})
	none := func(context.Context, string) string { return "" }
	d := outbound.Deps{
		DB: db, Clock: x.clock, Facts: x, Stream: x, Calls: x, Staff: x, Zone: zone, Log: slog.New(slog.DiscardHandler),
		Missed: outMissed{x.missed, func(q id.Queue) (string, string) { return string(q), "" }, none},
	}
	for _, m := range []moduleMigrations{x.missed, outbound.New(d)} {
		check(t, db.Migrate(t.Context(), m.Name(), m.Migrations()))
	}
	x.l = ledgertest.Open(t, ledger.Config{DB: db, Node: "n1", Clock: x.clock, Zone: zone}, x.missed.Folds()...)
	d.Ledger = x.l
	x.out = outbound.New(d)
	x.l.Declare(x.missed.Invariants()...)
	x.l.Declare(x.out.Invariants()...)
	x.b = webtest.New(t, x.out)
	for _, text := range []string{`INSERT INTO outbound_list (code, body) VALUES ('back', '` + list + `')`, `INSERT INTO outbound_run (list, by_user, at) VALUES ('back', '', 0)`} {
		_, err := store.Exec(t.Context(), db, text)
		check(t, err)
	}
	return x
}

const backList = `{"code":"back","name":"回拨","kind":"missed","mode":"%s","site":"gz","queue":"vat","tries":3,"gap_min":30,"ring_s":40,"from":"09:00","to":"18:00","from_missed":true}`

// run works the lists off until the test ends.
func (x *lists) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = x.out.Start(ctx) }()
	x.t.Cleanup(func() { cancel(); <-done })
	<-x.out.Ready()
}

// turns lets the house look around until something holds.
func (x *lists) turns(what string, ok func() bool) {
	x.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			x.t.Fatalf("it never came about: %s", what)
		}
		x.clock.Advance(time.Second)
	}
}

func (x *lists) Keep(tx *store.Tx, at time.Time, place id.Site, subject, actor string, b event.Body) error {
	f := ledger.From(b, subject, actor, string(place))
	f.At = at.UnixMilli()
	return x.l.AppendTx(tx, f)
}

func (x *lists) Follow(ctx context.Context, begun func(), f func(ledger.Fact)) error {
	head, err := x.l.Head(ctx)
	if err != nil {
		return err
	}
	begun()
	return x.l.Follow(ctx, head, f)
}

func (x *lists) CallOut(_ context.Context, o contact.Outcall) (id.Contact, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if o.Contact == "" {
		o.Contact = id.Contact(id.New(x.clock.Now()))
	}
	x.sent = append(x.sent, o)
	x.idle = slices.DeleteFunc(x.idle, func(i outbound.Idle) bool { return i.Agent == o.Agent })
	return o.Contact, nil
}

func (x *lists) GiveUp(context.Context, id.Contact, string) error { return nil }

func (x *lists) Spare(context.Context, id.Queue) ([]outbound.Idle, int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.idle), 0, nil
}
func (x *lists) Serves(id.User, id.Queue) bool            { return true }
func (x *lists) Within(site, root id.Site) bool           { return root == "" || site == root }
func (x *lists) SiteOf(id.User) id.Site                   { return "gz" }
func (x *lists) Holds(id.User, right.Right, id.Site) bool { return true }
func (x *lists) AgentName(a id.User) string               { return string(a) }
func (x *lists) fact(c id.Contact, bodies ...event.Body) {
	x.t.Helper()
	for _, b := range bodies {
		f := ledger.From(b, string(c), "", "gz")
		f.At = x.clock.Now().UnixMilli()
		check(x.t, x.l.Append(x.t.Context(), f))
	}
}

// calls lets somebody call in, and be answered or give up.
func (x *lists) calls(number string, answered bool) {
	x.t.Helper()
	x.clock.Advance(time.Second)
	c := id.Contact(id.New(x.clock.Now()))
	x.fact(c, event.ContactStarted{Medium: contact.Phone, Direction: contact.In, From: number, To: "12366", Number: "12366"},
		event.ContactQueued{Queue: "vat", EnteredAt: 1, First: true, Caller: number})
	x.clock.Advance(time.Minute)
	if answered {
		x.fact(c, event.ContactAnswered{Queue: "vat", Agent: "1009", EnteredAt: 1}, event.ContactEnded{Outcome: contact.Answered})
		return
	}
	x.fact(c, event.ContactAbandoned{Queue: "vat", EnteredAt: 1, WaitMs: 60_000}, event.ContactEnded{By: contact.ByCaller, Outcome: contact.Abandoned})
}

// rung begins a call out as the telephone does.
func (x *lists) rung(o contact.Outcall) {
	x.t.Helper()
	x.fact(o.Contact, event.ContactStarted{Medium: contact.Phone, Direction: contact.Out, From: o.Number, To: o.Number},
		event.CalloutBegun{Agent: o.Agent, Number: o.Number, Purpose: o.Purpose, Ref: o.Ref}, event.LegStarted{Leg: id.Leg("a" + o.Contact), Role: "agent", Agent: o.Agent},
		event.LegStarted{Leg: id.Leg("c" + o.Contact), Role: "caller"})
	x.clock.Advance(10 * time.Second)
}

func (x *lists) ends(o contact.Outcall, result string) {
	x.t.Helper()
	outcome := contact.Unreached
	if result == event.OutAnswered {
		outcome = contact.Answered
		x.fact(o.Contact, event.CalloutAnswered{Agent: o.Agent, Purpose: o.Purpose, Ref: o.Ref})
		x.clock.Advance(10 * time.Second)
	}
	x.fact(o.Contact, event.CalloutEnded{Agent: o.Agent, Purpose: o.Purpose, Ref: o.Ref, Result: result}, event.ContactEnded{Outcome: outcome})
}

// only gives the one call asked for since it was asked last.
func (x *lists) only() contact.Outcall {
	x.t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.sent) != 1 {
		x.t.Fatalf("%d calls, want one", len(x.sent))
	}
	o := x.sent[0]
	x.sent = nil
	return o
}

// row gives the newest row of a number in the worklist: id, owner, tries, state.
func (x *lists) row(number string) (r struct {
	id, owner, state string
	tries            int
	again            int64
},
) {
	x.t.Helper()
	type row = struct {
		id, owner, state string
		tries            int
		again            int64
	}
	r, err := store.One(x.t.Context(), x.l.DB(), `SELECT id, owner, state, tries, again_at FROM missed_row WHERE number = ? ORDER BY opened_at DESC, id DESC LIMIT 1`,
		func(s store.Scanner) (r row, err error) {
			return r, s.Scan(&r.id, &r.owner, &r.state, &r.tries, &r.again)
		}, number)
	check(x.t, err)
	return r
}

// stands says where a number stands on the list: its state, with why where it is closed.
func (x *lists) stands(number string) string {
	x.t.Helper()
	s, err := store.One(x.t.Context(), x.l.DB(), `SELECT CASE WHEN state = 'closed' THEN how ELSE state END FROM outbound_person WHERE number = ?`, store.Col[string], number)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		x.t.Fatal(err)
	}
	return s
}

func wantFault(t *testing.T, err error, code string) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Errorf("%v, want %s", err, code)
	}
}

// Missed callers come onto a list by themselves and go when anybody has spoken with them; who is called from the list is
// the agent's in the worklist meanwhile, what came of it is known there, and who is taken there is not called from here.
func TestRowB8MissedCallersOnAList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		x := openLists(t, db, fmt.Sprintf(backList, "preview"))
		ctx := t.Context()
		const ann, bob, cid, dan = "013800000001", "013800000002", "013800000003", "013800000004"
		all := []string{ann, bob, cid, dan}
		for _, n := range all {
			x.calls(n, false)
		}
		x.run()
		x.turns("all are on the list", func() bool {
			return !slices.ContainsFunc(all, func(n string) bool { return x.stands(n) != "pending" })
		})
		agent := x.b.As("agent", webtest.At("gz"), webtest.User("1001"))
		var page outbound.MyOutbound
		next := func() contact.Outcall {
			t.Helper()
			agent.Post("/api/v1/outbound/mine/next", map[string]any{}).OK()
			agent.Get("/api/v1/outbound/mine").OK().Into(&page)
			agent.Post("/api/v1/outbound/mine/"+page.Cards[len(page.Cards)-1].ID+"/dial", nil).OK()
			return x.only()
		}

		// Ann is called from the list: nobody can call her from the worklist, not even who may take from others.
		agent.Post("/api/v1/outbound/mine/next", map[string]any{}).OK().Into(&page)
		if r := x.row(ann); r.owner != "1001" {
			t.Errorf("shown to 1001, and in the worklist she is %q's", r.owner)
		}
		_, _, err := x.missed.Ring(ctx, x.row(ann).id, "1002", false)
		wantFault(t, err, "missed.row.taken")
		o := next()
		_, _, err = x.missed.Ring(ctx, x.row(ann).id, "1002", true)
		wantFault(t, err, "missed.row.rung")
		x.rung(o)
		x.ends(o, event.OutBusy)
		x.turns("she is pending again", func() bool { return x.stands(ann) == "pending" })
		if r := x.row(ann); r.owner != "" || r.tries != 1 || r.state != "open" || r.again <= x.clock.Now().UnixMilli() {
			t.Errorf("busy, and the worklist says %+v", r)
		}

		// Bob is taken in the worklist: the list calls the next one.
		_, err = x.missed.Give(ctx, x.row(bob).id, "1002", "1002", false)
		check(t, err)
		o = next()
		if o.Number != cid {
			t.Fatalf("called %s", o.Number)
		}
		x.rung(o)
		x.ends(o, event.OutAnswered)
		x.turns("he was spoken with", func() bool { return x.stands(cid) == "reached" && x.row(cid).state == "reached" })
		agent.Get("/api/v1/outbound/mine").OK().Into(&page)
		agent.Post("/api/v1/outbound/mine/"+page.Cards[0].ID+"/result", map[string]any{"result": "refused"}).OK()
		if r := x.row(cid); r.state != "not_wanted" || x.stands(cid) != "refused" {
			t.Errorf("refused: %s on the list, %s in the worklist", x.stands(cid), r.state)
		}

		// Ann calls again and is answered; Bob is reached from the worklist: both leave the list.
		x.calls(ann, true)
		x.turns("she is off the list", func() bool {
			return (x.stands(ann) == "called_in" || x.stands(ann) == "settled") && x.row(ann).state == "came_back"
		}) // heard, or seen at the next look
		_, _, err = x.missed.Ring(ctx, x.row(bob).id, "1002", false)
		check(t, err)
		o = x.only()
		x.rung(o)
		x.ends(o, event.OutAnswered)
		x.turns("he is off the list", func() bool { return x.stands(bob) == "settled" && x.row(bob).state == "reached" })

		// A machine answered for Dan: the worklist has him again, and so has the list.
		o = next()
		if o.Number != dan {
			t.Fatalf("called %s", o.Number)
		}
		x.rung(o)
		x.ends(o, event.OutAnswered)
		x.turns("the talk is over", func() bool { return x.stands(dan) == "reached" && x.row(dan).state == "reached" })
		agent.Get("/api/v1/outbound/mine").OK().Into(&page)
		agent.Post("/api/v1/outbound/mine/"+page.Cards[0].ID+"/result", map[string]any{"result": "machine"}).OK()
		if r := x.row(dan); r.state != "open" || r.owner != "" || r.tries != 1 || x.stands(dan) != "pending" {
			t.Errorf("a machine: %s on the list, %+v in the worklist", x.stands(dan), r)
		}

		// Bob calls again in vain: he is missed anew.
		x.calls(bob, false)
		x.turns("he is on the list again", func() bool { return x.stands(bob) == "pending" })
		ledgertest.Holds(t, x.l)
	})
}

// A list and the worklist go for the same people at the same time: each is rung by one of them.
func TestRowB8NobodyIsRungByTwo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		x := openLists(t, db, fmt.Sprintf(backList, "progressive"))
		var all []string
		for i := range 12 {
			all = append(all, fmt.Sprintf("0138000001%02d", i))
			x.calls(all[i], false)
		}
		x.mu.Lock()
		for i := range 6 {
			x.idle = append(x.idle, outbound.Idle{Agent: id.User(fmt.Sprint(1001 + i)), Site: "gz"})
		}
		x.mu.Unlock()
		rows := map[string]string{}
		for _, n := range all {
			rows[n] = x.row(n).id
		}
		begin, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			<-begin
			for i, n := range all { // the most urgent first, as the list does
				_, _, err := x.missed.Ring(context.Background(), rows[n], id.User(fmt.Sprint(2001+i)), true)
				if code := fault.CodeOf(err); err != nil && code != "missed.row.taken" && code != "missed.row.rung" {
					t.Errorf("%s: %v", n, err)
				}
			}
		}()
		x.run()
		close(begin)
		<-done
		x.turns("everybody is called by somebody", func() bool {
			x.mu.Lock()
			defer x.mu.Unlock()
			return len(x.sent) >= len(all) || len(x.idle) == 0
		})
		x.mu.Lock()
		defer x.mu.Unlock()
		by := map[string][]id.User{}
		for _, o := range x.sent {
			by[o.Number] = append(by[o.Number], o.Agent)
		}
		for n, agents := range by {
			if len(agents) > 1 {
				t.Errorf("%s is rung by %v", n, agents)
			}
		}
	})
}

// moduleMigrations is a module with tables.
type moduleMigrations interface {
	Name() string
	Migrations() fs.FS
}
