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

// by gives who caused each state of an agent since the nth fact.
func (h *house) by(agent id.User) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, f := range h.facts {
		if b, ok := f.body.(event.AgentChanged); ok && f.subject == string(agent) {
			out = append(out, string(b.State)+"/"+b.By)
		}
	}
	return strings.Join(out, " ")
}

// A leader's word sets a state at once, or after the talk; the seconds of the day still add up.
func TestRowG3Brain(t *testing.T) {
	ctx := t.Context()
	t.Run("away to ready and back", func(t *testing.T) {
		h := newHouse(t)
		h.signIn("a")
		h.pass(time.Second)
		must(t, h.Force(ctx, "a", false, "TRAIN"))
		h.pass(2 * time.Second)
		must(t, h.Force(ctx, "a", true, ""))
		h.pass(3 * time.Second)
		must(t, h.ForceOut(ctx, "a"))
		h.tells("a", "0 agent.signed_in", "0 agent.changed signed_out>away 0", "0 agent.changed away>ready 0",
			"1 agent.changed ready>away TRAIN 1000", "3 agent.changed away>ready 2000", "6 agent.changed ready>signed_out 3000", "6 agent.signed_out 6000 supervisor")
		if got := h.by("a"); !strings.HasSuffix(got, "away/supervisor ready/supervisor signed_out/supervisor") {
			t.Errorf("caused by %s", got)
		}
		h.sums()
	})
	t.Run("a wrap-up ends at the word", func(t *testing.T) {
		for _, ready := range []bool{true, false} {
			h := newHouse(t)
			h.signIn("a")
			h.enter("vat", "c1")
			h.rung("a").take()
			h.pass(time.Second)
			must(t, h.Done(ctx, "c1", "a"))
			must(t, h.Force(ctx, "a", ready, "TRAIN"))
			want := map[bool]string{true: "wrapup>ready", false: "wrapup>away TRAIN"}[ready]
			if got := h.story("a"); !strings.Contains(got, want) {
				t.Errorf("ready %v:\n%s", ready, got)
			}
			h.sums()
		}
	})
	t.Run("a talk is let end", func(t *testing.T) {
		h := newHouse(t)
		h.signIn("a")
		h.enter("vat", "c1")
		h.rung("a").take()
		h.pass(time.Second)
		must(t, h.ForceOut(ctx, "a"))
		must(t, h.Returned(ctx, "a")) // the desk is there; the leader's word stands
		if got := h.story("a"); strings.Contains(got, "signed_out 1") {
			t.Fatalf("signed out within the talk:\n%s", got)
		}
		h.pass(4 * time.Second)
		must(t, h.Done(ctx, "c1", "a"))
		h.until("the agent is signed out", func() bool { return strings.Contains(h.story("a"), "agent.signed_out 5000 supervisor") })
		h.sums()
	})
	t.Run("nobody is there", func(t *testing.T) {
		h := newHouse(t)
		for _, err := range []error{h.Force(ctx, "a", true, ""), h.ForceOut(ctx, "a")} {
			if fault.CodeOf(err) != "routing.rejected.no_agent" {
				t.Errorf("%v", err)
			}
		}
	})
}

// A leader who is away may take part in a talk; one who talks may not.
func TestSeize(t *testing.T) {
	ctx := t.Context()
	h := newHouse(t)
	h.signIn("a")
	h.signIn("b")
	h.enter("vat", "c1")
	h.rung("a").take()
	must(t, h.Want(ctx, "b", false, "LEAD"))
	h.pass(time.Second)
	if _, err := h.Seize(ctx, "c1", contact.Phone, "b"); err != nil {
		t.Fatal(err)
	}
	h.pass(time.Second)
	must(t, h.Taken(ctx, "c1", "b"))
	h.pass(3 * time.Second)
	must(t, h.Done(ctx, "c1", "b"))
	if got := h.story("b"); !strings.Contains(got, "away>ringing 1000 c1") || !strings.Contains(got, "talking>away LEAD 3000") {
		t.Errorf("the leader's states:\n%s", got)
	}
	if got := h.story("a"); strings.Contains(got, "talking>") {
		t.Errorf("the agent talks on:\n%s", got)
	}
	if _, err := h.Seize(ctx, "c9", contact.Phone, "a"); fault.CodeOf(err) != "routing.rejected.no_room" {
		t.Errorf("who talks took part elsewhere: %v", err)
	}
	h.sums()
}
