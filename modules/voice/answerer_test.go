package voice

import (
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/audio"
)

// heard gives what was said of who answered: who, by what.
func (h *house) heard() (out []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.facts {
		if b, ok := f.body.(event.CalloutHeard); ok {
			out = append(out, b.Who+" "+b.Why)
		}
	}
	return out
}

// oracle is an Answerer put in place of the house's own: it says what the test says.
type oracle struct {
	mu  sync.Mutex
	cfg audio.GreetingConfig
}

func (o *oracle) listen(cfg audio.GreetingConfig) audio.Sink {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cfg = cfg
	return o
}
func (o *oracle) Write(*audio.Frame) error { return nil }

// says waits until somebody is listened to.
func (o *oracle) says(h *house, f func(audio.GreetingConfig)) {
	h.t.Helper()
	h.until("somebody is listened to", func() bool { o.mu.Lock(); defer o.mu.Unlock(); return o.cfg.Said != nil })
	o.mu.Lock()
	defer o.mu.Unlock()
	f(o.cfg)
}

// TestOutboundHearsWhoAnswers: where a call out asks for it, who answers is listened to before the agent is put through. A
// machine is hung up on, or left a message when the agent has been let go; whoever is not known is put through.
func TestOutboundHearsWhoAnswers(t *testing.T) {
	begin := func(t *testing.T, rule *contact.Machine, o *oracle) (h *house, agent, city *line) {
		t.Helper()
		h, agent, city, _ = outHouse(t)
		if o != nil {
			h.deps.Answerer = o.listen
		}
		_, err := h.CallOut(t.Context(), contact.Outcall{Agent: "a1", Number: "075583330000", Purpose: "outbound", Ref: "p1", Machine: rule})
		must(t, err)
		agent.lift()
		h.tells("taken a1")
		return h, agent, city
	}
	told := func(h *house, heard, result string) {
		h.t.Helper()
		if got := h.heard(); len(got) != 1 || got[0] != heard {
			h.t.Errorf("heard %q, want %q", got, heard)
		}
		if got, want := h.result(), "begun 075583330000 outbound/p1, "+result; got != want {
			h.t.Errorf("told is %q, want %q", got, want)
		}
	}
	sound := func(l *line, hz float64) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.tone = hz
	}
	t.Run("a beep", func(t *testing.T) {
		h, agent, city := begin(t, &contact.Machine{}, nil)
		sound(city, 1000)
		city.lift()
		city.Expect("BYE")
		agent.Expect("BYE")
		h.tells("done a1")
		h.ends(contact.BySystem, contact.Unreached)
		told(h, "machine beep", "ended machine p1")
	})
	t.Run("nobody says a word", func(t *testing.T) {
		h, agent, city := begin(t, &contact.Machine{}, nil)
		sound(city, -1)
		in := city.lift()
		h.has("callout.answered", 1)
		sound(city, 0)
		h.hear("they talk", agent, city)
		city.within(in, "BYE", 2, "")
		h.ends(contact.ByCaller, contact.Answered)
		told(h, "unknown silence", "answered sgct 075112366 p1, ended answered p1")
	})
	t.Run("喂?", func(t *testing.T) {
		h, agent, city := begin(t, &contact.Machine{GreetingS: 5}, nil)
		sound(city, 0) // loud, and no pure tone
		in := city.lift()
		time.Sleep(400 * time.Millisecond)
		sound(city, -1)
		h.has("callout.answered", 1)
		sound(city, 0)
		h.hear("they talk", agent, city)
		city.within(in, "BYE", 2, "")
		h.ends(contact.ByCaller, contact.Answered)
		told(h, "person pause", "answered sgct 075112366 p1, ended answered p1")
	})
	t.Run("another ear, and a message", func(t *testing.T) {
		o := &oracle{}
		h, agent, city := begin(t, &contact.Machine{Prompt: "beep"}, o)
		sound(city, -1)
		city.lift()
		o.says(h, func(c audio.GreetingConfig) { c.Said(audio.Answer{Who: audio.ByMachine, Why: "long"}) })
		agent.Expect("BYE")
		h.tells("done a1")
		h.hushed("the machine speaks, we do not", city)
		o.says(h, func(c audio.GreetingConfig) { c.Over(); c.Over() })
		city.Expect("BYE")
		h.ends(contact.BySystem, contact.Unreached)
		told(h, "machine long", "ended machine p1")
	})
	t.Run("it is hung up before that is known", func(t *testing.T) {
		o := &oracle{}
		h, agent, city := begin(t, &contact.Machine{}, o)
		in := city.lift()
		o.says(h, func(audio.GreetingConfig) {})
		city.within(in, "BYE", 2, "")
		agent.Expect("BYE")
		h.tells("done a1")
		h.ends(contact.ByCaller, contact.Unreached)
		o.says(h, func(c audio.GreetingConfig) { c.Said(audio.Answer{Who: audio.ByPerson}); c.Over() }) // too late
		if got, want := h.result(), "begun 075583330000 outbound/p1, ended refused p1"; got != want {
			t.Errorf("told is %q, want %q", got, want)
		}
	})
	t.Run("they call in meanwhile", func(t *testing.T) {
		o := &oracle{}
		h, _, city := begin(t, &contact.Machine{}, o)
		city.lift()
		o.says(h, func(audio.GreetingConfig) {})
		must(t, h.GiveUp(t.Context(), h.contact(), "called_in"))
		city.Expect("BYE")
		h.tells("done a1")
		h.ends(contact.BySystem, contact.Unreached)
	})
}
