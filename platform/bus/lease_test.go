package bus

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/clock"
)

func TestLease(t *testing.T) {
	b := alone(t)
	ctx := t.Context()
	first, err := b.Claim(ctx, "brain", "a")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("a second claimant is refused for longer than it lives", func(t *testing.T) {
		for end := time.Now().Add(leaseTTL + time.Second); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
			if _, err := b.Claim(ctx, "brain", "b"); !errors.Is(err, ErrHeld) {
				t.Fatalf("claim: %v", err)
			}
		}
		select {
		case <-first.Lost():
			t.Fatal("the holder lost it")
		default:
		}
	})
	t.Run("it passes on at once when released, with a higher fence", func(t *testing.T) {
		won := make(chan *Lease, 1)
		go func() {
			l, err := b.Lease(context.WithoutCancel(ctx), "brain", "b")
			if err != nil {
				t.Error(err)
			}
			won <- l
		}()
		time.Sleep(50 * time.Millisecond)
		begin := time.Now()
		if err := first.Release(ctx); err != nil {
			t.Fatal(err)
		}
		<-first.Lost()
		second := soon(t, won)
		if took := time.Since(begin); took > time.Second {
			t.Errorf("took %v", took)
		}
		if second.Fence <= first.Fence {
			t.Errorf("fence %d after %d", second.Fence, first.Fence)
		}
		first = second
	})
	t.Run("it is lost before another can have it when it is not renewed", func(t *testing.T) {
		if !first.Held() {
			t.Error("the holder does not know")
		}
		first.end() // as if the process slept: nothing renews, nothing is released
		first.done.Wait()
		if first.Held() {
			t.Error("the holder does not know of its end")
		}
		begin := time.Now()
		third, err := b.Lease(ctx, "brain", "c")
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took < leaseTTL-leaseRenew-200*time.Millisecond || took > leaseTTL+2*time.Second {
			t.Errorf("passed on after %v", took)
		}
		if third.Fence <= first.Fence {
			t.Errorf("fence %d after %d", third.Fence, first.Fence)
		}
		t.Run("and noticed when another has written it", func(t *testing.T) {
			if _, err := third.bucket.Put(ctx, "brain", leaseNote{Holder: "thief"}); err != nil {
				t.Fatal(err)
			}
			soonClosed(t, third.Lost())
			if err := third.Release(ctx); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("waiting ends with the context", func(t *testing.T) {
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		if _, err := b.Lease(short, "brain", "d"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func soonClosed(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		t.Fatal("not in 10 s")
	}
}

func TestFenceRisesOverRestarts(t *testing.T) {
	var last int64
	for range 3 {
		b, err := Open(t.Context(), Config{Node: "n"})
		if err != nil {
			t.Fatal(err)
		}
		l, err := b.Claim(t.Context(), "brain", "a")
		if err != nil {
			t.Fatal(err)
		}
		if l.Fence <= last {
			t.Errorf("fence %d after %d", l.Fence, last)
		}
		last = l.Fence
		b.Close()
		soonClosed(t, l.Lost())
	}
}

// A claim that took long is held as long as any: the time counts from its last write, not from its first.
func TestALeaseTakenSlowly(t *testing.T) {
	slow := &slowClock{Clock: clock.System()}
	b := opened(t, Config{Node: "n", Clock: slow, streams: true})
	slow.step.Store(int64(2 * time.Second))
	l, err := b.Claim(t.Context(), "brain", "a")
	slow.step.Store(0)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-l.Lost():
		t.Fatal("it is lost again at once")
	case <-time.After(leaseRenew + leaseRenew/2):
	}
	if !l.Held() {
		t.Error("it is not held")
	}
}

// slowClock is of a machine on which time goes by between any two looks at the clock.
type slowClock struct {
	clock.Clock
	step, gone atomic.Int64
}

func (c *slowClock) Now() time.Time {
	return c.Clock.Now().Add(time.Duration(c.gone.Add(c.step.Load())))
}

// A process alone that stood still for longer than a lease lives holds it as before: nobody else could have it.
func TestALeaseOfAProcessThatStoodStill(t *testing.T) {
	manual := clock.NewManual(time.Unix(1_795_460_000, 0))
	b := opened(t, Config{Node: "n", Clock: manual})
	l, err := b.Claim(t.Context(), "brain", "a")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		manual.Advance(time.Minute)
		if !l.Held() {
			t.Error("it is not held")
		}
		time.Sleep(leaseRenew + leaseRenew/2) // it is renewed, or lost
		select {
		case <-l.Lost():
			t.Fatal("it is lost")
		default:
		}
		var note leaseNote
		if _, err := l.bucket.Get(t.Context(), "brain", &note); err != nil || note.Fence != l.Fence {
			t.Errorf("the bucket has %+v, %v", note, err)
		}
	}
	if err := l.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := b.Claim(t.Context(), "brain", "b"); err != nil {
		t.Errorf("it was not given back: %v", err)
	}
}
