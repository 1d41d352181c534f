package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	leaseBucket = "lease" // keys: who holds what, for as long as it is renewed
	fenceBucket = "fence" // keys: the last fencing number of each lease, for good
	leaseTTL    = 3 * time.Second
	leaseRenew  = time.Second
	leaseMargin = 500 * time.Millisecond // the holder gives up so long before the others may claim
)

// leaseNote is the value under a lease's key.
type leaseNote struct {
	Holder string `json:"holder"`
	Fence  int64  `json:"fence"`
}

// Lease is the right to do what only one may do. It is renewed each second and lost when that fails for 2.5 s,
// half a second before another can have it.
type Lease struct {
	Name   string
	Holder string
	// Fence rises with every claim of the name, over restarts too; it is at least the time in unix µs. Whoever guards a thing the holder writes
	// refuses a fence below one it has seen: that is what keeps a holder out that slept through its own end.
	Fence int64

	bus      *Bus
	bucket   *Bucket
	revision uint64
	renewed  atomic.Int64 // unix ns: a moment before the last successful renewal began
	lost     chan struct{}
	end      context.CancelFunc
	done     sync.WaitGroup
}

// Claim takes the lease, or gives ErrHeld when somebody has it.
func (b *Bus) Claim(ctx context.Context, name, holder string) (*Lease, error) {
	leases, err := b.Bucket(ctx, leaseBucket, BucketConfig{TTL: leaseTTL})
	if err != nil {
		return nil, err
	}
	since := b.clock.Now()
	revision, err := leases.Create(ctx, name, leaseNote{Holder: holder})
	if errors.Is(err, ErrChanged) {
		return nil, &told{ErrHeld, err}
	}
	if err != nil {
		return nil, err
	}
	fence, err := b.fence(ctx, name)
	if err == nil {
		revision, err = leases.Update(ctx, name, leaseNote{holder, fence}, revision)
	}
	if err != nil {
		return nil, fmt.Errorf("claim %s: %w", name, err) // the key expires by itself
	}
	life, end := context.WithCancel(b.life)
	l := &Lease{
		Name: name, Holder: holder, Fence: fence,
		bus: b, bucket: leases, revision: revision, lost: make(chan struct{}), end: end,
	}
	l.renewed.Store(since.UnixNano())
	l.done.Go(func() { l.renew(life, since) })
	return l, nil
}

// Lease waits until the lease can be claimed, as long as ctx allows.
func (b *Bus) Lease(ctx context.Context, name, holder string) (*Lease, error) {
	leases, err := b.Bucket(ctx, leaseBucket, BucketConfig{TTL: leaseTTL})
	if err != nil {
		return nil, err
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	changes, err := leases.Watch(watching, name)
	if err != nil {
		return nil, err
	}
	retry := time.NewTicker(leaseTTL) // should the word of its end be lost
	defer retry.Stop()
	for {
		try, cancel := context.WithTimeout(ctx, leaseTTL)
		l, err := b.Claim(try, name, holder)
		cancel()
		if err == nil {
			return l, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if !errors.Is(err, ErrHeld) {
			b.log.Warn("a lease cannot be claimed and will be tried again", slog.String("lease", name), slog.Any("error", err))
		}
		if err := await(ctx, b.life, changes, retry.C); err != nil {
			return nil, err
		}
	}
}

// await returns when the key is gone, or after a while.
func await(ctx, life context.Context, changes <-chan Change, retry <-chan time.Time) error {
	for {
		select {
		case c, ok := <-changes:
			if ok && !c.Gone {
				continue
			}
			if !ok {
				changes = nil
				continue
			}
			return nil
		case <-retry:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-life.Done():
			return explain(errClosed, leaseBucket)
		}
	}
}

var errClosed = errors.New("the bus is closed")

// fence gives the next fencing number of the name: above the last one, and not below the clock, so that it
// rises even where the buckets were lost with the process.
func (b *Bus) fence(ctx context.Context, name string) (int64, error) {
	fences, err := b.Bucket(ctx, fenceBucket, BucketConfig{})
	if err != nil {
		return 0, err
	}
	for {
		var last int64
		revision, err := fences.Get(ctx, name, &last)
		next := max(last+1, b.clock.Now().UnixMicro())
		switch {
		case errors.Is(err, ErrMissing):
			_, err = fences.Create(ctx, name, next)
		case err == nil:
			_, err = fences.Update(ctx, name, next, revision)
		}
		if err == nil {
			return next, nil
		}
		if !errors.Is(err, ErrChanged) {
			return 0, err
		}
	}
}

// renew writes the key each second. since is a moment before the last successful write began: counted from
// there, our end comes before the server's.
func (l *Lease) renew(ctx context.Context, since time.Time) {
	defer close(l.lost)
	tick := time.NewTicker(leaseRenew)
	defer tick.Stop()
	for {
		left := leaseTTL - leaseMargin - l.bus.clock.Now().Sub(since)
		if left <= 0 {
			l.bus.log.Warn("a lease is lost: it could not be renewed", slog.String("lease", l.Name))
			return
		}
		last := time.NewTimer(left)
		select {
		case <-tick.C:
			last.Stop()
		case <-last.C:
			continue
		case <-ctx.Done():
			last.Stop()
			return
		}
		began := l.bus.clock.Now()
		try, cancel := context.WithTimeout(ctx, min(leaseRenew, max(leaseTTL-leaseMargin-began.Sub(since), time.Millisecond)))
		revision, err := l.bucket.Update(try, l.Name, leaseNote{l.Holder, l.Fence}, l.revision)
		cancel()
		switch {
		case err == nil:
			l.revision, since = revision, began
			l.renewed.Store(since.UnixNano())
		case errors.Is(err, ErrChanged):
			if l.own(ctx) { // our own write of a moment ago, whose answer was lost: since stays, to be safe
				continue
			}
			l.bus.log.Warn("a lease is lost: another has it", slog.String("lease", l.Name))
			return
		}
	}
}

// own tells whether the key still says that we hold it, and takes its revision.
func (l *Lease) own(ctx context.Context) bool {
	var note leaseNote
	ctx, cancel := context.WithTimeout(ctx, leaseRenew/2)
	defer cancel()
	revision, err := l.bucket.Get(ctx, l.Name, &note)
	if err != nil || note.Holder != l.Holder || note.Fence != l.Fence {
		return false
	}
	l.revision = revision
	return true
}

// Held tells whether the lease is still ours by the clock. Lost says so too, but a process that was stopped for a while
// goes on where it was before it hears of anything: who asks Held first does not speak out of turn.
func (l *Lease) Held() bool {
	select {
	case <-l.lost:
		return false
	default:
		return l.bus.clock.Now().UnixNano()-l.renewed.Load() < int64(leaseTTL-leaseMargin)
	}
}

// Lost is closed when the lease is no longer ours: lost, released, or the bus closed.
func (l *Lease) Lost() <-chan struct{} { return l.lost }

// Release gives the lease up, so that another can have it at once.
func (l *Lease) Release(ctx context.Context) error {
	l.end()
	l.done.Wait()
	err := l.bucket.Delete(ctx, l.Name, l.revision)
	if errors.Is(err, ErrChanged) || errors.Is(err, ErrMissing) {
		return nil // it was lost before
	}
	return err
}
