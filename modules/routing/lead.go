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
	turns chan uint32 // a fence: decide from now on; 0: stop
	leave func()      // gives the right up
}

// leaseRetry is how long after a failure the lease is asked for again.
const leaseRetry = time.Second

// lead takes the lease again and again until leave. Without a bus there is one process, and it leads.
func (m *Module) lead(ctx context.Context) seat {
	s := seat{turns: make(chan uint32, 1), leave: func() {}}
	if m.deps.Leases == nil {
		s.turns <- 1
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
func (m *Module) term(ctx context.Context, turns chan<- uint32, last uint32) uint32 {
	l, err := m.deps.Leases.Lease(ctx)
	if err != nil {
		if ctx.Err() == nil {
			m.deps.Log.Error("the right to decide cannot be asked for; callers wait with music", "err", err)
			pause(ctx, m, leaseRetry)
		}
		return last
	}
	fence := narrow(l.Fence(), last)
	tell(ctx, turns, fence)
	select {
	case <-l.Lost():
		m.deps.Log.Warn("another process may decide now; nothing is offered from here", "fence", fence)
		tell(ctx, turns, 0)
	case <-ctx.Done():
		release, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseRetry)
		defer cancel()
		if err := l.Release(release); err != nil {
			m.deps.Log.Warn("the right to decide was not given back; it expires by itself", "err", err)
		}
	}
	return fence
}

func tell(ctx context.Context, turns chan<- uint32, fence uint32) {
	select {
	case turns <- fence:
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
