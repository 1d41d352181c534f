package voice

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/platform/rtp"
	"github.com/kapok-hotline/kapok/platform/sdp"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// answerBound is how long the answering of a call may take, the ACK to a late offer included.
const answerBound = 10 * time.Second

// invite takes a new call: by trunk or by one of our phones, to a number of ours.
func (m *Module) invite(in *sip.Incoming) {
	ctx, cancel := context.WithTimeout(context.Background(), answerBound)
	defer cancel()
	var from contact.Endpoint // the phone or browser of ours that calls; none: a trunk
	if m.relayed(in) {
		return
	}
	if strings.HasPrefix(in.URI.User, trialPrefix) {
		m.trialInvite(ctx, in)
		return
	}
	s := m.snap.Load()
	number, ok := s.numbers[id.Number(in.URI.User)]
	// A phone may stand at a trunk's address: what no trunk would ask for is taken for its own, against its password.
	if in.Trunk == "" || (!ok || in.Replaces != nil) && m.sip.Registrar().Knows(in.Flow) {
		user, err := m.sip.Registrar().Authenticate(ctx, in)
		if err != nil {
			if !errors.Is(err, sip.ErrChallenged) {
				m.reject(in, 403, "")
			}
			return
		}
		if strings.HasPrefix(user, trialPrefix) {
			m.reject(in, 403, "") // it is good for one test call, and nothing else
			return
		}
		from = endpointOf(user)
	}
	keys, err := keysFrom(m.mediaOf(from), in.Transport)
	if err != nil {
		m.deps.Log.Warn("a phone's call is refused", "phone", from.Phone, "err", err)
		m.reject(in, 403, "Use TLS")
		return
	}
	switch {
	case in.Replaces != nil:
		m.replace(ctx, in, from, keys)
		return
	case !ok && from.Phone != "":
		m.consult(in, from, keys)
		return
	case !ok:
		m.reject(in, 404, "No such number")
		return
	case m.draining.Load():
		m.reject(in, 503, "", sip.Header{Name: "Retry-After", Value: "10"})
		return
	}
	leave, room := m.trunkRoom(in)
	if !room {
		return
	}
	c := m.begin(in, number)
	c.leaveTrunk = leave
	if err := c.answer(ctx, in, keys); err != nil {
		c.refuse(in, err)
		return
	}
	m.crew.Do(c.run)
	c.post(func() { c.guide(number.Flow, false) })
}

// begin makes the call of an INVITE and opens its contact.
func (m *Module) begin(in *sip.Incoming, number Number) *call {
	now := m.now()
	c := &call{
		m: m, id: id.Contact(id.New(now)), site: number.Site, number: number.Code, callID: in.CallID, startedAt: now,
		from: m.callerOf(in), inbox: make(chan func(), inboxLength), done: make(chan struct{}),
		timer: time.NewTimer(time.Hour), phase: guided,
	}
	c.log = m.deps.Log.With("contact", string(c.id))
	c.ctx, c.stop = context.WithCancel(m.life)
	c.caller = &side{id: id.Leg(id.New(now)), role: "caller", startedAt: now}
	c.meet(number.Flow)
	m.mu.Lock()
	m.calls[c.id] = c
	m.mu.Unlock()
	m.ladders.belongs(in.CallID, c.id)
	c.factAt(now, "", event.ContactStarted{
		Medium: contact.Phone, Direction: contact.In, From: c.from, To: string(number.Code), Number: number.Code,
		Trunk: id.Trunk(in.Trunk), CallID: in.CallID,
	})
	c.factAt(now, "", event.LegStarted{Leg: c.caller.id, Role: "caller", Peer: c.from})
	return c
}

// callerOf gives the caller's number in national form: what the trunk asserts before what the caller says.
func (m *Module) callerOf(in *sip.Incoming) string {
	from := in.From.URI.User
	if len(in.Identity) > 0 && in.Trunk != "" {
		from = in.Identity[0].URI.User
	}
	n := phone.Parse(from, homeArea)
	if n.Kind == phone.Withheld || n.Kind == phone.Other && !dialable(from) {
		return ""
	}
	return n.National
}

// homeArea is the area code local numbers without one belong to.
const homeArea = "020"

// answer opens the media and sends 200; a caller who offered nothing gets our offer and answers in the ACK.
func (c *call) answer(ctx context.Context, in *sip.Incoming, keys sdp.Encryption) error {
	leg, err := c.m.plane.NewPlain(rtp.PlainConfig{
		Timeout: mediaTimeout,
		SDES:    keys,
		Events: rtp.Events{
			Digit:   func(d byte, _ time.Duration) { c.post(func() { c.digit(d) }) },
			Timeout: func() { c.post(func() { c.silent(c.caller) }) },
		},
	})
	if err != nil {
		return err
	}
	c.caller.leg = leg
	c.player = c.m.tick.NewPlayer(leg)
	in.Handle(c.dialogEvents(c.caller))
	late := in.Offer == nil
	body, err := describe(leg, in.Offer)
	if err != nil {
		return err
	}
	if c.caller.dialog, err = in.Answer(ctx, body); err != nil {
		return err
	}
	c.caller.answeredAt = c.m.now()
	c.factAt(c.caller.answeredAt, "", event.LegAnswered{Leg: c.caller.id})
	if !late {
		return nil
	}
	ack, err := c.caller.dialog.WaitACK(ctx)
	if err == nil {
		err = leg.Accept(ack)
	}
	return err
}

// describe answers an offer; who offered nothing gets ours.
func describe(leg rtp.Leg, offer []byte) ([]byte, error) {
	if offer == nil {
		return leg.Offer(sdp.SendRecv)
	}
	return leg.Answer(offer)
}

// refuse closes a contact that never came to be answered.
func (c *call) refuse(in *sip.Incoming, err error) {
	outcome, cause := contact.Failed, err.Error()
	switch {
	case errors.Is(err, sip.ErrCanceled):
		outcome, cause = contact.Left, "canceled"
	case c.caller.dialog != nil:
		go func(d *sip.Dialog) { // the answer had gone out; without media there is no call
			ctx, cancel := context.WithTimeout(context.Background(), goodbye)
			defer cancel()
			_ = d.Bye(ctx)
		}(c.caller.dialog)
	case errors.Is(err, sdp.ErrNoCodec), errors.Is(err, sdp.ErrNoAudio), errors.Is(err, sdp.ErrSecurity):
		c.m.reject(in, 488, "")
	case c.caller.leg == nil:
		c.m.reject(in, 503, "", sip.Header{Name: "Retry-After", Value: "10"})
	default:
		c.m.reject(in, 400, "Bad session description")
	}
	now := c.m.now()
	if c.caller.leg != nil {
		_ = c.caller.leg.Close() // nothing flowed yet
	}
	if c.player != nil {
		c.player.Stop()
	}
	ring, talk, hold := c.caller.times(now)
	c.factAt(now, "", event.LegEnded{Leg: c.caller.id, Role: "caller", RingMs: ring, TalkMs: talk, HoldMs: hold, Cause: cause})
	by := contact.BySystem
	if outcome == contact.Left {
		by = contact.ByCaller
	}
	c.factAt(now, "", event.ContactEnded{By: by, Outcome: outcome, Cause: cause, Ms: now.UnixMilli() - c.startedAt.UnixMilli()})
	c.close()
}

func (m *Module) reject(in *sip.Incoming, code int, reason string, headers ...sip.Header) {
	if err := in.Reject(code, reason, headers...); err != nil {
		m.deps.Log.Debug("a call was gone before it was refused", "call_id", in.CallID, "err", err)
	}
}

// dialogEvents are what a peer does within a dialog of the call.
func (c *call) dialogEvents(s *side) sip.Events {
	return sip.Events{
		Offer: func(_ *sip.Dialog, offer []byte) ([]byte, error) {
			if offer == nil {
				return s.leg.Offer(sdp.SendRecv)
			}
			answer, err := s.leg.Answer(offer)
			if err == nil {
				held := s.leg.Stats().Held
				c.post(func() { c.heldByPhone(s, held) })
			}
			return answer, err
		},
		Answered: func(_ *sip.Dialog, answer []byte) {
			if err := s.leg.Accept(answer); err != nil {
				c.log.Warn("an answer in a dialog does not fit", "err", err)
			}
		},
		Info: func(_ *sip.Dialog, contentType string, body []byte) {
			if key, _, ok := sip.ParseDTMF(contentType, body); ok && s == c.caller {
				c.post(func() { c.digit(key) })
			}
		},
		Refer: func(_ *sip.Dialog, r *sip.Refer) int { return c.refer(s, r) },
	}
}

// heldByPhone follows the hold key of a desk phone, so that phone and desk cannot disagree. A re-INVITE that only
// refreshes the session says nothing new, and leaves alone what the desk has done.
func (c *call) heldByPhone(s *side, held bool) {
	if s.phoneHeld == held {
		return
	}
	s.phoneHeld = held
	if s == c.agent && c.phase == talking && (c.consult == nil || c.consult.own != nil) { // else the desk turns between two
		c.hold(held)
	}
}

func (m *Module) forget(c *call) {
	m.mu.Lock()
	delete(m.calls, c.id)
	m.mu.Unlock()
	if c.leaveTrunk != nil {
		c.leaveTrunk()
	}
}
