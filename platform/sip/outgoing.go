package sip

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// Outgoing is a call of ours until it is answered or has failed.
type Outgoing struct {
	CallID string

	srv     *Server
	l       *lane
	opt     CallOptions
	hops    []hop
	fromTag string
	seq     uint32
	tx      *clientTx
	flow    *Flow
	req     *wire.Request
	forks   []*Dialog
	rseq    map[*Dialog]uint32
	won     *Dialog
	settled bool
	cancels bool // Cancel was called, or the ring time is over
	why     Event
	tries   int
	ring    *time.Timer
	events  chan Event
	unwatch func() bool
	headers []Header
	minSE   time.Duration
	spoke   bool // a provisional beyond 100 came: no other target any more

	result Event
	done   chan struct{}
}

const (
	maxForks  = 16 // early dialogs of one call
	eventRoom = 8  // events that wait to be read; the room of 32 was 4 kB of each call for half a minute
)

// Call begins a call. Events tells what becomes of it; cancelling ctx before the answer is Cancel. The error is for
// options or addresses that cannot work at all.
func (s *Server) Call(ctx context.Context, opt CallOptions) (*Outgoing, error) {
	if len(opt.Body) == 0 {
		return nil, errors.New("sip: a call needs an offer in Body")
	}
	hops, err := s.hopsFor(ctx, &opt)
	if err != nil {
		return nil, err
	}
	f, at, err := s.firstFlow(ctx, hops)
	if err != nil {
		return nil, err
	}
	if opt.RingTimeout <= 0 {
		opt.RingTimeout = 2 * time.Minute
	}
	o := &Outgoing{
		CallID: wire.Token(12), srv: s, opt: opt, hops: hops[at:], fromTag: wire.Token(6), events: make(chan Event, eventRoom),
		done: make(chan struct{}), rseq: map[*Dialog]uint32{}, headers: opt.Headers,
	}
	s.deliver(o.CallID, true, func(l *lane) {
		o.l = l
		l.isCall = true
		l.calls = append(l.calls, o)
		o.ring = l.after(opt.RingTimeout, func() {
			o.cancel(Event{Kind: Failed, Code: 408, Reason: "nobody answered in time", Err: ErrTimeout}, nil)
		})
		o.unwatch = context.AfterFunc(ctx, func() { o.Cancel() })
		o.try(f)
	})
	return o, nil
}

// Events gives the steps in order; the channel closes after Answered or Failed. A reader that is slow loses
// provisional steps, never the last one.
func (o *Outgoing) Events() <-chan Event { return o.events }

// Wait waits for the end: the dialog, or why there is none (*StatusError when the peer refused).
func (o *Outgoing) Wait(ctx context.Context) (*Dialog, error) {
	select {
	case <-o.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	r := o.result
	switch {
	case r.Kind == Answered:
		return r.Dialog, nil
	case r.Err != nil:
		return nil, r.Err
	}
	return nil, &StatusError{r.Code, r.Reason}
}

// Cancel gives the call up. An answer that crosses it is acknowledged and hung up.
func (o *Outgoing) Cancel(headers ...Header) {
	o.post(func() {
		o.cancel(Event{Kind: Failed, Code: 487, Reason: wire.ReasonOf(487), Err: ErrCanceled}, headers)
	})
}

func (o *Outgoing) post(fn func()) {
	o.srv.deliver(o.CallID, false, func(*lane) { fn() })
}

func (o *Outgoing) cancel(why Event, headers []Header) {
	if o.settled || o.cancels {
		return
	}
	o.cancels, o.why = true, why
	o.headers = headers
	if o.tx != nil {
		o.tx.cancel(headers) // nothing yet: the CANCEL follows the first provisional
	}
}

// try sends the INVITE to the flow.
func (o *Outgoing) try(f *Flow) {
	if o.cancels {
		o.failEvent(o.why)
		return
	}
	o.flow = f
	o.seq++
	uri := o.requestURI(f)
	to := o.opt.To
	if to.URI.Host == "" && to.URI.User == "" {
		to.URI = o.opt.URI
		to.URI.Params = ""
	}
	from := o.opt.From
	if from.URI.Host == "" {
		from.URI.Host = o.srv.addressFor(f).Addr().String()
	}
	h := append(append([]Header{{Name: "Allow", Value: allow}}, (&session{}).ask(&Dialog{srv: o.srv}, o.minSE)...), o.headers...)
	o.req = &wire.Request{
		Method: "INVITE", URI: uri, CallID: o.CallID, Seq: o.seq, Headers: h, Type: o.opt.BodyType, Body: o.opt.Body,
		From: wire.StripTag(from.String()) + ";tag=" + o.fromTag, To: wire.StripTag(to.String()), Contact: o.srv.contactFor(o.opt.From.URI.User, f),
	}
	timeout := time.Duration(0)
	if len(o.hops) > 1 {
		timeout = 8 * o.srv.cfg.T1 // another target waits: do not spend 32 s on a dead one
	}
	o.tx = o.l.send(f, o.req, timeout, o.on)
}

func (o *Outgoing) requestURI(f *Flow) string {
	if o.opt.Binding != nil {
		return o.opt.Binding.Contact.String()
	}
	u := o.opt.URI
	if len(o.hops) > 0 && o.opt.Trunk != "" {
		u.Host, u.Port = o.hops[0].host, o.hops[0].uriPort
	}
	return u.String()
}

// on takes what the INVITE brings.
func (o *Outgoing) on(m *message, err error) {
	switch {
	case m == nil:
		o.noAnswer(err)
	case m.Code < 200:
		o.provisional(m)
	case m.Code < 300:
		o.success(m)
	default:
		o.refused(m)
	}
}

// fork finds or makes the early dialog of the peer's tag.
func (o *Outgoing) fork(m *message) *Dialog {
	for _, d := range o.forks {
		if d.remoteTag == m.ToTag {
			return d
		}
	}
	if len(o.forks) >= maxForks {
		return nil
	}
	d := newDialog(o.l, true, m.flow)
	d.localTag, d.remoteTag = o.fromTag, m.ToTag
	d.local, d.remote = wire.StripTag(o.req.From), wire.StripTag(m.Get("to"))
	d.localSeq, d.target = o.seq, o.req.URI
	rr := m.List("record-route")
	for i := len(rr) - 1; i >= 0; i-- {
		d.routes = append(d.routes, rr[i])
	}
	d.refreshTarget(m)
	d.contactUser, d.auth, d.trunk = o.opt.From.URI.User, o.opt.Auth, o.opt.Trunk
	d.pinned = o.opt.Binding != nil
	if d.flow.udp != nil && d.pinned {
		d.flow = o.flow
	}
	d.lastBody, d.lastCT = o.opt.Body, o.opt.BodyType
	d.Handle(o.opt.Events)
	close(d.acked1)
	o.forks = append(o.forks, d)
	o.l.dialogs = append(o.l.dialogs, d)
	return d
}

func (o *Outgoing) provisional(m *message) {
	if o.cancels {
		o.tx.cancel(o.headers)
	}
	if o.settled || m.Code == 100 {
		return
	}
	o.spoke = true
	var d *Dialog
	if m.ToTag != "" {
		if d = o.fork(m); d == nil {
			return
		}
		if m.Has("require", "100rel") && !o.prack(d, m) {
			return // a repeat, or out of order
		}
	}
	if len(o.events) < cap(o.events)-1 { // the last place is kept for the outcome
		o.events <- Event{Kind: Progressed, Code: m.Code, Reason: m.Reason, Body: m.Body, Dialog: d, Headers: headersOf(m)}
	}
}

// prack acknowledges a reliable provisional (RFC 3262 §4).
func (o *Outgoing) prack(d *Dialog, m *message) bool {
	n, err := strconv.ParseUint(m.Get("rseq"), 10, 32)
	if err != nil {
		return false
	}
	if last, ok := o.rseq[d]; ok && uint32(n) != last+1 {
		return false
	}
	o.rseq[d] = uint32(n)
	h := []Header{{Name: "RAck", Value: m.Get("rseq") + " " + m.Get("cseq")}}
	d.ask(d.nextFlow(), d.newRequest("PRACK", h, "", nil), func(*message, error) {})
	return true
}

func (o *Outgoing) success(m *message) {
	d := o.forkOr2xx(m)
	if d == nil {
		return
	}
	if d.over || !d.early { // a repeat: our ACK was lost
		d.ackInvite(o.flow, m)
		return
	}
	d.early = false
	d.refreshTarget(m)
	if rr := m.List("record-route"); len(rr) > 0 { // the 2xx decides (RFC 3261 §12.1.2)
		d.routes = nil
		for i := len(rr) - 1; i >= 0; i-- {
			d.routes = append(d.routes, rr[i])
		}
	}
	if !d.pinned || d.flow.udp == nil {
		d.flow = m.flow
	}
	d.peerAllow = strings.Join(m.List("allow"), ",")
	d.ackInvite(o.flow, m)
	if o.settled || o.cancels { // another fork was quicker, or the answer crossed our CANCEL
		d.hangUp(End{Cause: CauseCanceled, Code: 487, Reason: "answered too late"}, nil, func(struct{}, error) {})
		if !o.settled {
			o.failEvent(o.why)
		}
		return
	}
	d.session.answered(m)
	d.session.start(d)
	o.settle()
	o.won = d
	for _, x := range append([]*Dialog(nil), o.forks...) {
		if x != d && x.early {
			x.finish(End{Cause: CauseCanceled, Reason: "another answered"})
		}
	}
	d.next()
	o.outcome(Event{Kind: Answered, Code: m.Code, Reason: m.Reason, Body: m.Body, Dialog: d, Headers: headersOf(m)})
}

// forkOr2xx gives the dialog of a 2xx; one whose early dialog was already dropped is made anew, so that it can be
// acknowledged and hung up.
func (o *Outgoing) forkOr2xx(m *message) *Dialog {
	for i, d := range o.forks {
		if d.remoteTag == m.ToTag && d.over && len(d.acks) == 0 {
			o.forks = append(o.forks[:i:i], o.forks[i+1:]...)
			break
		}
	}
	return o.fork(m)
}

func (o *Outgoing) noAnswer(err error) {
	if o.settled {
		return
	}
	if o.cancels {
		o.failEvent(o.why)
		return
	}
	if o.nextHop() {
		return
	}
	code := 408
	if !errors.Is(err, ErrTimeout) {
		code = 503
	}
	o.fail(code, wire.ReasonOf(code), err)
}

func (o *Outgoing) refused(m *message) {
	if o.settled {
		return
	}
	if o.cancels {
		o.failEvent(o.why)
		return
	}
	switch {
	case wire.Challenged(m.Head) && o.opt.Auth != nil && o.tries < 2:
		if h, err := o.opt.Auth.AnswerChallenge(m.Head, "INVITE", o.req.URI); err == nil {
			o.tries++
			o.headers = withHeader(o.headers, h)
			o.try(o.flow)
			return
		}
	case m.Code == 422:
		if lo, _, ok := sessionExpires(m.Get("min-se")); ok && lo > o.minSE {
			o.minSE = lo
			o.try(o.flow)
			return
		}
	case m.Code == 503 && o.nextHop():
		return
	}
	o.failEvent(Event{Kind: Failed, Code: m.Code, Reason: m.Reason, Body: m.Body, Headers: headersOf(m)})
}

// nextHop goes on to the next target of a trunk or of DNS (RFC 3263 §4.3); false when there is none.
func (o *Outgoing) nextHop() bool {
	if len(o.hops) < 2 || o.spoke {
		return false
	}
	o.hops = o.hops[1:]
	o.tx = nil
	hops := o.hops
	o.srv.spawn(func() {
		ctx, cancel := context.WithTimeout(o.srv.ctx, 10*time.Second)
		defer cancel()
		f, at, err := o.srv.firstFlow(ctx, hops)
		o.post(func() {
			if o.settled {
				return
			}
			if err != nil {
				o.fail(503, wire.ReasonOf(503), err)
				return
			}
			o.hops = hops[at:]
			o.tries = 0
			o.try(f)
		})
	})
	return true
}

func (o *Outgoing) fail(code int, reason string, err error) {
	o.failEvent(Event{Kind: Failed, Code: code, Reason: reason, Err: err})
}

func (o *Outgoing) failEvent(e Event) {
	if o.settled {
		return
	}
	o.settle()
	for _, d := range append([]*Dialog(nil), o.forks...) {
		if d.early {
			d.finish(End{Cause: CauseRefused, Code: e.Code, Reason: e.Reason})
		}
	}
	o.outcome(e)
}

func (o *Outgoing) settle() {
	o.settled = true
	o.opt.Events = Events{} // of those who answer from now on none is kept; see Dialog.finish
	stopTimer(o.ring)
	for i, x := range o.l.calls {
		if x == o {
			o.l.calls = append(o.l.calls[:i:i], o.l.calls[i+1:]...)
			break
		}
	}
}

func (o *Outgoing) outcome(e Event) {
	o.result = e
	close(o.done)
	o.events <- e // its place was kept
	close(o.events)
	o.unwatch()
}
