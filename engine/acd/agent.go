package acd

import "github.com/kapok-hotline/kapok/core/id"

// agent is a signed-in agent. Its state is not stored but derived from what is known (see derive), so it cannot
// stick.
type agent struct {
	id       id.User
	in       bool
	endpoint bool
	away     bool // wants to be away; honoured when nothing is open
	touched  bool
	counted  bool  // among those who are here: see attend
	open     uint8 // channels it stands free in: bit per channel
	profile  int32
	offer    int32 // contact ringing here
	assigns  int32 // first of its contacts
	holds    int32 // first contact kept for it
	wraps    int32 // contacts in wrap-up
	missed   int
	capacity int
	load     int // sum of the weights of its open contacts
	slots    [MaxChannels]uint8
	count    [MaxChannels]uint8
	offerNo  OfferNo

	offerDeadline int64
	idleSince     int64
	openKey       int64
	restUntil     int64
	missedAt      int64
	checkAt       int64
	awayReason    string
	restReason    string
	shown         shown
}

// signIn makes the agent known. A second sign-in of a signed-in agent only brings the profile and the endpoint up
// to date.
func (b *Brain) signIn(ev *Event) {
	if ev.Profile == nil || ev.Profile.ID == "" {
		b.reject(ev.Agent, "", "", WhyInvalid)
		return
	}
	if ai := b.byAgent.find(ev.Profile.ID); ai != none {
		b.setProfile(ai, ev.Profile)
		b.endpoint(ai, ev.Endpoint)
		return
	}
	ai := int32(len(b.agents))
	if n := len(b.freeAgents); n > 0 {
		ai, b.freeAgents = b.freeAgents[n-1], b.freeAgents[:n-1]
	} else {
		b.agents = append(b.agents, agent{})
		for ch := range b.idlePos {
			b.idlePos[ch].grow(len(b.agents))
		}
		b.timers.grow(2 * len(b.agents))
	}
	since := ev.Since
	if since <= 0 || since > b.now {
		since = b.now
	}
	b.agents[ai] = agent{
		id: ev.Profile.ID, in: true, endpoint: ev.Endpoint, away: !ev.Ready, awayReason: ev.Reason, missed: ev.Missed,
		profile: none, offer: none, assigns: none, holds: none, idleSince: since, missedAt: b.now,
	}
	b.byAgent.put(ev.Profile.ID, ai)
	b.setProfile(ai, ev.Profile)
}

func (b *Brain) changeAgent(ev *Event) {
	if ev.Profile == nil {
		b.reject(ev.Agent, "", "", WhyInvalid)
		return
	}
	ai := b.byAgent.find(ev.Profile.ID)
	if ai == none {
		b.reject(ev.Profile.ID, "", "", WhyNoAgentID)
		return
	}
	b.setProfile(ai, ev.Profile)
}

// setProfile gives the agent its abilities and slots, whatever it is doing.
func (b *Brain) setProfile(ai int32, p *Agent) {
	to := b.profileFor(p)
	a := &b.agents[ai]
	b.close(ai)
	if to != a.profile {
		b.attend(ai, false)
		b.staff(to, 1)
		if a.profile != none {
			b.staff(a.profile, -1)
		}
		a.profile = to
	}
	a.capacity = p.Capacity
	if a.capacity <= 0 {
		a.capacity = b.set.Capacity
	}
	a.slots = [MaxChannels]uint8{}
	for _, s := range p.Slots {
		if ch, ok := b.channel(s.Channel); ok {
			a.slots[ch] = uint8(min(max(s.Max, 0), maxPerAgent))
		}
	}
	if len(p.Slots) == 0 {
		a.slots[0] = 1
	}
	b.release(ai)
	b.free(ai)
}

// signOut lets the agent go: its offer goes back to the place it came from, its contacts are no longer its own.
func (b *Brain) signOut(ai int32) {
	a := &b.agents[ai]
	a.in, a.away = false, true
	b.close(ai)
	ringingHere := a.offer
	if ringingHere != none {
		b.withdraw(ai, WhySignedOut)
	}
	for a.assigns != none {
		b.unassign(a.assigns)
	}
	b.attend(ai, false)
	b.staff(a.profile, -1)
	b.release(ai)
	if ringingHere != none {
		b.requeue(ringingHere, WhySignedOut)
	}
	b.touch(ai)
}

// ready: the agent wants contacts. Idle time begins now if it was away.
func (b *Brain) ready(ai int32) {
	a := &b.agents[ai]
	if !a.away && a.restUntil == 0 {
		return
	}
	if a.away {
		a.idleSince = b.now
	}
	a.away, a.awayReason, a.restUntil, a.missed = false, "", 0, 0
	b.free(ai)
}

// away: the agent wants none. While a contact is open or in wrap-up this is remembered.
func (b *Brain) away(ai int32, reason string) {
	a := &b.agents[ai]
	a.away, a.awayReason, a.restUntil = true, reason, 0
	b.touch(ai)
	b.reopen(ai)
	b.release(ai)
}

// endpoint notes whether the agent's phone is there. What rings at a lost one goes back at once.
func (b *Brain) endpoint(ai int32, ok bool) {
	a := &b.agents[ai]
	a.endpoint = ok
	back := none
	if !ok {
		if a.offer != none && b.set.Channels[b.contacts[a.offer].channel].Endpoint {
			back = a.offer
			b.withdraw(ai, WhyFailed)
		}
		b.close(ai)
		b.release(ai)
	}
	if back != none {
		b.requeue(back, WhyFailed)
	}
	b.free(ai)
}

// reachable tells whether the channel can be brought to the agent.
func (b *Brain) reachable(a *agent, ch uint8) bool {
	return a.endpoint || !b.set.Channels[ch].Endpoint
}

// hasRoom tells whether one more contact of the channel fits slots and weights.
func (b *Brain) hasRoom(a *agent, ch uint8) bool {
	return a.count[ch] < a.slots[ch] && a.load+b.set.Channels[ch].Weight <= a.capacity
}

// weigh sums the load anew after the weights changed.
func (b *Brain) weigh(a *agent) {
	a.load = 0
	for ch := range b.set.Channels {
		a.load += int(a.count[ch]) * b.set.Channels[ch].Weight
	}
}

// canTake is the set of channels, a bit each, the agent could take a contact of now.
func (b *Brain) canTake(a *agent) (open uint8) {
	if !a.in || a.away || a.offer != none || a.wraps > 0 || a.restUntil != 0 {
		return 0
	}
	for ch := range b.set.Channels {
		if b.hasRoom(a, uint8(ch)) && b.reachable(a, uint8(ch)) {
			open |= 1 << ch
		}
	}
	return open
}

// reopen brings the heaps of free agents in line with what the agent can take now. The order in them is the load,
// then the begin of the idle time: who has nothing to do comes before who has a little.
func (b *Brain) reopen(ai int32) {
	a := &b.agents[ai]
	open, key := b.canTake(a), int64(a.load)<<42+a.idleSince
	if open == a.open && key == a.openKey {
		return
	}
	b.close(ai)
	if open == 0 {
		return
	}
	a.open, a.openKey = open, key
	for ch := range b.set.Channels {
		if open&(1<<ch) != 0 {
			h := &b.profiles[a.profile].idle[ch]
			h.push(&b.idlePos[ch], item{key, ai})
			if b.idlePos[ch].at[ai] == 0 {
				b.supply[ch].sync(a.profile, h)
			}
		}
	}
}

// close takes the agent out of all heaps of free agents.
func (b *Brain) close(ai int32) {
	a := &b.agents[ai]
	for ch := 0; a.open != 0; ch++ {
		if a.open&(1<<ch) != 0 {
			h := &b.profiles[a.profile].idle[ch]
			first := b.idlePos[ch].at[ai] == 0
			h.remove(&b.idlePos[ch], ai)
			if first {
				b.supply[ch].sync(a.profile, h)
			}
			a.open &^= 1 << ch
		}
	}
}

// free brings the agent's readiness up to date and gives it work if there is some; it joins the free agents only when
// there is none.
func (b *Brain) free(ai int32) {
	b.touch(ai)
	if !b.serve(ai) {
		b.reopen(ai)
	}
}
