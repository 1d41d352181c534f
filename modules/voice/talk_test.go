package voice

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// talk brings a call to the agent a1 at the phone 8001.
func (h *house) talk() (caller, agent *line, invite siptest.Msg) {
	h.t.Helper()
	agent = h.phone("8001")
	caller = h.call("12367")
	h.waits(1)
	done := h.offer(h.t.Context(), "8001", "a1")
	invite = agent.lift()
	must(h.t, <-done)
	return caller, agent, invite
}

func TestHold(t *testing.T) {
	h := newHouse(t)
	caller, agent, in := h.talk()
	ctx, c := t.Context(), h.contact()
	if err := h.Hold(ctx, c, "a2", true); fault.CodeOf(err) != "voice.call.not_yours" {
		t.Errorf("another agent: %v", err)
	}
	must(t, h.Hold(ctx, c, "a1", true))
	must(t, h.Hold(ctx, c, "a1", true)) // twice is once
	h.until("the agent hears nothing", func() bool {
		agent.mu.Lock()
		before := agent.heard
		agent.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
		agent.mu.Lock()
		defer agent.mu.Unlock()
		return agent.heard == before
	})
	h.until("the caller hears music", func() bool { return !caller.loud() })
	// A re-INVITE that only refreshes the session leaves the desk's hold alone.
	agent.within(in, "INVITE", 2, agent.sdp())
	agent.Expect("SIP/2.0 200")
	agent.within(in, "ACK", 2, "")
	if strings.Contains(h.story(), "leg.resumed") {
		t.Error("a session refresh took the caller off hold")
	}
	must(t, h.Hold(ctx, c, "a1", false))
	h.until("they hear each other again", func() bool { return caller.loud() && agent.loud() })
	if got := h.story(); strings.Count(got, "leg.held") != 1 || strings.Count(got, "leg.resumed") != 1 {
		t.Error(got)
	}
	must(t, h.Hold(ctx, c, "a1", true))
	must(t, h.Hangup(ctx, c, "a1")) // while held
	caller.Expect("BYE")
	h.ends(contact.ByAgent, contact.Answered)
	if err := h.Hold(ctx, c, "a1", true); fault.CodeOf(err) != "voice.call.gone" {
		t.Errorf("after the end: %v", err)
	}
}

func TestPhoneHoldKey(t *testing.T) {
	h := newHouse(t)
	caller, agent, in := h.talk()
	agent.within(in, "INVITE", 2, strings.Replace(agent.sdp(), "a=sendrecv", "a=sendonly", 1))
	agent.Expect("SIP/2.0 200")
	h.has("leg.held", 1)
	agent.within(in, "ACK", 2, "")
	agent.within(in, "INVITE", 3, agent.sdp())
	agent.Expect("SIP/2.0 200")
	agent.within(in, "ACK", 3, "")
	h.has("leg.resumed", 1)
	caller.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Answered)
}

func TestPress(t *testing.T) {
	h := newHouse(t)
	caller, _, _ := h.talk()
	must(t, h.Press(t.Context(), h.contact(), "a1", "12#"))
	caller.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Answered)
}

func TestTransferToQueue(t *testing.T) {
	h := newHouse(t)
	caller, agent, _ := h.talk()
	ctx, c := t.Context(), h.contact()
	if err := h.Transfer(ctx, c, "a1", contact.Target{Kind: contact.ToQueue, Code: "none"}); fault.CodeOf(err) != "voice.transfer.nowhere" {
		t.Errorf("a queue nobody knows: %v", err)
	}
	must(t, h.Hold(ctx, c, "a1", true))
	must(t, h.Transfer(ctx, c, "a1", contact.Target{Kind: contact.ToQueue, Code: "iit"}))
	agent.Expect("BYE")
	if w := h.waits(2); w.First || h.queued() != "iit" || !w.At.After(h.waits(1).At) {
		t.Errorf("entered %s with %+v", h.queued(), w)
	}
	caller.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Answered) // somebody spoke with them
}

func TestTransferToAgent(t *testing.T) {
	to := contact.Target{Kind: contact.ToAgent, Code: "a2"}
	t.Run("busy: the giver keeps the call", func(t *testing.T) {
		h := newHouse(t)
		caller, agent, _ := h.talk()
		if err := h.Transfer(t.Context(), h.contact(), "a1", to); fault.CodeOf(err) != "routing.rejected.no_room" {
			t.Errorf("%v", err)
		}
		h.until("they still talk", func() bool { return caller.loud() && agent.loud() })
		if err := h.Transfer(t.Context(), h.contact(), "a1", contact.Target{Kind: contact.ToAgent, Code: "a1"}); fault.CodeOf(err) != "voice.transfer.nowhere" {
			t.Errorf("to oneself: %v", err)
		}
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("answered", func(t *testing.T) {
		h := newHouse(t)
		second := h.phone("8002")
		h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "8002"}
		caller, first, _ := h.talk()
		must(t, h.Transfer(t.Context(), h.contact(), "a1", to))
		first.Expect("BYE")
		h.tells("done a1")
		second.lift()
		h.tells("taken a2")
		h.until("caller and second agent talk", func() bool { return caller.loud() && second.loud() })
		caller.Request("BYE", "")
		second.Expect("BYE")
		h.tells("done a2")
		h.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("refused: back to the place in the queue", func(t *testing.T) {
		h := newHouse(t)
		second := h.phone("8002")
		h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "8002"}
		caller, _, _ := h.talk()
		must(t, h.Transfer(t.Context(), h.contact(), "a1", to))
		m := second.Expect("INVITE")
		second.Respond(m, 486, "Busy Here", "agent", "")
		w := h.waits(2)
		h.tells("done a2")
		if w.Since != h.waits(1).Since || !w.At.After(w.Since) || h.queued() != "vat" {
			t.Errorf("the place counts from %v, it was %v", w.Since, h.waits(1).Since)
		}
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("the caller leaves while it rings", func(t *testing.T) {
		h := newHouse(t)
		second := h.phone("8002")
		h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "8002"}
		caller, _, _ := h.talk()
		must(t, h.Transfer(t.Context(), h.contact(), "a1", to))
		m := second.Expect("INVITE")
		second.Respond(m, 180, "Ringing", "agent", "")
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
		h.tells("done a2")
		second.Expect("CANCEL")
	})
	t.Run("by a flow, and busy: the flow knows a way", func(t *testing.T) {
		h := newHouse(t)
		h.call("12368")
		h.waits(1)
		if h.queued() != "iit" {
			t.Errorf("in queue %s", h.queued())
		}
	})
}

func TestTransferOutside(t *testing.T) {
	h := newHouse(t)
	caller, _, _ := h.talk()
	ctx := t.Context()
	to := contact.Target{Kind: contact.ToNumber, Code: "02083330000"}
	if err := h.Transfer(ctx, h.contact(), "a1", to); fault.CodeOf(err) != "voice.trunk.none" {
		t.Errorf("without a trunk that has a peer: %v", err)
	}
	for _, bad := range []contact.Target{{Kind: contact.ToNumber, Code: "sip:x@y"}, {Kind: contact.ToFlow, Code: "none"}, {Kind: "x"}} {
		if err := h.Transfer(ctx, h.contact(), "a1", bad); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
	out := h.line()
	must(t, trunkTable.Put(ctx, h.deps.DB, "ct", Trunk{Code: "ct", Kind: "ip", Site: "gz", Accept: []string{"127.0.0.1/32"}, Peers: []string{out.Addr.String()}}))
	must(t, h.reload(ctx))
	must(t, h.Transfer(ctx, h.contact(), "a1", to))
	in := out.lift()
	if !strings.HasPrefix(in.URI(), "sip:02083330000@") {
		t.Errorf("called %s", in.URI())
	}
	h.until("caller and outside talk", func() bool { return caller.loud() && out.loud() })
	must(t, h.reload(ctx))
	out.within(in, "BYE", 2, "")
	caller.Expect("BYE")
	h.ends(contact.ByAgent, contact.Answered)
}

func TestTransferToFlow(t *testing.T) {
	h := newHouse(t)
	caller, _, _ := h.talk()
	must(t, h.Move(t.Context(), h.contact(), "a1", contact.Target{Kind: contact.ToFlow, Code: "menu"}))
	h.has("contact.stepped menu", 1)
	caller.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Answered)
}

// A desk phone's transfer key (REFER).
func TestReferred(t *testing.T) {
	t.Run("to a queue", func(t *testing.T) {
		h := newHouse(t)
		caller, agent, in := h.talk()
		agent.within(in, "REFER", 2, "", "Refer-To: <sip:0755@kapok;x>")
		agent.Expect("SIP/2.0 603") // no way out
		agent.within(in, "REFER", 3, "", "Refer-To: <sip:iit@kapok>")
		agent.Expect("SIP/2.0 202")
		h.waits(2)
		if h.queued() != "iit" {
			t.Errorf("in queue %s", h.queued())
		}
		agent.hears("200")
		agent.Expect("BYE")
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
	for name, number := range map[string]string{"to a phone's number": "8002", "to an agent's": "a2"} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			second := h.phone("8002")
			h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "8002"}
			caller, agent, in := h.talk()
			agent.within(in, "REFER", 2, "", "Refer-To: <sip:"+number+"@kapok>")
			agent.Expect("SIP/2.0 202")
			agent.hears("100")
			h.tells("done a1") // talk time is over, and the phone waits to hear
			m := second.Expect("INVITE")
			second.Respond(m, 180, "Ringing", "agent", "")
			agent.hears("180")
			second.Respond(m, 200, "OK", "agent", second.sdp())
			second.connect(m.Body)
			agent.hears("200")
			agent.Expect("BYE")
			h.tells("taken a2")
			h.until("caller and second agent talk", func() bool { return caller.loud() && second.loud() })
			caller.Request("BYE", "")
			h.ends(contact.ByCaller, contact.Answered)
		})
	}
	t.Run("to a phone where nobody is signed in", func(t *testing.T) {
		h := newHouse(t)
		third := h.phone("8003")
		caller, agent, in := h.talk()
		agent.within(in, "REFER", 2, "", "Refer-To: <sip:8003@kapok>")
		agent.Expect("SIP/2.0 202")
		third.lift()
		agent.hears("200")
		h.until("caller and third phone talk", func() bool { return caller.loud() && third.loud() })
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("refused there: back in the queue, and the phone is told", func(t *testing.T) {
		h := newHouse(t)
		second := h.phone("8002")
		h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "8002"}
		caller, agent, in := h.talk()
		agent.within(in, "REFER", 2, "", "Refer-To: <sip:8002@kapok>")
		agent.Expect("SIP/2.0 202")
		second.Respond(second.Expect("INVITE"), 486, "Busy Here", "agent", "")
		agent.hears("486")
		agent.Expect("BYE")
		h.waits(2)
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("to one who is busy: they talk on", func(t *testing.T) {
		h := newHouse(t)
		h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "8002"}
		h.busy = true
		caller, agent, in := h.talk()
		agent.within(in, "REFER", 2, "", "Refer-To: <sip:8002@kapok>")
		agent.Expect("SIP/2.0 202")
		agent.hears("486")
		h.until("they still talk", func() bool { return caller.loud() && agent.loud() })
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
}

func TestRefuseAtTheDesk(t *testing.T) {
	h := newHouse(t)
	p := h.phone("8001")
	c := h.call("12367")
	h.waits(1)
	done := h.offer(t.Context(), "8001", "a1")
	p.Respond(p.Expect("INVITE"), 180, "Ringing", "agent", "")
	h.has("leg.started agent", 1)
	must(t, h.Hangup(t.Context(), h.contact(), "a1"))
	if err := <-done; fault.CodeOf(err) != "contact.refused" {
		t.Errorf("the ringing ended with %v", err)
	}
	p.Expect("CANCEL")
	for code, want := range map[int]string{486: "contact.busy", 603: "contact.refused", 500: "contact.unreachable"} {
		done := h.offer(t.Context(), "8001", "a1")
		p.Respond(p.Expect("INVITE"), code, "No", "agent", "")
		if err := <-done; fault.CodeOf(err) != want {
			t.Errorf("%d: %v", code, err)
		}
	}
	if err := <-h.offer(t.Context(), "8009", "a1"); fault.CodeOf(err) != "contact.unreachable" {
		t.Errorf("a phone that is not there: %v", err)
	}
	c.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Abandoned)
}

// An answer to an offer that is no more lets the phone go and the caller wait on.
func TestVoid(t *testing.T) {
	h := newHouse(t)
	p := h.phone("8001")
	c := h.call("12367")
	h.waits(1)
	done := make(chan error, 1)
	go func() {
		done <- h.Connect(t.Context(), contact.Offer{Contact: h.contact(), Queue: "vat", Endpoint: contact.Endpoint{Agent: "a1", Phone: "8001"}}, func() bool { return false })
	}()
	p.lift()
	if err := <-done; fault.CodeOf(err) != "contact.void" {
		t.Errorf("%v", err)
	}
	p.Expect("BYE")
	c.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Abandoned)
}

// The agent's line is lost: the caller keeps the place, and the second stay is one of its own.
func TestAgentsLineIsLost(t *testing.T) {
	h := newHouse(t)
	caller, _, _ := h.talk()
	c := h.find(h.contact())
	c.ask(t.Context(), func() { c.silent(c.agent) })
	w := h.waits(2)
	if w.Since != h.waits(1).Since || !w.At.After(w.Since) || w.First {
		t.Errorf("back in the queue with %+v", w)
	}
	caller.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Answered)
}

// Pain 21: a page loaded anew, or a socket that dropped, lost the call or left it silent (signalwire/freeswitch#1558,
// onsip/SIP.js#1078, Browser-Phone#267). A browser that comes back takes its call up again; here a plain peer plays the
// browser, test/pages does it with Chromium.
func TestPain21ReattachTakesTheCallUpAgain(t *testing.T) {
	h := newHouse(t)
	caller, agent, _ := h.talk()
	c := h.find(h.contact())
	c.ask(t.Context(), c.lostAgent)
	h.until("the caller hears music", func() bool { return !caller.loud() })
	must(t, h.Hold(t.Context(), c.id, "a1", true)) // the desk still works
	must(t, h.Hold(t.Context(), c.id, "a1", false))
	time.Sleep(100 * time.Millisecond)
	if caller.loud() {
		t.Error("bridged to a line that is away")
	}
	c.ask(t.Context(), c.reattach)
	m := agent.Expect("INVITE")
	if m.Get("X-Kapok-Kind") != "reattach" {
		t.Errorf("kind %q", m.Get("X-Kapok-Kind"))
	}
	agent.Respond(m, 200, "OK", "again", agent.sdp())
	agent.connect(m.Body)
	h.until("they talk again", func() bool { return caller.loud() && agent.loud() })
	if n := strings.Count(h.story(), "leg.started agent"); n != 1 {
		t.Errorf("%d legs of the agent", n)
	}
	caller.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Answered)
}

// TestRowI1: the recording has the caller on the left and the agent on the right, across holds and transfers, and is
// readable; listening is audited and bound to a right.
func TestRowI1(t *testing.T) {
	h := newHouse(t)
	caller, agent, _ := h.talk()
	h.until("they talk", func() bool { return caller.loud() && agent.loud() })
	time.Sleep(600 * time.Millisecond)
	second := h.phone("8002")
	h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "8002"}
	must(t, h.Transfer(t.Context(), h.contact(), "a1", contact.Target{Kind: contact.ToAgent, Code: "a2"}))
	second.lift()
	time.Sleep(400 * time.Millisecond)
	caller.Request("BYE", "")
	h.has("recording.stored", 1)
	h.ends(contact.ByCaller, contact.Answered)
	all, err := h.Recordings(t.Context(), h.contact())
	if err != nil || len(all) != 1 || all[0].LeftDB < -20 || all[0].RightDB < -20 || all[0].Ms < 1000 {
		t.Fatalf("recordings %+v, %v", all, err)
	}
	b := webtest.New(t, h.Module)
	url := "/api/v1/recordings/" + all[0].ID + "/sound"
	a := b.As("quality").Get(url).OK()
	if !bytes.HasPrefix(a.Body, []byte("RIFF")) || len(a.Body) < 16000 {
		t.Errorf("%d bytes beginning %q", len(a.Body), a.Body[:4])
	}
	if len(b.Audit()) == 0 {
		t.Error("nobody wrote down who listened")
	}
	if s := b.As("none").Get(url).Status; s != http.StatusForbidden {
		t.Errorf("without the right: %d", s)
	}
	b.As("quality").Get("/api/v1/recordings/" + all[0].ID + "/peaks").OK()
}

// A disk that takes nothing stops the recording, with an alarm, and not the call.
func TestDiskRefusesRecordings(t *testing.T) {
	h := newHouse(t)
	h.block()
	caller, agent, _ := h.talk()
	h.has("recording.failed", 1)
	h.until("they talk all the same", func() bool { return caller.loud() && agent.loud() })
	if _, why := h.Healthy(); why != "recordings fail" {
		t.Errorf("health: %q", why)
	}
	caller.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Answered)
}

func TestEcho(t *testing.T) {
	h := newHouse(t)
	p := h.phone("8001")
	done := make(chan error, 1)
	go func() { done <- h.Echo(t.Context(), contact.Endpoint{Agent: "a1", Phone: "8001"}) }()
	in := p.lift()
	must(t, <-done)
	if in.Get("X-Kapok-Kind") != "echo" {
		t.Errorf("kind %q", in.Get("X-Kapok-Kind"))
	}
	h.until("the house speaks", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return p.heard > 10 })
	p.within(in, "BYE", 2, "")
	p.Expect("SIP/2.0 200")
	if err := h.Echo(t.Context(), contact.Endpoint{Agent: id.User("a9"), Phone: "8003"}); fault.CodeOf(err) != "contact.unreachable" {
		t.Errorf("a phone that is not there: %v", err)
	}
}

func TestTimes(t *testing.T) {
	at := func(ms int64) time.Time { return time.UnixMilli(1_000_000 + ms) }
	for _, x := range []struct {
		name             string
		s                side
		now              int64
		ring, talk, hold int64
	}{
		{"never answered", side{startedAt: at(0)}, 700, 700, 0, 0},
		{"talked", side{startedAt: at(0), answeredAt: at(300)}, 1000, 300, 700, 0},
		{"held once", side{startedAt: at(0), answeredAt: at(300), held: 200 * time.Millisecond}, 1000, 300, 500, 200},
		{"ends while held", side{startedAt: at(0), answeredAt: at(300), heldAt: at(900), held: 200 * time.Millisecond}, 1000, 300, 400, 300},
	} {
		if r, talk, hold := x.s.times(at(x.now)); r != x.ring || talk != x.talk || hold != x.hold {
			t.Errorf("%s: %d %d %d", x.name, r, talk, hold)
		}
	}
}
