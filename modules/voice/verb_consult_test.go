package voice

import (
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

// deskAsks brings a call to a1 at 8001, who asks from the desk; a2 sits at 8002 and lifts. All speak the same loud tone.
func (h *house) deskAsks(to contact.Target, join bool) (caller, agent, asked *line, in siptest.Msg) {
	h.t.Helper()
	asked = h.phone("8002")
	h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "8002"}
	caller, agent, _ = h.talk()
	h.until("they talk", func() bool { return caller.loud() && agent.loud() })
	must(h.t, h.Consult(h.t.Context(), h.contact(), "a1", to, join))
	in = asked.lift()
	h.tells("taken a2")
	return caller, agent, asked, in
}

func (h *house) hear(what string, loud ...*line) {
	h.t.Helper()
	h.until(what, func() bool {
		for _, l := range loud {
			if !l.loud() {
				return false
			}
		}
		return true
	})
}

func (h *house) hushed(what string, quiet *line) {
	h.t.Helper()
	h.until(what, func() bool { return !quiet.loud() })
}

// TestDeskConsult: the line turns to who is asked, back to the caller, to both, and the agent leaves it to the two;
// every leg's times are those of what was done.
func TestDeskConsult(t *testing.T) {
	a2 := contact.Target{Kind: contact.ToAgent, Code: "a2"}
	ctx := t.Context()
	t.Run("turns and is completed", func(t *testing.T) {
		h := newHouse(t)
		caller, agent, asked, _ := h.deskAsks(a2, false)
		c := h.contact()
		h.hear("agent and asked hear each other", agent, asked)
		h.hushed("the caller hears music", caller)
		must(t, h.ConsultTurn(ctx, c, "a1", event.WithCaller))
		h.hear("agent and caller hear each other", agent, caller)
		h.hushed("the asked one hears music", asked)
		must(t, h.ConsultTurn(ctx, c, "a1", event.WithBoth))
		h.hear("all three hear somebody", agent, caller, asked)
		must(t, h.ConsultComplete(ctx, c, "a1"))
		agent.Expect("BYE")
		h.tells("done a1")
		h.hear("caller and asked talk on", caller, asked)
		caller.Request("BYE", "")
		asked.Expect("BYE")
		h.tells("done a2")
		h.ends(contact.ByCaller, contact.Answered)
		got := strings.ReplaceAll(h.story(), "\n", " ")
		want := `leg.held consult.begun leg.started consult leg.answered consult.turned leg.held leg.resumed consult.turned ` +
			`leg.resumed consult.turned consult.ended contact.transferred leg.ended agent leg.started agent leg.answered leg.ended consult leg.ended agent leg.ended caller`
		if !strings.Contains(got, want) {
			t.Errorf("the record is\n%s\nwant\n%s", got, want)
		}
	})
	t.Run("to a queue's free agent, and back", func(t *testing.T) {
		h := newHouse(t)
		caller, agent, asked, _ := h.deskAsks(contact.Target{Kind: contact.ToQueue, Code: "iit"}, false)
		h.hear("agent and asked hear each other", agent, asked)
		must(t, h.ConsultEnd(ctx, h.contact(), "a1"))
		asked.Expect("BYE")
		h.tells("done a2")
		h.hear("back with the caller", agent, caller)
		must(t, h.Hangup(ctx, h.contact(), "a1"))
		h.ends(contact.ByAgent, contact.Answered)
	})
	t.Run("three at once", func(t *testing.T) {
		h := newHouse(t)
		caller, agent, asked, in := h.deskAsks(a2, true)
		h.hear("all three hear somebody", agent, caller, asked)
		asked.within(in, "BYE", 2, "")
		h.tells("done a2")
		h.hear("the two talk on", agent, caller)
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("the hold key turns, hanging up leaves the nearer", func(t *testing.T) {
		h := newHouse(t)
		caller, agent, asked, _ := h.deskAsks(a2, false)
		must(t, h.Hold(ctx, h.contact(), "a1", false))
		h.hear("with the caller", agent, caller)
		h.hushed("the asked one hears music", asked)
		must(t, h.Hold(ctx, h.contact(), "a1", true))
		h.hushed("both wait", caller)
		must(t, h.Hangup(ctx, h.contact(), "a1"))
		asked.Expect("BYE")
		must(t, h.Hold(ctx, h.contact(), "a1", false))
		h.hear("with the caller again", agent, caller)
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("who puts the handset down has handed over", func(t *testing.T) {
		h := newHouse(t)
		caller, agent, asked, _ := h.deskAsks(a2, false)
		agent.within(agent.Seen("INVITE")[0], "BYE", 2, "")
		h.tells("done a1")
		h.hear("caller and asked talk", caller, asked)
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("nobody answers", func(t *testing.T) {
		h := newHouse(t)
		asked := h.phone("8002")
		h.agents["a2"] = contact.Endpoint{Agent: "a2", Phone: "8002"}
		caller, agent, _ := h.talk()
		c := h.contact()
		must(t, h.Consult(ctx, c, "a1", a2, false))
		asked.Respond(asked.Expect("INVITE"), 486, "Busy Here", "agent", "")
		h.tells("done a2")
		h.has("consult.ended", 1)
		must(t, h.Hold(ctx, c, "a1", false))
		h.hear("back with the caller", agent, caller)
		must(t, h.Consult(ctx, c, "a1", a2, false)) // and given up while it rings
		asked.Respond(asked.Expect("INVITE"), 180, "Ringing", "again", "")
		if err := h.ConsultComplete(ctx, c, "a1"); fault.CodeOf(err) != "voice.consult.rings" {
			t.Errorf("completed to nobody: %v", err)
		}
		must(t, h.ConsultEnd(ctx, c, "a1"))
		asked.Expect("CANCEL")
		h.hear("back with the caller", agent, caller)
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
	t.Run("what cannot be asked", func(t *testing.T) {
		h := newHouse(t)
		caller, _, _, _ := h.deskAsks(a2, false)
		c := h.contact()
		for _, x := range []struct {
			code string
			err  error
		}{
			{"voice.consult.already", h.Consult(ctx, c, "a1", a2, false)},
			{"voice.call.not_yours", h.Consult(ctx, c, "a2", contact.Target{Kind: contact.ToQueue, Code: "iit"}, false)},
			{"voice.transfer.nowhere", h.Consult(ctx, c, "a1", contact.Target{Kind: contact.ToAgent, Code: "a1"}, false)},
			{"voice.transfer.nowhere", h.Consult(ctx, c, "a1", contact.Target{Kind: contact.ToFlow, Code: "menu"}, false)},
			{"voice.call.gone", h.ConsultEnd(ctx, id.Contact("none"), "a1")},
		} {
			if fault.CodeOf(x.err) != x.code {
				t.Errorf("want %s: %v", x.code, x.err)
			}
		}
		must(t, h.ConsultEnd(ctx, c, "a1"))
		if err := h.ConsultEnd(ctx, c, "a1"); fault.CodeOf(err) != "voice.consult.none" {
			t.Errorf("twice ended: %v", err)
		}
		caller.Request("BYE", "")
		h.ends(contact.ByCaller, contact.Answered)
	})
}

// TestPain22: a forgotten hold is recalled at the limit, again and again, by a tone in the agent's ear; a hold that ends
// in time is not.
func TestPain22(t *testing.T) {
	h := newHouse(t, func(s *Settings) { s.HoldLimitS = 1 })
	caller, agent, _ := h.talk()
	must(t, h.Hold(t.Context(), h.contact(), "a1", true))
	agent.mu.Lock()
	agent.heard = 0
	agent.mu.Unlock()
	h.has("leg.recalled", 2)
	h.until("the agent hears a tone", func() bool { agent.mu.Lock(); defer agent.mu.Unlock(); return agent.heard > 5 })
	must(t, h.Hold(t.Context(), h.contact(), "a1", false))
	h.hear("they talk again", caller, agent)
	n := strings.Count(h.story(), "leg.recalled")
	time.Sleep(1200 * time.Millisecond)
	if m := strings.Count(h.story(), "leg.recalled"); m != n {
		t.Errorf("recalled %d times after the hold", m-n)
	}
	caller.Request("BYE", "")
	h.ends(contact.ByCaller, contact.Answered)
}
