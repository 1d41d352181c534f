package rtp

import (
	"errors"
	"net"
	"net/netip"
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
	a, b, err := p.open()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	defer b.Close()
	return portOf(a)
}

func TestPortsRest(t *testing.T) {
	now := time.Unix(1000, 0)
	var first uint16
	var p *ports
	var a, b *net.UDPConn
	for try := 0; a == nil; try++ { // another program may take the port meanwhile
		first = freeRange(t)
		var err error
		if p, err = newPorts(netip.MustParseAddr("127.0.0.1"), first, first+1, 30*time.Second, 4096, func() time.Time { return now }); err != nil {
			t.Fatal(err)
		}
		if a, b, err = p.open(); err != nil && try == 9 {
			t.Fatal(err)
		}
	}
	if portOf(a) != first || portOf(b) != first+1 {
		t.Errorf("%d and %d", portOf(a), portOf(b))
	}
	if _, _, err := p.open(); !errors.Is(err, ErrNoPort) {
		t.Errorf("the range is empty: %v", err)
	}
	a.Close()
	b.Close()
	p.give(first)
	now = now.Add(29 * time.Second)
	if _, _, err := p.open(); !errors.Is(err, ErrNoPort) {
		t.Errorf("the port rests: %v", err)
	}
	now = now.Add(time.Second)
	a, b, err := p.open()
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	b.Close()
}

// A thousand legs of a second each, ten at once, have to do with forty pairs, and no pair is used again before all
// others have been.
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
			p.give(open[0])
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
	a, b, err := p.open()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	defer b.Close()
	c, d, err := q.open()
	if err != nil || portOf(c) == portOf(a) || portOf(c)&1 != 0 {
		t.Fatalf("%v", err)
	}
	c.Close()
	d.Close()
	if _, err := newPorts(addr, 20001, 20002, 0, 0, time.Now); err == nil {
		t.Error("a range without a pair")
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
