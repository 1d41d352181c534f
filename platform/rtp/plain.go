package rtp

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/platform/sdp"
)

// PlainConfig says how a plain leg is set up.
type PlainConfig struct {
	Events   Events
	Public   netip.Addr     // address announced to this peer, when it is another than the plane's
	SDES     sdp.Encryption // SRTP by keys in the SDP; use it only over TLS
	RTCPMux  bool           // offer rtcp-mux
	PreferMu bool           // µ-law first
	Strict   bool           // take media only from the signalled host: a trunk with fixed addresses
	Timeout  time.Duration  // silence after which Events.Timeout is told; 0: never
}

// Plain is a leg on a UDP port of its own: a telephone, a trunk.
type Plain struct {
	line
	plane *Plane
	pair  *portPair

	// under in.mu
	latch    latch
	guardIn  *guard
	rtcpFrom netip.AddrPort // where the peer's reports come from

	// under out.mu
	guardOut *guard
	dst      netip.AddrPort
	dstRTCP  netip.AddrPort
	mux      bool
	closed   bool // the pair is another leg's

	fast fast
	once sync.Once
}

var _ Leg = (*Plain)(nil)

// NewPlain opens a leg: two ports are taken and read from. ErrNoPort when none is free.
func (p *Plane) NewPlain(cfg PlainConfig) (*Plain, error) {
	pair, err := p.ports.open()
	if err != nil {
		return nil, err
	}
	l := &Plain{plane: p, pair: pair}
	l.latch.strict = cfg.Strict
	l.line.send, l.line.settle = l.transmit, l.settle
	l.start(p.cfg.Now, cfg.Events, cfg.Timeout)
	local := p.local(rand.Uint64()>>2, cfg.Public, pair.port)
	local.RTCPMux, local.PreferMu, local.SDES = cfg.RTCPMux, cfg.PreferMu, cfg.SDES
	l.ex = sdp.NewExchange(local)
	if err := p.add(l); err != nil {
		p.ports.give(pair)
		return nil, err
	}
	pair.leg.Store(l)
	return l, nil
}

// Port gives the leg's RTP port.
func (l *Plain) Port() uint16 { return l.pair.port }

// settle puts an agreement into force. Under neg.
func (l *Plain) settle(a sdp.Agreement) error {
	in, err := sdesGuard(l.guardIn, a.Receive, true)
	if err != nil {
		return err
	}
	out, err := sdesGuard(l.guardOut, a.Send, false)
	if err != nil {
		return err
	}
	l.recall()
	l.adopt(a, false)
	l.in.mu.Lock()
	l.guardIn = in
	signalled := a.Remote
	if !signalled.Addr().IsValid() { // hold by 0.0.0.0, or a host name: reports still go where they went
		signalled = l.latch.signalled
	}
	moved := signalled != l.latch.signalled
	l.latch.open(signalled, l.now())
	if moved { // the peer said that it has gone elsewhere: what was learnt before is void
		l.latch.current, l.rtcpFrom = netip.AddrPort{}, netip.AddrPort{}
	}
	dst := l.latch.target()
	l.in.mu.Unlock()
	l.out.mu.Lock()
	l.guardOut, l.mux = out, a.RTCPMux
	l.aim(dst)
	if dst == a.Remote && a.RTCP.IsValid() && a.RTCP.Addr().IsValid() {
		l.dstRTCP = a.RTCP
	}
	l.out.mu.Unlock()
	l.recall() // a lane that was laid meanwhile was laid by the old agreement
	return nil
}

// aim sets where packets go; reports go to the next port unless the peer shows another. Under out.mu.
func (l *Plain) aim(dst netip.AddrPort) {
	l.out.claim(l.now())
	l.dst, l.dstRTCP = dst, dst
	if !l.mux && dst.Port() < 65535 {
		l.dstRTCP = netip.AddrPortFrom(dst.Addr(), dst.Port()+1)
	}
}

// transmit sends a packet; it is called under out.mu.
func (l *Plain) transmit(b []byte, report bool) (err error) {
	if l.closed {
		return ErrClosed
	}
	conn, dst := l.pair.rtp, l.dst
	if report {
		dst = l.dstRTCP
		if !l.mux {
			conn = l.pair.rtcp
		}
	}
	if !dst.Addr().IsValid() || dst.Port() == 0 {
		return nil
	}
	if g := l.guardOut; g != nil {
		if report {
			b, err = g.protectReport(b)
		} else {
			b, err = g.protect(b)
		}
		if err != nil {
			return err
		}
	}
	_, err = conn.WriteToAddrPort(b, dst)
	return err
}

// arrive takes a datagram from the media port.
func (l *Plain) arrive(b []byte, from netip.AddrPort, at time.Time) {
	if isRTCP(b) {
		l.arriveReport(b, from, at)
		return
	}
	l.in.mu.Lock()
	h, ok := parse(b)
	if !ok || !l.agreed || !l.in.known(h.pt) {
		l.in.bad++
		l.in.mu.Unlock()
		return
	}
	if l.in.flood(at) {
		l.in.mu.Unlock()
		return
	}
	waited := false
	if l.in.lane != nil || l.in.queue.may {
		waited = l.fetch(h, from, at)
	}
	secure := l.guardIn != nil
	if secure {
		if b, ok = l.decrypt(b); ok {
			h, ok = parse(b)
		}
		if !ok {
			l.in.bad++
			l.in.mu.Unlock()
			return
		}
		l.latch.current, l.latch.last = l.follow(from), at // proven by its key, wherever it comes from
	} else if before := l.latch.current; !l.latch.accept(from, at) {
		l.in.foreign++
		l.in.rate-- // strangers do not use up the peer's allowance
		l.in.mu.Unlock()
		return
	} else if before != from {
		l.follow(from)
	}
	l.in.mu.Unlock()
	if waited {
		l.late(h, b[h.payload:h.end], at)
		return
	}
	l.packet(h, b[h.payload:h.end], at)
	if h.seq%fastEach == 0 && l.plane.kernel != nil {
		l.lay(l.plane.kernel, at, true)
	}
}

// follow turns our packets to a new address of the peer. Under in.mu.
func (l *Plain) follow(from netip.AddrPort) netip.AddrPort {
	l.out.mu.Lock()
	if l.dst != from {
		l.aim(from)
		l.rtcpFrom = netip.AddrPort{}
	}
	l.out.mu.Unlock()
	return from
}

func (l *Plain) decrypt(b []byte) ([]byte, bool) {
	p, err := l.guardIn.open(b)
	return p, err == nil
}

// arriveReport takes RTCP from the host the media comes from, or is expected from.
func (l *Plain) arriveReport(b []byte, from netip.AddrPort, at time.Time) {
	l.in.mu.Lock()
	host := l.latch.target().Addr()
	if !l.agreed || from.Addr() != host {
		l.in.foreign++
		l.in.mu.Unlock()
		return
	}
	if l.in.flood(at) {
		l.in.mu.Unlock()
		return
	}
	if l.guardIn != nil {
		p, err := l.guardIn.openReport(b)
		if err != nil {
			l.in.bad++
			l.in.mu.Unlock()
			return
		}
		b = p
	}
	if l.rtcpFrom != from {
		l.rtcpFrom = from
		l.out.mu.Lock()
		l.dstRTCP = from
		l.out.mu.Unlock()
	}
	l.in.mu.Unlock()
	l.report(b, at)
}

// Stats gives a snapshot of the counters.
func (l *Plain) Stats() Stats {
	l.out.mu.Lock()
	dst, name := l.dst, ""
	if l.guardOut != nil {
		name = l.guardOut.name
	}
	l.out.mu.Unlock()
	return l.stats(dst, name)
}

// Close frees the ports.
func (l *Plain) Close() error {
	l.once.Do(func() {
		l.SetSink(nil)
		l.plane.remove(l)
		l.pair.leg.Store(nil)
		l.out.mu.Lock()
		l.closed = true // whoever still writes must not do so from another's port
		l.out.mu.Unlock()
		l.shutFast()
		l.plane.ports.give(l.pair)
	})
	return nil
}
