package voice

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/rtp"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// withAgent runs f on the call's actor when the agent is talking there.
func (m *Module) withAgent(ctx context.Context, cid id.Contact, by id.User, f func(c *call) error) error {
	c := m.find(cid)
	if c == nil {
		return notHere(cid)
	}
	err := notHere(cid)
	c.ask(ctx, func() {
		if c.agent == nil || c.agent.agent != by || c.phase != talking {
			err = fault.New(fault.Conflict, "voice.call.not_yours", "contact", string(cid))
			return
		}
		err = f(c)
	})
	return err
}

// Hold puts the caller on hold with music, or takes them off.
func (m *Module) Hold(ctx context.Context, cid id.Contact, by id.User, hold bool) error {
	return m.withAgent(ctx, cid, by, func(c *call) error {
		if k := c.consult; k != nil && k.own == nil {
			return c.holdAsking(k, hold)
		}
		c.hold(hold)
		return nil
	})
}

// hold is silent when nothing changes: a phone and a desk may both say it.
func (c *call) hold(hold bool) {
	a := c.agent
	if hold == !a.heldAt.IsZero() {
		return
	}
	now := c.m.now()
	c.recall(hold && len(c.parties) == 0)
	if hold {
		a.heldAt = now
		c.lay()
		if len(c.parties) == 0 { // else the others talk with the person
			c.soothe()
		}
		c.factAt(now, a.agent, event.LegHeld{Leg: a.id})
		return
	}
	span := now.Sub(a.heldAt)
	a.held, a.heldAt = a.held+span, time.Time{}
	if c.lost == nil { // else the music goes on until the browser is back
		c.player.Stop()
		c.lay()
	}
	c.factAt(now, a.agent, event.LegResumed{Leg: a.id, HeldMs: span.Milliseconds()})
}

// soothe plays the caller, who is alone, the music of hold.
func (c *call) soothe() {
	if clips := c.m.sounds.clips(c.lang(), []string{string(c.holdMusic())}); len(clips) > 0 {
		c.player.Music(clips[0])
	}
	c.player.Play(nil)
}

func (c *call) holdMusic() id.Prompt {
	if s := c.m.deps.Queues.Sound(c.queue); s.Music != "" {
		return s.Music
	}
	return promptMusic
}

// Hangup ends the call at the agent's word. While it still rings there, the agent has refused it.
func (m *Module) Hangup(ctx context.Context, cid id.Contact, by id.User) error {
	c := m.find(cid)
	if c != nil && (c.leaveSeeking(ctx, by) || c.rings.refuse(by) || c.leaveConsult(ctx, by)) {
		return nil
	}
	return m.withAgent(ctx, cid, by, func(c *call) error {
		if k := c.consult; k != nil && k.own == nil { // the nearer of the two: nobody hangs up on a caller by mistake
			c.endConsult("desk")
			return nil
		}
		if p := c.newest(); p != nil {
			c.dropParty(p, "desk")
			return nil
		}
		c.endByAgent("desk")
		return nil
	})
}

// Press sends keys as telephone-events towards the caller, or towards who is asked while the agent speaks with them.
func (m *Module) Press(ctx context.Context, cid id.Contact, by id.User, digits string) error {
	return m.withAgent(ctx, cid, by, func(c *call) error {
		leg := c.caller.leg
		if k := c.consult; k != nil && k.with == event.WithAsked {
			leg = k.other.leg
		}
		go func() {
			if err := rtp.SendDigits(c.ctx, leg, digits, digitLength); err != nil {
				c.log.Warn("keys could not be sent", "err", err)
			}
		}()
		return nil
	})
}

const digitLength = 120 * time.Millisecond

// Transfer gives the call away without asking the other side first (blind).
func (m *Module) Transfer(ctx context.Context, cid id.Contact, by id.User, to contact.Target) error {
	if to.Kind == contact.ToLine {
		return m.moveInLine(ctx, cid, by, id.Queue(to.Code))
	}
	return m.transfer(ctx, cid, by, to, nil)
}

// transfer gives the call away; by is told through r, if by asked by a phone's key.
func (m *Module) transfer(ctx context.Context, cid id.Contact, by id.User, to contact.Target, r *sip.Refer) error {
	if err := m.canGive(to); err != nil {
		return err
	}
	if to.Kind == contact.ToAgent && id.User(to.Code) == by {
		return fault.New(fault.Invalid, "voice.transfer.nowhere", "kind", string(to.Kind), "code", to.Code)
	}
	if err := m.mayGive(by, to); err != nil {
		return err
	}
	return m.withAgent(ctx, cid, by, func(c *call) error {
		end, cancel := context.WithTimeout(c.ctx, goodbye)
		defer cancel()
		var at contact.Endpoint
		if to.Kind == contact.ToAgent { // reserved before the call is let go: who is busy is refused to the agent's face
			var err error
			if at, err = m.deps.Queues.Take(end, cid, id.User(to.Code), c.queue); err != nil {
				return err
			}
		}
		c.fact(by, event.ContactTransferred{Agent: by, To: to})
		c.gaveAway = by
		if r != nil {
			c.agent.referral = &referral{r, c.agent.dialog}
		}
		c.dropAgent(end, "transfer")
		switch to.Kind {
		case contact.ToAgent:
			c.ringAgent(id.User(to.Code), at)
		case contact.ToNumber:
			c.giveNumber(to.Code)
		default:
			c.give(to)
			c.referred(200) // it is where it was to go; how long it waits there is not the agent's affair
		}
		return nil
	})
}

func (m *Module) canGive(to contact.Target) error {
	s := m.snap.Load()
	switch to.Kind {
	case contact.ToQueue:
		if m.deps.Queues.Known(id.Queue(to.Code)) {
			return nil
		}
	case contact.ToAgent:
		return nil // the brain knows
	case contact.ToNumber:
		if _, ours := s.phones[id.Phone(to.Code)]; ours {
			if m.Registered(contact.Endpoint{Phone: id.Phone(to.Code)}) {
				return nil
			}
			return fault.New(fault.Unavailable, "contact.unreachable")
		}
		if _, _, ok := s.wayOut(to.Code); !ok {
			return fault.New(fault.Unavailable, "voice.trunk.none", "number", to.Code)
		}
		return nil
	case contact.ToFlow:
		if _, ok := s.flows[id.Flow(to.Code)]; ok {
			return nil
		}
	}
	return fault.New(fault.Invalid, "voice.transfer.nowhere", "kind", string(to.Kind), "code", to.Code)
}

// give brings the caller, now alone, to a target. What fails goes back to the queue the call came from.
func (c *call) give(to contact.Target) {
	switch to.Kind {
	case contact.ToQueue:
		c.wait(id.Queue(to.Code), Waiting{})
	case contact.ToFlow:
		c.guide(id.Flow(to.Code), true)
	case contact.ToAgent:
		c.giveAgent(id.User(to.Code))
	case contact.ToNumber:
		c.giveNumber(to.Code)
	}
}

// directRing is how long an agent or an outside number that a call was given to may ring.
const directRing = 30 * time.Second

func (c *call) giveAgent(agent id.User) {
	ctx, cancel := context.WithTimeout(c.ctx, brainBound)
	defer cancel()
	at, err := c.m.deps.Queues.Take(ctx, c.id, agent, c.queue)
	if err != nil {
		c.log.Info("a transfer found its agent busy", "agent", agent, "err", err)
		c.back(fault.CodeOf(err))
		return
	}
	c.ringAgent(agent, at)
}

// ringAgent rings an agent who was reserved for the call.
func (c *call) ringAgent(agent id.User, at contact.Endpoint) {
	s := &side{role: "agent", agent: agent, endpoint: at}
	taken := func() bool {
		ctx, cancel := context.WithTimeout(c.ctx, brainBound)
		defer cancel()
		return c.m.deps.Queues.Taken(ctx, c.id, agent) == nil
	}
	c.ringBack(s, taken, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), brainBound)
		defer cancel()
		c.told("done", c.m.deps.Queues.Done(ctx, c.id, agent))
	})
}

func (c *call) giveNumber(number string) {
	c.ringBack(c.m.party(number), func() bool { return true }, func() {})
}

// party is a side outside the queues: a phone of ours where nobody is signed in, or an outside number.
func (m *Module) party(number string) *side {
	s := &side{role: "party", number: number}
	if _, ours := m.snap.Load().phones[id.Phone(number)]; ours {
		s.endpoint.Phone = id.Phone(number)
	}
	return s
}

// ringBack rings one side past the queues while the caller hears the ringing tone. taken is asked when it answers;
// failed runs when it does not, and the call goes back.
func (c *call) ringBack(s *side, taken func() bool, failed func()) {
	c.phase, c.gather, c.direct = guided, nil, s
	s.ringing = func() { c.post(func() { c.referralRings() }) }
	c.player.Music(audio.RingBack())
	c.player.Play(nil)
	c.noDeadline()
	c.m.gone.Go(func() {
		ctx, cancel := context.WithTimeout(c.ctx, directRing)
		defer cancel()
		err := c.ring(ctx, s, func() bool { return c.phase == guided && c.direct == s && taken() })
		if err == nil {
			return
		}
		failed()
		c.post(func() {
			if c.phase == guided && c.direct == s {
				c.back(fault.CodeOf(err))
			}
		})
	})
}

// back brings a caller whose transfer came to nothing to the queue they came from, at the place they had; who came
// from none goes on in the flow, which knows a way for that.
func (c *call) back(why string) {
	c.direct = nil
	c.referred(statusOf(why))
	if c.queue == "" && c.flow == nil {
		c.parkFor(c.gaveAway, why)
		return
	}
	if c.queue == "" || !c.spoken && c.flow != nil {
		c.player.Music(nil)
		c.next(flow.Input{Kind: flow.Failed, Why: why})
		return
	}
	c.wait(c.queue, Waiting{Since: c.since})
}

// Quality tells how the agent's line is: MOS by ITU-T G.107 and the share of packets lost on the way there.
func (m *Module) Quality(cid id.Contact) (mos, loss float64, ok bool) {
	c := m.find(cid)
	if c == nil {
		return 0, 0, false
	}
	leg := c.talkingLeg.Load()
	if leg == nil {
		return 0, 0, false
	}
	s := (*leg).Stats()
	mos = s.MOS
	if s.PeerMOS > 0 {
		mos = min(mos, s.PeerMOS)
	}
	return round2(mos), round2(s.PeerLoss), s.MOS > 0
}
