package rtp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// ErrNoPort means that every port of the range is in use or resting.
var ErrNoPort = errors.New("rtp: no free media port; widen the range or look for calls that never end")

// ports hands out pairs of an even RTP port and the odd RTCP port after it (RFC 3550 §11). A freed pair rests,
// so that late packets of the old call do not fall into a new one. The pair that was freed first is used first, so
// a pair rests as long as the others last: minutes in common use. With first = 0 the system picks the pair.
type ports struct {
	addr  netip.Addr
	rest  time.Duration
	now   func() time.Time
	wide  int // socket buffer in bytes
	mu    sync.Mutex
	fresh []uint16 // never used or rested
	used  []freed  // in the order they were given back
	any   bool
}

// restAtLeast is how long a pair rests when all others are in use or resting too: longer than packets stay on their
// way. Each second more takes calls away, at worst: with 5,000 pairs, two to a call, 30 s would mean 83 calls a second.
const restAtLeast = 2 * time.Second

type freed struct {
	port uint16
	at   time.Time
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
	return p, nil
}

// open gives a bound pair of sockets. Ports that something else on the machine holds are passed over.
func (p *ports) open() (rtp, rtcp *net.UDPConn, err error) {
	for range 64 {
		port, ok := p.take()
		if !ok {
			return nil, nil, ErrNoPort
		}
		if rtp, rtcp, err = p.bind(port); err == nil {
			return rtp, rtcp, nil
		}
		if !p.any {
			p.give(port)
		}
		if !p.any && !errors.Is(err, syscall.EADDRINUSE) {
			return nil, nil, fmt.Errorf("rtp: media socket: %w", err)
		}
	}
	return nil, nil, fmt.Errorf("%w (last: %w)", ErrNoPort, err)
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

// give puts a pair to rest.
func (p *ports) give(port uint16) {
	if p.any {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used = append(p.used, freed{port, p.now()})
}

func (p *ports) bind(port uint16) (rtp, rtcp *net.UDPConn, err error) {
	rtp, err = p.listen(port)
	if err != nil {
		return nil, nil, err
	}
	got := portOf(rtp)
	if got&1 != 0 || got == 65534 {
		_ = rtp.Close()
		return nil, nil, fmt.Errorf("rtp: the system gave the odd port %d", got)
	}
	if rtcp, err = p.listen(got + 1); err != nil {
		_ = rtp.Close()
		return nil, nil, err
	}
	return rtp, rtcp, nil
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

func portOf(c *net.UDPConn) uint16 { return uint16(c.LocalAddr().(*net.UDPAddr).Port) }
