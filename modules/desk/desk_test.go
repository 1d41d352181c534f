package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
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
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"))
}

// bench is a desk with a brain and calls that do at once what they are told, and facts that come round at once.
type bench struct {
	*webtest.Bench
	m     *Module
	t     *testing.T
	facts chan ledger.Fact

	mu       sync.Mutex
	said     []string // of calls and brain
	asserted []id.User
	refuse   error // of the next request to brain or calls
	held     id.Leg
	asked    joined // the newest one asked
}

func (b *bench) Post(at time.Time, place id.Site, subject, actor string, body event.Body) {
	raw, err := json.Marshal(body)
	if err != nil {
		b.t.Error(err)
	}
	b.facts <- ledger.Fact{At: at.UnixMilli(), Kind: body.Kind(), Subject: subject, Actor: actor, Place: string(place), Body: raw}
}

func (b *bench) Follow(ctx context.Context, begun func(), f func(ledger.Fact)) error {
	begun()
	for {
		select {
		case x := <-b.facts:
			f(x)
		case <-ctx.Done():
			return nil
		}
	}
}

func (b *bench) now() time.Time { return b.m.deps.Clock.Now() }

func (b *bench) say(s string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refuse; err != nil {
		b.refuse = nil
		return err
	}
	b.said = append(b.said, s)
	return nil
}

func (b *bench) change(u id.User, to event.AgentState, reason string, c id.Contact) {
	b.Post(b.now(), "gz", string(u), string(u), event.AgentChanged{State: to, Reason: reason, With: c, WasSince: b.now().UnixMilli(), Until: b.now().UnixMilli() + 30_000})
}

func (b *bench) SignIn(_ context.Context, u id.User, site id.Site, at contact.Endpoint, _ id.Seat, up func() bool) error {
	if err := b.say("sign in " + string(u) + " " + string(at.Phone)); err != nil {
		return err
	}
	_ = up()
	b.Post(b.now(), site, string(u), string(u), event.AgentSignedIn{Endpoint: at})
	b.change(u, event.Away, "", "")
	return nil
}

func (b *bench) SignOut(_ context.Context, u id.User, _ string) error {
	err := b.say("sign out " + string(u))
	if err == nil {
		b.Post(b.now(), "gz", string(u), string(u), event.AgentSignedOut{})
	}
	return err
}

func (b *bench) Want(_ context.Context, u id.User, ready bool, reason string) error {
	if ready {
		reason = "ready"
	}
	err := b.say("want " + reason)
	v := b.m.view(u)
	switch {
	case err != nil || v.State.State == event.Talking || v.State.State == event.Wrapup:
	case ready:
		b.change(u, event.Ready, "", "")
	default:
		b.change(u, event.Away, reason, "")
	}
	return err
}

func (b *bench) WrapUpDone(_ context.Context, u id.User) error {
	err := b.say("wrap-up done")
	if err == nil {
		b.change(u, event.Ready, "", "")
	}
	return err
}

func (b *bench) WrapUpExtended(_ context.Context, u id.User, until time.Time) error {
	err := b.say("wrap-up extended")
	b.Post(b.now(), "gz", string(u), string(u), event.AgentChanged{State: event.Wrapup, Was: event.Wrapup, WasSince: b.now().UnixMilli(), With: "c1", Until: until.UnixMilli()})
	return err
}

func (b *bench) Hold(_ context.Context, c id.Contact, _ id.User, hold bool) error {
	err := b.say("hold")
	if hold {
		b.Post(b.now(), "gz", string(c), "", event.LegHeld{Leg: b.held})
	} else {
		b.Post(b.now(), "gz", string(c), "", event.LegResumed{Leg: b.held})
	}
	return err
}
func (b *bench) Hangup(context.Context, id.Contact, id.User) error { return b.say("hang up") }
func (b *bench) Press(_ context.Context, _ id.Contact, _ id.User, d string) error {
	return b.say("press " + d)
}

func (b *bench) Transfer(_ context.Context, _ id.Contact, _ id.User, to contact.Target) error {
	return b.say("transfer " + string(to.Kind) + " " + to.Code)
}

func (b *bench) Consult(_ context.Context, c id.Contact, u id.User, to contact.Target, join bool) error {
	err := b.say("consult " + string(to.Kind) + " " + to.Code)
	b.asked = joined{leg: id.Leg("p" + to.Code), to: to}
	b.Post(b.now(), "gz", string(c), string(u), event.ConsultBegun{Agent: u, To: to})
	if join {
		return cmp.Or(err, b.ConsultTurn(context.Background(), c, u, event.WithBoth))
	}
	return err
}

func (b *bench) ConsultTurn(_ context.Context, c id.Contact, u id.User, with string) error {
	err := b.say("turn " + with)
	turned := event.ConsultTurned{Agent: u, With: with}
	if with == event.WithBoth {
		turned.Leg, turned.To = b.asked.leg, &b.asked.to
	}
	b.Post(b.now(), "gz", string(c), string(u), turned)
	return err
}

func (b *bench) PartyDrop(_ context.Context, c id.Contact, u id.User, leg id.Leg) error {
	err := b.say("drop " + string(leg))
	b.Post(b.now(), "gz", string(c), string(u), event.ConsultEnded{Agent: u, Why: "desk", Leg: leg})
	return err
}

func (b *bench) PartyMute(_ context.Context, c id.Contact, u id.User, leg id.Leg, muted bool) error {
	err := b.say(fmt.Sprint("mute ", leg, " ", muted))
	b.Post(b.now(), "gz", string(c), string(u), event.ConsultMuted{Agent: u, Leg: leg, Muted: muted})
	return err
}

func (b *bench) ConsultEnd(_ context.Context, c id.Contact, u id.User) error {
	err := b.say("consult ends")
	b.Post(b.now(), "gz", string(c), string(u), event.ConsultEnded{Agent: u, Why: "desk"})
	return err
}

func (b *bench) ConsultComplete(_ context.Context, c id.Contact, u id.User) error {
	err := b.say("consult completed")
	b.Post(b.now(), "gz", string(c), string(u), event.ConsultEnded{Agent: u, Why: "transfer"})
	return err
}

func (b *bench) Echo(_ context.Context, at contact.Endpoint) error {
	return b.say("echo " + string(at.Phone))
}
func (b *bench) Quality(id.Contact) (mos, loss float64, ok bool) { return 4.2, 0.01, true }
func (b *bench) Outside(at contact.Endpoint) bool                { return at.Phone == "m1" }
func (b *bench) Registered(contact.Endpoint) bool                { return true }
func (b *bench) Browser(u id.User) (name, secret, realm string) {
	return "web-" + string(u), "s", "kapok"
}

func (b *bench) Phones(context.Context) (map[id.Phone]id.Site, error) {
	return map[id.Phone]id.Site{"8001": "gz", "8002": "gz"}, nil
}

func (b *bench) User(u id.User) (string, id.Site, bool) { return "name of " + string(u), "gz", true }

func (b *bench) Queue(q id.Queue) (name, nameEn string) { return "queue " + string(q), string(q) }
func (b *bench) Queues() []id.Queue                     { return []id.Queue{"vat"} }
func (b *bench) Districts(id.Site) []Place              { return []Place{{Code: "th", Name: "天河"}} }

func (b *bench) Pop(_ context.Context, n string, _ time.Time) (Pop, error) {
	return Pop{Number: n}, nil
}
func (b *bench) MyDay(context.Context, id.User) (Day, error) { return Day{Answered: 7}, nil }
func (b *bench) Assert(_ context.Context, u id.User) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asserted = append(b.asserted, u)
	return nil
}

func newBench(t *testing.T, db *store.DB, clocks ...clock.Clock) *bench {
	t.Helper()
	b := &bench{t: t, facts: make(chan ledger.Fact, 256), held: "leg1"}
	var at clock.Clock = clock.System()
	if len(clocks) > 0 {
		at = clocks[0]
	}
	b.m = New(Deps{
		DB: db, Clock: at, Facts: b, Stream: b, Brain: b, Calls: b, Endpoints: b, Names: b, People: b, Day: b, Presence: b, Dialler: b, Parking: b,
		Log: slog.New(slog.DiscardHandler),
	})
	if err := db.Migrate(t.Context(), "desk", b.m.Migrations()); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		reasonTable.Put(t.Context(), db, "REST", Reason{Code: "REST", Name: "小休"}),
		topicTable.Put(t.Context(), db, "0101", Topic{Code: "0101", Level1: "税费政策", Level2: "增值税"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b.Bench = webtest.New(t, b.m)
	b.m.deps.Hub = b.Server.Hub()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.m.Start(ctx) }()
	<-b.m.Ready()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return b
}

// ring, answer and end are what the brain and the calls say of the contact c1 at the agent 1001.
func (b *bench) ring() {
	b.Post(b.now(), "gz", "c1", "", event.ContactStarted{From: "013900000137", Direction: contact.In})
	b.Post(b.now(), "gz", "c1", "", event.ContactQueued{Queue: "vat", EnteredAt: b.now().UnixMilli()})
	b.Post(b.now(), "gz", "c1", "1001", event.ContactOffered{Offer: "1-1", Queue: "vat", Agent: "1001", EnteredAt: b.now().UnixMilli()})
	b.change("1001", event.Ringing, "", "c1")
	b.Post(b.now(), "gz", "c1", "1001", event.LegStarted{Leg: "leg1", Role: "agent", Agent: "1001"})
	b.phase("ringing")
}

func (b *bench) answer() {
	b.Post(b.now(), "gz", "c1", "1001", event.ContactAnswered{Queue: "vat", Agent: "1001", WaitMs: 4000})
	b.change("1001", event.Talking, "", "c1")
	b.Post(b.now(), "gz", "c1", "1001", event.LegAnswered{Leg: "leg1"})
	b.phase("talking")
}

func (b *bench) end() {
	b.Post(b.now(), "gz", "c1", "1001", event.LegEnded{Leg: "leg1", Role: "agent", Agent: "1001"})
	b.change("1001", event.Wrapup, "", "c1")
	b.Post(b.now(), "gz", "c1", "", event.ContactEnded{})
	b.phase("wrapup")
}

// phase waits until c1 is in a phase at 1001; "" is gone.
func (b *bench) phase(want string) {
	b.t.Helper()
	got := ""
	for range 500 {
		if got, _ = b.m.floor.holds("1001", "c1"); got == want && len(b.facts) == 0 {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	b.t.Fatalf("the contact is %q at the desk, want %q", got, want)
}

func (b *bench) heard(s string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.said) == 0 || b.said[len(b.said)-1] != s {
		b.t.Errorf("said %q, want %q at the end", b.said, s)
	}
}

func TestDay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		me := b.As("agent", webtest.User("1001"))
		other := b.As("agent", webtest.User("1002"))
		const desk = "/api/v1/desk"
		on := func(what string) string { return desk + "/contacts/c1/" + what }
		b.Run(
			webtest.Scenario{Name: "without the right", As: "none", URL: desk, Status: 403},
			webtest.Scenario{Name: "before signing in", By: me, URL: desk, Status: 200, Want: []string{`"signed_in":false`, `"state":"signed_out"`, `"REST"`}},
			webtest.Scenario{Name: "no state without signing in", By: me, Method: "POST", URL: desk + "/state", Body: `{"state":"ready"}`, Status: 409, Code: "desk.signed_out"},
			webtest.Scenario{Name: "no echo either", By: me, Method: "POST", URL: desk + "/echo", Status: 409, Code: "desk.signed_out"},
			webtest.Scenario{Name: "a phone nobody knows", By: me, Method: "POST", URL: desk + "/signin", Body: `{"endpoint":"9"}`, Status: 422, Code: "desk.phone.unknown"},
			webtest.Scenario{Name: "sign in", By: me, Method: "POST", URL: desk + "/signin", Body: `{"endpoint":"8001"}`, Status: 200, Want: []string{`"signed_in":true`, `"phone":"8001"`, `"state":"away"`}},
			webtest.Scenario{Name: "the phone is taken", By: other, Method: "POST", URL: desk + "/signin", Body: `{"endpoint":"8001"}`, Status: 409, Code: "desk.phone.taken"},
			webtest.Scenario{Name: "who has it is shown", By: other, URL: desk + "/phones", Status: 200, Want: []string{`"taken_by":"name of 1001"`}},
			webtest.Scenario{Name: "again, unasked", By: me, Method: "POST", URL: desk + "/signin", Body: `{"endpoint":"browser"}`, Status: 409, Code: "desk.session.elsewhere"},
			webtest.Scenario{Name: "taken over", By: me, Method: "POST", URL: desk + "/signin", Body: `{"endpoint":"browser","takeover":true}`, Status: 200, Want: []string{`"kind":"browser"`, `"web-1001"`, `"/sip"`}},
			webtest.Scenario{Name: "no such reason", By: me, Method: "POST", URL: desk + "/state", Body: `{"state":"away","reason":"X"}`, Status: 422, Code: "desk.reason.unknown"},
			webtest.Scenario{Name: "away", By: me, Method: "POST", URL: desk + "/state", Body: `{"state":"away","reason":"REST"}`, Status: 200, Want: []string{`"reason":"REST"`}},
			webtest.Scenario{Name: "ready", By: me, Method: "POST", URL: desk + "/state", Body: `{"state":"ready"}`, Status: 200, Want: []string{`"state":"ready"`}},
			webtest.Scenario{Name: "no such state", By: me, Method: "POST", URL: desk + "/state", Body: `{"state":"asleep"}`, Status: 422},
			webtest.Scenario{Name: "echo", By: me, Method: "POST", URL: desk + "/echo", Status: 200},
			webtest.Scenario{Name: "lists", By: me, URL: desk + "/lists", Status: 200, Want: []string{"0101", "天河"}},
			webtest.Scenario{Name: "my day", By: me, URL: desk + "/day", Status: 200, Want: []string{`"answered":7`}},
			webtest.Scenario{Name: "a contact of nobody", By: me, Method: "POST", URL: on("hold"), Status: 404, Code: "desk.contact.not_yours"},
		)
		b.ring()
		b.Run(
			webtest.Scenario{Name: "ringing", By: me, URL: desk, Status: 200, Want: []string{`"phase":"ringing"`, `"number":"139****0137"`, `"answer":"browser"`, `"queue_name":"queue vat"`}, Not: []string{"013900000137"}},
			webtest.Scenario{Name: "hold while it rings", By: me, Method: "POST", URL: on("hold"), Status: 409, Code: "desk.contact.phase"},
			webtest.Scenario{Name: "who is calling", By: me, URL: on("pop"), Status: 200},
			webtest.Scenario{Name: "of another agent", By: other, URL: on("pop"), Status: 404, Code: "desk.contact.not_yours"},
		)
		b.answer()
		b.Run(
			webtest.Scenario{Name: "talking", By: me, URL: desk, Status: 200, Want: []string{`"phase":"talking"`, `"mos":4.2`, `"waited_ms":4000`}},
			webtest.Scenario{Name: "hold", By: me, Method: "POST", URL: on("hold"), Status: 200, Want: []string{`"phase":"held"`}},
			webtest.Scenario{Name: "no keys while held", By: me, Method: "POST", URL: on("dtmf"), Body: `{"digits":"1"}`, Status: 409, Code: "desk.contact.phase"},
			webtest.Scenario{Name: "resume", By: me, Method: "POST", URL: on("resume"), Status: 200, Want: []string{`"phase":"talking"`}},
			webtest.Scenario{Name: "keys", By: me, Method: "POST", URL: on("dtmf"), Body: `{"digits":"12#"}`, Status: 200},
			webtest.Scenario{Name: "no keys of that kind", By: me, Method: "POST", URL: on("dtmf"), Body: `{"digits":"x"}`, Status: 422},
			webtest.Scenario{Name: "another agent hangs up", By: other, Method: "POST", URL: on("hangup"), Status: 404, Code: "desk.contact.not_yours"},
			webtest.Scenario{Name: "a transfer nowhere", By: me, Method: "POST", URL: on("transfer"), Body: `{"kind":"queue","code":" "}`, Status: 422, Code: "desk.transfer.nowhere"},
			webtest.Scenario{Name: "a transfer", By: me, Method: "POST", URL: on("transfer"), Body: `{"kind":"queue","code":" vat "}`, Status: 200},
			webtest.Scenario{Name: "help", By: me, Method: "POST", URL: desk + "/help", Body: `{"contact":"c1","note":"?"}`, Status: 200, Want: []string{`"asked":true`}},
			webtest.Scenario{Name: "autosave", By: me, Method: "PUT", URL: on("wrapup"), Body: `{"topic":"0101","answer":"half"}`, Status: 200},
			webtest.Scenario{Name: "not by another", By: other, Method: "PUT", URL: on("wrapup"), Body: `{}`, Status: 404, Code: "desk.contact.not_yours"},
			webtest.Scenario{Name: "no wrap-up to extend yet", By: me, Method: "POST", URL: on("wrapup/extend"), Status: 409, Code: "desk.contact.phase"},
			webtest.Scenario{Name: "the directory, for others", By: other, URL: desk + "/directory", Status: 200, Want: []string{`"state":"talking"`, `"kind":"queue"`}},
		)
		b.heard("transfer queue vat")
		b.mu.Lock()
		b.refuse = fault.New(fault.Conflict, "routing.rejected.no_room")
		b.mu.Unlock()
		b.Run(webtest.Scenario{Name: "a transfer to somebody busy", By: me, Method: "POST", URL: on("transfer"), Body: `{"kind":"agent","code":"1002"}`, Status: 409, Code: "routing.rejected.no_room"})
		b.end()
		b.Run(
			webtest.Scenario{Name: "wrapping up", By: me, URL: desk, Status: 200, Want: []string{`"wrapup":{"contact":"c1"`}},
			webtest.Scenario{Name: "what I wrote", By: me, URL: on("wrapup"), Status: 200, Want: []string{`"answer":"half"`}},
			webtest.Scenario{Name: "a minute more", By: me, Method: "POST", URL: on("wrapup/extend"), Status: 200},
			webtest.Scenario{Name: "a wrong tax ID", By: me, Method: "POST", URL: on("wrapup/done"), Body: `{"state":"ready","wrapup":{"tax_id":"91440103MA99QUKA40"}}`, Status: 422, Code: "desk.tax_id.wrong"},
			webtest.Scenario{Name: "no such topic", By: me, Method: "POST", URL: on("wrapup/done"), Body: `{"state":"ready","wrapup":{"topic":"9999"}}`, Status: 422, Code: "desk.topic.unknown"},
			webtest.Scenario{Name: "done", By: me, Method: "POST", URL: on("wrapup/done"), Body: `{"state":"ready","wrapup":{"topic":"0101","tax_id":"91440103ma99quka41","answer":"whole"}}`, Status: 200, Want: []string{`"state":"ready"`, `"calls":[]`}},
			webtest.Scenario{Name: "corrected later", By: me, Method: "PUT", URL: on("wrapup"), Body: `{"topic":"0101","answer":"better"}`, Status: 200},
			webtest.Scenario{Name: "sign out", By: me, Method: "POST", URL: desk + "/signout", Status: 200, Want: []string{`"signed_in":false`}},
		)
	})
}

// The page hears of every change, and the same contact is gone from the desk when the offer is missed.
func TestPushed(t *testing.T) {
	b := newBench(t, storetest.SQLite(t))
	me := b.As("agent", webtest.User("1001"))
	me.Post("/api/v1/desk/signin", `{"endpoint":"8002"}`).OK()
	s := me.Socket("desk")
	b.ring()
	for {
		if m := s.Next(); strings.Contains(string(m.Data), `"phase":"ringing"`) {
			break
		}
	}
	b.Post(b.now(), "gz", "c1", "1001", event.ContactMissed{Agent: "1001", Why: "missed"})
	b.change("1001", event.Away, "missed", "")
	b.phase("")
	b.ring() // offered again, and again, and now the person leaves
	b.Post(b.now(), "gz", "c1", "1001", event.ContactMissed{Agent: "1001", Why: "withdrawn"})
	b.Post(b.now(), "gz", "c1", "", event.LegEnded{Leg: "leg1", Role: "agent", Agent: "1001"})
	b.phase("")
}

// A transfer past the queues: rings, is talked to, and is wrapped up.
func TestDirect(t *testing.T) {
	b := newBench(t, storetest.SQLite(t))
	me := b.As("agent", webtest.User("1001"))
	me.Post("/api/v1/desk/signin", `{"endpoint":"8002"}`).OK()
	b.change("1001", event.Ringing, "", "c1")
	b.Post(b.now(), "gz", "c1", "1001", event.LegStarted{Leg: "leg1", Role: "agent", Agent: "1001"})
	b.phase("ringing")
	b.change("1001", event.Talking, "", "c1")
	b.Post(b.now(), "gz", "c1", "1001", event.LegAnswered{Leg: "leg1"})
	b.phase("talking")
	b.end()
	b.change("1001", event.Ready, "", "")
	b.phase("")
}

func TestPresence(t *testing.T) {
	c := clock.NewManual(time.UnixMilli(1_000_000))
	b := newBench(t, storetest.SQLite(t), c)
	me := b.As("agent", webtest.User("1001"))
	me.Post("/api/v1/desk/signin", `{"endpoint":"8002"}`).OK()
	beats := func() int { b.mu.Lock(); defer b.mu.Unlock(); return len(b.asserted) }
	beat := func(want int) {
		t.Helper()
		for range 300 { // the beat's timer is set by its own goroutine
			if c.Waiting() > 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		c.Advance(beatEvery)
		for range 100 {
			if beats() == want {
				break
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(10 * time.Millisecond)
		if got := beats(); got != want {
			t.Errorf("asserted %d times, want %d", got, want)
		}
	}
	beat(2) // at sign-in, and by the beat: nobody ever opened a page
	s := me.Socket("desk")
	beat(3)
	s.Close()
	for range 300 {
		if !b.Server.Hub().Present("1001") {
			break
		}
		time.Sleep(time.Millisecond)
	}
	beat(3) // the page went
}

func TestSignInRefused(t *testing.T) {
	b := newBench(t, storetest.SQLite(t))
	me := b.As("agent", webtest.User("1001"))
	b.refuse = fault.New(fault.Conflict, "routing.phone.taken", "phone", "8001", "agent", "1002")
	me.Post("/api/v1/desk/signin", `{"endpoint":"8001"}`).Fails(409, "desk.phone.taken")
	b.refuse = errors.New("the database is away")
	if a := me.Post("/api/v1/desk/signin", `{"endpoint":"8001"}`); a.Status != 500 {
		t.Errorf("answered %d", a.Status)
	}
	if v := b.m.view("1001"); v.SignedIn || b.m.holders.get("1001") != "" {
		t.Errorf("half signed in: %+v", v)
	}
}

// A call back that reached the person answers the visit it was promised in, which is over: the agent's desk has the one
// call there is.
func TestCalledBackIsOneCall(t *testing.T) {
	b := newBench(t, storetest.SQLite(t))
	me := b.As("agent", webtest.User("1001"))
	me.Post("/api/v1/desk/signin", `{"endpoint":"8002"}`).OK()
	b.change("1001", event.Ringing, "", "c1")
	b.Post(b.now(), "gz", "c1", "1001", event.LegStarted{Leg: "leg1", Role: "agent", Agent: "1001"})
	b.change("1001", event.Talking, "", "c1")
	b.Post(b.now(), "gz", "c1", "1001", event.LegAnswered{Leg: "leg1"})
	b.Post(b.now(), "gz", "visit", "1001", event.CallbackReached{Callback: "p", Contact: "c1", Agent: "1001"})
	b.Post(b.now(), "gz", "visit", "1001", event.ContactAnswered{Offer: event.OfferOfCallback("p"), Queue: "vat", Agent: "1001"})
	b.phase("talking")
	if r := me.Get("/api/v1/desk").OK(); strings.Contains(string(r.Body), `"visit"`) {
		t.Errorf("the desk shows a call that is over: %s", r.Body)
	}
}
