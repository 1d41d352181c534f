package routing

import (
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
)

func TestAnswered(t *testing.T) {
	h := newHouse(t)
	h.pass(time.Second)
	h.signIn("a")
	h.pass(3 * time.Second)
	h.enter("vat", "c1")
	r := h.rung("a")
	h.pass(4 * time.Second)
	if !r.take() {
		t.Fatal("the offer does not stand")
	}
	h.pass(60 * time.Second)
	must(t, h.Done(t.Context(), "c1", "a"))
	h.pass(5 * time.Second)
	must(t, h.WrapUpExtended(t.Context(), "a", h.clock.Now().Add(time.Minute)))
	h.pass(40 * time.Second)
	must(t, h.WrapUpDone(t.Context(), "a"))
	h.pass(time.Second)
	must(t, h.SignOut(t.Context(), "a", ""))
	h.tells("c1", "4 contact.queued", "4 contact.offered a", "8 contact.answered a 4000")
	h.tells("a",
		"1 agent.signed_in", "1 agent.changed signed_out>away 0", "1 agent.changed away>ready 0", "4 agent.changed ready>ringing 3000 c1",
		"8 agent.changed ringing>talking 4000 c1", "68 agent.changed talking>wrapup 60000 c1", "73 agent.changed wrapup>wrapup 0 c1",
		"113 agent.changed wrapup>ready 45000", "114 agent.changed ready>signed_out 1000", "114 agent.signed_out 113000")
	h.sums()
}

// A talk ends when its leg does, however late the brain hears of it; never before it began, and never later than now.
func TestTalkEndsWithTheLeg(t *testing.T) {
	for _, x := range []struct {
		name       string
		late       time.Duration // the brain hears of it so long after
		talk, wrap string
	}{
		{"told at once", 0, "65 agent.changed talking>wrapup 60000 c1", "75 agent.changed wrapup>ready 10000"},
		{"told late", 3 * time.Second, "62 agent.changed talking>wrapup 57000 c1", "75 agent.changed wrapup>ready 13000"},
		{"by a clock far behind", time.Hour, "5 agent.changed talking>wrapup 0 c1", "75 agent.changed wrapup>ready 70000"},
		{"by a clock ahead", -time.Hour, "65 agent.changed talking>wrapup 60000 c1", "75 agent.changed wrapup>ready 10000"},
	} {
		t.Run(x.name, func(t *testing.T) {
			h := newHouse(t)
			h.signIn("a")
			h.pass(time.Second)
			h.enter("vat", "c1")
			r := h.rung("a")
			h.pass(4 * time.Second)
			if !r.take() {
				t.Fatal("the offer does not stand")
			}
			h.pass(60 * time.Second)
			must(t, h.Module.done(t.Context(), Order{Verb: verbDone, Contact: "c1", User: "a", At: h.clock.Now().Add(-x.late).UnixMilli()}))
			h.pass(10 * time.Second)
			must(t, h.WrapUpDone(t.Context(), "a"))
			h.pass(time.Second)
			must(t, h.SignOut(t.Context(), "a", ""))
			h.tells("a",
				"0 agent.signed_in", "0 agent.changed signed_out>away 0", "0 agent.changed away>ready 0", "1 agent.changed ready>ringing 1000 c1",
				"5 agent.changed ringing>talking 4000 c1", x.talk, x.wrap, "76 agent.changed ready>signed_out 1000", "76 agent.signed_out 76000")
			h.sums()
		})
	}
}

// Every fact of an offer that failed comes before whatever ends the visit.
func TestOffersThatFail(t *testing.T) {
	for _, x := range []struct {
		name string
		do   func(h *house, r *ringing)
		want []string // the contact's facts after contact.offered a
		next string   // state of a
	}{
		{"refused", func(_ *house, r *ringing) { r.refuse("contact.refused") }, []string{"0 contact.missed a refused", "0 contact.offered b"}, "away refused"},
		{"busy", func(_ *house, r *ringing) { r.refuse("contact.busy") }, []string{"0 contact.missed a refused", "0 contact.offered b"}, "away refused"},
		{"unreachable", func(_ *house, r *ringing) { r.refuse("contact.unreachable") }, []string{"0 contact.missed a failed", "0 contact.offered b"}, "away missed"},
		{"missed", func(h *house, _ *ringing) { h.pass(21 * time.Second) }, []string{"21 contact.missed a missed", "21 contact.offered b"}, "away missed"},
		{"the person hangs up", func(h *house, _ *ringing) { must(h.t, h.Leave(h.t.Context(), "c1")) }, []string{"0 contact.missed a withdrawn", "0 contact.abandoned 0"}, "ready"},
		{"the agent signs out", func(h *house, _ *ringing) { must(h.t, h.SignOut(h.t.Context(), "a", "")) }, []string{"0 contact.missed a withdrawn", "0 contact.offered b"}, ""},
		{"the endpoint is lost", func(h *house, _ *ringing) {
			_, err := h.EndpointChanged(h.t.Context(), contact.Endpoint{Agent: "a"}, false)
			must(h.t, err)
		}, []string{"0 contact.missed a failed", "0 contact.offered b"}, "away endpoint"},
		{"the person goes to another queue", func(h *house, _ *ringing) { h.enter("general", "c1") }, []string{"0 contact.missed a withdrawn", "0 contact.exited transferred  0", "0 contact.queued", "0 contact.offered a"}, "ringing"},
	} {
		t.Run(x.name, func(t *testing.T) {
			h := newHouse(t)
			h.signIn("a")
			h.pass(0)
			h.enter("vat", "c1")
			r := h.rung("a")
			h.signIn("b")
			x.do(h, r)
			if x.next != "ringing" {
				h.silent("a")
			}
			if strings.Contains(strings.Join(x.want, " "), "offered b") {
				h.rung("b")
			}
			h.tells("c1", append([]string{"0 contact.queued", "0 contact.offered a"}, x.want...)...)
			if got := h.state("a"); got != x.next {
				t.Errorf("a is %q, want %q", got, x.next)
			}
			if r.confirm() {
				t.Error("an answer to an offer that is no more counts")
			}
			h.stop()
			h.sums()
		})
	}
}

func TestAwayAfterMissed(t *testing.T) {
	h := newHouse(t)
	h.signIn("a")
	for range 2 { // missed_limit: 2
		h.enter("vat", id.Contact("c"+h.clock.Now().Format("150405")))
		h.rung("a")
		h.pass(21 * time.Second)
		h.silent("a")
		h.pass(5 * time.Second)
	}
	h.until("a is away", func() bool { return h.state("a") == "away missed" })
	h.pass(time.Minute)
	if got := h.state("a"); got != "away missed" {
		t.Errorf("after a minute a is %q", got)
	}
}

// TestPain10DeadProcessBlamesNobody: offers of a call whose process is dead fail before any phone rings. The agent is
// not sent away for them, however many they are.
func TestPain10DeadProcessBlamesNobody(t *testing.T) {
	for _, code := range []string{"bus.subject.unanswered", "platform.process.gone", "voice.call.gone", "voice.media.none"} {
		t.Run(code, func(t *testing.T) {
			h := newHouse(t)
			h.signIn("a")
			h.enter("vat", "c1")
			for range 4 { // missed_limit: 2
				h.rung("a").refuse(code)
				h.silent("a")
				h.until("the brain has heard of it", func() bool { return h.state("a") != "ringing" })
				h.pass(6 * time.Second)
			}
			h.rung("a")
			if s := h.state("a"); s == "away missed" {
				t.Errorf("the agent is %s", s)
			}
		})
	}
}

// TestRowB11 are the rules that end a wait: full, closed, closing, nobody signed in, waited too long.
func TestRowB11(t *testing.T) {
	t.Run("full", func(t *testing.T) {
		h := newHouse(t)
		for _, c := range []id.Contact{"c1", "c2", "c3", "c4"} {
			h.enter("vat", c)
		}
		h.tells("c4", "0 contact.queued", "0 contact.exited full full 0")
		h.moved("c4 full")
	})
	t.Run("nobody is signed in", func(t *testing.T) {
		h := newHouse(t)
		h.enter("vat", "c1")
		h.pass(11 * time.Second)
		h.tells("c1", "0 contact.queued", "10 contact.exited no_agents nobody 10000")
		h.moved("c1 nobody")
	})
	t.Run("waited too long", func(t *testing.T) {
		h := newHouse(t)
		h.signIn("a")
		h.enter("vat", "c0")
		h.rung("a").take()
		h.enter("vat", "c1")
		h.pass(301 * time.Second)
		h.tells("c1", "0 contact.queued", "300 contact.exited max_wait sorry 300000")
		h.moved("c1 sorry")
	})
	t.Run("the calendar closes", func(t *testing.T) {
		h := newHouse(t)
		h.signIn("a")
		h.enter("vat", "c0")
		h.rung("a").take()
		h.enter("vat", "c1")
		h.pass(10 * time.Second)
		h.open = false
		h.pass(20 * time.Second) // looked at twice a minute
		h.tells("c1", "0 contact.queued", "30 contact.exited closing closed 30000")
		h.enter("vat", "c2")
		h.tells("c2", "30 contact.queued", "30 contact.exited closing closed 0")
		h.moved("c2 closed")
		h.open = true
		h.pass(30 * time.Second)
		h.enter("vat", "c3")
		h.tells("c3", "60 contact.queued")
	})
	t.Run("a queue is taken out of the configuration", func(t *testing.T) {
		h := newHouse(t)
		h.enter("general", "c1")
		must(t, queueTable.Drop(t.Context(), h.deps.DB, "general"))
		h.change()
		h.tells("c1", "0 contact.queued", "0 contact.exited removed  0")
		if err := h.Enter(t.Context(), "general", Entry{Contact: "c2", Medium: contact.Phone}); fault.CodeOf(err) != "routing.queue.unknown" {
			t.Errorf("entering it: %v", err)
		}
		h.tells("c2", "")
	})
}

func (h *house) moved(want string) {
	h.t.Helper()
	h.until("moved "+want, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return strings.Contains(strings.Join(h.moves, "\n")+"\n", want+"\n")
	})
}

func TestSettingsChangeLive(t *testing.T) {
	h := newHouse(t)
	h.signIn("a")
	h.enter("vat", "c1")
	h.rung("a").take()
	h.enter("vat", "c2")
	q, _ := h.Queue("vat")
	q.WrapupS = 0
	h.configure(q)
	must(t, h.Done(t.Context(), "c1", "a"))
	h.pass(30 * time.Second) // the wrap-up of a talk under way stays what it was
	if h.rung("a").offer.Contact != "c2" {
		t.Error("who waits lost the place")
	}
	h.rung("a").take()
	must(t, h.Done(t.Context(), "c2", "a"))
	if got := h.state("a"); got != "ready" {
		t.Errorf("without wrap-up a is %q", got)
	}
}

func TestSignInAgain(t *testing.T) {
	h := newHouse(t)
	ctx, up := t.Context(), func() bool { return true }
	at := contact.Endpoint{Agent: "a", Phone: "8001"}
	must(t, h.SignIn(ctx, "a", "gz", at, "A01", up))
	if err := h.SignIn(ctx, "b", "gz", contact.Endpoint{Agent: "b", Phone: "8001"}, "", up); fault.CodeOf(err) != "routing.phone.taken" {
		t.Errorf("a phone that is taken: %v", err)
	}
	h.pass(time.Second)
	must(t, h.Want(ctx, "a", true, ""))
	h.pass(2 * time.Second)
	must(t, h.SignIn(ctx, "a", "gz", contact.Endpoint{Agent: "a"}, "", up))
	h.tells("a", "0 agent.signed_in", "0 agent.changed signed_out>away 0", "1 agent.changed away>ready 1000",
		"3 agent.changed ready>signed_out 2000", "3 agent.signed_out 3000 elsewhere", "3 agent.signed_in", "3 agent.changed signed_out>away 0")
	must(t, h.Want(ctx, "a", true, ""))
	h.enter("vat", "c1")
	if !h.rung("a").take() {
		t.Fatal("not answered")
	}
	if err := h.SignIn(ctx, "a", "gz", at, "", up); fault.CodeOf(err) != "routing.agent.talking" {
		t.Errorf("signing in elsewhere within a talk: %v", err)
	}
	if err := h.SignOut(ctx, "a", ""); fault.CodeOf(err) != "routing.agent.talking" {
		t.Errorf("signing out within a talk: %v", err)
	}
	must(t, h.Done(ctx, "c1", "a"))
	h.pass(time.Second)
	must(t, h.SignOut(ctx, "a", "")) // in wrap-up
	if at, ok, _ := h.SignedIn(ctx, "a"); ok {
		t.Errorf("still signed in at %v", at)
	}
	h.sums()
}

// A browser that registers only after its agent signed in makes the agent ready then.
func TestEndpointComesLater(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	must(t, h.SignIn(ctx, "a", "gz", contact.Endpoint{Agent: "a"}, "", func() bool { return false }))
	must(t, h.Want(ctx, "a", true, ""))
	if got := h.state("a"); got != "away endpoint" {
		t.Errorf("without an endpoint a is %q", got)
	}
	h.enter("vat", "c1")
	agent, err := h.EndpointChanged(ctx, contact.Endpoint{Agent: "a"}, true)
	if agent != "a" || err != nil {
		t.Fatal(agent, err)
	}
	h.rung("a")
}

// TestRowD2: nobody is rung in wrap-up, by a queue or by a transfer, and wrap-up survives a transfer.
func TestRowD2(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.signIn("a", "b")
	h.enter("vat", "c1")
	if !h.rung("a").take() {
		t.Fatal("not answered")
	}
	h.pass(10 * time.Second)
	if _, err := h.Take(ctx, "c1", contact.Phone, "b", "vat"); err != nil {
		t.Fatal(err)
	}
	must(t, h.Done(ctx, "c1", "a")) // a transferred the call and wraps up
	if got := h.state("a"); got != "wrapup" {
		t.Errorf("after the transfer a is %q", got)
	}
	if got := h.state("b"); got != "ringing" {
		t.Errorf("while the transfer rings b is %q", got)
	}
	h.enter("vat", "c2")
	h.pass(5 * time.Second)
	must(t, h.Taken(ctx, "c1", "b"))
	h.pass(20 * time.Second)
	h.mu.Lock()
	for who, r := range h.rings {
		t.Errorf("%s is rung for %s in wrap-up or in talk", who, r.offer.Contact)
	}
	h.mu.Unlock()
	if _, err := h.Take(ctx, "c9", contact.Phone, "a", ""); fault.CodeOf(err) != "routing.rejected.no_room" {
		t.Errorf("a transfer to an agent in wrap-up: %v", err)
	}
	must(t, h.Done(ctx, "c1", "b"))
	if got := h.state("b"); got != "wrapup" {
		t.Errorf("after a talk that came by transfer b is %q", got)
	}
	h.pass(6 * time.Second) // 31 s after a's talk
	if h.rung("a").offer.Contact != "c2" {
		t.Error("c2 is not next")
	}
	h.tells("b", "0 agent.signed_in", "0 agent.changed signed_out>away 0", "0 agent.changed away>ready 0", "10 agent.changed ready>ringing 10000 c1",
		"15 agent.changed ringing>talking 5000 c1", "35 agent.changed talking>wrapup 20000 c1")
	h.stop()
	h.sums()
}

func TestTakeThatIsNotAnswered(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.signIn("a")
	at, err := h.Take(ctx, "c1", contact.Phone, "a", "vat")
	if err != nil || at.Agent != "a" {
		t.Fatal(at, err)
	}
	if err := h.SignOut(ctx, "a", ""); fault.CodeOf(err) != "routing.agent.talking" {
		t.Errorf("signing out while a transfer rings: %v", err)
	}
	h.pass(30 * time.Second)
	must(t, h.Done(ctx, "c1", "a"))
	must(t, h.Taken(ctx, "c1", "a")) // too late
	if _, err := h.Take(ctx, "c1", contact.Phone, "z", ""); fault.CodeOf(err) != "routing.rejected.no_agent" {
		t.Errorf("nobody: %v", err)
	}
	h.tells("a", "0 agent.signed_in", "0 agent.changed signed_out>away 0", "0 agent.changed away>ready 0",
		"0 agent.changed ready>ringing 0 c1", "30 agent.changed ringing>ready 30000")
}

// TestRowD1: states with reasons; wishes during a talk come after it; the times add up to the sign-in time.
func TestRowD1(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.signIn("a")
	h.pass(1500 * time.Millisecond)
	must(t, h.Want(ctx, "a", false, "REST"))
	h.pass(2500 * time.Millisecond)
	must(t, h.Want(ctx, "a", true, ""))
	h.enter("vat", "c1")
	h.rung("a").take()
	must(t, h.Want(ctx, "a", false, "MEAL"))
	h.pass(3 * time.Second)
	must(t, h.Done(ctx, "c1", "a"))
	h.pass(30 * time.Second)
	if got := h.state("a"); got != "away MEAL" {
		t.Errorf("after the wrap-up a is %q", got)
	}
	h.pass(333 * time.Millisecond)
	must(t, h.SignOut(ctx, "a", ""))
	h.sums()
	if s := h.story("a"); !strings.Contains(s, "agent.signed_out 37333") {
		t.Error(s)
	}
}

// Each offer carries its own decision, even when one event makes several.
func TestTraces(t *testing.T) {
	h := newHouse(t)
	h.signIn("a", "b")
	for _, c := range []id.Contact{"c1", "c2"} {
		h.enter("vat", c)
	}
	h.rung("a")
	h.rung("b")
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, f := range h.facts {
		if o, ok := f.body.(event.ContactOffered); ok {
			n++
			trace := asJSON(o.Trace)
			if !strings.Contains(trace, `"contact":"`+f.subject+`"`) || !strings.Contains(trace, `"candidates":[{`) {
				t.Errorf("offer %s of %s has the trace %s", o.Offer, f.subject, trace)
			}
		}
	}
	if n != 2 {
		t.Errorf("%d offers", n)
	}
}

// The process stops: who still waits and talks is given time to end, then everybody is signed out.
func TestStop(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.signIn("a", "b")
	h.enter("vat", "c1")
	h.rung("a").take()
	h.enter("general", "c2")
	h.rung("b")
	h.end()
	h.until("b is silent", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.rings["b"] == nil })
	must(t, h.Leave(ctx, "c2"))
	h.pass0(2 * time.Second)
	must(t, h.Done(ctx, "c1", "a"))
	must(t, <-h.done)
	h.done <- nil
	h.tells("c2", "0 contact.queued", "0 contact.offered b", "0 contact.missed b withdrawn", "0 contact.abandoned 0")
	if s := h.story("a"); !strings.Contains(s, "agent.signed_out 2000 shutdown") {
		t.Error(s)
	}
	h.sums()
	if err := h.Leave(ctx, "c3"); fault.CodeOf(err) != "routing.stopped" {
		t.Errorf("asking a brain that has ended: %v", err)
	}
}

// pass0 moves the clock without asking the brain.
func (h *house) pass0(d time.Duration) { h.clock.Advance(d) }
