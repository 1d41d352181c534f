package voice

import (
	"cmp"
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
)

// Whoever was asked may be brought to the person: then three talk, or more when others are asked after. The agent who
// owns the call lets each in, mutes and drops them; when the owner leaves, the first agent among them owns it. Everybody
// hears all others. While the owner asks somebody else, or is on hold, person and parties talk on.

// party is one who talks with caller and agent; the leg's role is consult until the call is theirs.
type party struct {
	side  *side
	to    contact.Target
	queue id.Queue // whose free agent it is, if a queue was asked
	muted bool
}

// conferenceMost is how many talk at the most, person and owner included, where the settings say nothing.
const conferenceMost = 8

// mayAskMore says whether one more may come into the talk.
func (c *call) mayAskMore() error {
	most := cmp.Or(c.m.snap.Load().settings.ConferenceMost, conferenceMost)
	if len(c.parties)+3 > max(most, 3) {
		return fault.New(fault.Conflict, "voice.conference.full", "most", most)
	}
	return nil
}

// bringIn lets who was asked in; nobody is asked any more then.
func (c *call) bringIn(k *consult) {
	now := c.m.now()
	c.heldWhile(k.other, false, now)
	c.consult = nil
	k.ear.Stop()
	k.cancel()
	p := &party{side: k.other, to: k.to, queue: k.queue}
	c.parties = append(c.parties, p)
	if c.agent.heldAt.IsZero() {
		c.lay()
	} else {
		c.hold(false)
	}
	c.factAt(now, c.agent.agent, p.met(c.agent.agent))
	c.watch(p)
}

func (p *party) met(owner id.User) event.ConsultTurned {
	to := p.to
	return event.ConsultTurned{Agent: owner, With: event.WithBoth, Leg: p.side.id, To: &to, Queue: p.queue, Muted: p.muted}
}

// watch ends a party's part when it hangs up.
func (c *call) watch(p *party) {
	s := p.side
	c.m.gone.Go(func() {
		select {
		case <-s.dialog.Done():
			c.post(func() {
				if p.side == s {
					c.dropParty(p, string(s.dialog.End().Cause))
				}
			})
		case <-c.done:
		}
	})
}

// dropParty ends a party's part; the others talk on.
func (c *call) dropParty(p *party, cause string) {
	i := slices.Index(c.parties, p)
	if i < 0 {
		return
	}
	c.parties = slices.Delete(c.parties, i, i+1)
	c.lay()
	if a := c.agent; a != nil {
		c.fact(a.agent, event.ConsultEnded{Agent: a.agent, Why: cause, Leg: p.side.id})
		if len(c.parties) == 0 && (c.lost != nil || !a.heldAt.IsZero()) { // now the person is alone
			c.soothe()
			c.recall(c.lost == nil)
		}
	}
	c.partGone(p, cause)
}

func (c *call) partGone(p *party, cause string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), goodbye)
	defer cancel()
	c.closeSide(ctx, p.side, cause)
	c.doneAsking(p.side)
}

// dropParties ends every party's part: the talk is over.
func (c *call) dropParties(cause string) {
	if len(c.parties) == 0 {
		return
	}
	all := c.parties
	c.parties = nil
	c.unbridge()
	for _, p := range all {
		c.partGone(p, cause)
	}
}

// succeedBy puts a side in the place of the agent, who goes; the parties stay.
func (c *call) succeedBy(ctx context.Context, o *side, cause string) {
	c.goWithoutParties(func() { c.dropAgent(ctx, cause) })
	c.succeed(o)
}

// goWithoutParties lets the agent go, and nobody else.
func (c *call) goWithoutParties(f func()) {
	rest := c.parties
	c.parties = nil
	c.unbridge()
	f()
	c.parties = rest
}

// tellParties tells a new owner of those who talk with them.
func (c *call) tellParties() {
	for _, p := range c.parties {
		if c.agent.agent != "" {
			c.fact(c.agent.agent, p.met(c.agent.agent))
		}
	}
}

// passOn lets the owner of a conference go: the first agent among the parties owns it from now on, else the first party.
func (c *call) passOn(cause string) {
	i := max(slices.IndexFunc(c.parties, func(p *party) bool { return p.side.agent != "" }), 0)
	p := c.parties[i]
	c.parties = slices.Delete(c.parties, i, i+1)
	c.handOver(p.side, p.to, p.side.id, cause)
}

// handOver gives the call from its agent to one who was asked.
func (c *call) handOver(o *side, to contact.Target, leg id.Leg, cause string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), goodbye)
	defer cancel()
	if by := c.agent.agent; by != "" {
		c.fact(by, event.ConsultEnded{Agent: by, Why: "transfer", Leg: leg})
		c.fact(by, event.ContactTransferred{Agent: by, To: to})
	}
	c.succeedBy(ctx, o, cause)
}

// newest gives the party that came last, nil when there is none.
func (c *call) newest() *party {
	if n := len(c.parties); n > 0 {
		return c.parties[n-1]
	}
	return nil
}

// partyOf gives the party with a leg.
func (c *call) partyOf(leg id.Leg) (*party, error) {
	for _, p := range c.parties {
		if p.side.id == leg {
			return p, nil
		}
	}
	return nil, fault.New(fault.NotFound, "voice.conference.party", "leg", string(leg))
}

// PartyDrop sends a party of a conference away, by its owner.
func (m *Module) PartyDrop(ctx context.Context, cid id.Contact, by id.User, leg id.Leg) error {
	return m.withAgent(ctx, cid, by, func(c *call) error {
		p, err := c.partyOf(leg)
		if err == nil {
			c.dropParty(p, "desk")
		}
		return err
	})
}

// PartyMute lets nobody hear a party of a conference, or lets them be heard again, by its owner.
func (m *Module) PartyMute(ctx context.Context, cid id.Contact, by id.User, leg id.Leg, muted bool) error {
	return m.withAgent(ctx, cid, by, func(c *call) error {
		p, err := c.partyOf(leg)
		if err != nil || p.muted == muted {
			return err
		}
		p.muted = muted
		c.lay()
		c.fact(by, event.ConsultMuted{Agent: by, Leg: leg, Muted: muted})
		return nil
	})
}
