package routing

import (
	"maps"
	"slices"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/acd"
)

// turn begins to decide under a fence, or stops to. What rang is withdrawn either way: an offer belongs to the brain
// that made it.
func (t *thinker) turn(now term, lead bool) {
	lead = lead && now.fence != 0
	if t.m.deps.Peers != nil {
		t.turnShared(now, lead)
		return
	}
	if !lead && !t.leading {
		return
	}
	if lead {
		t.fence, t.term = now.fence, now
		if t.m.mirror != nil {
			t.m.mirror.adopt(t.fence)
			for user := range t.agents {
				t.touch(user)
			}
		}
	}
	t.rebuild(t.fence, lead)
}

// rebuild makes a new brain of what is known: agents with their talks and wrap-ups, contacts at their places.
// Everything is fed in while nothing is matched, so the order of feeding does not matter (acd, "Take-over").
func (t *thinker) rebuild(fence uint32, lead bool) {
	waiting := slices.Sorted(maps.Keys(t.contacts))
	for _, c := range waiting {
		if w := t.contacts[c]; w.offer != 0 {
			t.m.offers.cancel(w.offer)
			t.missed(c, acd.WhyMoved)
		}
	}
	t.leading = lead
	t.feed(func() {
		t.brain = acd.New(acd.Config{Settings: brainSettings(t.m.snap.Load().rules), Fence: fence, Trace: traceAgents})
		t.brain.Trace(func(d *acd.Decision) { t.decisions[d.Offer] = trimmed(d) })
		t.apply(acd.Event{Kind: acd.MatchingHeld})
		t.queues = map[id.Queue]bool{}
		t.configure()
		for _, user := range t.signedIn() {
			t.feedAgent(t.agents[user])
		}
		for _, c := range waiting {
			if w := t.contacts[c]; w != nil {
				ev := w.entered()
				ev.Rejoin, ev.Bonus = true, w.bonus
				t.apply(ev)
			}
		}
		for _, p := range t.agents {
			if p.recorded != nil { // what follows is told from where the ledger stands
				p.now, p.recorded = *p.recorded, nil
			}
		}
		if lead {
			t.apply(acd.Event{Kind: acd.MatchingResumed})
		}
	})
}

// feed mutes the agents' states while f feeds the brain: only the last word on each is told.
func (t *thinker) feed(f func()) {
	t.feeding = map[id.User]acd.Command{}
	f()
	told := t.feeding
	t.feeding = nil
	for _, user := range slices.Sorted(maps.Keys(told)) {
		t.agentState(told[user], "brain")
	}
	t.letGo()
}

// feedAgent tells a new brain of an agent as the old one left it.
func (t *thinker) feedAgent(p *present) {
	ev := acd.Event{
		Kind: acd.AgentSignedIn, Profile: brainAgent(p.user, t.m.snap.Load().agents[p.user], t.m.path(p.site)),
		Ready: !p.away, Reason: p.reason, Endpoint: p.up,
	}
	if p.now.state == event.Ready {
		ev.Since = p.now.since
	}
	t.apply(ev)
	open := acd.Event{Agent: p.user, Contact: p.now.contact, Channel: phoneChannel, Since: p.now.since, Force: true}
	switch {
	case p.now.state == event.Talking, p.direct != "":
		open.Kind, open.WrapUp = acd.AgentTook, t.wrapUp(p.last[p.now.contact].queue)
		t.apply(open)
	case p.now.state == event.Wrapup:
		open.Kind, open.Until = acd.AgentWrapping, p.now.until
		t.apply(open)
	}
}

// letGo signs out those who only stayed for a talk that is over now.
func (t *thinker) letGo() {
	for len(t.leaving) > 0 {
		user := t.leaving[0]
		t.leaving = t.leaving[1:]
		if p := t.agents[user]; p != nil && p.leaving != "" {
			t.signOut(user, p.leaving)
		}
	}
}
