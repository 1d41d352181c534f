// Package sip is the telephone side of the house's outer wall: SIP (RFC 3261) for a back-to-back user agent with
// its own transports, transactions, dialogs, registrar and trunks. It knows nothing of hotlines, and session
// descriptions are opaque bytes to it. DESIGN.md beside this file says how it works and why.
package sip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/kapok-hotline/kapok/platform/crew"
	"github.com/kapok-hotline/kapok/platform/datagram"
)

// SRV is a record of RFC 2782.
type SRV = net.SRV

const (
	maxConnections = 20000 // TCP, TLS and WebSocket together
	crewWaiting    = 128   // goroutines kept for the next message
)

// Server is one SIP endpoint: everything that listens, and all calls on it.
type Server struct {
	cfg    Config
	log    *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	seed   maphash.Seed

	readers sync.WaitGroup // what reads sockets
	wg      sync.WaitGroup // everything else
	crew    *crew.Crew     // for lanes and what they hand out: short jobs, many
	spawnMu sync.RWMutex
	stopped bool // nothing starts any more

	packets     []*packetPipe
	listeners   []net.Listener
	tcpPort     uint16
	tlsPort     uint16
	flows       flowTable
	connections atomic.Int64
	lanes       [laneShards]laneShard

	registrar *Registrar
	trunks    trunkTable
	overload  overload
	flood     flood
	traces    traceRing
	ways      wayCache
	counts    counters
}

// New checks the configuration; Start opens the sockets.
func New(cfg Config) (*Server, error) {
	if err := cfg.withDefaults(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: cfg.Log, seed: maphash.MakeSeed()}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.crew = crew.New(crewWaiting, s.spawn, s.ctx.Done())
	for i := range s.lanes {
		s.lanes[i].byID = map[string]*lane{}
	}
	s.flows.byKey = map[string]*Flow{}
	s.registrar = newRegistrar(s)
	s.overload.init(&s.cfg)
	s.flood.init(&s.cfg)
	return s, nil
}

// Start binds all addresses and serves them until Close. An address in use is an error that names it.
func (s *Server) Start() error {
	for _, a := range s.cfg.Listen {
		if err := s.listen(a); err != nil {
			s.Close()
			return err
		}
	}
	for _, a := range s.cfg.ListenTLS {
		if err := s.listenTLS(a); err != nil {
			s.Close()
			return err
		}
	}
	for _, p := range s.packets {
		s.readers.Go(func() { p.readLoop(s) })
	}
	for _, l := range s.listeners {
		transport := "tcp"
		if addrPort(l.Addr()).Port() == s.tlsPort && s.tlsPort != 0 {
			transport = "tls"
		}
		s.readers.Go(func() { s.accept(l, transport) })
	}
	s.spawn(s.watchOverload)
	s.spawn(s.registrar.sweep)
	return nil
}

// listen opens UDP and TCP on one address; port 0 picks one that is free on both.
func (s *Server) listen(address string) error {
	for try := 0; ; try++ {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return bindError("TCP", address, err)
		}
		want := addrPort(l.Addr())
		c, err := net.ListenPacket("udp", l.Addr().String())
		if err != nil {
			_ = l.Close()
			if try < 20 && isAnyPort(address) {
				continue // taken on UDP only
			}
			return bindError("UDP", address, err)
		}
		u := c.(*net.UDPConn)
		if err := u.SetReadBuffer(udpBuffer); err != nil {
			s.log.Warn("sip: socket buffer", "err", err)
		}
		_ = u.SetWriteBuffer(udpBuffer)
		s.packets = append(s.packets, &packetPipe{conn: datagram.New(u), local: want})
		s.listeners = append(s.listeners, l)
		if s.tcpPort == 0 {
			s.tcpPort = want.Port()
		}
		return nil
	}
}

func (s *Server) listenTLS(address string) error {
	conf := s.cfg.TLS.Clone()
	conf.MinVersion = max(conf.MinVersion, tls.VersionTLS12)
	l, err := net.Listen("tcp", address)
	if err != nil {
		return bindError("TLS", address, err)
	}
	s.listeners = append(s.listeners, tls.NewListener(l, conf))
	if s.tlsPort == 0 {
		s.tlsPort = addrPort(l.Addr()).Port()
	}
	return nil
}

func isAnyPort(address string) bool {
	_, port, err := net.SplitHostPort(address)
	return err == nil && (port == "0" || port == "")
}

func bindError(what, address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("sip: %s %s is in use by another program: stop it or choose another address: %w", what, address, err)
	}
	return fmt.Errorf("sip: cannot listen on %s %s: %w", what, address, err)
}

// Close ends all sockets, connections and calls without a farewell: hang up first. It waits for the goroutines.
func (s *Server) Close() {
	s.cancel()
	for _, p := range s.packets {
		_ = p.conn.Close()
	}
	for _, l := range s.listeners {
		_ = l.Close()
	}
	s.flows.shut()
	s.trunks.stop()
	s.readers.Wait()
	s.endLanes()
	s.spawnMu.Lock()
	s.stopped = true
	s.spawnMu.Unlock()
	s.wg.Wait()
}

// guard keeps one broken message, or one mistake in a function handed in, from ending the process and all its calls.
func (s *Server) guard(callID string, fn func()) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("sip: a handler panicked", "callid", callID, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	fn()
	return true
}

// spawn runs fn on a goroutine that Close waits for; after Close it does nothing and says false.
func (s *Server) spawn(fn func()) bool {
	s.spawnMu.RLock()
	defer s.spawnMu.RUnlock()
	if s.stopped {
		return false
	}
	s.wg.Go(fn)
	return true
}

// endLanes ends what still lives, so that nobody waits for a call that cannot go on.
func (s *Server) endLanes() {
	for i := range s.lanes {
		sh := &s.lanes[i]
		sh.mu.Lock()
		for _, l := range sh.byID {
			l.post(l.abandon)
		}
		sh.mu.Unlock()
	}
}

// abandon ends everything in the lane at once.
func (l *lane) abandon() {
	for _, t := range l.client {
		if t.state < txAccepted {
			t.fail(ErrClosed)
		}
	}
	for _, t := range l.client {
		t.end()
	}
	for _, d := range append([]*Dialog(nil), l.dialogs...) {
		d.finish(End{Cause: CauseClosed, Reason: "the server is closing"})
	}
	for _, t := range l.server {
		if t.canceled != nil {
			t.canceled()
		}
		t.end()
	}
	for _, o := range append([]*Outgoing(nil), l.calls...) {
		o.fail(0, "the server is closing", ErrClosed)
	}
}

// ErrClosed says that the server was closed.
var ErrClosed = errors.New("sip: the server is closed")

// Addr gives the first bound address of udp, tcp or tls; the zero value when there is none.
func (s *Server) Addr(network string) netip.AddrPort {
	if network == "udp" && len(s.packets) > 0 {
		return s.packets[0].local
	}
	for _, l := range s.listeners {
		a := addrPort(l.Addr())
		if (network == "tls") == (a.Port() == s.tlsPort && s.tlsPort != 0) {
			return a
		}
	}
	return netip.AddrPort{}
}

// Registrar gives the register of phones.
func (s *Server) Registrar() *Registrar { return s.registrar }

func (s *Server) listenPort(transport string) uint16 {
	if transport == "tls" {
		return s.tlsPort
	}
	return s.tcpPort
}

func (s *Server) isLocal(a netip.Addr) bool {
	if a.IsLoopback() {
		return true
	}
	for _, p := range s.cfg.Local {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// pause waits d or until Close.
func (s *Server) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.ctx.Done():
	}
}

// wayCache remembers which of our addresses leads to a peer, for sockets bound to all addresses.
type wayCache struct {
	mu sync.Mutex
	to map[netip.Addr]netip.Addr
}

// outbound asks the routing table, as the kernel would choose for a connected socket.
func (s *Server) outbound(peer netip.Addr) netip.Addr {
	s.ways.mu.Lock()
	defer s.ways.mu.Unlock()
	if a, ok := s.ways.to[peer]; ok {
		return a
	}
	c, err := net.Dial("udp", netip.AddrPortFrom(peer, 9).String())
	if err != nil {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	a := addrPort(c.LocalAddr()).Addr()
	_ = c.Close()
	if len(s.ways.to) >= 1024 {
		s.ways.to = nil
	}
	if s.ways.to == nil {
		s.ways.to = map[netip.Addr]netip.Addr{}
	}
	s.ways.to[peer] = a
	return a
}

// counters are figures for the operator.
type counters struct {
	received, dropped, malformed, shed atomic.Int64
}

// Counts are figures since the start: messages read, dropped silently (flood, scanners, no transaction),
// refused as malformed, and calls shed with 503.
type Counts struct{ Received, Dropped, Malformed, Shed int64 }

// Counts gives the figures.
func (s *Server) Counts() Counts {
	return Counts{s.counts.received.Load(), s.counts.dropped.Load(), s.counts.malformed.Load(), s.counts.shed.Load()}
}

type systemResolver struct{}

func (systemResolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, network, host)
}

func (systemResolver) LookupSRV(ctx context.Context, service, proto, name string) (string, []*SRV, error) {
	return net.DefaultResolver.LookupSRV(ctx, service, proto, name)
}
