package rtp

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/rtp/kernel"
)

// world is where the relay tests are run: the same tests by sockets alone, by the kernel over the loopback, and by the
// kernel between two networks.
type world struct {
	name   string
	fast   bool
	ours   [2]netip.Addr // the plane's address as phones of either side know it
	phones [2]netip.Addr
	listen func(at netip.AddrPort) (*net.UDPConn, error)
}

var (
	bySockets  = world{name: "sockets", ours: [2]netip.Addr{local, local}, phones: [2]netip.Addr{local, local}, listen: listenAt}
	byLoopback = world{name: "kernel, loopback", fast: true, ours: [2]netip.Addr{local, local}, phones: [2]netip.Addr{local, local}, listen: listenAt}
	local      = netip.MustParseAddr("127.0.0.1")
)

func listenAt(at netip.AddrPort) (*net.UDPConn, error) {
	return net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
}

// needKernel skips what cannot be tested without rights or on an older system.
func needKernel(t *testing.T) {
	t.Helper()
	k, err := kernel.Open(kernel.Config{First: 2, Last: 4})
	if errors.Is(err, kernel.ErrRights) || errors.Is(err, kernel.ErrUnsupported) {
		t.Skipf("the kernel's part is not tested: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}

// rig is a bridged call in a world: phones a and b, legs la and lb.
type rig struct {
	*testing.T
	w      world
	p      *Plane
	shift  atomic.Int64 // added to the time
	gate   sync.RWMutex // held by a test: the readers of the legs stand still
	a, b   *phone
	la, lb *Plain
	br     *Bridge

	digits   chan byte
	timeouts atomic.Int32
}

// newRig opens the call; it is not bridged yet.
func newRig(t *testing.T, w world) *rig {
	t.Helper()
	r := &rig{T: t, w: w, digits: make(chan byte, 16)}
	r.p = newPlane(t, func(c *Config) {
		c.Fast, c.Now = w.fast, func() time.Time { return time.Now().Add(time.Duration(r.shift.Load())) }
		if w.ours[0] != w.ours[1] {
			c.Bind, c.Public = netip.IPv4Unspecified(), w.ours[0]
		}
	})
	if w.fast && r.p.kernel == nil {
		t.Fatal("the kernel does not take part")
	}
	r.p.ports.now = func() time.Time {
		r.gate.RLock()
		defer r.gate.RUnlock()
		return r.p.cfg.Now()
	}
	r.a, r.b = r.phone(0), r.phone(1)
	e := Events{Digit: func(d byte, _ time.Duration) { r.digits <- d }, Timeout: func() { r.timeouts.Add(1) }}
	r.la = r.leg(0, r.a, PlainConfig{Timeout: 30 * time.Second, Events: e}, r.a.sdp("8", 101, ""))
	r.lb = r.leg(1, r.b, PlainConfig{}, r.b.sdp("8", 96, ""))
	return r
}

// phone opens a phone on one side.
func (r *rig) phone(side int) *phone {
	r.Helper()
	c, err := r.w.listen(netip.AddrPortFrom(r.w.phones[side], 0))
	if err != nil {
		r.Fatal(err)
	}
	return phoneOn(r.T, c)
}

func (r *rig) leg(side int, ph *phone, cfg PlainConfig, offer []byte) *Plain {
	r.Helper()
	l := answered(r.T, r.p, ph, cfg, offer)
	ph.dst = netip.AddrPortFrom(r.w.ours[side], l.Port())
	return l
}

// talk bridges the call and has both phones speak until the kernel has both directions, where it takes part.
func (r *rig) talk() {
	r.Helper()
	r.br = Join(r.la, r.lb)
	r.carried(true, true)
}

// carried has phones speak until the kernel relays the directions that are asked for.
func (r *rig) carried(a, b bool) {
	r.Helper()
	sa, sb := r.la.Stats().Carried, r.lb.Stats().Carried
	relayed := func(l *Plain, before uint64) bool { s := l.Stats(); return s.Fast && s.Carried > before+2 }
	for i := range 5000 {
		if a {
			r.a.send(tone(440, i))
		}
		if b {
			r.b.send(tone(1000, i))
		}
		time.Sleep(5 * time.Millisecond)
		if i >= 5 && (!r.w.fast || (!a || relayed(r.la, sa)) && (!b || relayed(r.lb, sb))) {
			return
		}
	}
	r.Fatalf("never carried by the kernel: %+v (given back for: %v), %+v (given back for: %v)",
		r.la.Stats(), r.p.kernel.Slot(r.la.Port()).Why(), r.lb.Stats(), r.p.kernel.Slot(r.lb.Port()).Why())
}

// whole checks that a phone has heard every packet that another sent, once and in order.
func (r *rig) whole(hears, speaks *phone) []heard {
	r.Helper()
	got := hears.got(int(speaks.seq) - 100)
	for i, h := range got {
		if i > 0 && (h.seq != got[i-1].seq+1 || h.ssrc != got[0].ssrc) {
			r.Fatalf("packet %d of %d: number %d after %d", i, len(got), h.seq, got[i-1].seq)
		}
	}
	return got
}
