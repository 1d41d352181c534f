package voice

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/rtp"
	"github.com/kapok-hotline/kapok/platform/sdp"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// Headers an endpoint of ours understands: the contact, and what the call is for (offer, echo, reattach,
// supervise; own: the agent has just asked for it, and a browser takes it by itself).
const (
	headerContact = "X-Kapok-Contact"
	headerKind    = "X-Kapok-Kind"
)

// Connect rings an agent for a waiting call. It runs on the asker's goroutine; the call's own decides at the end.
func (m *Module) Connect(ctx context.Context, o contact.Offer, confirm func() bool) error {
	c := m.find(o.Contact)
	if c == nil {
		return notHere(o.Contact)
	}
	s := &side{role: "agent", agent: o.Endpoint.Agent, queue: o.Queue, endpoint: o.Endpoint}
	err := c.ring(ctx, s, func() bool { return c.phase == queued && c.queue == o.Queue && confirm() })
	if fault.CodeOf(err) == "contact.refused" {
		c.log.Info("an offer was refused", "agent", s.agent)
	}
	return err
}

// ring calls a side's endpoint and joins it to the caller when it accepts and join, asked on the actor, agrees.
func (c *call) ring(ctx context.Context, s *side, join func() bool) error {
	m := c.m
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := m.openLeg(c, s); err != nil {
		return err
	}
	if !c.rings.begin(c, s, cancel) {
		_ = s.leg.Close() // nothing flowed yet
		return notHere(c.id)
	}
	dialog, answer, err := m.dial(ctx, c, s, s.purpose())
	if err != nil {
		c.unjoined(ctx, s, fault.CodeOf(err))
		return err
	}
	s.dialog = dialog
	if err := s.leg.Accept(answer); err != nil {
		c.unjoined(ctx, s, "media")
		return fault.New(fault.Unavailable, "contact.unreachable").Because(err)
	}
	if s.line != nil {
		if err := c.taken(ctx, s); err != nil {
			c.unjoined(ctx, s, fault.CodeOf(err))
			return err
		}
	}
	joined := false
	c.ask(context.WithoutCancel(ctx), func() {
		if c.over || c.agent != nil && s.role != "consult" && s.role != supervisor || dialog.End().Cause != "" || context.Cause(ctx) != nil || !join() {
			return
		}
		joined = true
		switch s.role {
		case "consult":
			c.consulted(s)
		case supervisor:
			c.attend(s)
		default:
			c.join(s)
		}
	})
	if !joined {
		c.unjoined(ctx, s, "void")
		return fault.New(fault.Conflict, "contact.void")
	}
	return nil
}

// unjoined closes a side that never came to talk.
func (c *call) unjoined(ctx context.Context, s *side, cause string) {
	if cause == "" {
		cause = "withdrawn"
	}
	c.rings.unjoined(c, s, cause)
	c.letGo(ctx, s)
}

func (s *side) peer() string {
	if s.number != "" {
		return s.number
	}
	if s.endpoint.Phone != "" {
		return string(s.endpoint.Phone)
	}
	if s.agent != "" {
		return "browser"
	}
	return ""
}

// openLeg makes the media of a side that is to be called.
func (m *Module) openLeg(c *call, s *side) error {
	if s.line == nil {
		s.line = m.outlineOf(s.endpoint)
	}
	keys, plainToo, err := m.keysFor(s)
	if err != nil {
		return err
	}
	s.plainToo = plainToo
	return m.openLegWith(c, s, keys)
}

func (m *Module) openLegWith(c *call, s *side, keys sdp.Encryption) (err error) {
	events := rtp.Events{
		Timeout: func() { c.post(func() { c.silent(s) }) },
		Down:    func(err error) { c.post(func() { c.mediaDown(s, err) }) },
	}
	if s.line != nil {
		events.Digit = func(d byte, _ time.Duration) { s.line.press(d) }
	}
	if s.agent != "" && s.endpoint.Browser() && m.near(s.endpoint) {
		s.leg, err = m.plane.NewWeb(rtp.WebConfig{Timeout: mediaTimeout, Events: events})
	} else {
		s.leg, err = m.plane.NewPlain(rtp.PlainConfig{Timeout: mediaTimeout, Events: events, SDES: keys})
	}
	if err != nil {
		return fault.New(fault.Unavailable, "voice.media.none").Because(err)
	}
	return nil
}

// mediaTimeout is how long nothing may be heard of a peer that should be sending.
const mediaTimeout = 60 * time.Second

// dial calls a side and waits for its end. A phone that will not have encrypted media is asked once more without,
// where its setting allows that.
func (m *Module) dial(ctx context.Context, c *call, s *side, kind string) (*sip.Dialog, []byte, error) {
	switch {
	case s.line != nil:
		return m.dialOutside(ctx, c, s, kind)
	case s.agent == "" && s.endpoint.Phone == "":
		return m.callOut(ctx, c, s, c.site, c.from, kind)
	}
	dialog, answer, err := m.dialOnce(ctx, c, s, kind)
	if !errors.Is(err, errNotAcceptable) || !s.plainToo {
		return dialog, answer, err
	}
	c.log.Info("a phone takes no encrypted media and is called in the clear", "phone", s.endpoint.Phone)
	_ = s.leg.Close() // nothing flowed yet
	if err := m.openLegWith(c, s, sdp.Clear); err != nil {
		return nil, nil, err
	}
	return m.dialOnce(ctx, c, s, kind)
}

// errNotAcceptable says that the peer refused our description, not the call (RFC 3261 §21.4.26).
var errNotAcceptable = errors.New("voice: 488 Not Acceptable Here")

// dialOnce sends the INVITE and waits for its end.
func (m *Module) dialOnce(ctx context.Context, c *call, s *side, kind string) (*sip.Dialog, []byte, error) {
	body, err := s.leg.Offer(sdp.SendRecv)
	if err != nil {
		return nil, nil, fault.New(fault.Unavailable, "voice.media.none").Because(err)
	}
	o := sip.CallOptions{
		Body: body, From: m.from(c.shownTo(s)),
		Headers: []sip.Header{{Name: headerContact, Value: string(c.id)}, {Name: headerKind, Value: kind}},
		Events:  c.dialogEvents(s),
	}
	if err := m.way(c.id, s, &o); err != nil {
		return nil, nil, err
	}
	out, err := m.sip.Call(ctx, o)
	if err != nil {
		return nil, nil, fault.New(fault.Unavailable, "contact.unreachable").Because(err)
	}
	m.ladders.belongs(out.CallID, c.id)
	for {
		select {
		case ev, ok := <-out.Events():
			switch {
			case !ok:
				return nil, nil, fault.New(fault.Unavailable, "contact.unreachable")
			case ev.Kind == sip.Progressed && s.ringing != nil && ev.Code >= 180:
				s.ringing()
			case ev.Kind == sip.Answered:
				return ev.Dialog, ev.Body, nil
			case ev.Kind == sip.Failed:
				return nil, nil, refusal(ctx, ev)
			}
		case <-ctx.Done(): // the CANCEL is on its way; a phone that does not answer it holds nobody up
			go hangUpLate(out)
			return nil, nil, context.Cause(ctx)
		}
	}
}

// hangUpLate ends a call of ours that was answered in the moment it was given up.
func hangUpLate(out *sip.Outgoing) {
	for ev := range out.Events() {
		if ev.Kind == sip.Answered {
			ctx, cancel := context.WithTimeout(context.Background(), goodbye)
			_ = ev.Dialog.Bye(ctx) // the peer hangs up too when nothing comes
			cancel()
		}
	}
}

// refusal turns a failed INVITE into the words of a channel.
func refusal(ctx context.Context, ev sip.Event) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	switch ev.Code {
	case 486, 600:
		return fault.New(fault.Conflict, "contact.busy")
	case 603, 480, 403:
		return fault.New(fault.Conflict, "contact.refused")
	}
	why := ev.Err
	if ev.Code == 488 {
		why = errNotAcceptable
	}
	return fault.New(fault.Unavailable, "contact.unreachable", "code", ev.Code, "reason", ev.Reason).Because(why)
}

// way chooses how a side is reached: its registration, or a trunk.
func (m *Module) way(c id.Contact, s *side, o *sip.CallOptions) error {
	if number, outside := s.outside(); outside {
		if s.out == nil {
			return fault.New(fault.Unavailable, "voice.trunk.none", "number", number)
		}
		o.Trunk, o.URI, o.From = string(s.out.trunk), sip.URI{Scheme: "sip", User: number}, m.from(s.out.shown)
		return nil
	}
	b := m.binding(s.endpoint)
	if b == nil {
		return m.wayElsewhere(c, s, o)
	}
	o.Binding = b
	return nil
}

// join connects a side that has answered to the caller.
func (c *call) join(s *side) {
	s.answeredAt = c.m.now()
	if s.queue != "" {
		s.enteredAt = c.entered.UnixMilli()
	}
	c.rings.joined(s)
	c.factAt(s.answeredAt, s.agent, event.LegAnswered{Leg: s.id})
	if c.seeking() {
		c.seek(s)
		return
	}
	c.connect(s)
	c.referred(200)
}

// connect lets caller and side talk: the music stops at once, whatever was being said.
func (c *call) connect(s *side) {
	c.player.Stop()
	c.noDeadline()
	if c.parked != nil {
		c.unparked(s.agent, c.parked.how)
	}
	c.gather, c.play, c.direct = nil, c.play+1, nil
	c.phase, c.agent = talking, s
	c.spoken = c.spoken || s.role == "agent"
	c.talkingLeg.Store(&s.leg)
	c.talkingTo.Store(&s.agent)
	c.talkingAt.Store(&s.endpoint.Phone)
	c.record(s)
	c.lay()
	c.tellParties()
}

// silent ends a side that has not been heard for too long: its peer is gone without a word.
func (c *call) silent(s *side) {
	switch s {
	case c.caller:
		c.end(contact.ByCaller, "rtp timeout")
	case c.agent:
		c.requeue("rtp timeout")
	default:
		if c.consult != nil && s == c.consult.other {
			c.endConsult("rtp timeout")
		}
		if i := slices.IndexFunc(c.parties, func(p *party) bool { return p.side == s }); i >= 0 {
			c.dropParty(c.parties[i], "rtp timeout")
		}
	}
}

// mediaDown is a browser whose media could not be set up, or went away.
func (c *call) mediaDown(s *side, err error) {
	c.log.Warn("a browser's media is down", "leg", s.id, "err", err)
	if s == c.agent {
		c.lostAgent()
	}
}
