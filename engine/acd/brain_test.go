package acd

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kapok-hotline/kapok/core/id"
)

const start int64 = 1_900_000_000_000

// desk drives a brain by short words and writes what it says as one line a command.
type desk struct {
	t   testing.TB
	b   *Brain
	now int64
	out []string
	// offers by agent, so that a test can say "accept" without knowing numbers
	offers map[id.User]OfferNo
}

func newDesk(t testing.TB, s Settings, queues ...Queue) *desk {
	t.Helper()
	d := &desk{t: t, b: New(Config{Fence: 1, Settings: s}), now: start, offers: map[id.User]OfferNo{}}
	for _, q := range queues {
		d.do(Event{Kind: QueueConfigured, Config: &q})
	}
	return d
}

func (d *desk) do(ev Event) *desk {
	for _, c := range d.b.Apply(&ev, d.now) {
		if c.Kind == Offer {
			d.offers[c.Agent] = c.Offer
		}
		d.out = append(d.out, line(c, d.now))
	}
	return d
}

func line(c Command, now int64) string {
	who := strings.TrimSpace(string(c.Contact) + " " + string(c.Agent))
	switch c.Kind {
	case Queued:
		if c.Bonus > 0 {
			return fmt.Sprintf("queued %s bonus %d", who, c.Bonus)
		}
		return "queued " + who
	case Offer:
		s := "offer " + who
		if c.Relax > 0 {
			s += fmt.Sprintf(" relax %d", c.Relax)
		}
		if c.Ring > 0 {
			s += fmt.Sprintf(" ring %d", c.Ring)
		}
		if c.Cause == BySticky {
			s += " sticky"
		}
		return s
	case AgentState:
		s := fmt.Sprintf("%s %s", c.Agent, c.State)
		for _, x := range []string{string(c.Contact), c.Reason} {
			if x != "" {
				s += " " + x
			}
		}
		if c.Deadline > 0 {
			s += fmt.Sprintf(" %ds", (c.Deadline-now)/Second)
		}
		if c.Pending != "" {
			s += " then " + c.Pending
		}
		return s
	case Exit:
		return strings.TrimSpace(fmt.Sprintf("exit %s %s %s", who, c.Why, c.Rule))
	case Check:
		return fmt.Sprintf("check %s %s", who, c.State)
	default:
		return strings.TrimSpace(fmt.Sprintf("%s %s", c.Kind, strings.TrimSpace(who+" "+c.Why.String())))
	}
}

// wait lets time pass, with a Tick at each timer.
func (d *desk) wait(ms int64) *desk {
	end := d.now + ms
	for {
		at, ok := d.b.Next()
		if !ok || at > end {
			break
		}
		d.now = max(d.now, at)
		d.do(Event{Kind: Tick})
	}
	d.now = end
	return d
}

func (d *desk) in(a Agent) *desk {
	return d.do(Event{Kind: AgentSignedIn, Profile: &a, Ready: true, Endpoint: true})
}

func (d *desk) enter(c id.Contact, q id.Queue) *desk {
	return d.do(Event{Kind: ContactEntered, Contact: c, Queue: q, Channel: "voice"})
}

func (d *desk) leave(c id.Contact) *desk { return d.do(Event{Kind: ContactLeft, Contact: c}) }

func (d *desk) accept(a id.User) *desk {
	return d.do(Event{Kind: OfferAccepted, Agent: a, Offer: d.offers[a]})
}

func (d *desk) done(a id.User, c id.Contact) *desk {
	return d.do(Event{Kind: ContactDone, Agent: a, Contact: c})
}

// clear forgets what was said so far.
func (d *desk) clear() *desk { d.out = nil; return d }

// said compares what the brain said since the last look with the lines, then forgets it.
func (d *desk) said(want ...string) *desk {
	d.t.Helper()
	if diff := cmp.Diff(want, d.out); diff != "" {
		d.t.Fatalf("what the brain said (-want +got):\n%s", diff)
	}
	return d.clear()
}

func person(name id.User, skills ...Skill) Agent { return Agent{ID: name, Skills: skills} }

func TestOneCall(t *testing.T) {
	d := newDesk(t, Settings{}, Queue{ID: "tax", WrapUp: 30 * Second})
	d.in(person("an")).said("an ready")
	d.enter("c1", "tax").said("queued c1", "offer c1 an", "an reserved c1 20s")
	d.now += 3 * Second
	d.accept("an").said("connect c1 an", "an talking c1")
	d.wait(Minute)
	d.done("an", "c1").said("an wrap_up c1 30s")
	d.enter("c2", "tax").said("queued c2")
	d.wait(30*Second).said("offer c2 an", "an reserved c2 20s")
	d.leave("c2").said("withdraw c2 an left", "an ready")
}
