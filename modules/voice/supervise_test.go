package voice

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// tones are what each party says: a whole number of periods in a packet, so that each is told from the others.
var tones = map[string]float64{"c": 400, "a": 700, "s": 1100, "t": 1600, "b": 2150, "o": 2700}

// ears notes which tones come to each party, and when last.
type ears struct {
	h  *house
	mu sync.Mutex
	at map[string]map[string]time.Time
}

func (h *house) ears() *ears { return &ears{h: h, at: map[string]map[string]time.Time{}} }

// tune gives a line its tone, and listens at it.
func (e *ears) tune(who string, l *line) {
	e.mu.Lock()
	e.at[who] = map[string]time.Time{}
	e.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tone = tones[who]
	l.ear = func(a []byte) {
		e.mu.Lock()
		defer e.mu.Unlock()
		for x, hz := range tones {
			if e.at[who] != nil && power(a, hz) > 0.05 {
				e.at[who][x] = time.Now()
			}
		}
	}
}

// power is the share of the loudest tone at a frequency (Goertzel).
func power(a []byte, hz float64) float64 {
	var s1, s2 float64
	k := 2 * math.Cos(2*math.Pi*hz/8000)
	for _, v := range a {
		s1, s2 = float64(audio.DecodeA(v))+k*s1-s2, s1
	}
	return math.Sqrt(max(s1*s1+s2*s2-k*s1*s2, 0)) * 2 / float64(len(a)) / 6000
}

// now says who hears whom: "c:a a:c s:ac".
func (e *ears) now() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for who, heard := range e.at {
		var whom []string
		for x, at := range heard {
			if time.Since(at) < 250*time.Millisecond {
				whom = append(whom, x)
			}
		}
		slices.Sort(whom)
		out = append(out, who+":"+strings.Join(whom, ""))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// are waits until they hear each other so, and that it stays so.
func (e *ears) are(when, want string) {
	e.h.t.Helper()
	got := ""
	for range 100 {
		if got = e.now(); got == want {
			time.Sleep(300 * time.Millisecond)
			if got = e.now(); got == want {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	e.h.t.Errorf("%s: they hear %q, want %q", when, got, want)
}

// lead is a leader at the phone 8003.
func lead(signedIn bool) Leader {
	return Leader{User: "s1", Endpoint: contact.Endpoint{Agent: "s1", Phone: "8003"}, SignedIn: signedIn}
}

// supervises has the leader's phone answer while mode is asked for.
func (h *house) supervises(phone *line, by Leader, mode event.Force) {
	h.t.Helper()
	done := make(chan error, 1)
	c := h.contact()
	go func() { done <- h.Supervise(h.t.Context(), c, "a1", by, mode) }()
	if in := phone.lift(); in.Get("X-Kapok-Kind") != "supervise" || in.Get("X-Kapok-Contact") != string(c) {
		h.t.Errorf("the leader's phone is told %s %s", in.Get("X-Kapok-Kind"), in.Get("X-Kapok-Contact"))
	}
	must(h.t, <-done)
}

// G2: listen, whisper, barge and take over on a running call, proved by who hears whose tone.
func TestRowG2(t *testing.T) {
	h := newHouse(t)
	boss := h.phone("8003")
	h.agents["s1"] = contact.Endpoint{Agent: "s1", Phone: "8003"}
	caller, agent, _ := h.talk()
	ctx, c, e := t.Context(), h.contact(), h.ears()
	e.tune("c", caller)
	e.tune("a", agent)
	e.are("before", "a:c c:a")
	e.tune("s", boss)
	h.supervises(boss, lead(true), event.ForceListen)
	e.are("listening", "a:c c:a s:ac")
	h.tells("seize s1")
	h.tells("taken s1")
	must(t, h.Supervise(ctx, c, "a1", lead(true), event.ForceWhisper))
	e.are("whispering", "a:cs c:a s:ac")
	must(t, h.Supervise(ctx, c, "a1", lead(true), event.ForceBarge))
	e.are("barging", "a:cs c:as s:ac")
	must(t, h.Hold(ctx, c, "a1", true))
	e.are("the caller is on hold", "a:s c: s:a")
	must(t, h.Hold(ctx, c, "a1", false))
	must(t, h.Supervise(ctx, c, "a1", lead(true), event.ForceListen))
	e.are("listening again", "a:c c:a s:ac")
	must(t, h.Supervise(ctx, c, "a1", lead(true), event.ForceTakeOver))
	agent.Expect("BYE")
	h.tells("done a1")
	e.are("taken over", "a: c:s s:c")
	if err := h.Hold(ctx, c, "a1", true); fault.CodeOf(err) != "voice.call.not_yours" {
		t.Errorf("the agent whose call was taken over: %v", err)
	}
	must(t, h.Hold(ctx, c, "s1", true)) // the leader has the call, with all that belongs to it
	must(t, h.Hold(ctx, c, "s1", false))
	caller.Request("BYE", "")
	boss.Expect("BYE")
	h.tells("done s1")
	h.ends(contact.ByCaller, contact.Answered)
	if got := h.modes(); got != "listen whisper barge listen take_over" {
		t.Errorf("written down as %s", got)
	}
	if got := h.legs("s1"); got != "supervisor agent" {
		t.Errorf("the leader's legs are %s", got)
	}
}

func (h *house) modes() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, f := range h.facts {
		if b, ok := f.body.(event.ContactSupervised); ok {
			out = append(out, string(b.Mode))
		}
	}
	return strings.Join(out, " ")
}

func (h *house) legs(agent id.User) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, f := range h.facts {
		if b, ok := f.body.(event.LegEnded); ok && b.Agent == agent {
			out = append(out, b.Role)
		}
	}
	return strings.Join(out, " ")
}

func TestSupervisingEnds(t *testing.T) {
	for _, x := range []struct {
		name string
		do   func(h *house, caller *line)
		talk bool // caller and agent talk on
	}{
		{"the leader says so", func(h *house, _ *line) { must(h.t, h.Unsupervise(h.t.Context(), h.contact(), "s1")) }, true},
		{"the caller hangs up", func(_ *house, caller *line) { caller.Request("BYE", "") }, false},
		{"the call goes to another queue", func(h *house, _ *line) {
			must(h.t, h.Transfer(h.t.Context(), h.contact(), "a1", contact.Target{Kind: contact.ToQueue, Code: "iit"}))
		}, false},
		{"the agent is released, the caller waits at the old place", func(h *house, _ *line) {
			must(h.t, h.Release(h.t.Context(), h.contact(), "a1", true))
			if w := h.waits(2); w.Since != h.waits(1).Since {
				h.t.Errorf("the place counts from %v, it was %v", w.Since, h.waits(1).Since)
			}
		}, false},
		{"the call is released", func(h *house, _ *line) { must(h.t, h.Release(h.t.Context(), h.contact(), "a1", false)) }, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			h := newHouse(t)
			boss := h.phone("8003")
			caller, _, _ := h.talk()
			h.supervises(boss, lead(false), event.ForceListen)
			x.do(h, caller)
			boss.Expect("BYE")
			h.until("the leader's leg has ended", func() bool { return h.legs("s1") == "supervisor" })
			if x.talk {
				if err := h.Unsupervise(t.Context(), h.contact(), "s1"); fault.CodeOf(err) != "voice.supervise.none" {
					t.Errorf("twice: %v", err)
				}
				h.until("they talk on", func() bool { return caller.loud() })
				h.supervises(boss, lead(false), event.ForceBarge) // and again
			}
			if h.Calls() > 0 {
				caller.Request("BYE", "")
			}
			h.has("contact.ended", 1)
		})
	}
	t.Run("the leader hangs up", func(t *testing.T) {
		h := newHouse(t)
		boss := h.phone("8003")
		caller, _, _ := h.talk()
		c, done := h.contact(), make(chan error, 1)
		go func() { done <- h.Supervise(t.Context(), c, "a1", lead(false), event.ForceWhisper) }()
		in := boss.lift()
		must(t, <-done)
		boss.within(in, "BYE", 2, "")
		h.until("the leader's leg has ended", func() bool { return h.legs("s1") == "supervisor" })
		h.until("they talk on", func() bool { return caller.loud() })
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
}

func TestSupervisingIsRefused(t *testing.T) {
	h := newHouse(t)
	boss := h.phone("8003")
	caller, _, _ := h.talk()
	ctx, c := t.Context(), h.contact()
	for name, x := range map[string]struct {
		agent id.User
		by    Leader
		code  string
	}{
		"another agent's call": {"a2", lead(false), "voice.supervise.not_talking"},
		"one's own call":       {"a1", Leader{User: "a1"}, "voice.supervise.self"},
		"no phone there":       {"a1", Leader{User: "s2", Endpoint: contact.Endpoint{Agent: "s2", Phone: "8002"}}, "contact.unreachable"},
	} {
		if err := h.Supervise(ctx, c, x.agent, x.by, event.ForceListen); fault.CodeOf(err) != x.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	done := make(chan error, 1)
	go func() { done <- h.Supervise(ctx, c, "a1", lead(false), event.ForceListen) }()
	in := boss.Expect("INVITE")
	if err := h.Supervise(ctx, c, "a1", lead(false), event.ForceBarge); fault.CodeOf(err) != "voice.supervise.ringing" {
		t.Errorf("while it rings: %v", err)
	}
	boss.Respond(in, 486, "Busy Here", "agent", "")
	if err := <-done; fault.CodeOf(err) != "contact.busy" {
		t.Errorf("busy: %v", err)
	}
	if err := h.Supervise(ctx, "none", "a1", lead(false), event.ForceListen); fault.CodeOf(err) != "voice.call.gone" {
		t.Errorf("no such call: %v", err)
	}
	caller.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Answered)
}

// G2: of a tip-off nothing is heard by a leader, whether the number or the queue is for these, not even once it has
// gone elsewhere; its recording is heard by those alone who hold a right of their own.
func TestRowG2Secret(t *testing.T) {
	for _, by := range []string{"number", "queue"} {
		t.Run(by, func(t *testing.T) {
			h := newHouse(t)
			boss := h.phone("8003")
			if by == "number" {
				n := h.snap.Load().numbers["12367"]
				n.Secret = true
				must(t, numberTable.Put(t.Context(), h.deps.DB, "12367", n))
				must(t, h.reload(t.Context()))
			}
			caller, agent, _ := h.talk()
			c := h.contact()
			if by == "queue" {
				h.supervises(boss, lead(false), event.ForceListen)
				for n, q := range []string{"tipoff", "vat"} { // there and away again: a tip-off it stays
					must(t, h.Transfer(t.Context(), c, "a1", contact.Target{Kind: contact.ToQueue, Code: q}))
					agent.Expect("BYE")
					h.waits(n + 2)
					done := h.offer(t.Context(), "8001", "a1")
					agent.lift()
					must(t, <-done)
				}
				boss.Expect("BYE")
			}
			for _, mode := range []event.Force{event.ForceListen, event.ForceWhisper, event.ForceBarge, event.ForceTakeOver} {
				if err := h.Supervise(t.Context(), c, "a1", lead(false), mode); fault.CodeOf(err) != "voice.supervise.secret" {
					t.Errorf("%s: %v", mode, err)
				}
			}
			time.Sleep(500 * time.Millisecond) // something to be recorded
			caller.Request("BYE", "")
			h.has("recording.stored", 1)
			all, err := h.Recordings(t.Context(), c)
			must(t, err)
			b := webtest.New(t, h.Module)
			url := "/api/v1/recordings/" + all[0].ID + "/sound"
			b.Run(
				webtest.Scenario{Name: "who plays recordings", By: b.As("quality"), URL: url, Status: http.StatusForbidden, Code: "web.right.missing"},
				webtest.Scenario{Name: "who holds the right of their own", By: b.As("quality", webtest.With(PlaySecret)), URL: url, Status: http.StatusOK},
			)
		})
	}
}
