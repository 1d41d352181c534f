package routing

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/bus/bustest"
)

// The right to decide is lost again and again, whatever is under way just then, and taken again by the same process or
// another: everybody is answered once, and every agent's states are one chain.
func TestTheRightToDecideIsLostAgainAndAgain(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 110))
			b := bustest.New(t)
			y := newTown(t, b, b)
			at, fence := y.nodes[0], int64(1_000_000)
			right := at.leases.give(fence)
			y.until("one decides", at.leads.Load)
			y.signIn(at, "a", "b", "c")
			y.takes(func(o contact.Offer) time.Duration { return time.Duration(len(o.ID)%4) * time.Millisecond })
			var all []id.Contact
			for i := range 20 {
				c := id.Contact(fmt.Sprintf("c%d", i))
				all = append(all, c)
				y.enter(y.nodes[r.IntN(2)], c)
				if r.IntN(3) > 0 {
					y.endSome(at, r)
				}
				if r.IntN(3) > 0 {
					continue
				}
				time.Sleep(time.Duration(r.IntN(3000)) * time.Microsecond)
				close(right.lost)
				y.until("nobody decides", func() bool { return !at.leads.Load() })
				if r.IntN(2) > 0 { // the facts of one that goes on living are on the disk before another can decide
					y.kinds("")
					at = y.nodes[r.IntN(2)]
				}
				fence += 1_000_000
				right = at.leases.give(fence)
				y.until("one decides again", at.leads.Load)
			}
			y.until("all are answered", func() bool {
				y.endSome(at, r)
				y.mu.Lock()
				defer y.mu.Unlock()
				return len(y.joined) == len(all)
			})
			for _, c := range all {
				y.until("the answer is written down", func() bool { return y.kinds(string(c))["contact.answered"] > 0 })
				y.check(string(c), map[string]int{"contact.queued": 1, "contact.answered": 1, "contact.lost": 0})
			}
			for _, a := range []id.User{"a", "b", "c"} {
				y.adds(a)
			}
			y.noDoubles()
		})
	}
}
