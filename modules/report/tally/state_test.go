package tally

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/clock"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := clock.Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// The pieces follow one another, none reaches over a quarter-hour, and they add up.
func TestSplitAddsUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for _, name := range []string{"Asia/Shanghai", "Europe/Berlin", "Asia/Kathmandu"} {
		z := zone(t, name)
		for range 300 {
			since := rng.Int64N(2_000_000_000_000)
			ms := rng.Int64N(5 * 3600 * 1000)
			sum, at := int64(0), since
			Split(since, ms, z, func(day string, slot int, piece int64) {
				if d, s := clock.Local(at, z); d != day || s != slot {
					t.Fatalf("%s: piece at %d is put in %s %d, lies in %s %d", name, at, day, slot, d, s)
				}
				if d, s := clock.Local(at+piece-1, z); d != day || s != slot || piece <= 0 {
					t.Fatalf("%s: piece of %d ms at %d leaves %s %d for %s %d", name, piece, at, day, slot, d, s)
				}
				sum += piece
				at += piece
			})
			if sum != ms {
				t.Fatalf("%s: pieces of %d ms add up to %d", name, ms, sum)
			}
		}
	}
	pieces, sum := 0, int64(0)
	Split(0, 400*24*3600*1000, time.UTC, func(_ string, _ int, ms int64) { pieces++; sum += ms })
	if pieces != maxPieces || sum != 400*24*3600*1000 {
		t.Errorf("a state of 400 days: %d pieces of %d ms", pieces, sum)
	}
}

func TestPresence(t *testing.T) {
	change := func(at int64, b event.AgentChanged) Fact {
		return Fact{At: at, Subject: "1001", Place: "gz", Body: b}
	}
	for _, c := range []struct {
		name  string
		facts []Fact
		want  Presence
	}{
		{
			"signed in, then ready",
			[]Fact{{At: 10, Subject: "1001", Place: "gz", Body: event.AgentSignedIn{Seat: "A01"}}, change(20, event.AgentChanged{Was: event.Away, State: event.Ready, WasMs: 10})},
			Presence{Agent: "1001", Site: "gz", State: event.Ready, Since: 20, SignedIn: 10, At: 20, Seat: "A01"},
		},
		{
			"a wrap-up that was extended began when it began",
			[]Fact{
				change(10, event.AgentChanged{Was: event.Talking, State: event.Wrapup, WasMs: 5, Contact: "c", Queue: "vat", With: "c"}),
				change(40, event.AgentChanged{Was: event.Wrapup, State: event.Wrapup, WasSince: 10, Contact: "c", Queue: "vat", With: "c", Until: 90}),
			},
			Presence{Agent: "1001", Site: "gz", State: event.Wrapup, Since: 10, SignedIn: 10, Contact: "c", Queue: "vat", At: 40},
		},
		{
			"an older fact that comes later changes nothing",
			[]Fact{change(20, event.AgentChanged{Was: event.Ready, State: event.Away, Reason: "REST", WasMs: 5}), change(15, event.AgentChanged{Was: event.Away, State: event.Ready, WasMs: 5})},
			Presence{Agent: "1001", Site: "gz", State: event.Away, Reason: "REST", Since: 20, SignedIn: 20, At: 20},
		},
		{
			"signed out",
			[]Fact{change(20, event.AgentChanged{Was: event.Ready, State: event.SignedOut, WasMs: 5}), {At: 20, Subject: "1001", Place: "gz", Body: event.AgentSignedOut{Ms: 5}}},
			Presence{Agent: "1001", Site: "gz", State: event.SignedOut, Since: 20, At: 20},
		},
	} {
		var p Presence
		for _, f := range c.facts {
			p.Apply(f)
		}
		if p != c.want {
			t.Errorf("%s:\n%+v, want\n%+v", c.name, p, c.want)
		}
	}
}
