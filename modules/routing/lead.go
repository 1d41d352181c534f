package routing

import (
	"context"
	"time"
)

// Leases gives the right to decide: only one brain may, among all processes. app fills it with the bus.
type Leases interface {
	// Lease waits until the right is ours, as long as ctx allows.
	Lease(ctx context.Context) (Lease, error)
}

// Lease is the right to decide, for as long as Lost is open. Fence rises with every taking.
type Lease interface {
	Fence() int64
	Lost() <-chan struct{}
	Release(ctx context.Context) error
}

// seat is where the brain sits while it waits for the right to decide.
type seat struct {
	turns chan term // decide from now on, or with fence 0: stop
	leave func()    // gives the right up
}

// term is one holding of the right to decide.
type term struct {
	fence uint32
	held  func() bool // nil: always. Whether it is still ours, by the clock: a process that slept finds out before it speaks
}

// holds tells whether the term lasts.
func (t term) holds() bool { return t.held == nil || t.held() }

// leaseRetry is how long after a failure the lease is asked for again.
const leaseRetry = time.Second

// lead takes the lease again and again until leave. Without a bus there is one process, and it leads.
func (m *Module) lead(ctx context.Context) seat {
	s := seat{turns: make(chan term, 1), leave: func() {}}
	if m.deps.Leases == nil {
		s.turns <- term{fence: 1}
		return s
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		last := uint32(0)
		for life.Err() == nil {
			last = m.term(life, s.turns, last)
		}
	}()
	s.leave = func() {
		end()
		<-done
	}
	return s
}

// term holds the lease once, from the taking to the loss.
func (m *Module) term(ctx context.Context, turns chan<- term, last uint32) uint32 {
	l, err := m.deps.Leases.Lease(ctx)
	if err != nil {
		if ctx.Err() == nil {
			m.deps.Log.Error("the right to decide cannot be asked for; callers wait with music", "err", err)
			pause(ctx, m, leaseRetry)
		}
		return last
	}
	now := term{fence: narrow(l.Fence(), last)}
	if h, ok := l.(interface{ Held() bool }); ok {
		now.held = h.Held
	}
	select {
	case <-m.resigned: // from a term before
	default:
	}
	tell(ctx, turns, now)
	select {
	case <-l.Lost():
		m.deps.Log.Warn("another process may decide now; nothing is offered from here", "fence", now.fence)
		tell(ctx, turns, term{})
	case <-m.resigned:
		m.deps.Log.Warn("another process has decided meanwhile; nothing is offered from here", "fence", now.fence)
		tell(ctx, turns, term{})
		m.giveBack(ctx, l)
		pause(ctx, m, leaseRetry)
	case <-ctx.Done():
		m.giveBack(ctx, l)
	}
	return now.fence
}

func (m *Module) giveBack(ctx context.Context, l Lease) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseRetry)
	defer cancel()
	if err := l.Release(ctx); err != nil {
		m.deps.Log.Warn("the right to decide was not given back; it expires by itself", "err", err)
	}
}

// resign gives the right up, when it is seen that another decides or that this process cannot.
func (m *Module) resign() {
	select {
	case m.resigned <- struct{}{}:
	default:
	}
}

func tell(ctx context.Context, turns chan<- term, t term) {
	select {
	case turns <- t:
	case <-ctx.Done():
	}
}

func pause(ctx context.Context, m *Module, d time.Duration) {
	timer := m.deps.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
	case <-ctx.Done():
	}
}

// fenceBits is what an offer's number has room for.
const fenceBits = 24

// narrow makes a lease's fence, unix ms at its least, fit an offer's number: seconds, never 0, never the last one.
func narrow(fence int64, last uint32) uint32 {
	f := uint32(fence/1000) & (1<<fenceBits - 1) //nolint:gosec // masked
	for f == 0 || f == last {
		f = (f + 1) & (1<<fenceBits - 1)
	}
	return f
}
