package voice

import (
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/platform/sdp"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// replace takes an INVITE with Replaces (RFC 3891): an agent goes on at another device that registers as the same
// phone. It may replace no dialogs but those of its own phone.
func (m *Module) replace(ctx context.Context, in *sip.Incoming, from contact.Endpoint, keys sdp.Encryption) {
	c := m.find(m.ladders.owner(in.Replaces.CallID))
	if c == nil {
		m.reject(in, 481, "")
		return
	}
	var old *side
	code := 481
	c.ask(ctx, func() {
		for _, s := range c.sides() {
			switch {
			case !s.dialog.NamedBy(in.Replaces):
			case from.Phone == "" || s == c.caller || s.endpoint.Phone != from.Phone:
				code = 403
			case in.Replaces.EarlyOnly:
				code = 486 // RFC 3891 §3: it has been answered
			default:
				old = s
			}
		}
	})
	if old == nil {
		m.reject(in, code, "")
		return
	}
	if err := c.moveTo(ctx, in, old, keys); err != nil {
		c.log.Warn("a call could not be taken to another device", "phone", from.Phone, "err", err)
	}
}

// sides are those whose dialogs stand now.
func (c *call) sides() []*side {
	var all []*side
	if c.caller.dialog != nil { // who is being called has none yet
		all = append(all, c.caller)
	}
	if c.agent != nil {
		all = append(all, c.agent)
	}
	for _, p := range c.parties {
		all = append(all, p.side)
	}
	if k := c.consult; k != nil {
		if k.own != nil {
			all = append(all, k.own)
		}
		if k.other != nil {
			all = append(all, k.other)
		}
	}
	return all
}

// moveTo answers the new device and puts it in the place of the old one: the same leg of the contact, other media.
func (c *call) moveTo(ctx context.Context, in *sip.Incoming, old *side, keys sdp.Encryption) error {
	var fresh *side
	c.ask(ctx, func() { fresh = old.again() })
	if fresh == nil {
		c.m.reject(in, 481, "")
		return notHere(c.id)
	}
	if err := c.m.openLegWith(c, fresh, keys); err != nil {
		c.m.reject(in, 503, "", sip.Header{Name: "Retry-After", Value: "10"})
		return err
	}
	if err := c.take(ctx, in, fresh); err != nil {
		drop(fresh)
		return err
	}
	c.m.ladders.belongs(in.CallID, c.id)
	if !c.ask(ctx, func() { c.swap(old, fresh) }) {
		drop(fresh)
	}
	return nil
}

// take answers an INVITE of one of our phones for a side whose media stands; it is refused when that cannot be.
func (c *call) take(ctx context.Context, in *sip.Incoming, s *side) error {
	in.Handle(c.dialogEvents(s))
	body, err := describe(s.leg, in.Offer)
	if err != nil {
		c.m.reject(in, 488, "")
		return err
	}
	if s.dialog, err = in.Answer(ctx, body); err != nil || in.Offer != nil {
		return err
	}
	ack, err := s.dialog.WaitACK(ctx)
	if err == nil {
		err = s.leg.Accept(ack)
	}
	return err
}

// again is the same side with neither media nor dialog yet.
func (s *side) again() *side {
	return &side{
		id: s.id, role: s.role, agent: s.agent, queue: s.queue, enteredAt: s.enteredAt, endpoint: s.endpoint, number: s.number,
		startedAt: s.startedAt, answeredAt: s.answeredAt, heldAt: s.heldAt, held: s.held,
	}
}

// swap puts the fresh side in the place of the old one, whose dialog ends without ending the leg.
func (c *call) swap(old, fresh *side) {
	k := c.consult
	switch {
	case c.over:
		drop(fresh)
	case old == c.agent:
		c.takeUp(old, fresh)
		if old.phoneHeld && !fresh.leg.Stats().Held { // the hold key of the device that is gone holds nobody any more
			c.hold(false)
		}
	case k != nil && old == k.own && k.bridge != nil:
		k.own = fresh
		k.join()
		drop(old)
	case k != nil && old == k.other && k.own == nil:
		k.other = fresh
		c.lay()
		k.hearing(c)
		drop(old)
	case k != nil && old == k.other && k.bridge != nil:
		k.other = fresh
		k.join()
		drop(old)
	default:
		i := slices.IndexFunc(c.parties, func(p *party) bool { return p.side == old })
		if i < 0 {
			drop(fresh)
			return
		}
		c.parties[i].side = fresh
		c.lay()
		c.watch(c.parties[i])
		drop(old)
	}
}
