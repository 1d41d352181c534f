package sip

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// Incoming is an INVITE that begins a call. The fields do not change. It must be settled by Answer or Reject;
// Config.Unanswered is its deadline.
type Incoming struct {
	CallID    string
	At        time.Time
	Source    netip.AddrPort
	Transport string // udp, tcp, tls, ws or wss
	Flow      *Flow
	From, To  Address
	URI       URI       // of the request line
	Identity  []Address // P-Asserted-Identity (RFC 3325), or Remote-Party-ID of older peers; trust it from trunks only
	Offer     []byte    // nil: late offer, Answer then carries ours
	OfferType string    // Content-Type of Offer
	Trunk     string    // the trunk it came by, "" for other sources
	Replaces  *Replaces // RFC 3891

	srv     *Server
	l       *lane
	m       *message
	tx      *serverTx
	d       *Dialog
	reacted func()
	gone    chan struct{}
	settled bool
	rel     reliable
	limit   *time.Timer
	keep    *time.Timer
	last    wire.Reply
}

// incoming begins a call in its lane.
func (s *Server) incoming(l *lane, m *message) {
	l.isCall = true
	t := l.newServerTx(m)
	in, code := s.readIncoming(l, m, t)
	if code != 0 {
		t.respond(wire.Reply{Code: code})
		return
	}
	if s.cfg.Invite == nil {
		t.respond(wire.Reply{Code: 480})
		return
	}
	if !in.readSession() {
		return
	}
	in.limit = l.after(s.cfg.Unanswered, func() { in.reject(480, "", nil) })
	t.canceled = func() { in.cancel(End{Cause: CauseCanceled, Reason: reasonText(m)}) }
	in.reacted = s.overload.waiting()
	s.crew.Do(func() {
		if !s.guard(l.id, func() { s.cfg.Invite(in) }) {
			_ = in.Reject(500, "")
		}
	})
}

// readIncoming makes the call and its early dialog, or says with which code to refuse.
func (s *Server) readIncoming(l *lane, m *message, t *serverTx) (*Incoming, int) {
	in := &Incoming{
		CallID: l.id, At: m.at, Source: m.flow.Remote, Transport: m.flow.Transport, Flow: m.flow,
		Offer: m.Body, OfferType: m.Get("content-type"), srv: s, l: l, m: m, tx: t, gone: make(chan struct{}),
	}
	contacts := m.List("contact")
	if len(contacts) != 1 || m.FromTag == "" && m.Get("from") == "" {
		return nil, 400
	}
	contact, errC := ParseAddress(contacts[0])
	var errF, errT, errU error
	in.From, errF = ParseAddress(m.Get("from"))
	in.To, errT = ParseAddress(m.Get("to"))
	in.URI, errU = ParseURI(m.URI)
	if err := errors.Join(errC, errF, errT, errU); err != nil {
		s.log.Debug("sip: INVITE not well formed", "callid", l.id, "err", err)
		return nil, 400
	}
	for _, name := range []string{"p-asserted-identity", "remote-party-id"} {
		for _, v := range m.List(name) {
			if a, err := ParseAddress(v); err == nil {
				in.Identity = append(in.Identity, a)
			}
		}
		if len(in.Identity) > 0 {
			break
		}
	}
	if v := m.Get("replaces"); v != "" {
		r, err := ParseReplaces(v)
		if err != nil || m.Count("replaces") > 1 {
			return nil, 400
		}
		in.Replaces = &r
	}
	in.Trunk = s.trunks.of(m)
	d := newDialog(l, false, m.flow)
	d.incoming, d.localTag, d.remoteTag = in, t.tag, m.FromTag
	d.local, d.remote = m.Get("to"), wire.StripTag(m.Get("from"))
	d.target, d.routes = contact.URI.String(), m.List("record-route")
	d.remoteSeq, d.remoteSeen = m.Seq, true
	d.contactUser, d.trunk = in.URI.User, in.Trunk
	d.pinned = s.registrar.knows(m.flow)
	d.peerAllow, d.peerTimer = strings.Join(m.List("allow"), ","), m.Has("supported", "timer")
	in.d = d
	l.dialogs = append(l.dialogs, d)
	return in, 0
}

// Header gives all values of a header of the INVITE, as written, one per line.
func (in *Incoming) Header(name string) []string {
	name = strings.ToLower(name)
	var out []string
	for _, f := range in.m.Fields {
		if f.Name == name {
			out = append(out, f.Value)
		}
	}
	return out
}

// Canceled is closed when the call will not come about any more: the caller gave up, or it was refused.
func (in *Incoming) Canceled() <-chan struct{} { return in.gone }

// Handle sets the event functions of the dialog before it is answered.
func (in *Incoming) Handle(e Events) { in.d.Handle(e) }

// Dialog gives the early dialog.
func (in *Incoming) Dialog() *Dialog { return in.d }

// Progress sends a provisional response (101–199); body may be nil. It goes reliably (RFC 3262) when the peer
// demands it, or supports it and there is a body. It is repeated every minute while nothing else is said, so that
// proxies keep waiting (RFC 3261 §13.3.1.1).
func (in *Incoming) Progress(code int, reason string, body []byte, headers ...Header) error {
	if code <= 100 || code > 199 {
		return errors.New("sip: a provisional response is 101 to 199, not " + strconv.Itoa(code))
	}
	_, err := wait(context.Background(), in.l, func(done func(struct{}, error)) {
		in.react()
		if in.settled {
			done(struct{}{}, in.over())
			return
		}
		in.progress(wire.Reply{Code: code, Reason: reason, Body: body, Headers: headers})
		done(struct{}{}, nil)
	})
	return err
}

func (in *Incoming) progress(r wire.Reply) {
	r.Headers = append(append([]Header{}, r.Headers...), Header{Name: "Contact", Value: in.d.contact(in.m.flow)}, Header{Name: "Allow", Value: allow})
	if len(r.Body) > 0 {
		in.d.lastBody, in.d.lastCT = r.Body, r.Type
	}
	in.last = r
	if in.m.Has("require", "100rel") || in.m.Has("supported", "100rel") && len(r.Body) > 0 {
		in.rel.send(in, r)
	} else {
		in.tx.respond(r)
	}
	if in.keep != nil {
		in.keep.Stop()
	}
	in.keep = in.l.after(time.Minute, func() {
		if !in.settled {
			again := in.last
			again.Body = nil
			in.progress(again)
		}
	})
}

func (in *Incoming) react() {
	if in.reacted != nil {
		in.reacted()
	}
}

func (in *Incoming) over() error {
	if in.d.end.Cause == CauseCanceled {
		return ErrCanceled
	}
	return ErrEnded
}

// settle stops the clocks; false when it was settled before.
func (in *Incoming) settle() bool {
	if in.settled {
		return false
	}
	in.settled = true
	in.limit.Stop()
	if in.keep != nil {
		in.keep.Stop()
	}
	in.rel.stop()
	in.react()
	return true
}

// Answer accepts the call with 200. body is the answer to Offer, or our offer when Offer was nil (see
// Dialog.WaitACK for the answer then). The 200 is repeated until the ACK; without one the dialog ends with
// CauseNoAck and a BYE. ErrCanceled when the caller gave up before.
func (in *Incoming) Answer(ctx context.Context, body []byte, headers ...Header) (*Dialog, error) {
	return wait(ctx, in.l, func(done func(*Dialog, error)) {
		in.react()
		if in.settled {
			done(nil, in.over())
			return
		}
		in.rel.whenClear(func() { // RFC 3262 §5: an offer or answer in a 18x must be PRACKed first
			if !in.settle() {
				done(nil, in.over())
				return
			}
			d := in.d
			d.early = false
			d.lastBody = body
			h := append(append([]Header{}, headers...), Header{Name: "Contact", Value: d.contact(in.m.flow)})
			h = append(h, capabilities()...)
			h = append(h, d.session.answer(d, in.m)...)
			d.answer(in.tx, wire.Reply{Code: 200, Headers: h, Body: body}, true, len(in.Offer) == 0 && len(body) > 0)
			d.session.start(d)
			done(d, nil)
		})
	})
}

// Reject refuses the call with a final code (300–699) and extra headers, for example Retry-After or Reason.
func (in *Incoming) Reject(code int, reason string, headers ...Header) error {
	if code < 300 || code > 699 {
		return errors.New("sip: a refusal is 300 to 699, not " + strconv.Itoa(code))
	}
	_, err := wait(context.Background(), in.l, func(done func(struct{}, error)) {
		if in.settled {
			done(struct{}{}, in.over())
			return
		}
		in.reject(code, reason, headers)
		done(struct{}{}, nil)
	})
	return err
}

func (in *Incoming) reject(code int, reason string, headers []Header) {
	if !in.settle() {
		return
	}
	in.tx.respond(wire.Reply{Code: code, Reason: reason, Headers: headers})
	in.d.finish(End{Cause: CauseRefused, Code: code, Reason: reason})
	close(in.gone)
}

// cancel ends the call before its answer from the peer's side.
func (in *Incoming) cancel(e End) {
	if !in.settle() {
		return
	}
	in.tx.respond(wire.Reply{Code: 487})
	in.d.finish(e)
	close(in.gone)
}

// reasonText reads the text of a Reason header (RFC 3326).
func reasonText(m *message) string {
	v := m.Get("reason")
	_, params, _ := strings.Cut(v, ";")
	if t, ok := wire.Param(params, "text"); ok {
		return t
	}
	return v
}

// reasonCode reads the cause of a Reason header.
func reasonCode(m *message) int {
	_, params, _ := strings.Cut(m.Get("reason"), ";")
	t, _ := wire.Param(params, "cause")
	n, _ := strconv.Atoi(t)
	return n
}
