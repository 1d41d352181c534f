package voice

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// referral is an agent's phone that transferred by its own key (REFER, RFC 3515): its leg has ended, and it is hung up
// when it has heard how the transfer went, so that its display does not lie.
type referral struct {
	r      *sip.Refer
	dialog *sip.Dialog
}

// referred tells the phone how the transfer went, and hangs it up.
func (c *call) referred(code int) {
	ref := c.referral
	if ref == nil {
		return
	}
	c.referral = nil
	ref.r.Notify(code, "")
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), goodbye)
		defer cancel()
		_ = ref.dialog.Bye(ctx) // phones hang up by themselves too
	}()
}

func (c *call) referralRings() {
	if c.referral != nil {
		c.referral.r.Notify(180, "")
	}
}

// refer decides on a transfer by the key of an agent's phone: blind to a queue, an agent, a phone of ours or an outside
// number, or with Replaces (RFC 3891) the one the agent has asked first. It runs on the dialog's goroutine.
func (c *call) refer(s *side, r *sip.Refer) int {
	if r.Replaces != nil {
		return c.referTo(s, r)
	}
	agent, ours := id.User(""), false
	c.ask(c.ctx, func() { agent, ours = s.agent, s == c.agent && s.role == "agent" })
	ctx, cancel := context.WithTimeout(c.ctx, goodbye)
	to := c.m.targetOf(ctx, r.To.URI.User)
	err := c.m.canGive(to)
	cancel()
	if !ours || err != nil {
		return 603
	}
	c.m.gone.Go(func() {
		if !c.decided(r) {
			return
		}
		ctx, cancel := context.WithTimeout(c.ctx, goodbye)
		defer cancel()
		if err := c.m.transfer(ctx, c.id, agent, to, r); err != nil { // they talk on
			c.log.Info("a transfer by the phone's key was not possible", "to", to.Code, "err", err)
			r.Notify(statusOf(fault.CodeOf(err)), "")
		}
	})
	return 202
}

// decided waits until the REFER has been answered.
func (c *call) decided(r *sip.Refer) bool {
	select {
	case <-r.Decided():
		return true
	case <-c.ctx.Done():
		return false
	}
}

// targetOf says what a number dialled on a phone of the house leads to.
func (m *Module) targetOf(ctx context.Context, number string) contact.Target {
	if m.deps.Queues.Known(id.Queue(number)) {
		return contact.Target{Kind: contact.ToQueue, Code: number}
	}
	if agent, ok := m.deps.Queues.Agent(ctx, number); ok {
		return contact.Target{Kind: contact.ToAgent, Code: string(agent)}
	}
	return contact.Target{Kind: contact.ToNumber, Code: number}
}

// statusOf says a fault in the words of SIP.
func statusOf(code string) int {
	switch code {
	case "contact.busy", "routing.rejected.no_room":
		return 486
	case "contact.refused":
		return 603
	case "contact.unreachable", "routing.rejected.no_agent":
		return 480
	case "voice.call.gone", "voice.call.not_yours":
		return 481
	}
	return 503
}

// referTo is an attended transfer: the phone asks, within one of its two dialogs with us, to put the other in the
// place of the first. Both must be dialogs of this call.
func (c *call) referTo(s *side, r *sip.Refer) int {
	code := 481
	c.ask(c.ctx, func() { code = c.mayJoin(s, r) })
	if code != 202 {
		return code
	}
	c.m.gone.Go(func() {
		if c.decided(r) && !c.ask(c.ctx, func() { c.joinConsult(s, r) }) {
			r.Notify(481, "")
		}
	})
	return 202
}

// mayJoin says whether the agent may be left out: the code of the answer to REFER.
func (c *call) mayJoin(s *side, r *sip.Refer) int {
	k := c.consult
	switch {
	case k == nil || k.own == nil || c.over || c.phase != talking || c.agent == nil:
		return 481
	case s != c.agent && s != k.own:
		return 603 // the caller, or who is being asked, transfers nobody
	case k.own.dialog == nil:
		return 480 // nobody has answered yet
	case s == c.agent && !k.own.dialog.NamedBy(r.Replaces), s == k.own && !c.agent.dialog.NamedBy(r.Replaces):
		return 481
	}
	return 202
}

// joinConsult leaves the agent out.
func (c *call) joinConsult(s *side, r *sip.Refer) {
	if code := c.mayJoin(s, r); code != 202 {
		r.Notify(code, "")
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), goodbye)
	defer cancel()
	k := c.consult
	c.consult = nil
	k.bridge.Cut()
	r.Notify(200, "")
	by := c.agent.agent
	c.fact(by, event.ContactTransferred{Agent: by, To: k.to})
	c.closeSide(ctx, k.own, "transfer")
	c.succeedBy(ctx, k.other, "transfer")
}

// succeed lets who was asked talk with the caller from here on, in a leg of their own.
func (c *call) succeed(o *side) {
	asked := *o
	now := c.m.now()
	o.id, o.role, o.startedAt, o.answeredAt, o.held, o.heldAt = id.Leg(id.New(now)), "agent", now, now, 0, time.Time{}
	if o.agent == "" {
		o.role = "party"
	}
	c.factAt(now, o.agent, event.LegStarted{Leg: o.id, Role: o.role, Agent: o.agent, Peer: o.peer()})
	c.factAt(now, o.agent, event.LegAnswered{Leg: o.id})
	c.legEnded(&asked, "transfer", o.leg.Stats())
	c.connect(o)
}
