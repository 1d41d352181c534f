package voice

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/id"
)

// TestRowA2: a call by a trunk has one record whose legs add up, keys by RFC 4733 lead through the menu.
func TestRowA2(t *testing.T) {
	h := newHouse(t)
	p := h.phone("8001")
	c := h.call("12366")
	h.has("contact.stepped menu", 1)
	time.Sleep(200 * time.Millisecond)
	c.press('1')
	h.waits(1)
	done := h.offer(t.Context(), "8001", "a1")
	in := p.lift()
	must(t, <-done)
	if in.Get("X-Kapok-Contact") != string(h.contact()) || in.Get("X-Kapok-Kind") != "offer" {
		t.Errorf("the phone is told %q %q", in.Get("X-Kapok-Contact"), in.Get("X-Kapok-Kind"))
	}
	h.until("each hears the other", func() bool { return c.loud() && p.loud() })
	p.within(in, "BYE", 2, "")
	c.Expect("BYE")
	h.tells("done a1")
	h.ends(contact.ByAgent, contact.Answered)
	if got, want := h.story(), strings.TrimSpace(`
contact.started
leg.started caller
leg.answered
contact.guided
contact.stepped menu
contact.stepped menu1
contact.stepped q
leg.started agent
leg.answered
leg.ended agent
leg.ended caller
contact.ended agent answered`); !strings.HasPrefix(got, want) {
		t.Errorf("the record is\n%s\nwant\n%s", got, want)
	}
	h.until("the ladder is kept", func() bool {
		all, err := h.Ladders(t.Context(), h.contact())
		return err == nil && len(all) == 2 && len(all[0].Messages) > 4
	})
}

func TestRefusedBeforeTheAnswer(t *testing.T) {
	h := newHouse(t)
	l := h.line()
	at := "@" + h.sip.Addr("udp").String()
	try := func(number, body, want string) {
		t.Helper()
		l.Call = l.NewCall("sip:" + number + at)
		l.SendInvite(body)
		m := l.Expect("SIP/2.0 " + want)
		l.Call.To = m.Tag("To")
		l.Raw([]byte(l.Call.Text("ACK", l.Branch, "")))
	}
	try("4711", l.sdp(), "404")
	try("12366", l.sdp("m=audio 4000 RTP/AVP 18", "a=rtpmap:18 G729/8000"), "488")
	h.ends(contact.BySystem, contact.Failed)
	try("12366", l.sdp("m=video 4000 RTP/AVP 99"), "488")
	try("12366", "nonsense", "4")
	h.Drain()
	l.Call = l.NewCall("sip:12366" + at)
	l.SendInvite(l.sdp())
	if m := l.Expect("SIP/2.0 503"); m.Get("Retry-After") == "" {
		t.Errorf("draining without saying when to try again: %s", m.Raw)
	}
	if ok, why := h.Healthy(); ok || why != "draining" {
		t.Errorf("healthy: %v %q", ok, why)
	}
}

func TestLateOffer(t *testing.T) {
	h := newHouse(t)
	l := h.line()
	l.Call = l.NewCall("sip:12367@" + h.sip.Addr("udp").String())
	l.SendInvite("")
	m := l.Expect("SIP/2.0 200")
	l.Answered(m)
	if !strings.Contains(m.Body, "PCMA/8000") {
		t.Fatalf("no offer of ours in\n%s", m.Raw)
	}
	l.connect(m.Body)
	l.Ack(l.sdp())
	h.waits(1)
	l.Request("BYE", "")
	l.Expect("SIP/2.0 200")
	h.ends(contact.ByCaller, contact.Abandoned)
	h.tells("leave")

	// One whose ACK brings nothing that fits was answered already: it is hung up.
	l.Call = l.NewCall("sip:12367@" + h.sip.Addr("udp").String())
	l.SendInvite("")
	l.Answered(l.Expect("SIP/2.0 200"))
	l.Ack(l.sdp("m=audio 4000 RTP/AVP 18", "a=rtpmap:18 G729/8000"))
	l.Expect("BYE")
	h.ends(contact.BySystem, contact.Failed)
}

func TestCallerLeaves(t *testing.T) {
	t.Run("in the menu", func(t *testing.T) {
		h := newHouse(t)
		c := h.call("12366")
		h.has("contact.stepped menu", 1)
		c.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Left)
	})
	t.Run("while a phone rings", func(t *testing.T) {
		h := newHouse(t)
		p := h.phone("8001")
		c := h.call("12367")
		h.waits(1)
		ctx, withdraw := context.WithCancel(t.Context())
		done := h.offer(ctx, "8001", "a1")
		m := p.Expect("INVITE")
		p.Respond(m, 180, "Ringing", "agent", "")
		c.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Abandoned)
		withdraw()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("the ringing ended with %v", err)
		}
		p.Expect("CANCEL")
		if s := h.story(); !strings.HasSuffix(s, "leg.ended agent\nleg.ended caller\ncontact.ended caller abandoned") {
			t.Error(s)
		}
	})
	t.Run("while the phone takes long to say anything", func(t *testing.T) {
		h := newHouse(t)
		h.phone("8001") // rings without a word
		c := h.call("12367")
		h.waits(1)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		began := time.Now()
		if err := <-h.offer(ctx, "8001", "a1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the ringing ended with %v", err)
		}
		if d := time.Since(began); d > 2*time.Second {
			t.Errorf("a phone that is silent held the offer up for %v", d)
		}
		c.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Abandoned)
	})
}

func TestMenu(t *testing.T) {
	t.Run("silence leads on", func(t *testing.T) {
		h := newHouse(t)
		c := h.call("12366")
		c.Expect("BYE")
		h.ends(contact.BySystem, contact.Served)
		if s := h.story(); !strings.Contains(s, "contact.stepped late\ncontact.served") {
			t.Error(s)
		}
	})
	t.Run("keys by INFO, several", func(t *testing.T) {
		h := newHouse(t)
		c := h.call("12366")
		h.has("contact.stepped menu", 1)
		for _, key := range "2123" {
			c.Request("INFO", "Signal="+string(key)+"\nDuration=100\n", "Content-Type: application/dtmf-relay")
			c.Expect("SIP/2.0 200")
			time.Sleep(50 * time.Millisecond)
		}
		h.waits(1)
		c.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Abandoned)
	})
	t.Run("the queue does not take the call", func(t *testing.T) {
		h := newHouse(t)
		h.mu.Lock()
		h.refuse = context.DeadlineExceeded
		h.mu.Unlock()
		c := h.call("12367")
		c.Expect("BYE")
		h.ends(contact.BySystem, contact.Turned)
		h.tells("leave") // a brain that took it all the same lets it go
	})
	t.Run("a rule of the queue", func(t *testing.T) {
		h := newHouse(t)
		c := h.call("12367")
		h.waits(1)
		must(t, h.Move(t.Context(), h.contact(), "", contact.Target{Kind: contact.ToFlow, Code: "menu"}))
		h.has("contact.stepped menu", 1)
		c.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Turned)
	})
}

// TestRowC5: one switch sends callers past the menu, straight to people.
func TestRowC5(t *testing.T) {
	h := newHouse(t, func(s *Settings) { s.NoMenu = true })
	h.call("12366")
	h.waits(1)
	if s := h.story(); strings.Contains(s, "stepped menu1") {
		t.Error(s)
	}
}

func TestEmergencyAndGreeting(t *testing.T) {
	h := newHouse(t, func(s *Settings) { s.Emergency, s.EmergencyOf = true, "beep" })
	c := h.call("12366")
	c.Expect("BYE")
	h.ends(contact.BySystem, contact.Turned)
	if h.hours != day.Open {
		t.Error("the calendar was open")
	}
	today := time.Now().UTC().Add(8 * time.Hour).Format("2006-01-02")
	greeted := newHouse(t, func(s *Settings) { s.Greetings = []Greeting{{Prompt: "beep", From: today, To: today}} })
	greeted.call("12367")
	greeted.waits(1)
	if e := greeted.snap.Load().entry(time.Now(), 1, "12367"); len(e.Greetings) != 1 || e.Greetings[0].From > time.Now().UnixMilli() || e.Greetings[0].Until < time.Now().UnixMilli() {
		t.Errorf("greetings %+v", e.Greetings)
	}
}

// TestRowB11: a call that is turned away by a full or closed queue hears its rule's flow, never silence, and the
// house's end is in order.
func TestRowB11(t *testing.T) {
	h := newHouse(t)
	c := h.call("12367")
	h.waits(1)
	h.until("music is heard", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.heard > 20 })
	must(t, h.Move(t.Context(), h.contact(), "", contact.Target{Kind: contact.ToFlow})) // no rule: the flow says what is next
	c.Expect("BYE")
	h.ends(contact.BySystem, contact.Turned)
}

// The end of the process ends its calls, each with its record.
func TestShutdown(t *testing.T) {
	h := newHouse(t)
	p := h.phone("8001")
	c := h.call("12367")
	h.waits(1)
	done := h.offer(t.Context(), "8001", "a1")
	p.lift()
	must(t, <-done)
	go func() { c.Expect("BYE"); c.Respond(c.Seen("BYE")[0], 200, "OK", "", "") }()
	h.stop()
	h.ends(contact.BySystem, contact.Answered)
	if err := h.End(context.Background(), h.contact(), contact.BySystem); err == nil {
		t.Error("a call that is gone was ended")
	}
}

func TestLaddersAreSwept(t *testing.T) {
	h := newHouse(t)
	h.ladders.belongs("never-traced", id.Contact("x"))
	h.ladders.sweep(time.Now().Add(2 * ladderKeep))
	h.ladders.mu.Lock()
	defer h.ladders.mu.Unlock()
	if len(h.ladders.of) != 0 {
		t.Errorf("%d calls are remembered for good", len(h.ladders.of))
	}
}
