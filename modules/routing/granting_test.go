package routing

import (
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/bus/bustest"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// A brain is shut out between an agent's lifting and the writing down of that: the caller is not joined, so nothing is
// said of an answer, and the next brain gives the caller, at their place, to an agent.
func TestAnAnswerOfABrainShutOutCountsNowhere(t *testing.T) {
	b := bustest.New(t)
	y := newTown(t, b, b)
	one, two := y.nodes[0], y.nodes[1]
	one.leases.give(1_000_000)
	y.until("the first decides", one.leads.Load)
	y.signIn(one, "a")
	lift := make(chan struct{})
	y.takes(func(contact.Offer) time.Duration { <-lift; return 0 })
	y.enter(one, "c1")
	y.until("c1 rings", func() bool { return y.has("a") == "c1" })
	y.shutOut("a", 2000, func(*agentNote) {})
	close(lift)
	y.until("the first has let go", func() bool { return !one.leads.Load() })
	if with := y.joinedTo("c1"); with != "" {
		t.Fatalf("c1 is joined to %s by a brain that is shut out", with)
	}
	y.kinds("c1") // all that was said is on the disk
	two.leases.give(2_000_000)
	y.until("the second decides", two.leads.Load)
	y.until("c1 is answered", func() bool { return y.joinedTo("c1") == "a" })
	y.until("and it is written down", func() bool { return y.kinds("c1")["contact.answered"] > 0 })
	y.check("c1", map[string]int{"contact.queued": 1, "contact.offered": 2, "contact.missed": 1, "contact.answered": 1})
	y.adds("a")
	y.noDoubles()
}

// A brain is shut out just after an agent was written down as talking: what it did not hear of the writing, the next
// brain's note says, and the caller is joined.
func TestAnAnswerThatWasWrittenDownCounts(t *testing.T) {
	b := bustest.New(t)
	y := newTown(t, b, b)
	one, two := y.nodes[0], y.nodes[1]
	one.leases.give(1_000_000)
	y.until("the first decides", one.leads.Load)
	y.signIn(one, "a")
	lift := make(chan struct{})
	y.takes(func(contact.Offer) time.Duration { <-lift; return 0 })
	y.enter(one, "c1")
	y.until("c1 rings", func() bool { return y.has("a") == "c1" })
	now := time.Now().UnixMilli()
	y.shutOut("a", 2000, func(n *agentNote) { // as the first will write it
		n.Took, n.Offer = "1000-1", ""
		n.Now = standingNote{State: event.Talking, Contact: "c1", Since: now}
		n.Works = []workNote{{Contact: "c1", Queue: "vat", EnteredAt: y.entered("c1")}}
	})
	close(lift)
	y.until("c1 is joined", func() bool { return y.joinedTo("c1") == "a" })
	y.until("the first has let go", func() bool { return !one.leads.Load() })
	y.kinds("c1") // all that was said is on the disk
	two.leases.give(2_000_000)
	y.until("the second decides", two.leads.Load)
	y.until("the answer is written down", func() bool { return y.kinds("c1")["contact.answered"] > 0 })
	y.check("c1", map[string]int{"contact.queued": 1, "contact.answered": 1})
	y.until("the agent talks", func() bool { return y.state("a") == "talking" })
	y.hangUp(two, "c1")
	y.until("the agent wraps up", func() bool { return y.state("a") == "wrapup" })
	y.adds("a")
	y.noDoubles()
}

// shutOut puts another fence on an agent, as a brain does that takes over.
func (y *town) shutOut(a id.User, fence uint32, change func(*agentNote)) {
	y.t.Helper()
	live := y.nodes[0].deps.Live
	var n agentNote
	revision, err := live.Get(y.t.Context(), keyOf(a), &n)
	must(y.t, err)
	n.Fence = fence
	change(&n)
	_, err = live.Update(y.t.Context(), keyOf(a), &n, revision)
	must(y.t, err)
}

// entered is when a contact that waits entered.
func (y *town) entered(c id.Contact) int64 {
	y.t.Helper()
	var n contactNote
	_, err := y.nodes[0].deps.Live.Get(y.t.Context(), contactKey+string(c), &n)
	must(y.t, err)
	return n.EnteredAt
}

// adds fails the test when an agent's states are not one chain in which each begins where the one before ended.
func (y *town) adds(a id.User) {
	y.t.Helper()
	y.kinds(string(a))
	type row struct{ kind, body string }
	rows, err := store.All(y.t.Context(), y.db, `SELECT kind, body FROM ledger_fact WHERE subject = ? ORDER BY seq`,
		func(r store.Scanner) (x row, err error) { return x, r.Scan(&x.kind, &x.body) }, string(a))
	must(y.t, err)
	state, since := event.SignedOut, int64(0)
	for _, r := range rows {
		f := ledger.Fact{Kind: r.kind, Body: []byte(r.body)}
		if r.kind != (event.AgentChanged{}).Kind() {
			continue
		}
		b, _ := ledger.Read[event.AgentChanged](&f)
		if b.Was != state || since != 0 && b.WasSince != since {
			y.t.Errorf("%s was %s since %d, and is said to have been %s since %d", a, state, since, b.Was, b.WasSince)
		}
		state, since = b.State, b.WasSince+b.WasMs
	}
}
