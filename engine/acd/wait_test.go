package acd

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kapok-hotline/kapok/core/id"
)

// line of people: what TestRowB6 replays. All spans are milliseconds.
type rush struct {
	name     string
	agents   int
	gap      float64 // mean between two arrivals (Poisson)
	shortest int64   // talk and wrap-up together are this at least, exponential beyond
	handling float64 // mean of talk and wrap-up
	patience float64 // mean of the exponential patience
	small    bool    // chance is larger than what anybody could know: judged beside who knows handling and agents
}

// spoken is how an estimate is said: whole minutes, rounded up.
func spoken(ms int64) int64 { return (ms + Minute - 1) / Minute * Minute }

type waiter struct {
	estimate, entered, fastest, informed int64
	known                                bool
	leaves                               int64 // patience ends
}

// replay runs a rush for some hours and gives estimate at entry and wait of everybody who waited and was served.
func (x rush) replay(seed uint64, calls int) (pairs [][3]int64, tooShort int) {
	r := rand.New(rand.NewPCG(seed, 6))
	s := Defaults()
	s.Channels = []ChannelRule{{Channel: "voice", Weight: 100}}
	b := New(Config{Fence: 1, Settings: s})
	q := Queue{ID: "q", WrapUp: 0, MaxWait: 4 * Hour}
	now := start
	people := map[id.Contact]*waiter{}
	busy := map[id.User]struct {
		until int64
		c     id.Contact
	}{}
	var apply func(ev Event)
	apply = func(ev Event) {
		var offers []Command
		for _, c := range b.Apply(&ev, now) {
			if c.Kind == Offer {
				offers = append(offers, c)
			}
		}
		for _, o := range offers { // answered at once
			p := people[o.Contact]
			if p.known {
				pairs = append(pairs, [3]int64{spoken(p.estimate), now - p.entered, spoken(p.informed)})
				if spoken(p.estimate) < p.fastest {
					tooShort++
				}
			}
			delete(people, o.Contact)
			span := x.shortest + int64(r.ExpFloat64()*(x.handling-float64(x.shortest)))
			busy[o.Agent] = struct {
				until int64
				c     id.Contact
			}{now + span, o.Contact}
			apply(Event{Kind: OfferAccepted, Agent: o.Agent, Offer: o.Offer, Contact: o.Contact})
		}
	}
	apply(Event{Kind: QueueConfigured, Config: &q})
	for i := range x.agents {
		apply(Event{Kind: AgentSignedIn, Profile: &Agent{ID: id.User(fmt.Sprintf("a%03d", i))}, Ready: true, Endpoint: true})
	}
	next := now + int64(r.ExpFloat64()*x.gap)
	for n := 0; n < calls; {
		at, what := next, "enter"
		var who id.User
		var left id.Contact
		for a, t := range busy {
			if t.until < at || t.until == at && a < who {
				at, what, who = t.until, "done", a
			}
		}
		for c, p := range people {
			if p.leaves < at {
				at, what, left = p.leaves, "leave", c
			}
		}
		if tick, ok := b.Next(); ok && tick < at {
			now = tick
			apply(Event{Kind: Tick})
			continue
		}
		now = at
		switch what {
		case "done":
			c := busy[who].c
			delete(busy, who)
			apply(Event{Kind: ContactDone, Agent: who, Contact: c})
		case "leave":
			delete(people, left)
			apply(Event{Kind: ContactLeft, Contact: left})
		case "enter":
			n++
			c := id.Contact(fmt.Sprintf("c%06d", n))
			p := &waiter{entered: now, leaves: now + int64(r.ExpFloat64()*x.patience)}
			people[c] = p
			next = now + int64(r.ExpFloat64()*x.gap)
			apply(Event{Kind: ContactEntered, Contact: c, Queue: "q", Channel: "voice"})
			if people[c] != nil && n > calls/10 {
				if pos, ok := b.Position(c); ok {
					p.estimate, p.known = b.EstimatedWait(c)
					p.fastest = int64((pos-1)/x.agents) * x.shortest
					p.informed = int64(float64(pos) * x.handling / float64(x.agents))
				}
			}
		}
	}
	return pairs, tooShort
}

// Row B6: the wait that is said is within 35 % or 60 s of what comes, for 80 % of those who waited and were served, and
// never shorter than it can be at best: the shortest handling for each whole round of the agents ahead of the person.
// What is judged is what is said, so minutes rounded up. Parameters: Poisson arrivals, exponential patience, handling of
// a least span and an exponential rest; 20,000 calls each, the first tenth not judged. Where three or six people answer, chance
// alone spoils more than that: there the estimate is held to what somebody says who knows how long talks take.
func TestRowB6Replay(t *testing.T) {
	for _, x := range []rush{
		{"a small desk", 6, 42_000, 30_000, 240_000, 600_000, true},
		{"a bureau, full", 33, 7_200, 30_000, 240_000, 300_000, false},
		{"a bureau in the filing season", 33, 4_800, 30_000, 240_000, 240_000, false},
		{"a province", 300, 760, 30_000, 240_000, 240_000, false},
		{"long talks, few people", 3, 190_000, 60_000, 600_000, 1_800_000, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			pairs, tooShort := x.replay(7, 20_000)
			within := func(said, came int64) bool {
				d := max(said-came, came-said)
				return d <= Minute || float64(d) <= 0.35*float64(came)
			}
			right, informed := 0, 0
			var longest, errors []int64
			for _, p := range pairs {
				longest, errors = append(longest, p[1]), append(errors, max(p[0]-p[1], p[1]-p[0]))
				if within(p[0], p[1]) {
					right++
				}
				if within(p[2], p[1]) {
					informed++
				}
			}
			slices.Sort(longest)
			slices.Sort(errors)
			share := float64(right) / float64(max(len(pairs), 1))
			best := float64(informed) / float64(max(len(pairs), 1))
			t.Logf("%d waited: median %d s, 95 %% %d s; %.1f %% right (%.1f %% who knows the handling), median error %d s", len(pairs), longest[len(longest)/2]/1000,
				longest[len(longest)*95/100]/1000, share*100, best*100, errors[len(errors)/2]/1000)
			goal := 0.80
			if x.small {
				goal = min(goal, best-0.03)
			}
			if share < goal || tooShort > 0 {
				t.Errorf("%.1f %% right, %d told less than can be", share*100, tooShort)
			}
		})
	}
}
