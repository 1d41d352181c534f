package rtp

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/kapok-hotline/kapok/platform/datagram"
)

// ErrNoPort means that every port of the range is in use or resting.
var ErrNoPort = errors.New("rtp: no free media port; widen the range or look for calls that never end")

// ports hands out pairs. A freed pair rests, so that late packets of the old call do not fall into a new one. Its
// sockets stay open meanwhile, and of those that have rested the one freed first is used first: when its old peer
// has not fallen silent, it is closed and goes behind all others. With first = 0 the system picks the pair, and none
// is kept.
type ports struct {
	addr   netip.Addr
	rest   time.Duration
	now    func() time.Time
	wide   int // socket buffer in bytes
	mu     sync.Mutex
	fresh  []uint16 // never used or rested
	used   []freed  // in the order they were given back
	warm   []freed  // likewise; with their sockets open
	pairs  int      // in the range
	any    bool
	closed bool
}

// anyTries is how often the system is asked for an even port with a free odd one behind it.
const anyTries = 64

// restAtLeast is how long a pair rests when all others are in use or resting too: longer than packets stay on their
// way. Each second more takes calls away, at worst: with 5,000 pairs, two to a call, 30 s would mean 83 calls a second.
const restAtLeast = 2 * time.Second

// warmMost is how many resting pairs keep their sockets: what 60 calls/s leave behind in restAtLeast. A pair is 12 kB.
const warmMost = 256

// silence is how long nobody must have spoken to a pair before another call gets it: a peer that has not heard of
// the end sends every 20 ms, and one that pauses says so more often than this (RFC 3389 §4).
const silence = time.Second

type freed struct {
	port uint16
	at   time.Time
	pair *portPair // nil: closed
}

func newPorts(addr netip.Addr, first, last uint16, rest time.Duration, buffer int, now func() time.Time) (*ports, error) {
	p := &ports{addr: addr, rest: rest, now: now, wide: buffer, any: first == 0}
	if p.any {
		return p, nil
	}
	first += first & 1
	if int(first)+1 > int(last) {
		return nil, fmt.Errorf("rtp: the port range %d–%d holds no pair", first, last)
	}
	for port := int(first); port+1 <= int(last); port += 2 {
		p.fresh = append(p.fresh, uint16(port))
	}
	p.pairs = len(p.fresh)
	begin := rand.IntN(p.pairs) // two programs that share a range do not meet at its beginning
	p.fresh = slices.Concat(p.fresh[begin:], p.fresh[:begin])
	return p, nil
}

// open gives a pair whose sockets are bound and read from. Ports that something else on the machine holds are passed
// over, all of the range if need be: each is asked for once, which takes some ten microseconds, and the next call goes
// on behind them.
func (p *ports) open() (*portPair, error) {
	if w := p.rested(); w != nil {
		return w, nil
	}
	var last error
	tries := p.pairs
	if p.any {
		tries = anyTries
	}
	for range tries {
		port, ok := p.take()
		if !ok {
			break
		}
		fresh, err := p.bind(port)
		if err == nil {
			fresh.begin(p.now)
			return fresh, nil
		}
		if !p.any {
			p.lay(port)
		}
		if !p.any && !errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("rtp: media socket: %w", err)
		}
		last = err
	}
	if last == nil {
		return nil, ErrNoPort
	}
	return nil, fmt.Errorf("%w; other programs hold ports of it (%w)", ErrNoPort, last)
}

// rested gives the open pair that was freed first, once it has rested and its old peer is silent; nil when there is none.
func (p *ports) rested() *portPair {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	for len(p.warm) > 0 && now.Sub(p.warm[0].at) >= p.rest {
		w := p.warm[0].pair
		p.warm = p.warm[1:]
		if w.silent(now, silence) {
			return w
		}
		w.close()
		p.used = append(p.used, freed{port: w.port, at: now})
	}
	return nil
}

func (p *ports) take() (uint16, bool) {
	if p.any {
		return 0, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.used) > 0 && p.now().Sub(p.used[0].at) >= p.rest {
		p.fresh = append(p.fresh, p.used[0].port)
		p.used = p.used[1:]
	}
	if len(p.fresh) == 0 {
		return 0, false
	}
	port := p.fresh[0]
	p.fresh = p.fresh[1:]
	return port, true
}

// lay puts a pair of ports without sockets to rest.
func (p *ports) lay(port uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used = append(p.used, freed{port: port, at: p.now()})
}

// give puts a pair to rest. Its leg is gone.
func (p *ports) give(w *portPair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.any || p.closed:
		w.close()
	case len(p.warm) >= warmMost:
		w.close()
		p.used = append(p.used, freed{port: w.port, at: p.now()})
	default:
		p.warm = append(p.warm, freed{port: w.port, at: p.now(), pair: w})
	}
}

// close ends the pairs that rest.
func (p *ports) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, w := range p.warm {
		w.pair.close()
	}
	p.warm = nil
}

func (p *ports) bind(port uint16) (*portPair, error) {
	rtp, err := p.listen(port)
	if err != nil {
		return nil, err
	}
	got := portOf(rtp)
	if got&1 != 0 || got == 65534 {
		_ = rtp.Close()
		return nil, fmt.Errorf("rtp: the system gave the odd port %d", got)
	}
	rtcp, err := p.listen(got + 1)
	if err != nil {
		_ = rtp.Close()
		return nil, err
	}
	return &portPair{rtp: datagram.New(rtp), rtcp: datagram.New(rtcp), port: got}, nil
}

func (p *ports) listen(port uint16) (*net.UDPConn, error) {
	network := "udp4"
	if p.addr.Is6() {
		network = "udp"
	}
	c, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.addr, port)))
	if err != nil {
		return nil, err
	}
	_ = c.SetReadBuffer(p.wide) // less than asked is no reason to refuse a call
	expedite(c)
	return c, nil
}

// expedite marks the packets as telephone sound (DSCP EF, RFC 3246); a system that refuses is no obstacle.
func expedite(c *net.UDPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_TOS, 0xB8)
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS, 0xB8)
	})
}

func portOf(c interface{ LocalAddr() net.Addr }) uint16 {
	return uint16(c.LocalAddr().(*net.UDPAddr).Port)
}
