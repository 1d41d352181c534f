package voice

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/rtp"
	"github.com/kapok-hotline/kapok/platform/sdp"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// A browser, and a phone over TLS, are reached by nothing but their own connection. When another process has a call for
// one that is registered here, it calls this process, which calls the endpoint and joins the two: a relay. The call,
// its facts and its recording are the other process's; here it is two legs of media.

// Way is how an endpoint that is registered at another process is reached: straight, or by a relay, whose headers say
// to whom and prove who asks.
type Way struct {
	URI     sip.URI
	Headers []sip.Header
}

// Far knows the endpoints of other processes.
type Far interface {
	Way(at contact.Endpoint, c id.Contact) (Way, bool)
	// Relay reads the headers of a call that another process has for an endpoint here; false: it is no such call.
	Relay(header func(name string) []string) (contact.Endpoint, id.Contact, bool)
}

// near says whether an endpoint is to be rung from here, as far as there is a choice.
func (m *Module) near(at contact.Endpoint) bool { return m.deps.Far == nil || m.binding(at) != nil }

// wayElsewhere reaches an endpoint that is registered at another process.
func (m *Module) wayElsewhere(c id.Contact, s *side, o *sip.CallOptions) error {
	if m.deps.Far != nil {
		if w, ok := m.deps.Far.Way(s.endpoint, c); ok {
			o.URI = w.URI
			o.Headers = append(o.Headers, w.Headers...)
			return nil
		}
	}
	return fault.New(fault.Unavailable, "contact.unreachable")
}

// relay is a call of another process to an endpoint here.
type relay struct {
	c    *call // stands for the call: it has no contact of its own
	leg  rtp.Leg
	kind string

	mu     sync.Mutex
	far    *side
	bridge *rtp.Bridge
	lost   *time.Timer // the browser is away
	swaps  chan struct{}
	hangUp chan struct{}
	once   sync.Once
}

// relays are those of this process, by agent.
type relays struct {
	mu sync.Mutex
	of map[id.User]*relay
}

// relayed takes a call of another process; false: it is none.
func (m *Module) relayed(in *sip.Incoming) bool {
	if m.deps.Far == nil {
		return false
	}
	at, cid, ok := m.deps.Far.Relay(in.Header)
	if !ok {
		return false
	}
	c := &call{
		m: m, id: cid, from: in.From.URI.User, inbox: make(chan func(), inboxLength), done: make(chan struct{}),
		log: m.deps.Log.With("contact", string(cid)),
	}
	r := &relay{c: c, kind: "offer", swaps: make(chan struct{}, 1), hangUp: make(chan struct{})}
	if k := in.Header(headerKind); len(k) > 0 {
		r.kind = k[0]
	}
	r.far = &side{role: "agent", agent: at.Agent, endpoint: at}
	m.gone.Go(func() { m.runRelay(in, r) })
	return true
}

func (m *Module) runRelay(in *sip.Incoming, r *relay) {
	defer close(r.c.done)
	ctx, cancel := context.WithTimeout(m.life, relayRing)
	defer cancel()
	go func() {
		select {
		case <-in.Canceled():
			cancel()
		case <-ctx.Done():
		}
	}()
	near, err := m.joinRelay(ctx, in, r)
	if err != nil {
		code, reason := relayCode(err)
		_ = in.Reject(code, reason) // it may be cancelled already
		return
	}
	if at := r.far.endpoint; at.Browser() {
		m.relays.put(at.Agent, r)
		defer m.relays.drop(at.Agent, r)
	}
	m.watchRelay(near, r)
}

// relayRing is longer than any offer rings: the other process ends it.
const relayRing = 3 * time.Minute

// joinRelay rings the endpoint and joins it to the caller's process.
func (m *Module) joinRelay(ctx context.Context, in *sip.Incoming, r *relay) (*sip.Dialog, error) {
	leg, err := m.plane.NewPlain(rtp.PlainConfig{SDES: sdp.Clear})
	if err != nil {
		return nil, fault.New(fault.Unavailable, "voice.media.none").Because(err)
	}
	ok := false
	defer func() {
		if !ok {
			_ = leg.Close() // nothing flowed yet
			r.far.forget()
		}
	}()
	r.leg = leg
	in.Handle(sip.Events{Offer: func(_ *sip.Dialog, offer []byte) ([]byte, error) { return describe(leg, offer) }})
	body, err := describe(leg, in.Offer)
	if err != nil {
		return nil, err
	}
	_ = in.Progress(180, "Ringing", nil) // it may be cancelled already
	if err := m.reach(ctx, r, r.far, r.kind); err != nil {
		return nil, err
	}
	near, err := in.Answer(ctx, body)
	if err != nil {
		return nil, err
	}
	r.bridge = rtp.Join(leg, r.far.leg)
	ok = true
	return near, nil
}

// reach calls the endpoint.
func (m *Module) reach(ctx context.Context, r *relay, s *side, kind string) error {
	if err := m.openLeg(r.c, s); err != nil {
		return err
	}
	dialog, answer, err := m.dial(ctx, r.c, s, kind)
	if err == nil {
		s.dialog = dialog
		err = s.leg.Accept(answer)
	}
	return err
}

// watchRelay ends both sides when one does.
func (m *Module) watchRelay(near *sip.Dialog, r *relay) {
	for {
		r.mu.Lock()
		far := r.far
		r.mu.Unlock()
		select {
		case <-r.swaps:
			continue
		case <-far.dialog.Done():
			r.mu.Lock()
			swapped := r.far != far
			r.mu.Unlock()
			if swapped {
				continue
			}
		case <-near.Done():
		case <-r.hangUp:
		case <-m.life.Done():
		}
		break
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopLost()
	r.bridge.Cut()
	drop(r.far)
	drop(&side{leg: r.leg, dialog: near})
}

// relayCode says a fault of the endpoint to the caller's process, as the endpoint would have.
func relayCode(err error) (int, string) {
	switch code := fault.CodeOf(err); {
	case code == "contact.busy":
		return 486, ""
	case code == "contact.refused":
		return 603, ""
	case errors.Is(err, context.Canceled):
		return 487, ""
	}
	return 503, "The endpoint cannot be reached"
}

func (r *relays) put(u id.User, x *relay) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil {
		r.of = map[id.User]*relay{}
	}
	r.of[u] = x
}

func (r *relays) drop(u id.User, x *relay) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of[u] == x {
		delete(r.of, u)
	}
}

// browserMoved follows the browser of a relayed talk: gone, the talk is kept for a while; back, it is taken up again.
func (m *Module) browserMoved(agent id.User, up bool) {
	m.relays.mu.Lock()
	r := m.relays.of[agent]
	m.relays.mu.Unlock()
	if r == nil {
		return
	}
	if up {
		m.gone.Go(func() { m.takeUpRelay(r) })
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost == nil {
		r.c.log.Warn("the agent's browser is away; the talk is kept", "agent", agent)
		r.lost = time.AfterFunc(keepCall, func() { r.once.Do(func() { close(r.hangUp) }) })
	}
}

func (r *relay) stopLost() {
	if r.lost != nil {
		r.lost.Stop()
		r.lost = nil
	}
}

// takeUpRelay brings the talk to the browser that came back.
func (m *Module) takeUpRelay(r *relay) {
	r.mu.Lock()
	old := r.far
	r.mu.Unlock()
	fresh := &side{role: old.role, agent: old.agent, endpoint: old.endpoint}
	ctx, cancel := context.WithTimeout(m.life, keepCall)
	defer cancel()
	if err := m.reach(ctx, r, fresh, "reattach"); err != nil {
		r.c.log.Warn("a browser came back and did not take its talk", "agent", old.agent, "err", err)
		fresh.forget()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.c.done:
		drop(fresh)
		return
	default:
	}
	r.stopLost()
	r.bridge.Cut()
	r.far, r.bridge = fresh, rtp.Join(r.leg, fresh.leg)
	drop(old)
	select {
	case r.swaps <- struct{}{}:
	default:
	}
}

// forget drops a side that may never have had media.
func (s *side) forget() {
	if s.leg != nil {
		drop(s)
	}
}
