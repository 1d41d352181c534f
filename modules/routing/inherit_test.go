package routing

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/platform/bus"
	"github.com/kapok-hotline/kapok/platform/bus/bustest"
)

// behind is live state as a copy tells of it that has yet to catch up: what it lacks comes later, or, of missing, never,
// and reading finds nothing of it for a while.
type behind struct {
	Live
	missing string
	reads   int // that find nothing
}

func (b *behind) Watch(ctx context.Context, prefix string) (<-chan bus.Change, error) {
	in, err := b.Live.Watch(ctx, prefix)
	if err != nil {
		return nil, err
	}
	out := make(chan bus.Change)
	go func() {
		defer close(out)
		send := func(c bus.Change) bool {
			if c.Key == b.missing && c.Key != "" {
				return true
			}
			select {
			case out <- c:
				return true
			case <-ctx.Done():
				return false
			}
		}
		var late []bus.Change
		for c := range in {
			if !c.Current {
				late = append(late, c)
				continue
			}
			late = slices.Insert(late, 0, c) // nothing is there yet, it says
			break
		}
		for _, c := range late {
			if !send(c) {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		for c := range in {
			if !send(c) {
				return
			}
		}
	}()
	return out, nil
}

func (b *behind) Get(ctx context.Context, key string, v any) (uint64, error) {
	if key == b.missing && b.reads > 0 {
		b.reads--
		return 0, bus.ErrMissing
	}
	return b.Live.Get(ctx, key, v)
}

// The copy of live state a new brain reads is behind: it finds every agent and every caller all the same.
func TestTakeOverFromACopyThatIsBehind(t *testing.T) {
	for _, x := range []struct {
		name    string
		missing string
		reads   int
	}{
		{"everything comes later", "", 0},
		{"an agent is not told of, and not found at first", keyOf("a"), 3},
	} {
		t.Run(x.name, func(t *testing.T) {
			b := bustest.New(t)
			y := newTown(t, b)
			one := y.nodes[0]
			first := one.leases.give(1_000_000)
			y.until("the first decides", one.leads.Load)
			y.signIn(one, "a")
			y.enter(one, "c1")
			y.until("c1 rings", func() bool { return y.has("a") == "c1" })
			y.enter(one, "c2")
			y.kinds("a") // all that was said is on the disk
			close(first.lost)
			y.until("nobody decides", func() bool { return !one.leads.Load() })
			y.takes(func(contact.Offer) time.Duration { return 0 })
			y.live = func(l Live) Live { return &behind{Live: l, missing: x.missing, reads: x.reads} }
			two := y.start("n2", b)
			y.nodes = append(y.nodes, two)
			two.leases.give(2_000_000)
			y.until("c1 is answered by a", func() bool { return y.joinedTo("c1") == "a" })
			y.hangUp(two, "c1")
			must(t, two.WrapUpDone(t.Context(), "a"))
			y.until("c2 is answered by a", func() bool { return y.joinedTo("c2") == "a" })
			y.check("a", map[string]int{"agent.signed_in": 1, "agent.signed_out": 0})
			for _, c := range []string{"c1", "c2"} {
				y.check(c, map[string]int{"contact.queued": 1, "contact.answered": 1})
			}
			y.adds("a")
			y.noDoubles()
		})
	}
}

// An agent the ledger has and the bucket has not is looked for by writing, signed out, and leaves nothing behind.
func TestAnAgentWhoIsNowhere(t *testing.T) {
	b := bustest.New(t)
	y := newTown(t, b, b)
	one, two := y.nodes[0], y.nodes[1]
	first := one.leases.give(1_000_000)
	y.until("the first decides", one.leads.Load)
	y.signIn(one, "a", "b")
	y.kinds("a")
	close(first.lost)
	y.until("nobody decides", func() bool { return !one.leads.Load() })
	must(t, one.deps.Live.Delete(t.Context(), keyOf("b"), 0))
	two.leases.give(2_000_000)
	y.until("the second decides", two.leads.Load)
	y.until("b is signed out", func() bool { return y.kinds("b")["agent.signed_out"] == 1 })
	y.check("a", map[string]int{"agent.signed_out": 0})
	if _, err := one.deps.Live.Get(t.Context(), keyOf("b"), nil); !errors.Is(err, bus.ErrMissing) {
		t.Errorf("b is still in the bucket: %v", err)
	}
	y.signIn(two, "b")
	y.until("b is back", func() bool { return y.state("b") == "ready" })
}

// A brain whose word that it decides went through without its knowing goes on deciding; one that is shut out does not.
func TestStillDecides(t *testing.T) {
	b := bustest.New(t)
	live, err := b.Bucket(t.Context(), "live", bus.BucketConfig{})
	must(t, err)
	mark, err := live.Put(t.Context(), brainKey, 1)
	must(t, err)
	m := &mirror{live: live, shared: true, fence: 1, mark: mark, revision: map[string]uint64{}}
	_, err = live.Update(t.Context(), brainKey, 1, mark) // ours; the answer was lost
	must(t, err)
	must(t, m.stillDecides(t.Context(), 1))
	must(t, m.stillDecides(t.Context(), 1))
	_, err = live.Put(t.Context(), brainKey, 2)
	must(t, err)
	if err := m.stillDecides(t.Context(), 1); !errors.Is(err, errFenced) {
		t.Error(err)
	}
}
