package voice

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// keeper is the callbacks of one of several processes, without its calls.
type keeper struct {
	*callbacks
	mu    sync.Mutex
	facts []event.Body
}

func (k *keeper) Post(_ time.Time, _ id.Site, _, _ string, body event.Body) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.facts = append(k.facts, body)
}

// severalProcesses is a house of several processes, as far as callbacks care.
type severalProcesses struct{}

func (severalProcesses) Assert(context.Context, id.Contact, time.Time, flow.Cursor) error { return nil }

func (severalProcesses) Over(context.Context, []id.Contact) error { return nil }

func newKeeper(t *testing.T, db *store.DB, c clock.Clock, node id.Node) *keeper {
	t.Helper()
	k := &keeper{}
	m := &Module{deps: Deps{DB: db, Clock: c, Facts: k, Node: node, Presence: severalProcesses{}, Log: slog.New(slog.DiscardHandler)}, calls: map[id.Contact]*call{}}
	m.life, m.endLife = context.WithCancel(context.Background())
	t.Cleanup(m.endLife)
	m.callbacks = newCallbacks(m)
	k.callbacks = m.callbacks
	return k
}

func (k *keeper) promise(t *testing.T, callback, number string, now time.Time) *promise {
	t.Helper()
	p := &promise{id: callback, contact: id.Contact("C" + callback), queue: "vat", since: now.Add(-time.Minute), site: "gz", number: number, caller: number, askedAt: now, due: now, most: 3, every: time.Minute}
	must(t, k.keep(t.Context(), p))
	p.asked = true
	return p
}

// Row B5: the promises of a process that died are kept by exactly one of the others, at the place they had; a process
// that was only slow starts no call-out any more; and while all live none takes anything from another.
func TestRowB5PromisesOfADeadProcess(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		at := clock.NewManual(time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC))
		keepers := map[string]*keeper{}
		for i, node := range []string{"one", "two", "three"} {
			keepers[node] = newKeeper(t, db, at, id.Node(node))
			if i == 0 {
				must(t, db.Migrate(t.Context(), "voice", keepers[node].m.Migrations()))
				_, err := store.Exec(t.Context(), db, `CREATE TABLE ledger_fact (at BIGINT, day TEXT, kind TEXT, subject TEXT, body TEXT)`)
				must(t, err)
			}
		}
		one, two, three := keepers["one"], keepers["two"], keepers["three"]
		kept := make([]*promise, 8)
		for i := range kept {
			kept[i] = one.promise(t, fmt.Sprintf("CB%d", i), fmt.Sprintf("0139%08d", i), at.Now())
			_, err := store.Exec(t.Context(), db, `INSERT INTO ledger_fact (at, day, kind, subject, body) VALUES (?, '2026-11-24', 'callback.asked', ?, ?)`,
				at.Now().UnixMilli(), string(kept[i].contact), fmt.Sprintf(`{"callback":"CB%d","queue":"vat","caller":"x"}`, i))
			must(t, err)
		}
		for range 20 { // all live
			at.Advance(callbackLook)
			for _, k := range keepers {
				k.agree(t.Context())
			}
		}
		if one.open.Load() != 8 || two.open.Load()+three.open.Load() != 0 {
			t.Fatalf("while all live: %d %d %d", one.open.Load(), two.open.Load(), three.open.Load())
		}
		if two.afar.Load() != 8 {
			t.Errorf("two knows of %d promises of others", two.afar.Load())
		}

		at.Advance(callbackDead + time.Second) // one says nothing any more
		var both sync.WaitGroup
		for _, k := range []*keeper{two, three} {
			both.Go(func() { k.agree(context.WithoutCancel(t.Context())) })
		}
		both.Wait()
		if two.open.Load()+three.open.Load() != 8 {
			t.Fatalf("taken over: %d and %d of 8", two.open.Load(), three.open.Load())
		}
		claims := 0
		for i, p := range kept {
			if one.claim(p, at.Now()) {
				t.Errorf("CB%d: the one that was dead begins a call-out", i)
			}
			for _, k := range []*keeper{two, three} {
				if q := k.find(p.id); q != nil {
					if !q.since.Equal(p.since) || !q.asked {
						t.Errorf("%s is kept as %+v", p.id, q)
					}
					if k.claim(q, at.Now()) {
						claims++
					}
				}
			}
		}
		if claims != 8 {
			t.Errorf("%d call-outs for 8 promises", claims)
		}
		one.agree(t.Context())
		if one.open.Load() != 0 {
			t.Errorf("the one that was dead still has %d", one.open.Load())
		}
	})
}

// Orders reach the process that holds the promise: cancel with a reason, call now, the person has called elsewhere.
func TestRowB5OrdersToTheHolder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		at := clock.NewManual(time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC))
		one, two := newKeeper(t, db, at, "one"), newKeeper(t, db, at, "two")
		must(t, db.Migrate(t.Context(), "voice", one.m.Migrations()))
		a, b, c := one.promise(t, "CBA", "01390001", at.Now()), one.promise(t, "CBB", "01390002", at.Now()), one.promise(t, "CBC", "01390003", at.Now())
		b.due = at.Now().Add(time.Hour)
		two.agree(t.Context())
		for _, o := range []struct{ id, what, by, why string }{{a.id, wantCancel, "leader1", "已当面答复"}, {b.id, wantNow, "leader1", ""}} {
			if ok, err := two.want(t.Context(), o.id, o.what, o.by, o.why); err != nil || !ok {
				t.Fatal(ok, err)
			}
		}
		since, ok := two.takeOver(&call{m: two.m, id: "NEW", from: c.number}, time.Time{})
		if !ok || !since.Equal(c.since) {
			t.Errorf("who calls elsewhere has the place of %v, %v", since, ok)
		}
		two.m.gone.Wait()
		one.agree(t.Context())
		if b.due.After(at.Now()) || one.find(a.id) != nil || one.find(c.id) != nil || one.find(b.id) == nil {
			t.Errorf("after the orders: due %v, %v %v %v", b.due, one.find(a.id), one.find(b.id), one.find(c.id))
		}
		how := map[string]string{}
		for _, f := range one.facts {
			if e, ok := f.(event.CallbackEnded); ok {
				how[e.Callback] = e.How + " " + e.Why + string(e.By)
			}
		}
		if how["CBA"] != "cancelled 已当面答复" || how["CBC"] != "came_back NEW" {
			t.Errorf("told: %v", how)
		}
	})
}

// The page: who waits, masked; cancel with a reason and who, once; call now; nobody without the right.
func TestRowB5CallbackPage(t *testing.T) {
	h := newTending(t)
	outside := h.line()
	b := webtest.New(t, h.Module)
	l := h.person(mobile, outside)
	h.waits(1)
	h.asks(l)
	var list []CallbackView
	leader := b.As("leader")
	leader.Get("/api/v1/voice/callbacks").OK().Into(&list)
	if len(list) != 1 || list[0].Number != "139****0137" || list[0].State != "open" || list[0].Keyed {
		t.Fatalf("%+v", list)
	}
	url := "/api/v1/voice/callbacks/" + list[0].ID
	if s := b.As("agent").Get("/api/v1/voice/callbacks").Status; s != 403 {
		t.Errorf("an agent sees the page: %d", s)
	}
	leader.Post(url+"/cancel", map[string]string{"reason": "  "}).Fails(422, "voice.callback.reason")
	leader.Post(url+"/cancel", map[string]string{"reason": "已当面答复"}).OK()
	leader.Post(url+"/cancel", map[string]string{"reason": "再来一次"}).Fails(409, "voice.callback.over")
	leader.Post(url+"/now", nil).Fails(409, "voice.callback.over")
	h.until("the row is closed", func() bool { state, _ := h.row(); return state == event.BackCancelled })
	leader.Get("/api/v1/voice/callbacks?view=ended").OK().Into(&list)
	if len(list) != 1 || list[0].Why != "已当面答复" || list[0].EndedBy == "" {
		t.Errorf("ended: %+v", list)
	}
	if e := said[event.CallbackEnded](h); len(e) != 1 || e[0].How != event.BackCancelled || e[0].Why != "已当面答复" {
		t.Errorf("told %+v", e)
	}
	l.Request("BYE", "")
}
