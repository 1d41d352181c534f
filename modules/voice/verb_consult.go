package voice

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/audio"
)

// An agent with one line asks somebody from the desk: the caller hears music while the line turns to who is asked, and
// back, or to both.

// Consult has an agent ask somebody: an agent, a free agent of a queue, a phone of ours or an outside number. It returns
// when it rings there; who is busy is refused to the agent's face. With join the answer makes a three-party call at
// once: the emergency services are to hear the person themselves.
func (m *Module) Consult(ctx context.Context, cid id.Contact, by id.User, to contact.Target, join bool) error {
	if err := m.canGive(to); err != nil {
		return err
	}
	if err := m.mayGive(by, to); err != nil {
		return err
	}
	if to.Kind == contact.ToFlow || to.Kind == contact.ToAgent && id.User(to.Code) == by {
		return fault.New(fault.Invalid, "voice.transfer.nowhere", "kind", string(to.Kind), "code", to.Code)
	}
	return m.withAgent(ctx, cid, by, func(c *call) error {
		if c.consult != nil || c.agent.role != "agent" {
			return fault.New(fault.Conflict, "voice.consult.already")
		}
		if err := c.mayAskMore(); err != nil {
			return err
		}
		begun := event.ConsultBegun{Agent: by, To: to}
		k := &consult{to: to, meet: join, ear: m.tick.NewPlayer(c.agent.leg)}
		s, err := c.whom(k)
		if err != nil {
			return err
		}
		if to.Kind == contact.ToQueue {
			begun.Queue, begun.To = id.Queue(to.Code), k.to
			k.queue = begun.Queue
		}
		ring, cancel := context.WithTimeout(c.ctx, directRing)
		k.cancel = cancel
		c.hold(true)
		c.consult = k
		c.fact(by, begun)
		k.ear.Music(audio.RingBack())
		m.gone.Go(func() { c.ringAskedFromDesk(ring, k, s) })
		return nil
	})
}

// whom gives the side of who is asked: an agent is reserved first. Of a queue it is the agent longest idle.
func (c *call) whom(k *consult) (*side, error) {
	s := c.m.party(k.to.Code)
	if k.to.Kind != contact.ToNumber {
		ctx, cancel := context.WithTimeout(c.ctx, brainBound)
		defer cancel()
		agent, queue := id.User(k.to.Code), id.Queue("")
		if k.to.Kind == contact.ToQueue {
			agent, queue = "", id.Queue(k.to.Code)
		}
		at, err := c.m.deps.Queues.Take(ctx, c.id, agent, queue)
		if err != nil {
			return nil, err
		}
		s = &side{agent: at.Agent, endpoint: at}
		k.to = contact.Target{Kind: contact.ToAgent, Code: string(at.Agent)}
	}
	s.role = "consult"
	return s, nil
}

func (c *call) ringAskedFromDesk(ctx context.Context, k *consult, s *side) {
	err := c.ring(ctx, s, func() bool {
		if c.consult != k || s.agent == "" {
			return c.consult == k
		}
		ctx, cancel := context.WithTimeout(c.ctx, brainBound)
		defer cancel()
		return c.m.deps.Queues.Taken(ctx, c.id, s.agent) == nil
	})
	if err == nil {
		return
	}
	c.doneAsking(s)
	why := fault.CodeOf(err)
	if why == "" {
		why = "contact.unanswered"
	}
	c.post(func() {
		if c.consult == k {
			c.endConsult(why)
		}
	})
}

// asked lets the agent speak with who has answered.
func (c *call) asked(k *consult) {
	k.ear.Stop()
	k.ear = c.m.tick.NewPlayer(k.other.leg)
	if k.meet {
		c.bringIn(k)
		return
	}
	c.turn(k, event.WithAsked)
}

// turn brings the agent's line to who is asked, or back to the caller. Hold times follow, for each side to the
// millisecond.
func (c *call) turn(k *consult, with string) {
	if k.with == with {
		return
	}
	k.with = with
	now := c.m.now()
	c.heldWhile(k.other, with == event.WithCaller, now)
	if held := with == event.WithAsked; held == c.agent.heldAt.IsZero() {
		c.hold(held)
	} else {
		c.lay()
	}
	k.hearing(c)
	c.factAt(now, c.agent.agent, event.ConsultTurned{Agent: c.agent.agent, With: with})
}

// hearing gives who is asked the music of hold while the agent speaks with the caller.
func (k *consult) hearing(c *call) {
	k.ear.Stop()
	if k.with != event.WithCaller {
		return
	}
	k.ear = c.m.tick.NewPlayer(k.other.leg)
	if clips := c.m.sounds.clips(c.lang(), []string{string(c.holdMusic())}); len(clips) > 0 {
		k.ear.Music(clips[0])
	}
}

// heldWhile notes that a side is on hold, or no more.
func (c *call) heldWhile(s *side, held bool, now time.Time) {
	switch {
	case held == !s.heldAt.IsZero():
	case held:
		s.heldAt = now
		c.factAt(now, s.agent, event.LegHeld{Leg: s.id})
	default:
		span := now.Sub(s.heldAt)
		s.held, s.heldAt = s.held+span, time.Time{}
		c.factAt(now, s.agent, event.LegResumed{Leg: s.id, HeldMs: span.Milliseconds()})
	}
}

// holdAsking is the hold key of an agent who asks somebody: off means back to the caller. While it still rings there,
// nobody is asked any more.
func (c *call) holdAsking(k *consult, hold bool) error {
	switch {
	case k.other == nil && !hold:
		c.endConsult("desk")
		c.hold(false)
	case k.other == nil, k.with == event.WithCaller && hold:
		c.hold(true)
	case hold:
		c.turn(k, event.WithAsked)
	default:
		c.turn(k, event.WithCaller)
		c.hold(false)
	}
	return nil
}

// ConsultTurn has the agent speak with the asked one or with the caller, or brings the asked one into the talk
// (event.WithAsked and its like).
func (m *Module) ConsultTurn(ctx context.Context, cid id.Contact, by id.User, with string) error {
	return m.withConsult(ctx, cid, by, false, func(c *call, k *consult) error {
		if k.other == nil {
			return fault.New(fault.Conflict, "voice.consult.rings")
		}
		if with == event.WithBoth {
			c.bringIn(k)
		} else {
			c.turn(k, with)
		}
		return nil
	})
}

// ConsultEnd sends away who is asked, or is rung, and brings the agent back to the caller; where nobody is asked, it
// sends away the party who came last.
func (m *Module) ConsultEnd(ctx context.Context, cid id.Contact, by id.User) error {
	return m.withConsult(ctx, cid, by, true, func(c *call, k *consult) error {
		if k == nil {
			c.dropParty(c.newest(), "desk")
			return nil
		}
		c.endConsult("desk")
		c.hold(false)
		return nil
	})
}

// ConsultComplete leaves the agent out: caller, asked one and parties talk on (attended transfer). Where nobody is asked,
// the conference is passed on.
func (m *Module) ConsultComplete(ctx context.Context, cid id.Contact, by id.User) error {
	return m.withConsult(ctx, cid, by, true, func(c *call, k *consult) error {
		switch {
		case k == nil:
			c.passOn("transfer")
			return nil
		case k.other == nil:
			return fault.New(fault.Conflict, "voice.consult.rings")
		}
		c.complete(k)
		return nil
	})
}

// withConsult runs f on the actor when the agent asks somebody from the desk; parties allows a nil consult too, where
// somebody has been let in.
func (m *Module) withConsult(ctx context.Context, cid id.Contact, by id.User, parties bool, f func(c *call, k *consult) error) error {
	return m.withAgent(ctx, cid, by, func(c *call) error {
		k := c.consult
		if k == nil && !(parties && len(c.parties) > 0) || k != nil && k.own != nil {
			return fault.New(fault.Conflict, "voice.consult.none")
		}
		return f(c, k)
	})
}

// complete gives the call to who was asked, whoever the agent spoke with last.
func (c *call) complete(k *consult) {
	c.consult = nil
	k.ear.Stop()
	k.cancel()
	c.handOver(k.other, k.to, "", "transfer")
}

// endAsking ends what the desk's asking was beside its legs.
func (c *call) endAsking(k *consult, why string) {
	k.ear.Stop()
	k.with = ""
	c.lay()
	c.fact(c.agent.agent, event.ConsultEnded{Agent: c.agent.agent, Why: why})
}
