package voice

import (
	"context"
	"errors"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/rtp"
	"github.com/kapok-hotline/kapok/platform/sdp"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// consult is an agent asking somebody, on the second line of the phone or from the desk on the one line there is: more
// legs of the same contact. All of it belongs to the actor; other is nil until somebody has answered.
type consult struct {
	to     contact.Target
	queue  id.Queue // whose free agent it is, if a queue was asked
	own    *side    // the phone's second line; nil: asked from the desk
	other  *side
	bridge *rtp.Bridge        // of the second line
	cancel context.CancelFunc // stops the ringing

	with string        // asked from the desk: whom the agent speaks with, as in event.ConsultTurned
	ear  *audio.Player // ringing for the agent, then music for who is asked; nil on a second line
	meet bool          // into the talk as soon as there is an answer
}

func (k *consult) ownDone() <-chan struct{} {
	if k == nil || k.own == nil || k.own.dialog == nil {
		return nil
	}
	return k.own.dialog.Done()
}

func (k *consult) otherDone() <-chan struct{} {
	if k == nil || k.other == nil {
		return nil
	}
	return k.other.dialog.Done()
}

// join lets the agent and who is asked hear each other.
func (k *consult) join() {
	if k.bridge != nil {
		k.bridge.Cut()
	}
	k.bridge = rtp.Join(k.own.leg, k.other.leg)
}

// callAt gives the call in which the agent at a phone talks, nil when there is none.
func (m *Module) callAt(p id.Phone) *call {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.calls {
		if at := c.talkingAt.Load(); at != nil && *at == p {
			return c
		}
	}
	return nil
}

// consult takes a second call of a phone whose agent is talking: to another agent, a phone of ours or an outside
// number. Phones in no call reach nobody but the house's own numbers.
func (m *Module) consult(in *sip.Incoming, from contact.Endpoint, keys sdp.Encryption) {
	c := m.callAt(from.Phone)
	if c == nil {
		m.reject(in, 404, "No such number")
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, directRing)
	defer cancel()
	k := &consult{to: m.targetOf(ctx, in.URI.User), cancel: cancel, own: &side{role: "consult", endpoint: from}}
	switch {
	case m.canGive(k.to) != nil:
		m.reject(in, 404, "No such number")
		return
	case m.mayGive(c.talksTo(), k.to) != nil:
		m.reject(in, 403, "Not allowed to call out there")
		return
	case k.to.Kind == contact.ToQueue: // nobody answers for a queue; it takes transfers
		m.reject(in, 403, "Transfer to a queue without asking")
		return
	}
	m.ladders.belongs(in.CallID, c.id)
	if err := c.askSomebody(ctx, in, k, keys); err != nil {
		c.log.Info("an agent asked somebody, and it came to nothing", "phone", from.Phone, "to", k.to.Code, "err", err)
		code := statusOf(fault.CodeOf(err))
		if errors.Is(err, context.Canceled) { // the call ended, or the agent gave up
			code = 487
		}
		m.reject(in, code, "")
		c.ask(context.WithoutCancel(ctx), func() {
			if c.consult == k {
				c.endConsult("unanswered")
			}
		})
	}
}

// askSomebody rings who is asked and, when they answer, lets the agent's second line be answered.
func (c *call) askSomebody(ctx context.Context, in *sip.Incoming, k *consult, keys sdp.Encryption) error {
	if err := c.m.openLegWith(c, k.own, keys); err != nil {
		return err
	}
	line := k.own.again()
	line.leg = k.own.leg
	begun := false
	c.ask(ctx, func() { begun = c.beginConsult(k) })
	if !begun {
		_ = line.leg.Close() // nothing flowed yet
		return fault.New(fault.Conflict, "contact.busy")
	}
	line.id, line.startedAt = k.own.id, k.own.startedAt // theirs by now, and they do not change
	go func() {
		select {
		case <-in.Canceled():
			k.cancel()
		case <-ctx.Done():
		}
	}()
	if err := c.ringAsked(ctx, in, k); err != nil {
		return err
	}
	if err := c.take(ctx, in, line); err != nil {
		return err
	}
	joined := false
	c.ask(context.WithoutCancel(ctx), func() { joined = c.consulting(k, line) })
	if !joined {
		drop(line)
	}
	return nil
}

// beginConsult opens the agent's second line, if the agent is in talk and asks nobody yet.
func (c *call) beginConsult(k *consult) bool {
	if c.over || c.phase != talking || c.agent == nil || c.agent.role != "agent" || c.consult != nil || c.agent.endpoint.Phone != k.own.endpoint.Phone {
		return false
	}
	now := c.m.now()
	c.consult = k
	k.own.id, k.own.startedAt = id.Leg(id.New(now)), now
	c.factAt(now, c.agent.agent, event.LegStarted{Leg: k.own.id, Role: k.own.role, Peer: k.own.peer()})
	return true
}

// ringAsked rings who is asked: an agent is reserved first, so that nobody is asked who is with another person.
func (c *call) ringAsked(ctx context.Context, in *sip.Incoming, k *consult) error {
	queues := c.m.deps.Queues
	s := c.m.party(k.to.Code)
	taken := func() bool { return true }
	if k.to.Kind == contact.ToAgent {
		agent := id.User(k.to.Code)
		at, err := queues.Take(ctx, c.id, agent, "")
		if err != nil {
			return err
		}
		s = &side{agent: agent, endpoint: at}
		taken = func() bool {
			ctx, cancel := context.WithTimeout(c.ctx, brainBound)
			defer cancel()
			return queues.Taken(ctx, c.id, agent) == nil
		}
	}
	s.role = "consult"
	s.ringing = func() {
		if err := in.Progress(180, "", nil); err != nil {
			c.log.Debug("the agent's second line is gone", "err", err)
		}
	}
	err := c.ring(ctx, s, func() bool { return c.consult == k && taken() })
	if err != nil {
		c.doneAsking(s)
	}
	return err
}

// doneAsking gives an agent who was asked back to the brain.
func (c *call) doneAsking(s *side) {
	if s.agent != "" {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), brainBound)
		defer cancel()
		c.told("done", c.m.deps.Queues.Done(ctx, c.id, s.agent))
	}
}

// consulted notes that who is asked has answered.
func (c *call) consulted(s *side) {
	c.consult.other = s
	s.answeredAt = c.m.now()
	c.rings.joined(s)
	c.factAt(s.answeredAt, s.agent, event.LegAnswered{Leg: s.id})
	if c.consult.own == nil {
		c.asked(c.consult)
	}
}

// consulting joins the agent's second line, answered by now, with who is asked; false when that is over already.
func (c *call) consulting(k *consult, line *side) bool {
	if c.over || c.consult != k {
		return false
	}
	k.own = line
	line.answeredAt = c.m.now()
	c.factAt(line.answeredAt, c.agent.agent, event.LegAnswered{Leg: line.id})
	k.join()
	return true
}

// endConsult ends both lines of a consult, whoever ended it. The caller stays where they are: with the agent, on hold.
func (c *call) endConsult(cause string) {
	k := c.consult
	if k == nil {
		return
	}
	c.consult = nil
	k.cancel()
	if k.bridge != nil {
		k.bridge.Cut()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), goodbye)
	defer cancel()
	if k.own != nil {
		c.closeSide(ctx, k.own, cause)
	} else {
		c.endAsking(k, cause)
	}
	if k.other != nil {
		c.closeSide(ctx, k.other, cause)
		c.doneAsking(k.other)
	}
}

// leaveConsult ends a consult, or a part in a conference, at the word of the agent who was asked; false when that is not this one.
func (c *call) leaveConsult(ctx context.Context, by id.User) bool {
	left := false
	c.ask(ctx, func() {
		if k := c.consult; k != nil && k.other != nil && k.other.agent == by && by != "" {
			c.endConsult("desk")
			left = true
		}
		for _, p := range c.parties {
			if p.side.agent == by && by != "" {
				c.dropParty(p, "desk")
				left = true
				return
			}
		}
	})
	return left
}
