package voice

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

func (h *house) Place(context.Context, id.Contact) (Standing, bool, error) {
	return Standing{Ahead: 4, Wait: 5 * time.Minute, Said: 5 * time.Minute}, true, nil
}

func (h *house) Promise(_ context.Context, c id.Contact) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.promised = append(h.promised, c)
	return nil
}

// newTending makes a house whose queues offer a callback at once, try three times and soon again.
func newTending(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.callback = Callback{Wait: time.Minute, Tries: 3, Every: 20 * time.Millisecond}
	return h
}

// person calls from a number and is asked for a callback.
func (h *house) person(from string, outside *line) *line {
	h.t.Helper()
	must(h.t, trunkTable.Put(h.t.Context(), h.deps.DB, "ct", Trunk{Code: "ct", Site: "gz", Kind: "ip", Accept: []string{"127.0.0.1/32"}, Peers: []string{outside.Addr.String()}}))
	must(h.t, h.reload(h.t.Context()))
	l := h.line()
	l.Call = l.NewCall("sip:12367@" + h.sip.Addr("udp").String())
	l.Establish(l.sdp(), "P-Asserted-Identity: <sip:"+from+"@ct>")
	l.connect(l.Answer_.Body)
	return l
}

func (h *house) wishes(w wish) {
	h.t.Helper()
	c := h.find(h.contact())
	h.until("the talk about a callback is at "+string(w), func() bool {
		at := wish("?")
		c.ask(h.t.Context(), func() {
			if c.tended != nil && c.tended.offered {
				at = c.tended.wish
			}
		})
		return at == w
	})
}

const mobile = "13900000137"

// asks has a person ask to be called back at the number they call from, and gives the contact.
func (h *house) asks(l *line) id.Contact {
	h.t.Helper()
	c := h.contact()
	h.wishes(noWish)
	l.press('1')
	h.wishes(confirm)
	h.find(c).ask(h.t.Context(), func() { h.find(c).tendKey('1') }) // by RTP the line would say the same event again
	h.has("callback.asked", 1)
	return c
}

// row gives what is written down of the newest callback.
func (h *house) row() (state string, tries int) {
	h.t.Helper()
	type row struct {
		state string
		tries int
	}
	r, err := store.One(h.t.Context(), h.deps.DB, `SELECT state, tries FROM voice_callback ORDER BY asked_at DESC LIMIT 1`, func(s store.Scanner) (r row, err error) {
		return r, s.Scan(&r.state, &r.tries)
	})
	must(h.t, err)
	return r.state, r.tries
}

// Row B5: press 1; the original entry time is kept; the agent is found first, hears who it is, then the person is
// called and they talk.
func TestRowB5CallbackKeepsThePlace(t *testing.T) {
	h := newTending(t)
	agent, outside := h.phone("8001"), h.line()
	l := h.person(mobile, outside)
	first := h.waits(1)
	asked := h.asks(l)
	h.mu.Lock()
	promised := slices.Contains(h.promised, asked)
	h.mu.Unlock()
	if !promised {
		t.Error("the brain does not know that the person is gone")
	}
	l.Request("BYE", "")
	second := h.waits(2)
	if !second.Quiet || !second.Since.Equal(first.Since) || second.Contact == asked || second.Caller != "" {
		t.Errorf("entered again as %+v, first as %+v", second, first)
	}
	if n := said[event.ContactEnded](h); n[0].Outcome != contact.Promised {
		t.Errorf("the call in which they asked ended %s", n[0].Outcome)
	}
	done := h.offer(t.Context(), "8001", "a1")
	in := agent.lift()
	must(t, <-done)
	if !strings.Contains(in.Get("From"), mobile[0:5]) {
		t.Errorf("the agent is shown %s", in.Get("From"))
	}
	h.until("the agent hears for whom", func() bool { agent.mu.Lock(); defer agent.mu.Unlock(); return agent.heard > 5 })
	out := outside.lift()
	if !strings.Contains(out.URI(), mobile) {
		t.Errorf("called %s", out.URI())
	}
	h.until("person and agent talk", func() bool { return agent.loud() && outside.loud() })
	reached := said[event.CallbackReached](h)
	if len(reached) != 1 || reached[0].Agent != "a1" || reached[0].Try != 1 {
		t.Errorf("reached %+v", reached)
	}
	answered := said[event.ContactAnswered](h)
	if len(answered) != 1 || answered[0].EnteredAt != first.At.UnixMilli() {
		t.Errorf("the visit in which they asked is answered: %+v", answered)
	}
	outside.within(out, "BYE", 2, "")
	agent.Expect("BYE")
	h.ends(contact.ByCaller, contact.Answered)
	h.until("the row is closed", func() bool { state, tries := h.row(); return state == event.BackReached && tries == 1 })
	if n := said[event.CallbackEnded](h); len(n) != 1 || n[0].How != event.BackReached {
		t.Errorf("ended %+v", n)
	}
}

// Row B5: three tries, one at a time, each with the original entry time; then it is given up.
func TestRowB5ThreeTries(t *testing.T) {
	h := newTending(t)
	agent, outside := h.phone("8001"), h.line()
	l := h.person(mobile, outside)
	first := h.waits(1)
	h.asks(l)
	l.Request("BYE", "")
	for n := range 3 {
		w := h.waits(n + 2)
		if !w.Quiet || !w.Since.Equal(first.Since) {
			t.Errorf("try %d entered as %+v", n+1, w)
		}
		if h.Calls() != 1 {
			t.Errorf("%d calls at once", h.Calls())
		}
		done := h.offer(t.Context(), "8001", "a1")
		agent.lift()
		must(t, <-done)
		in := outside.Expect("INVITE")
		outside.Respond(in, 486, "Busy Here", "busy", "")
		outside.Expect("ACK")
		agent.Expect("BYE")
		h.until("the try is over", func() bool {
			over := 0
			for _, e := range said[event.ContactEnded](h) {
				if e.Outcome == contact.Unreached {
					over++
				}
			}
			return over == n+1
		})
	}
	h.until("it is given up", func() bool { state, tries := h.row(); return state == event.BackGaveUp && tries == 3 })
	if n := said[event.CallbackTried](h); len(n) != 3 || n[2].Try != 3 || n[2].Why != "contact.busy" {
		t.Errorf("tried %+v", n)
	}
	if n := said[event.CallbackEnded](h); len(n) != 1 || n[0].How != event.BackGaveUp || n[0].Tries != 3 {
		t.Errorf("ended %+v", n)
	}
}

// Row B5: an agent whose own phone is hung up while the person's rings is why the try came to nothing, and it is said.
func TestRowB5TheAgentHangsUp(t *testing.T) {
	h := newTending(t)
	agent, outside := h.phone("8001"), h.line()
	l := h.person(mobile, outside)
	h.waits(1)
	h.asks(l)
	l.Request("BYE", "")
	h.waits(2)
	done := h.offer(t.Context(), "8001", "a1")
	theirs := agent.lift()
	must(t, <-done)
	in := outside.Expect("INVITE")
	outside.Respond(in, 180, "Ringing", "ring", "")
	agent.within(theirs, "BYE", 2, "")
	h.until("the try is told", func() bool { return len(said[event.CallbackTried](h)) == 1 })
	if n := said[event.CallbackTried](h); n[0].Why != "agent" || n[0].Agent != "a1" {
		t.Errorf("tried %+v", n[0])
	}
}

// Row B5, FreePBX#525, twilio#9 (pains 9 and 39): the same number calling in ends the callback and takes its place.
func TestPain09SameNumberTakesThePlace(t *testing.T) {
	h := newTending(t)
	outside := h.line()
	l := h.person(mobile, outside)
	first := h.waits(1)
	h.asks(l)
	l.Request("BYE", "")
	h.waits(2)
	h.person(mobile, outside)
	third := h.waits(3)
	if third.Quiet || !third.Since.Equal(first.Since) || third.Caller == "" {
		t.Errorf("came back as %+v; the place was %v", third, first.Since)
	}
	h.until("one call is left", func() bool { return h.Calls() == 1 })
	h.until("the row says so", func() bool { state, _ := h.row(); return state == event.BackCameBack })
	if n := said[event.CallbackEnded](h); len(n) != 1 || n[0].By != third.Contact {
		t.Errorf("ended %+v", n)
	}
	outside.ExpectNone("INVITE", 100*time.Millisecond)
}

// A number that is keyed is said again and called; one that is none is refused.
func TestRowB5KeyedNumber(t *testing.T) {
	h := newTending(t)
	outside := h.line()
	l := h.person(mobile, outside)
	h.waits(1)
	h.wishes(noWish)
	l.press('1')
	h.wishes(confirm)
	l.press('2')
	h.wishes(keying)
	c := h.find(h.contact())
	keys := func(s string) {
		for _, k := range []byte(s) {
			c.ask(t.Context(), func() { c.tendKey(k) })
		}
	}
	keys("123#")
	h.wishes(keying)
	keys("02083330000#")
	h.wishes(confirm)
	keys("1")
	h.has("callback.asked", 1)
	if n := said[event.CallbackAsked](h); n[0].Number != "02083330000" || !n[0].Keyed {
		t.Errorf("asked for %+v", n[0])
	}
	l.Request("BYE", "")
	h.waits(2)
}

// What is promised survives the process.
func TestRowB5SurvivesARestart(t *testing.T) {
	h := newTending(t)
	l := h.person(mobile, h.line())
	first := h.waits(1)
	h.asks(l)
	l.Request("BYE", "")
	h.waits(2)
	h.Drain()
	h.until("nothing keeps the process from ending", func() bool { return h.Calls() == 0 })
	again := newCallbacks(h.Module)
	must(t, again.load(t.Context()))
	p := again.of["0"+mobile]
	if p == nil || p.since.UnixMilli() != first.Since.UnixMilli() || p.queue != "vat" || p.call != nil {
		t.Fatalf("after a restart: %+v", again.of)
	}
}

// Row B6: the place and the wait are said, rounded up to the minute; nothing is said where it is switched off.
func TestRowB6WhatIsSaid(t *testing.T) {
	for _, x := range []struct {
		at   Standing
		want string
	}{
		{Standing{}, "queue_place number_1"},
		{Standing{Wait: time.Minute}, "queue_place number_1"}, // thought, but not to be believed
		{Standing{Said: time.Minute}, "queue_place number_1 queue_estimate number_1 queue_minutes"},
		{Standing{Ahead: 4, Said: 2 * time.Minute, Within: 4 * time.Minute}, "queue_place number_5 queue_estimate number_2 queue_minutes"},
		{Standing{Ahead: 2, Wait: 7 * time.Minute, Within: 12 * time.Minute}, "queue_place number_3 queue_within number_12 queue_minutes"},
		{Standing{Ahead: 41, Said: 45 * time.Minute}, "queue_place number_40 number_2 queue_estimate number_40 number_5 queue_minutes"},
		{Standing{Ahead: 122, Said: 3 * time.Hour}, "queue_place digit_1 digit_2 digit_3"},
	} {
		if got := strings.Join(placePrompts(x.at), " "); got != x.want {
			t.Errorf("%+v: %s, want %s", x.at, got, x.want)
		}
	}
	h := newHouse(t)
	for _, lang := range languages {
		for n := range 100 {
			for _, p := range append(number(n), "queue_place", "queue_estimate", "queue_within", "queue_minutes", "callback_offer", "callback_for") {
				if h.sounds.loaded[lang+"/"+p] == nil {
					t.Fatalf("%s has no %s", lang, p)
				}
			}
		}
	}
	h.call("12367")
	h.waits(1)
	c := h.find(h.contact())
	c.ask(t.Context(), func() {
		if c.tended != nil {
			t.Error("nothing is to be said in a queue without the rule")
		}
	})
}
