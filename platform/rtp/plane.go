package rtp

import (
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/platform/rtp/kernel"
	"github.com/kapok-hotline/kapok/platform/sdp"
)

// Config says how a Plane is set up. The zero value of a field takes the default in its comment.
type Config struct {
	Bind        netip.Addr       // address the sockets are bound to; 0.0.0.0
	Public      netip.Addr       // address announced to peers; Bind, which must then be a real one
	First, Last uint16           // port range of plain legs; both 0: the system picks
	Rest        time.Duration    // how long a freed port is not used again; 2 s
	Buffer      int              // receive buffer of a plain leg's socket in bytes; 64 KiB
	WebPort     uint16           // UDP port shared by all browser legs; 0: the system picks
	Web         bool             // open that port; without it NewWeb fails
	WebBuffer   int              // receive buffer of that port; 4 MiB
	Fast        bool             // let the kernel relay plain pairs, where the system and our rights allow it
	Now         func() time.Time // mandatory: the clock of statistics, reports and timeouts
	Log         *slog.Logger     // rare events only, never per packet; slog.Default
}

// ErrClosed means that the plane or the leg has been closed.
var ErrClosed = errors.New("rtp: closed")

// Plane is the media plane of a process: the ports, the browser socket with its certificate, and one goroutine
// (the clerk) that sends the RTCP reports of all legs and watches their timeouts.
type Plane struct {
	cfg   Config
	ports *ports
	web   *mux

	kernel *kernel.Table // nil: no fast path
	lanes  atomic.Int64

	mu     sync.Mutex
	legs   map[tended]struct{}
	closed bool
	stop   chan struct{}
	done   chan struct{}
}

// tended is a leg as the clerk sees it.
type tended interface {
	tend(now time.Time)
	Close() error
}

// clerkTime is how often the clerk looks at each leg.
const clerkTime = 250 * time.Millisecond

// New opens a media plane. Close ends it.
func New(cfg Config) (*Plane, error) {
	if !cfg.Bind.IsValid() {
		cfg.Bind = netip.IPv4Unspecified()
	}
	if !cfg.Public.IsValid() {
		cfg.Public = cfg.Bind
	}
	if cfg.Public.IsUnspecified() {
		return nil, errors.New("rtp: say which address peers can reach (Public); the sockets are bound to all addresses")
	}
	if cfg.Rest == 0 {
		cfg.Rest = restAtLeast
	}
	if cfg.Buffer == 0 {
		cfg.Buffer = 64 << 10
	}
	if cfg.WebBuffer == 0 {
		cfg.WebBuffer = 4 << 20
	}
	if cfg.Now == nil {
		return nil, errors.New("rtp: Config.Now is missing: hand in the clock")
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	p := &Plane{cfg: cfg, legs: map[tended]struct{}{}, stop: make(chan struct{}), done: make(chan struct{})}
	var err error
	if p.ports, err = newPorts(cfg.Bind, cfg.First, cfg.Last, cfg.Rest, cfg.Buffer, cfg.Now); err != nil {
		return nil, err
	}
	if cfg.Web {
		if p.web, err = newMux(cfg); err != nil {
			return nil, err
		}
	}
	if cfg.Fast {
		p.kernel = openKernel(cfg)
	}
	go p.clerk()
	return p, nil
}

// Legs gives the number of open legs.
func (p *Plane) Legs() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.legs)
}

// Carried gives the number of legs whose peer's sound the kernel relays at this moment, two for a bridged call; on is
// false where the kernel takes no part.
func (p *Plane) Carried() (legs int, on bool) { return int(p.lanes.Load()), p.kernel != nil }

// Close closes all legs and sockets.
func (p *Plane) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	p.mu.Unlock()
	close(p.stop)
	<-p.done
	legs := p.list(nil)
	for _, l := range legs {
		_ = l.Close()
	}
	for _, l := range legs { // browser legs say goodbye by DTLS before their socket goes
		if w, ok := l.(*Web); ok {
			w.wait()
		}
	}
	p.ports.close()
	var err error
	if p.kernel != nil {
		err = p.kernel.Close()
	}
	if p.web != nil {
		err = errors.Join(err, p.web.close())
	}
	return err
}

func (p *Plane) add(l tended) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	p.legs[l] = struct{}{}
	return nil
}

func (p *Plane) remove(l tended) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.legs, l)
}

func (p *Plane) list(into []tended) []tended {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.legs {
		into = append(into, l)
	}
	return into
}

func (p *Plane) clerk() {
	defer close(p.done)
	t := time.NewTicker(clerkTime)
	defer t.Stop()
	var legs []tended
	for {
		select {
		case <-p.stop:
			return
		case <-t.C:
		}
		now := p.cfg.Now()
		legs = p.list(legs[:0])
		for _, l := range legs {
			l.tend(now)
		}
		clear(legs)
	}
}

// local begins our side of a leg's description.
func (p *Plane) local(id uint64, public netip.Addr, port uint16) sdp.Local {
	if !public.IsValid() {
		public = p.cfg.Public
	}
	return sdp.Local{ID: id, Addr: netip.AddrPortFrom(public, port)}
}
