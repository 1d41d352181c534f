package routing

import (
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
)

// A brain that loses the right to decide stops ringing and keeps every place; with the right comes a new brain
// that goes on where the old one was.
func TestTakeOver(t *testing.T) {
	h := newHouse(t, withLease)
	ctx := t.Context()
	h.signIn("a", "b", "c")
	h.enter("vat", "c1") // nobody may decide yet: music, and a place
	h.pass(2 * time.Second)
	if h.mu.Lock(); len(h.rings) != 0 {
		t.Fatal("rung without the right to")
	}
	h.mu.Unlock()

	first := h.leases.give(1_000_000)
	h.until("it leads", h.leads)
	if r := h.rung("a"); r.offer.ID != "1000-1" || !r.take() {
		t.Fatalf("offer %+v", r.offer)
	}
	h.enter("vat", "c2")
	if !h.rung("b").take() {
		t.Fatal("c2")
	}
	h.pass(3 * time.Second)
	must(t, h.Done(ctx, "c2", "b")) // b wraps up until 35
	h.enter("vat", "c3")
	h.pass(time.Second)
	h.enter("vat", "c4")
	held := h.rung("c")
	close(first.lost)
	h.until("it stops to lead", func() bool { return !h.leads() })
	h.silent("c")
	if held.confirm() {
		t.Error("an answer counts that came without the right to decide")
	}
	h.pass(2 * time.Second)
	h.enter("vat", "c5")

	second := h.leases.give(1_000_500) // within the same second: still another fence
	h.until("it leads again", h.leads)
	if r := h.rung("c"); r.offer.ID != "1001-1" || r.offer.Contact != "c3" {
		t.Errorf("offer %+v: who came first is next, under the new fence", r.offer)
	}
	h.tells("c3", "5 contact.queued", "5 contact.offered c", "6 contact.missed c withdrawn", "8 contact.offered c")
	if got := []string{h.state("a"), h.state("b"), h.state("c")}; got[0] != "talking" || got[1] != "wrapup" || got[2] != "ringing" {
		t.Errorf("states %q", got)
	}
	h.pass(27 * time.Second) // b's wrap-up ends when it would have
	if r := h.rung("b"); r.offer.Contact != "c4" && r.offer.Contact != "c3" {
		t.Errorf("b is offered %s", r.offer.Contact)
	}
	must(t, h.Done(ctx, "c1", "a"))
	h.tells("a", "0 agent.signed_in", "0 agent.changed signed_out>away 0", "0 agent.changed away>ready 0", "2 agent.changed ready>ringing 2000 c1",
		"2 agent.changed ringing>talking 0 c1", "35 agent.changed talking>wrapup 33000 c1")
	h.stop()
	<-second.released
	h.sums()
}

func TestNarrow(t *testing.T) {
	for _, x := range []struct {
		fence      int64
		last, want uint32
	}{
		{1_795_460_873_912, 0, uint32(1_795_460_873 & (1<<24 - 1))},
		{0, 0, 1},
		{999, 1, 2},
		{16_777_215_000, 16_777_215, 1},
	} {
		if got := narrow(x.fence, x.last); got != x.want {
			t.Errorf("narrow(%d, %d) = %d, want %d", x.fence, x.last, got, x.want)
		}
	}
}

// An agent of whose desk nothing is heard is signed out; within a talk, when the talk is over.
func TestLapsed(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.signIn("a", "b")
	must(t, h.Lapsed(ctx, "b"))
	h.tells("b", "0 agent.signed_in", "0 agent.changed signed_out>away 0", "0 agent.changed away>ready 0",
		"0 agent.changed ready>signed_out 0", "0 agent.signed_out 0 lost")
	must(t, h.Lapsed(ctx, "b")) // nobody
	talk := func(c id.Contact) {
		h.enter("vat", c)
		h.rung("a").take()
		must(t, h.Lapsed(ctx, "a"))
		h.pass(time.Second)
	}
	talk("c1")
	must(t, h.Returned(ctx, "a"))
	must(t, h.Done(ctx, "c1", "a"))
	must(t, h.WrapUpDone(ctx, "a"))
	if got := h.state("a"); got != "ready" {
		t.Errorf("who came back in time is %q", got)
	}
	talk("c2")
	must(t, h.Done(ctx, "c2", "a"))
	if _, ok, _ := h.SignedIn(ctx, "a"); ok {
		t.Error("still signed in after the talk")
	}
	h.sums()
}
