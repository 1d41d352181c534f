package voice

import (
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/platform/store"
)

// stays gives the stays in slots of the newest contact: "1 taken a2".
func (h *house) stays() string {
	c := h.contact()
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, f := range h.facts {
		if b, ok := f.body.(event.ContactUnparked); ok && f.contact == string(c) {
			out = append(out, strings.TrimSpace(strings.Join([]string{string(rune('0' + b.Slot)), b.How, string(b.Agent)}, " ")))
		}
	}
	return strings.Join(out, ", ")
}

// empty waits until nobody has a slot.
func (h *house) empty() {
	h.t.Helper()
	h.until("every slot is free", func() bool {
		n, err := store.One(h.t.Context(), h.deps.DB, `SELECT COUNT(*) FROM voice_park`, store.Col[int])
		return err == nil && n == 0
	})
}

// TestPark: a parked person hears music and is taken back by a colleague, by who parked at the limit, or goes back to
// their queue at the old place; nobody is lost, and who parks stops talking there.
func TestPark(t *testing.T) {
	ctx := t.Context()
	parked := func(t *testing.T, change ...func(*Settings)) (h *house, caller, agent *line) {
		h = newHouse(t, change...)
		caller, agent, _ = h.talk()
		h.hear("they talk", caller, agent)
		slot, err := h.Park(ctx, h.contact(), "a1")
		must(t, err)
		if slot != 1 {
			t.Errorf("the first slot is %d", slot)
		}
		agent.Expect("BYE")
		h.tells("done a1")
		h.hushed("the person hears music", caller)
		return h, caller, agent
	}
	t.Run("taken back by a colleague", func(t *testing.T) {
		h, caller, _ := parked(t)
		second := h.phone("8002")
		h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "8002"}
		c := h.contact()
		must(t, h.Unpark(ctx, c, "a2"))
		if err := h.Unpark(ctx, c, "a1"); fault.CodeOf(err) != "voice.park.rings" {
			t.Errorf("taken twice: %v", err)
		}
		if in := second.lift(); in.Get("X-Kapok-Kind") != "own" {
			t.Errorf("rung for %q", in.Get("X-Kapok-Kind"))
		}
		h.tells("taken a2")
		h.hear("they talk", caller, second)
		if got := h.stays(); got != "1 taken a2" {
			t.Errorf("stays: %s", got)
		}
		h.empty()
		if err := h.Unpark(ctx, c, "a1"); fault.CodeOf(err) != "voice.park.gone" {
			t.Errorf("gone: %v", err)
		}
		if slot, err := h.Park(ctx, c, "a2"); err != nil || slot != 1 {
			t.Errorf("parked again in %d: %v", slot, err)
		}
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
		if got := h.stays(); got != "1 taken a2, 1 left" {
			t.Errorf("stays: %s", got)
		}
		h.empty()
	})
	t.Run("nobody lifts: still parked", func(t *testing.T) {
		h, caller, _ := parked(t)
		second := h.phone("8002")
		h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "8002"}
		must(t, h.Unpark(ctx, h.contact(), "a2"))
		second.Respond(second.Expect("INVITE"), 486, "Busy Here", "agent", "")
		h.tells("done a2")
		h.until("it can be taken again", func() bool { return h.Unpark(ctx, h.contact(), "a2") == nil })
		second.lift()
		h.hear("they talk", caller, second)
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("recalled at the limit", func(t *testing.T) {
		h, caller, agent := parked(t, func(s *Settings) { s.ParkLimitS = 1 })
		h.mu.Lock()
		h.agents["a1"] = contact.Endpoint{Agent: "a1", Phone: "8001"}
		h.mu.Unlock()
		if in := agent.lift(); in.Get("X-Kapok-Kind") != "offer" {
			t.Errorf("rung for %q", in.Get("X-Kapok-Kind"))
		}
		h.hear("they talk", caller, agent)
		if got := h.stays(); got != "1 recalled a1" {
			t.Errorf("stays: %s", got)
		}
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("who parked has no time: back to the queue, at the old place", func(t *testing.T) {
		h, caller, _ := parked(t, func(s *Settings) { s.ParkLimitS = 60 })
		first := h.waits(1)
		c := h.find(h.contact())
		for range parkTries + 1 { // the limit and the tries after it, without their waits
			c.ask(ctx, func() {
				if c.parked != nil {
					c.parkOver()
				}
			})
		}
		if again := h.waits(2); !again.Since.Equal(first.At) {
			t.Errorf("back with a place of %v, it was %v", again.Since, first.At)
		}
		if got := h.stays(); got != "1 queue" {
			t.Errorf("stays: %s", got)
		}
		h.empty()
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("what cannot be parked", func(t *testing.T) {
		h := newHouse(t)
		caller, _, _, _ := h.deskAsks(contact.Target{Kind: contact.ToAgent, Code: "a2"}, false)
		if _, err := h.Park(ctx, h.contact(), "a1"); fault.CodeOf(err) != "voice.park.asking" {
			t.Errorf("while asking: %v", err)
		}
		if _, err := h.Park(ctx, h.contact(), "a3"); fault.CodeOf(err) != "voice.call.not_yours" {
			t.Errorf("another's: %v", err)
		}
		must(t, h.ConsultEnd(ctx, h.contact(), "a1"))
		c := h.find(h.contact())
		c.ask(ctx, func() { c.tipOff = true })
		if _, err := h.Park(ctx, h.contact(), "a1"); fault.CodeOf(err) != "voice.park.secret" {
			t.Errorf("a tip-off: %v", err)
		}
		h.empty()
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("the slots are numbered, and none is left", func(t *testing.T) {
		h := newHouse(t)
		must(t, func() error {
			for i := range slotsMost {
				if i == 6 {
					continue
				}
				if _, err := store.Exec(ctx, h.deps.DB, `INSERT INTO voice_park (slot, contact, node, at) VALUES (?, 'x', 'other', 0)`, i+1); err != nil {
					return err
				}
			}
			return nil
		}())
		if n, err := h.takeSlot(ctx, "c1"); err != nil || n != 7 {
			t.Errorf("the free one is %d: %v", n, err)
		}
		if _, err := h.takeSlot(ctx, "c2"); fault.CodeOf(err) != "voice.park.full" {
			t.Errorf("none is left: %v", err)
		}
	})
}

// A person called out to and given away in vain has no queue to go back to: they are parked for who gave them away, who is
// rung at once.
func TestGivenAwayInVain(t *testing.T) {
	h, agent, city, _ := outHouse(t)
	second := h.phone("8002")
	h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "8002"}
	_, err := h.CallOut(t.Context(), contact.Outcall{Agent: "a1", Number: "075583330000"})
	must(t, err)
	agent.lift()
	city.lift()
	h.has("callout.answered", 1)
	must(t, h.Transfer(t.Context(), h.contact(), "a1", contact.Target{Kind: contact.ToAgent, Code: "a2"}))
	second.Respond(second.Expect("INVITE"), 486, "Busy Here", "agent", "")
	h.has("contact.parked", 1)
	agent.Expect("BYE")
	agent.lift()
	h.hear("back with who gave away", agent, city)
	must(t, h.Hangup(t.Context(), h.contact(), "a1"))
	h.ends(contact.ByAgent, contact.Answered)
	if got := h.stays(); got != "1 recalled a1" {
		t.Errorf("stays: %s", got)
	}
}
