package rtp

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// freeRange finds a stretch of ports that are free now; the tests of the range cannot take fixed ones.
func freeRange(t *testing.T) uint16 {
	t.Helper()
	p, err := newPorts(netip.MustParseAddr("127.0.0.1"), 0, 0, 0, 4096, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	a, err := p.open()
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	return a.port
}

// rangeOf makes ports of n pairs that were free just now; another program may take one meanwhile.
func rangeOf(t *testing.T, n uint16, rest time.Duration, now func() time.Time) *ports {
	t.Helper()
	for try := 0; ; try++ {
		first := freeRange(t)
		p, err := newPorts(netip.MustParseAddr("127.0.0.1"), first, first+2*n-1, rest, 4096, now)
		if err != nil {
			t.Fatal(err)
		}
		a, err := p.open()
		if err == nil {
			a.close()
			p.fresh = append([]uint16{a.port}, p.fresh...)
			t.Cleanup(p.close)
			return p
		}
		if try == 9 {
			t.Fatal(err)
		}
	}
}

func TestPortsRest(t *testing.T) {
	now := time.Unix(1000, 0)
	p := rangeOf(t, 1, 30*time.Second, func() time.Time { return now })
	a, err := p.open()
	if err != nil {
		t.Fatal(err)
	}
	if portOf(a.rtp) != a.port || portOf(a.rtcp) != a.port+1 || a.port&1 != 0 {
		t.Errorf("%d and %d", portOf(a.rtp), portOf(a.rtcp))
	}
	if _, err := p.open(); !errors.Is(err, ErrNoPort) {
		t.Errorf("the range is empty: %v", err)
	}
	p.give(a)
	now = now.Add(29 * time.Second)
	if _, err := p.open(); !errors.Is(err, ErrNoPort) {
		t.Errorf("the port rests: %v", err)
	}
	now = now.Add(time.Second)
	b, err := p.open()
	if err != nil {
		t.Fatal(err)
	}
	if b != a {
		t.Error("the sockets were not kept")
	}
	b.close()
}

// Where somebody still talks to a pair, no other call gets it, however long it has rested, before it has been closed
// and has rested anew.
func TestPortsRestUntilTheOldPeerIsSilent(t *testing.T) {
	var ns atomic.Int64
	ns.Store(1000e9)
	now := func() time.Time { return time.Unix(0, ns.Load()) }
	p := rangeOf(t, 1, 2*time.Second, now)
	a, err := p.open()
	if err != nil {
		t.Fatal(err)
	}
	p.give(a)
	old, err := net.DialUDP("udp4", nil, a.rtp.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	ns.Add(int64(1500 * time.Millisecond))
	for a.heard.Load() != ns.Load() {
		_, _ = old.Write([]byte("still here"))
		time.Sleep(time.Millisecond)
	}
	ns.Add(int64(500 * time.Millisecond))
	if _, err := p.open(); !errors.Is(err, ErrNoPort) {
		t.Fatalf("a pair that is spoken to was handed out: %v", err)
	}
	if _, err := a.rtp.Conn().Write(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("its sockets are open: %v", err)
	}
	ns.Add(int64(2 * time.Second))
	b, err := p.open()
	if err != nil || b == a || b.port != a.port {
		t.Fatalf("after another rest: %v", err)
	}
	b.close()
}

// No more than warmMost pairs keep their sockets, and none when the plane is closed.
func TestPortsKeepAFewOpen(t *testing.T) {
	p := rangeOf(t, 1, time.Second, time.Now)
	a, err := p.open()
	if err != nil {
		t.Fatal(err)
	}
	for range warmMost {
		p.warm = append(p.warm, freed{pair: a})
	}
	p.give(a)
	if _, err := a.rtp.Conn().Write(nil); !errors.Is(err, net.ErrClosed) || len(p.used) != 1 {
		t.Errorf("one more than there is room for stays open: %v", err)
	}
	p.close()
	if len(p.warm) != 0 {
		t.Error("some stay open")
	}
}

// A thousand legs of a second each, ten at once, have to do with forty pairs; of those without sockets none is used
// again before all others have been.
func TestPortsTurnOver(t *testing.T) {
	now := time.Unix(1000, 0)
	p, err := newPorts(netip.MustParseAddr("127.0.0.1"), 20000, 20079, restAtLeast, 4096, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	var open []uint16
	freed := map[uint16]time.Time{}
	for leg := range 1000 {
		port, ok := p.take()
		if !ok {
			t.Fatalf("leg %d found no port", leg)
		}
		if at, again := freed[port]; again && now.Sub(at) < 2900*time.Millisecond {
			t.Fatalf("port %d had rested for %v only", port, now.Sub(at))
		}
		if open = append(open, port); len(open) == 10 {
			p.lay(open[0])
			freed[open[0]], open = now, open[1:]
		}
		now = now.Add(100 * time.Millisecond)
	}
}

func TestPortsPassOverWhatOthersHold(t *testing.T) {
	first := freeRange(t)
	addr := netip.MustParseAddr("127.0.0.1")
	p, _ := newPorts(addr, first, first+41, time.Minute, 4096, time.Now)
	q, _ := newPorts(addr, first, first+41, time.Minute, 4096, time.Now)
	a, err := p.open()
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	c, err := q.open()
	if err != nil || c.port == a.port || c.port&1 != 0 {
		t.Fatalf("%v", err)
	}
	c.close()
	if _, err := newPorts(addr, 20001, 20002, 0, 0, time.Now); err == nil {
		t.Error("a range without a pair")
	}
}

// Another program holds a hundred pairs in a row: the one pair that is left is found, wherever the search begins.
func TestPortsLookThroughTheWholeRange(t *testing.T) {
	const pairs = 100
	addr := netip.MustParseAddr("127.0.0.1")
	held := map[uint16]*net.UDPConn{}
	defer func() {
		for _, c := range held {
			_ = c.Close()
		}
	}()
	first := uint16(10000+rand.IntN(9000)) &^ 1 // below those the system hands out
	now := time.Unix(1000, 0)
	for range 10 {
		for port := first; port < first+2*pairs; port += 2 {
			if c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, port))); err == nil {
				held[port] = c // otherwise yet another program holds it
			}
		}
		p, err := newPorts(addr, first, first+2*pairs-1, restAtLeast, 4096, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.open(); !errors.Is(err, ErrNoPort) || !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatalf("with nothing left: %v", err)
		}
		if _, err := p.open(); !errors.Is(err, ErrNoPort) {
			t.Fatalf("again at once: %v", err)
		}
		now = now.Add(restAtLeast)
		var got *portPair
		for port, c := range held { // the odd port of one may be another program's
			_ = c.Close()
			delete(held, port)
			if got, err = p.open(); err == nil {
				break
			}
			now = now.Add(restAtLeast)
		}
		if got == nil {
			t.Fatalf("the pair that is left is not found: %v", err)
		}
		got.close()
		p.close()
	}
}

func TestPlaneNeedsAnAddress(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("0.0.0.0 is no address for peers")
	}
	if _, err := New(Config{Public: netip.MustParseAddr("127.0.0.1")}); err == nil {
		t.Error("a plane without a clock")
	}
	p, err := New(Config{Public: netip.MustParseAddr("127.0.0.1"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.Close(), p.Close()); err != nil {
		t.Error(err)
	}
	if _, err := p.NewPlain(PlainConfig{}); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}
