package rtp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v4"

	"github.com/kapok-hotline/kapok/platform/sdp"
)

// Times of a browser leg.
const (
	connectTime = 15 * time.Second // from the agreement to a finished DTLS handshake
	consentLost = 10 * time.Second // no valid check for so long: disconnected (RFC 7675 says 30 s at most)
	consentOver = 10 * time.Second // and for so long again: gone
)

// WebConfig says how a browser leg is set up.
type WebConfig struct {
	Events  Events
	Public  netip.Addr    // address announced to this peer, when it is another than the plane's
	Timeout time.Duration // silence after which Events.Timeout is told; 0: only lost consent counts
}

// Web is a leg to a browser: ICE-lite on the shared port, DTLS-SRTP with the process's certificate, rtcp-mux.
type Web struct {
	line
	plane *Plane
	mux   *mux
	agent *ice.Agent
	web   *sdp.WebRTC
	ctx   context.Context
	end   context.CancelFunc

	connecting bool // under neg

	guardIn *guard // under in.mu

	// under out.mu
	guardOut *guard
	dst      netip.AddrPort

	once sync.Once
	gone chan struct{} // the connecting goroutine has ended; nil before it began
}

var _ Leg = (*Web)(nil)

// NewWeb makes a browser leg. Nothing is sent before an agreement; Events.Up tells when media can flow and
// Events.Down when it could not be brought about.
func (p *Plane) NewWeb(cfg WebConfig) (*Web, error) {
	if p.web == nil {
		return nil, errors.New("rtp: browser legs are switched off; open the plane with Web")
	}
	m := p.web
	ufrag, pwd := credentials()
	agent, err := ice.NewAgentWithOptions(
		ice.WithICELite(true), ice.WithUDPMux(m.ice), ice.WithLocalCredentials(ufrag, pwd),
		ice.WithNetworkTypes([]ice.NetworkType{ice.NetworkTypeUDP4, ice.NetworkTypeUDP6}),
		ice.WithCandidateTypes([]ice.CandidateType{ice.CandidateTypeHost}),
		ice.WithMulticastDNSMode(ice.MulticastDNSModeDisabled), ice.WithIncludeLoopback(),
		ice.WithDisconnectedTimeout(consentLost), ice.WithFailedTimeout(consentOver), ice.WithLoggerFactory(m.logs),
	)
	if err != nil {
		return nil, fmt.Errorf("rtp: ice: %w", err)
	}
	l := &Web{plane: p, mux: m, agent: agent}
	l.ctx, l.end = context.WithCancel(context.Background())
	l.line.send, l.line.settle = l.transmit, l.settle
	l.start(p.cfg.Now, cfg.Events, cfg.Timeout)
	l.web = &sdp.WebRTC{Ufrag: ufrag, Pwd: pwd, Fingerprint: m.fingerprint, Renew: credentials}
	local := p.local(mrand.Uint64()>>2, cfg.Public, portOf(m.conn))
	local.WebRTC, local.SSRC = l.web, l.out.ssrc
	l.ex = sdp.NewExchange(local)
	if err := errors.Join(agent.OnCandidate(func(ice.Candidate) {}), agent.OnSelectedCandidatePairChange(l.moved),
		agent.OnConnectionStateChange(l.state), agent.GatherCandidates()); err != nil {
		_ = agent.Close()
		return nil, fmt.Errorf("rtp: ice: %w", err)
	}
	if err := p.add(l); err != nil {
		_ = agent.Close()
		return nil, err
	}
	return l, nil
}

// credentials makes an ICE user fragment and password (RFC 8445 §5.3).
func credentials() (ufrag, pwd string) {
	text := rand.Text() + rand.Text() // 52 characters of base32, 5 bits each
	return text[:8], text[8:40]
}

// settle puts an agreement into force; the first one starts the connection. Under neg.
func (l *Web) settle(a sdp.Agreement) error {
	l.adopt(a, a.Held) // a held browser goes on sending silence, which is nobody's sound
	if !l.connecting {
		l.connecting = true
		l.gone = make(chan struct{})
		go l.connect(a)
		return nil
	}
	if !a.Restarted {
		return nil
	}
	if err := l.agent.Restart(l.web.Ufrag, l.web.Pwd); err != nil {
		return fmt.Errorf("rtp: ice restart: %w", err)
	}
	return errors.Join(l.agent.SetRemoteCredentials(a.Peer.Ufrag, a.Peer.Pwd), l.agent.GatherCandidates())
}

// moved follows the browser to the pair it has nominated: the first one, and any after a change of network.
func (l *Web) moved(_, remote ice.Candidate) {
	addr, err := netip.ParseAddr(remote.Address())
	if err != nil {
		return
	}
	to := netip.AddrPortFrom(addr.Unmap(), uint16(remote.Port()))
	l.out.mu.Lock()
	old := l.dst
	l.dst = to
	l.out.mu.Unlock()
	l.mux.own(l, old, to)
	if l.ctx.Err() != nil { // closed meanwhile
		l.mux.own(l, to, netip.AddrPort{})
	}
}

// state hears from ICE; lost consent is a timeout also while on hold.
func (l *Web) state(s ice.ConnectionState) {
	if s != ice.ConnectionStateFailed || l.ctx.Err() != nil {
		return
	}
	l.in.mu.Lock()
	told := l.silent
	l.silent = true
	l.in.mu.Unlock()
	if !told && l.events.Timeout != nil {
		l.events.Timeout()
	}
}

// arrive takes SRTP or SRTCP on the mux's goroutine.
func (l *Web) arrive(b []byte, at time.Time) {
	l.in.mu.Lock()
	g := l.guardIn
	if g == nil || l.in.flood(at) {
		l.in.mu.Unlock()
		return
	}
	if isRTCP(b) {
		p, err := g.openReport(b)
		if err != nil {
			l.in.bad++
		}
		l.in.mu.Unlock()
		if err == nil {
			l.report(p, at)
		}
		return
	}
	h, ok := parse(b)
	if ok = ok && l.in.known(h.pt); ok {
		p, err := g.open(b)
		if ok = err == nil; ok {
			b = p
			h, ok = parse(b)
		}
	}
	if !ok {
		l.in.bad++
		l.in.mu.Unlock()
		return
	}
	l.in.mu.Unlock()
	l.packet(h, b[h.payload:h.end], at)
}

// transmit sends a packet; it is called under out.mu.
func (l *Web) transmit(b []byte, report bool) (err error) {
	g := l.guardOut
	if g == nil || !l.dst.IsValid() {
		return nil // not connected yet
	}
	if report {
		b, err = g.protectReport(b)
	} else {
		b, err = g.protect(b)
	}
	if err == nil {
		_, err = l.mux.conn.WriteToAddrPort(b, l.dst)
	}
	return err
}

// Stats gives a snapshot of the counters.
func (l *Web) Stats() Stats {
	l.out.mu.Lock()
	dst, name := l.dst, ""
	if l.guardOut != nil {
		name = l.guardOut.name
	}
	l.out.mu.Unlock()
	return l.stats(dst, name)
}

// Close ends the connection.
func (l *Web) Close() error {
	var err error
	l.once.Do(func() {
		l.SetSink(nil)
		l.plane.remove(l)
		l.end()
		l.out.mu.Lock()
		dst := l.dst
		l.dst = netip.AddrPort{}
		l.out.mu.Unlock()
		l.mux.own(l, dst, netip.AddrPort{})
		l.neg.Lock()
		gone := l.gone
		l.neg.Unlock()
		if gone == nil {
			err = l.agent.Close()
		} // else the connecting goroutine says goodbye by DTLS and then closes the agent
	})
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// wait returns when the leg's connecting goroutine, if any, has ended.
func (l *Web) wait() {
	l.neg.Lock()
	gone := l.gone
	l.neg.Unlock()
	if gone != nil {
		<-gone
	}
}
