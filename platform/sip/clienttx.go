package sip

import (
	"errors"
	"net/netip"
	"strconv"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// ErrTimeout says that a peer never answered a request (RFC 3261 §17.1: 64*T1).
var ErrTimeout = errors.New("sip: the peer did not answer in time")

// clientTx is a request of ours until its last response.
type clientTx struct {
	l     *lane
	req   *wire.Request
	via   string
	key   string
	flow  *Flow
	raw   []byte
	state txState
	wait  time.Duration
	timer *time.Timer // repeats
	limit *time.Timer // timeout, then linger
	ack   []byte      // INVITE refused: the ACK to repeat
	stop  func()      // ends the watch on the flow

	// on takes each new response, or an error once instead. An INVITE sees every 2xx, repeats too.
	on func(m *message, err error)
}

// send writes r on the flow in a transaction of its own; timeout 0 means 64*T1.
func (l *lane) send(f *Flow, r *wire.Request, timeout time.Duration, on func(*message, error)) *clientTx {
	cfg := &l.srv.cfg
	branch := wire.Magic + wire.Token(8)
	t := &clientTx{l: l, req: r, flow: f, on: on, wait: cfg.T1, key: branch + " " + r.Method, stop: func() {}}
	t.via = l.srv.viaFor(f, branch)
	t.raw = r.Text(t.via, cfg.Name)
	l.client[t.key] = t
	if timeout <= 0 {
		timeout = 64 * cfg.T1
	}
	t.limit = l.after(timeout, func() { t.fail(ErrTimeout) }) // timers B, F
	if err := l.write(f, t.raw); err != nil {
		l.post(func() { t.fail(err) }) // never call back before send returns
		return t
	}
	if f.Reliable() {
		t.stop = f.watch(func() { l.post(func() { t.fail(ErrFlowClosed) }) })
	} else {
		t.timer = l.after(t.wait, t.repeat) // timers A, E
	}
	return t
}

func (t *clientTx) invite() bool { return t.req.Method == "INVITE" }

// repeat is timers A and E.
func (t *clientTx) repeat() {
	if t.state != txTrying && (t.state != txProceeding || t.invite()) {
		return
	}
	_ = t.l.write(t.flow, t.raw)
	t.wait *= 2
	if !t.invite() {
		t.wait = min(t.wait, t.l.srv.cfg.T2)
		if t.state == txProceeding {
			t.wait = t.l.srv.cfg.T2
		}
	}
	t.timer = t.l.after(t.wait, t.repeat)
}

// fail ends a transaction that has no final response.
func (t *clientTx) fail(err error) {
	if t.state >= txAccepted {
		return
	}
	t.end()
	t.on(nil, err)
}

// receive takes a response that matches.
func (t *clientTx) receive(m *message) {
	switch {
	case t.state == txOver:
	case m.Code < 200:
		if t.state > txProceeding {
			return
		}
		if t.state == txTrying {
			t.state = txProceeding
			if t.invite() {
				t.stopRepeats()
				t.limit.Stop() // from here the ring timeout of the caller holds
			}
		}
		t.on(m, nil)
	case t.invite() && m.Code < 300:
		if t.state == txCompleted {
			return
		}
		if t.state != txAccepted {
			t.state = txAccepted
			t.settle(64 * t.l.srv.cfg.T1) // timer M
		}
		t.on(m, nil)
	case t.state == txAccepted:
	case t.state == txCompleted:
		if t.ack != nil {
			_ = t.l.write(t.flow, t.ack) // our ACK was lost
		}
	default:
		t.state = txCompleted
		if t.invite() {
			t.ack = t.ackFor(m)
			_ = t.l.write(t.flow, t.ack)
			t.linger(64 * t.l.srv.cfg.T1) // timer D
		} else {
			t.linger(t.l.srv.cfg.T4) // timer K
		}
		t.on(m, nil)
	}
}

// linger keeps a completed transaction for repeats; a reliable transport has none.
func (t *clientTx) linger(d time.Duration) {
	if t.flow.Reliable() {
		state := t.state
		t.end()
		t.state = state
		return
	}
	t.settle(d)
}

func (t *clientTx) settle(d time.Duration) {
	t.stopRepeats()
	t.limit.Stop()
	t.stop()
	t.limit = t.l.after(d, t.end)
}

func (t *clientTx) stopRepeats() {
	if t.timer != nil {
		t.timer.Stop()
	}
}

func (t *clientTx) end() {
	t.state = txOver
	t.stopRepeats()
	t.limit.Stop()
	t.stop()
	delete(t.l.client, t.key)
}

// ackFor is the ACK to a refusal: same Via, Request-URI and Route, To of the response (RFC 3261 §17.1.1.3).
func (t *clientTx) ackFor(m *message) []byte {
	a := wire.Request{
		Method: "ACK", URI: t.req.URI, From: t.req.From, To: m.Get("to"), CallID: t.req.CallID,
		Seq: t.req.Seq, Routes: t.req.Routes,
	}
	return a.Text(t.via, "")
}

// cancel sends CANCEL for an INVITE that has had a provisional response (RFC 3261 §9.1) and gives up on the INVITE
// when no final response follows in 64*T1.
func (t *clientTx) cancel(headers []Header) {
	if t.state != txProceeding {
		return
	}
	c := &wire.Request{
		Method: "CANCEL", URI: t.req.URI, From: t.req.From, To: t.req.To, CallID: t.req.CallID,
		Seq: t.req.Seq, Routes: t.req.Routes, Headers: headers,
	}
	cfg := &t.l.srv.cfg
	k := &clientTx{
		l: t.l, req: c, via: t.via, flow: t.flow, wait: cfg.T1, stop: func() {},
		on: func(*message, error) {},
	}
	k.key = t.key[:len(t.key)-len("INVITE")] + "CANCEL"
	k.raw = c.Text(t.via, "")
	t.l.client[k.key] = k
	k.limit = t.l.after(64*cfg.T1, func() { k.fail(ErrTimeout) })
	_ = t.l.write(t.flow, k.raw)
	if !t.flow.Reliable() {
		k.timer = t.l.after(k.wait, k.repeat)
	}
	t.limit.Stop()
	t.limit = t.l.after(64*cfg.T1, func() { t.fail(ErrTimeout) })
}

// viaFor writes the Via of a request on the flow.
func (s *Server) viaFor(f *Flow, branch string) string {
	a := s.addressFor(f)
	v := "SIP/2.0/" + f.via() + " " + wire.HostText(a.Addr().String()) + ":" + strconv.Itoa(int(a.Port())) + ";branch=" + branch
	if f.udp != nil {
		v += ";rport"
	}
	return v
}

// addressFor is our address as the peer on the flow must see it.
func (s *Server) addressFor(f *Flow) netip.AddrPort {
	local := f.local
	if f.udp != nil && local.Addr().IsUnspecified() {
		local = netip.AddrPortFrom(s.outbound(f.Remote.Addr()), local.Port())
	}
	if f.Transport == "tcp" || f.Transport == "tls" {
		if p := s.listenPort(f.Transport); p != 0 {
			local = netip.AddrPortFrom(local.Addr(), p)
		}
	}
	if s.cfg.Advertise.IsValid() && !s.isLocal(f.Remote.Addr()) {
		local = netip.AddrPortFrom(s.cfg.Advertise, local.Port())
	}
	return local
}
