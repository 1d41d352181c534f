package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// TrunkConfig is a line to a carrier or a PBX. A trunk is known by the addresses it may send from (Allow, and the
// addresses of its targets), or by our registration there.
type TrunkConfig struct {
	ID string
	// Targets are where calls go, preferred first: "host", "host:port", "sip:host;transport=tcp". A target that
	// fails or is down gives way to the next; a name may stand for several addresses (SRV).
	Targets []string
	// Allow are the networks whose INVITEs belong to the trunk.
	Allow []netip.Prefix
	// Auth answers challenges to our calls and registrations.
	Auth *Credentials
	// Register keeps us registered at the peer.
	Register *TrunkRegister
	// Options is the interval of the health check; default 30 s, negative for none.
	Options time.Duration
	// Within is how long a target may take to answer it; default 4 s.
	Within time.Duration
}

// TrunkRegister is our account at a peer.
type TrunkRegister struct {
	AOR       URI           // sip:user@domain; incoming calls are told apart by this user
	Registrar string        // as in Targets; default the first target
	Expires   time.Duration // asked for; default 10 min
}

// TrunkHealth is told when a target or a registration goes up or down.
type TrunkHealth struct {
	Trunk  string
	Target string // as configured, or "register"
	Up     bool
	Detail string
	At     time.Time
}

// trunkTable holds the trunks; it is replaced whole, unchanged trunks keep running.
type trunkTable struct {
	mu      sync.RWMutex
	byID    map[string]*trunk
	sources map[netip.Addr][]*trunk // resolved targets
	stopped bool
}

// trunk is one line and its watcher.
type trunk struct {
	cfg     TrunkConfig
	uris    []URI
	reg     URI
	srv     *Server
	cancel  context.CancelFunc
	mu      sync.Mutex
	targets []targetState
	regHops []hop // of the registrar
	regUp   bool
	regWhy  string
}

type targetState struct {
	hops  []hop
	at    time.Time // of the resolution
	up    bool
	known bool // checked at least once
	fails int
	why   string
}

// ErrNoTrunk says that no trunk has that id.
var ErrNoTrunk = errors.New("sip: there is no such trunk")

// SetTrunks makes the list the valid one. Unchanged trunks are not disturbed; a mistake changes nothing.
func (s *Server) SetTrunks(list []TrunkConfig) error {
	fresh := map[string]*trunk{}
	for _, c := range list {
		t, err := s.newTrunk(c)
		if err != nil {
			return err
		}
		if fresh[c.ID] != nil {
			return fmt.Errorf("sip: trunk %q stands twice in the list", c.ID)
		}
		fresh[c.ID] = t
	}
	tt := &s.trunks
	tt.mu.Lock()
	defer tt.mu.Unlock()
	if tt.stopped {
		return ErrClosed
	}
	for id, old := range tt.byID {
		if t := fresh[id]; t != nil && sameTrunk(t.cfg, old.cfg) {
			fresh[id] = old
		} else {
			old.cancel()
		}
	}
	for id, t := range fresh {
		if tt.byID[id] != t {
			ctx, cancel := context.WithCancel(s.ctx)
			t.cancel = cancel
			s.spawn(func() { t.watch(ctx) })
			if t.cfg.Register != nil {
				s.spawn(func() { t.register(ctx) })
			}
		}
	}
	tt.byID = fresh
	tt.indexLocked()
	return nil
}

func sameTrunk(a, b TrunkConfig) bool {
	eqAuth := (a.Auth == nil) == (b.Auth == nil) &&
		(a.Auth == nil || a.Auth.User == b.Auth.User && a.Auth.Password == b.Auth.Password)
	eqReg := (a.Register == nil) == (b.Register == nil) && (a.Register == nil || *a.Register == *b.Register)
	return eqAuth && eqReg && a.Options == b.Options && a.Within == b.Within && slices.Equal(a.Targets, b.Targets) && slices.Equal(a.Allow, b.Allow)
}

func (s *Server) newTrunk(c TrunkConfig) (*trunk, error) {
	t := &trunk{cfg: c, srv: s}
	if c.ID == "" || len(c.Targets) == 0 && len(c.Allow) == 0 {
		return nil, errors.New("sip: a trunk needs an id, and targets or allowed networks")
	}
	for _, v := range c.Targets {
		u, err := targetURI(v)
		if err != nil {
			return nil, fmt.Errorf("sip: target %q of trunk %s: %w", v, c.ID, err)
		}
		t.uris = append(t.uris, u)
	}
	if r := c.Register; r != nil {
		v := r.Registrar
		if v == "" && len(c.Targets) > 0 {
			v = c.Targets[0]
		}
		u, err := targetURI(v)
		if err != nil {
			return nil, fmt.Errorf("sip: registrar %q of trunk %s: %w", v, c.ID, err)
		}
		t.reg = u
		if r.AOR.User == "" || r.AOR.Host == "" {
			return nil, fmt.Errorf("sip: trunk %s: the account to register needs user and domain", c.ID)
		}
	}
	if t.cfg.Options == 0 {
		t.cfg.Options = 30 * time.Second
	}
	if t.cfg.Within <= 0 {
		t.cfg.Within = pingTimeout
	}
	t.targets = make([]targetState, len(t.uris))
	for i, u := range t.uris { // an IP address is known before anything is asked
		if hops, ok := s.literal(u); ok {
			t.targets[i].hops, t.targets[i].at = hops, s.cfg.Now()
		}
	}
	t.regHops, _ = s.literal(t.reg)
	return t, nil
}

// literal gives the hop of a URI whose host is an IP address.
func (s *Server) literal(u URI) ([]hop, bool) {
	if _, err := netip.ParseAddr(strings.Trim(u.Host, "[]")); err != nil {
		return nil, false
	}
	hops, err := s.resolve(context.Background(), u)
	return hops, err == nil
}

// targetURI reads "host", "host:port" or a SIP URI.
func targetURI(v string) (URI, error) {
	if !strings.HasPrefix(v, "sip:") && !strings.HasPrefix(v, "sips:") {
		if a, err := netip.ParseAddr(v); err == nil && a.Is6() {
			v = "[" + v + "]"
		}
		v = "sip:" + v
	}
	u, err := ParseURI(v)
	if err == nil && u.Host == "" {
		err = errors.New("no host")
	}
	return u, err
}

// indexLocked rebuilds the table of known addresses.
func (tt *trunkTable) indexLocked() {
	sources := map[netip.Addr][]*trunk{}
	for _, t := range tt.byID {
		t.mu.Lock()
		hops := slices.Clone(t.regHops)
		for _, st := range t.targets {
			hops = append(hops, st.hops...)
		}
		t.mu.Unlock()
		for _, h := range hops {
			if a := h.addr.Addr(); !slices.Contains(sources[a], t) {
				sources[a] = append(sources[a], t)
			}
		}
	}
	for _, l := range sources {
		slices.SortFunc(l, func(a, b *trunk) int { return strings.Compare(a.cfg.ID, b.cfg.ID) })
	}
	tt.sources = sources
}

func (tt *trunkTable) stop() {
	tt.mu.Lock()
	defer tt.mu.Unlock()
	tt.stopped = true
	for _, t := range tt.byID {
		if t.cancel != nil {
			t.cancel()
		}
	}
}

// knows says whether the address is a trunk's.
func (tt *trunkTable) knows(a netip.Addr) bool {
	tt.mu.RLock()
	defer tt.mu.RUnlock()
	if len(tt.sources[a]) > 0 {
		return true
	}
	for _, t := range tt.byID {
		for _, p := range t.cfg.Allow {
			if p.Contains(a) {
				return true
			}
		}
	}
	return false
}

// of names the trunk an INVITE came by: among those that may send from the address, the one whose account is
// called, else the narrowest network, else the first by id.
func (tt *trunkTable) of(m *message) string {
	a := m.flow.Remote.Addr()
	tt.mu.RLock()
	defer tt.mu.RUnlock()
	type fit struct {
		t    *trunk
		bits int
	}
	var fits []fit
	for _, t := range tt.byID {
		bits := -1
		for _, p := range t.cfg.Allow {
			if p.Contains(a) {
				bits = max(bits, p.Bits())
			}
		}
		if slices.Contains(tt.sources[a], t) {
			bits = 128
		}
		if bits >= 0 {
			fits = append(fits, fit{t, bits})
		}
	}
	if len(fits) == 0 {
		return ""
	}
	u, _ := ParseURI(m.URI)
	account := func(t *trunk) bool { return t.cfg.Register != nil && t.cfg.Register.AOR.User == u.User }
	slices.SortFunc(fits, func(x, y fit) int {
		switch ax, ay := account(x.t), account(y.t); {
		case ax && !ay:
			return -1
		case ay && !ax:
			return 1
		case x.bits != y.bits:
			return y.bits - x.bits
		}
		return strings.Compare(x.t.cfg.ID, y.t.cfg.ID)
	})
	return fits[0].t.cfg.ID
}

func (tt *trunkTable) get(id string) *trunk {
	tt.mu.RLock()
	defer tt.mu.RUnlock()
	return tt.byID[id]
}

// hops lists the ways of a call by the trunk: targets in order, those known to be down last.
func (tt *trunkTable) hops(ctx context.Context, s *Server, opt *CallOptions) ([]hop, error) {
	t := tt.get(opt.Trunk)
	if t == nil {
		return nil, fmt.Errorf("%w: %q", ErrNoTrunk, opt.Trunk)
	}
	if opt.Auth == nil {
		opt.Auth = t.cfg.Auth
	}
	if opt.URI.Host == "" && len(t.uris) > 0 {
		opt.URI.Host = t.uris[0].Host
	}
	var up, down []hop
	var errs error
	for i := range t.uris {
		hops, err := t.resolved(ctx, i)
		if err != nil {
			errs = errors.Join(errs, err)
			continue
		}
		t.mu.Lock()
		bad := t.targets[i].known && !t.targets[i].up
		t.mu.Unlock()
		if bad {
			down = append(down, hops...)
		} else {
			up = append(up, hops...)
		}
	}
	up = append(up, down...)
	if len(up) == 0 {
		return nil, errors.Join(fmt.Errorf("sip: trunk %s has no target to call", opt.Trunk), errs)
	}
	return up, nil
}

const resolveEvery = time.Minute

// resolved gives the addresses of target i, from memory while they are young.
func (t *trunk) resolved(ctx context.Context, i int) ([]hop, error) {
	now := t.srv.cfg.Now()
	t.mu.Lock()
	st := t.targets[i]
	t.mu.Unlock()
	if len(st.hops) > 0 && now.Sub(st.at) < resolveEvery {
		return st.hops, nil
	}
	hops, err := t.srv.resolve(ctx, t.uris[i])
	if err != nil {
		if len(st.hops) > 0 {
			return st.hops, nil // an old address is better than none
		}
		return nil, err
	}
	t.mu.Lock()
	t.targets[i].hops, t.targets[i].at = hops, now
	t.mu.Unlock()
	t.srv.trunks.mu.Lock()
	t.srv.trunks.indexLocked()
	t.srv.trunks.mu.Unlock()
	return hops, nil
}
