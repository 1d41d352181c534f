package routing

import (
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
)

// An agent calls out ready, away or in wrap-up; nobody is offered to them meanwhile, the wrap-up is the given one, and
// every second counts once.
func TestDial(t *testing.T) {
	ctx := t.Context()
	minute := time.Minute
	t.Run("ready, with a wrap-up after it", func(t *testing.T) {
		h := newHouse(t)
		h.signIn("a")
		at, err := h.Dial(ctx, "o1", contact.Phone, "a", "", minute)
		if err != nil || at.Agent != "a" {
			t.Fatal(at, err)
		}
		h.enter("vat", "c1")
		h.pass(3 * time.Second)
		h.silent("a")
		must(t, h.Taken(ctx, "o1", "a"))
		if _, err := h.Dial(ctx, "o2", contact.Phone, "a", "", minute); fault.CodeOf(err) != "routing.dial.busy" {
			t.Errorf("two at once: %v", err)
		}
		h.pass(10 * time.Second)
		must(t, h.Done(ctx, "o1", "a"))
		h.pass(59 * time.Second)
		if got := h.state("a"); got != "wrapup" {
			t.Errorf("after the call out a is %q", got)
		}
		h.pass(2 * time.Second)
		if h.rung("a").offer.Contact != "c1" {
			t.Error("who waited is not next")
		}
		h.stop()
		h.sums()
	})
	t.Run("away stays away", func(t *testing.T) {
		h := newHouse(t)
		h.signIn("a")
		must(t, h.Want(ctx, "a", false, "TRAIN"))
		_, err := h.Dial(ctx, "o1", contact.Phone, "a", "", minute)
		must(t, err)
		must(t, h.Taken(ctx, "o1", "a"))
		h.pass(time.Second)
		must(t, h.Done(ctx, "o1", "a"))
		must(t, h.WrapUpDone(ctx, "a"))
		if got := h.state("a"); got != "away TRAIN" {
			t.Errorf("after the call out a is %q", got)
		}
		h.stop()
		h.sums()
	})
	t.Run("out of a wrap-up, though somebody waits", func(t *testing.T) {
		h := newHouse(t)
		h.signIn("a")
		h.enter("vat", "c1")
		h.rung("a").take()
		h.pass(time.Second)
		must(t, h.Done(ctx, "c1", "a"))
		h.enter("vat", "c2")
		h.pass(time.Second)
		_, err := h.Dial(ctx, "o1", contact.Phone, "a", "", -time.Second)
		must(t, err)
		must(t, h.Taken(ctx, "o1", "a"))
		h.silent("a")
		if got := h.story("a"); !strings.Contains(got, "wrapup>ringing 1000 o1") || strings.Contains(got, "wrapup>ready") {
			t.Errorf("a's states:\n%s", got)
		}
		h.pass(5 * time.Second)
		must(t, h.Done(ctx, "o1", "a"))
		h.pass(2 * minute)
		if got := h.state("a"); got != "wrapup" {
			t.Errorf("a wrap-up until done is %q", got)
		}
		must(t, h.WrapUpDone(ctx, "a"))
		if h.rung("a").offer.Contact != "c2" {
			t.Error("who waited is not next")
		}
		h.stop()
		h.sums()
	})
	t.Run("not answered: no wrap-up", func(t *testing.T) {
		h := newHouse(t)
		h.signIn("a")
		_, err := h.Dial(ctx, "o1", contact.Phone, "a", "", minute)
		must(t, err)
		h.pass(time.Second)
		must(t, h.Done(ctx, "o1", "a"))
		if got := h.state("a"); got != "ready" {
			t.Errorf("a is %q", got)
		}
		if _, err := h.Dial(ctx, "o2", contact.Phone, "z", "", minute); fault.CodeOf(err) != "routing.rejected.no_agent" {
			t.Errorf("nobody: %v", err)
		}
		h.stop()
		h.sums()
	})
}
