package voice

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/rtp"
)

// withAgent runs f on the call's actor when the agent is talking there.
func (m *Module) withAgent(ctx context.Context, cid id.Contact, by id.User, f func(c *call) error) error {
	c := m.find(cid)
	if c == nil {
		return notHere(cid)
	}
	err := error(notHere(cid))
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
	if hold {
		a.heldAt = now
		c.unbridge()
		if clips := c.m.sounds.clips(c.lang(), []string{string(c.holdMusic())}); len(clips) > 0 {
			c.player.Music(clips[0])
		}
		c.player.Play(nil)
		c.factAt(now, a.agent, event.LegHeld{Leg: a.id})
		return
	}
	span := now.Sub(a.heldAt)
	a.held, a.heldAt = a.held+span, time.Time{}
	c.player.Stop()
	c.bridge = rtp.Join(c.caller.leg, a.leg)
	c.tap()
	c.factAt(now, a.agent, event.LegResumed{Leg: a.id, HeldMs: span.Milliseconds()})
}

func (c *call) holdMusic() id.Prompt {
	if s := c.m.deps.Queues.Sound(c.queue); s.Music != "" {
		return s.Music
	}
	return promptMusic
}

// Hangup ends the call at the agent's word. While it still rings, the brain is told by the ringing's own end.
func (m *Module) Hangup(ctx context.Context, cid id.Contact, by id.User) error {
	return m.withAgent(ctx, cid, by, func(c *call) error {
		c.end(contact.ByAgent, "desk")
		return nil
	})
}

// Press sends keys towards the caller as telephone-events.
func (m *Module) Press(ctx context.Context, cid id.Contact, by id.User, digits string) error {
	return m.withAgent(ctx, cid, by, func(c *call) error {
		leg := c.caller.leg
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
	if err := m.canGive(to); err != nil {
		return err
	}
	return m.withAgent(ctx, cid, by, func(c *call) error {
		end, cancel := context.WithTimeout(c.ctx, goodbye)
		defer cancel()
		c.fact(by, event.ContactTransferred{Agent: by, To: to})
		c.dropAgent(end, "transfer")
		c.give(to)
		return nil
	})
}

func (m *Module) canGive(to contact.Target) error {
	s := m.snap.Load()
	switch to.Kind {
	case contact.ToQueue, contact.ToAgent:
		return nil // the brain knows; what it refuses falls back to the queue the call came from
	case contact.ToNumber:
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
	at, err := c.m.deps.Queues.Take(ctx, c.id, agent)
	cancel()
	if err != nil {
		c.log.Info("a transfer found its agent busy", "agent", agent, "err", err)
		c.back()
		return
	}
	c.ringBack()
	c.direct(&side{role: "agent", agent: agent, endpoint: at}, func() {
		done, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), brainBound)
		defer cancel()
		c.told("done", c.m.deps.Queues.Done(done, c.id, agent))
	})
}

func (c *call) giveNumber(number string) {
	c.ringBack()
	c.direct(&side{role: "party", number: number}, func() {})
}

func (c *call) ringBack() {
	c.phase, c.gather = guided, nil
	c.player.Music(audio.RingBack())
	c.player.Play(nil)
	c.noDeadline()
}

// direct rings one side past the queues. failed runs when it does not answer; then the call goes back.
func (c *call) direct(s *side, failed func()) {
	c.m.gone.Go(func() {
		ctx, cancel := context.WithTimeout(c.ctx, directRing)
		defer cancel()
		err := c.ring(ctx, s, "offer", func() bool { return c.phase == guided })
		if err == nil {
			return
		}
		failed()
		c.post(func() {
			if c.phase == guided && c.agent == nil {
				c.back()
			}
		})
	})
}

// back brings a caller whose transfer came to nothing to the queue they came from, at the place they had.
func (c *call) back() {
	if c.queue == "" {
		c.outcome = contact.Answered
		c.end(contact.BySystem, "transfer failed")
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
