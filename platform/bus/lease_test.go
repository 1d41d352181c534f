package bus

import (
	"context"
	"errors"
	"testing"
	"time"
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
