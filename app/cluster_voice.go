package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/desk"
	"github.com/kapok-hotline/kapok/modules/voice"
	"github.com/kapok-hotline/kapok/platform/bus"
)

// farOrder is what is asked of the calls of another process.
type farOrder struct {
	Verb     string           `json:"verb"` // connect, move, end, hold, hangup, press, transfer, echo, alive
	Brain    id.Node          `json:"brain,omitempty"`
	Offer    contact.Offer    `json:"offer"`
	Contact  id.Contact       `json:"contact,omitempty"`
	By       id.User          `json:"by,omitempty"`
	Party    contact.Party    `json:"party,omitempty"`
	To       contact.Target   `json:"to"`
	Hold     bool             `json:"hold,omitempty"`
	Digits   string           `json:"digits,omitempty"`
	Join     bool             `json:"join,omitempty"`
	With     string           `json:"with,omitempty"`
	Leg      id.Leg           `json:"leg,omitempty"`
	Outcall  contact.Outcall  `json:"outcall"`
	Endpoint contact.Endpoint `json:"endpoint"`
	Leader   voice.Leader     `json:"leader"`
	Mode     event.Force      `json:"mode,omitempty"`
}

// farRing is an endpoint that is rung here for the brain of a process.
type farRing struct {
	brain  id.Node
	cancel context.CancelFunc
}

// farRings are those, so that they can be withdrawn from there.
type farRings struct {
	mu   sync.Mutex
	of   map[id.Offer]farRing
	dead map[id.Offer]time.Time // withdrawn before they began
}

func (r *farRings) begin(ctx context.Context, o farOrder, now time.Time) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.dead[o.Offer.ID]; ok {
		cancel()
	}
	for offer, at := range r.dead {
		if now.Sub(at) > time.Minute {
			delete(r.dead, offer)
		}
	}
	r.of[o.Offer.ID] = farRing{o.Brain, cancel}
	return ctx, func() {
		cancel()
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.of, o.Offer.ID)
	}
}

func (r *farRings) withdraw(offer id.Offer, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if x, ok := r.of[offer]; ok {
		x.cancel()
		return
	}
	r.dead[offer] = now
}

// ruledBy stops what brains of other processes ring: another decides now.
func (r *farRings) ruledBy(brain id.Node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.of {
		if x.brain != brain {
			x.cancel()
		}
	}
}

// serve answers for the calls of this process.
func (p *peers) serve() (func(), error) {
	var stops []func()
	stop := func() {
		for _, f := range stops {
			f()
		}
	}
	add := func(f func(), err error) error {
		if err == nil {
			stops = append(stops, f)
		}
		return err
	}
	err := errors.Join(
		add(bus.Answer(p.h.bus, voiceSubject(p.h.o.Node, "do"), p.obey)),
		add(bus.Answer(p.h.bus, voiceSubject(p.h.o.Node, "disk"), p.fromDisk)),
		add(bus.On(p.h.bus, voiceSubject(p.h.o.Node, "withdraw"), func(_ string, o id.Offer) { p.rings.withdraw(o, p.h.clock.Now()) })),
		add(bus.On(p.h.bus, brainNew, func(_ string, n id.Node) { p.rings.ruledBy(n) })),
	)
	if err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// obey carries out an order of another process. What it brings about is in the ledger before it is answered.
func (p *peers) obey(ctx context.Context, o farOrder) (struct{}, error) {
	v := p.h.voice
	var err error
	switch o.Verb {
	case "connect":
		ringing, done := p.rings.begin(ctx, o, p.h.clock.Now())
		err = v.Connect(ringing, o.Offer, func() bool {
			return p.h.routing.Confirm(context.WithoutCancel(ctx), o.Offer.ID, o.Offer.Contact, o.Offer.Endpoint.Agent)
		})
		done()
		if errors.Is(err, context.Canceled) {
			err = fault.New(fault.Conflict, "contact.void").Because(err)
		}
	case "move":
		err = v.Move(ctx, o.Contact, o.By, o.To)
	case "end":
		err = v.End(ctx, o.Contact, o.Party)
	case "hold":
		err = v.Hold(ctx, o.Contact, o.By, o.Hold)
	case "hangup":
		err = v.Hangup(ctx, o.Contact, o.By)
	case "press":
		err = v.Press(ctx, o.Contact, o.By, o.Digits)
	case "transfer":
		err = v.Transfer(ctx, o.Contact, o.By, o.To)
	case "consult":
		err = v.Consult(ctx, o.Contact, o.By, o.To, o.Join)
	case "consult_turn":
		err = v.ConsultTurn(ctx, o.Contact, o.By, o.With)
	case "consult_end":
		err = v.ConsultEnd(ctx, o.Contact, o.By)
	case "consult_complete":
		err = v.ConsultComplete(ctx, o.Contact, o.By)
	case "party_drop":
		err = v.PartyDrop(ctx, o.Contact, o.By, o.Leg)
	case "party_mute":
		err = v.PartyMute(ctx, o.Contact, o.By, o.Leg, o.Hold)
	case "park":
		_, err = v.Park(ctx, o.Contact, o.By)
	case "unpark":
		err = v.Unpark(ctx, o.Contact, o.By)
	case "callout":
		_, err = v.CallOut(ctx, o.Outcall)
	case "give_up":
		err = v.GiveUp(ctx, o.Contact, o.With)
	case "echo":
		err = v.Echo(ctx, o.Endpoint)
	case "supervise":
		err = v.Supervise(ctx, o.Contact, o.By, o.Leader, o.Mode)
	case "unsupervise":
		err = v.Unsupervise(ctx, o.Contact, o.By)
	case "pause":
		err = v.PauseRecording(ctx, o.Contact, o.By, o.Hold)
	case "release":
		err = v.Release(ctx, o.Contact, o.By, o.Hold)
	default:
		err = fault.New(fault.Invalid, "platform.order.unknown", "verb", o.Verb)
	}
	if ferr := p.h.journal.Flush(ctx); ferr != nil && err == nil {
		p.h.log.Warn("an answer goes out before its facts are on the disk", "what", o.Verb, "err", ferr)
	}
	return struct{}{}, err
}

// farVoice is the telephone of another process, for the brain.
type farVoice struct {
	p    *peers
	node id.Node
}

func (f farVoice) ask(ctx context.Context, o farOrder) error {
	if err := f.p.h.journal.Flush(ctx); err != nil {
		return unreachable(err)
	}
	o.Brain = f.p.h.o.Node
	err := f.p.h.bus.Ask(ctx, voiceSubject(f.node, "do"), o, nil)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// farRinging is how long another process is waited for while it rings somebody.
const farRinging = 40 * time.Second

// Connect rings there; confirm is asked from there, of whoever decides then.
func (f farVoice) Connect(ctx context.Context, o contact.Offer, _ func() bool) error {
	err := f.ask(ctx, farOrder{Verb: "connect", Offer: o})
	if ctx.Err() != nil { // withdrawn, or its time is over
		if perr := f.p.h.bus.Publish(voiceSubject(f.node, "withdraw"), o.ID); perr != nil {
			f.p.h.log.Warn("an offer is not withdrawn; it ends at its time", "offer", o.ID, "err", perr)
		}
	}
	return err
}

// Move takes a call there to a target.
func (f farVoice) Move(ctx context.Context, c id.Contact, by id.User, to contact.Target) error {
	return f.ask(ctx, farOrder{Verb: "move", Contact: c, By: by, To: to})
}

// End ends a call there.
func (f farVoice) End(ctx context.Context, c id.Contact, by contact.Party) error {
	return f.ask(ctx, farOrder{Verb: "end", Contact: c, Party: by})
}

// anyVoice is the telephone for a desk: the call is here, or at another process.
type anyVoice struct {
	*voice.Module
	p *peers
}

// at gives the process that holds a call, "" when it is this one or unknown. A call that has just begun is told of
// within a second.
func (a anyVoice) at(ctx context.Context, c id.Contact) id.Node {
	if a.Alive(c) {
		return ""
	}
	for range 6 {
		var n here
		if _, err := a.p.h.presence.Get(ctx, contactPresence(c), &n); err == nil && n.Node != a.p.h.o.Node {
			return n.Node
		}
		timer := a.p.h.clock.NewTimer(250 * time.Millisecond)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return ""
		}
	}
	return ""
}

func (a anyVoice) do(ctx context.Context, o farOrder, local func() error) error {
	if n := a.at(ctx, o.Contact); n != "" {
		return farVoice{a.p, n}.ask(ctx, o)
	}
	return local()
}

// Hold is desk.Calls'.
func (a anyVoice) Hold(ctx context.Context, c id.Contact, by id.User, hold bool) error {
	return a.do(ctx, farOrder{Verb: "hold", Contact: c, By: by, Hold: hold}, func() error { return a.Module.Hold(ctx, c, by, hold) })
}

// Hangup is desk.Calls'.
func (a anyVoice) Hangup(ctx context.Context, c id.Contact, by id.User) error {
	return a.do(ctx, farOrder{Verb: "hangup", Contact: c, By: by}, func() error { return a.Module.Hangup(ctx, c, by) })
}

// Press is desk.Calls'.
func (a anyVoice) Press(ctx context.Context, c id.Contact, by id.User, digits string) error {
	return a.do(ctx, farOrder{Verb: "press", Contact: c, By: by, Digits: digits}, func() error { return a.Module.Press(ctx, c, by, digits) })
}

// Transfer is desk.Calls'.
func (a anyVoice) Transfer(ctx context.Context, c id.Contact, by id.User, to contact.Target) error {
	return a.do(ctx, farOrder{Verb: "transfer", Contact: c, By: by, To: to}, func() error { return a.Module.Transfer(ctx, c, by, to) })
}

// Echo calls an endpoint from the process it is registered at.
func (a anyVoice) Echo(ctx context.Context, at contact.Endpoint) error {
	if !a.Module.Registered(at) {
		if x, ok := a.p.where(at); ok && x.Node != a.p.h.o.Node {
			ctx, cancel := context.WithTimeout(ctx, farRinging)
			defer cancel()
			return farVoice{a.p, x.Node}.ask(ctx, farOrder{Verb: "echo", Endpoint: at})
		}
	}
	return a.Module.Echo(ctx, at)
}

// Registered is desk.Endpoints': at whatever process.
func (a anyVoice) Registered(at contact.Endpoint) bool { return a.p.h.registered(at) }

// workplace is what a desk asks of the telephone.
type workplace interface {
	desk.Calls
	desk.Endpoints
}

// calls gives the telephone as desks see it: of this process, or of all.
func (h *House) calls() workplace {
	if h.peers == nil {
		return h.voice
	}
	return anyVoice{h.voice, h.peers}
}
