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
// half a second before another can have it. In a process alone, where no other can, standing still does not lose it.
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
	revision, err := leases.Create(ctx, name, leaseNote{Holder: holder})
	if errors.Is(err, ErrChanged) {
		return nil, &told{ErrHeld, err}
	}
	if err != nil {
		return nil, err
	}
	fence, err := b.fence(ctx, name)
	since := b.clock.Now() // of the write that counts: those before may have taken long
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

// renew writes the key each second. since is a moment before the last write known to be done began: counted from
// there, our end comes before the server's.
func (l *Lease) renew(ctx context.Context, since time.Time) {
	defer close(l.lost)
	tried := since       // when the last try began
	var unsure time.Time // when the first one since began of which we do not know whether it was done
	renewed := func(at time.Time) {
		since, unsure = at, time.Time{}
		l.renewed.Store(at.UnixNano())
	}
	for {
		now := l.bus.clock.Now()
		left := leaseTTL - leaseMargin - now.Sub(since)
		if left <= 0 {
			if !l.again(ctx) {
				l.bus.log.Warn("a lease is lost: it could not be renewed", slog.String("lease", l.Name))
				return
			}
			renewed(now)
			continue
		}
		if due := leaseRenew - now.Sub(tried); due > 0 {
			if !sleep(ctx, min(due, left)) {
				return
			}
			continue
		}
		tried = now
		try, cancel := context.WithTimeout(ctx, min(leaseRenew, left))
		revision, err := l.bucket.Update(try, l.Name, leaseNote{l.Holder, l.Fence}, l.revision)
		cancel()
		switch {
		case err == nil:
			l.revision = revision
			renewed(tried)
		case errors.Is(err, ErrChanged):
			written, ours := l.own(ctx)
			switch {
			case written && !unsure.IsZero(): // by a try whose answer was lost, and none began before the first of these
				renewed(unsure)
			case !ours && !l.again(ctx):
				l.bus.log.Warn("a lease is lost: another has it", slog.String("lease", l.Name))
				return
			case !ours:
				renewed(tried)
			}
		case unsure.IsZero():
			unsure = tried
		}
	}
}

// sleep waits for d; false: ctx has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// again takes a lease that has run out once more, under its fence, as if nothing had happened. Only a process alone may:
// nobody else can have had it while the whole process stood still, but for another part of it, which keeps it then.
func (l *Lease) again(ctx context.Context) bool {
	if l.bucket.local == nil || ctx.Err() != nil {
		return false
	}
	if revision, err := l.bucket.Create(ctx, l.Name, leaseNote{l.Holder, l.Fence}); err == nil {
		l.revision = revision
		return true
	}
	_, ours := l.own(ctx)
	return ours
}

// own tells whether the key still says that we hold it, and whether it was written since the last time we know of; then
// its revision is taken.
func (l *Lease) own(ctx context.Context) (written, ours bool) {
	var note leaseNote
	ctx, cancel := context.WithTimeout(ctx, leaseRenew/2)
	defer cancel()
	revision, err := l.bucket.Get(ctx, l.Name, &note)
	if err != nil || note.Holder != l.Holder || note.Fence != l.Fence {
		return false, false
	}
	written = revision > l.revision
	l.revision = max(l.revision, revision)
	return written, true
}

// Held tells whether the lease is still ours, by the clock where another process can have it. Lost says so too, but a process that was stopped for a while
// goes on where it was before it hears of anything: who asks Held first does not speak out of turn.
func (l *Lease) Held() bool {
	select {
	case <-l.lost:
		return false
	default:
		return l.bucket.local != nil || l.bus.clock.Now().UnixNano()-l.renewed.Load() < int64(leaseTTL-leaseMargin)
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
