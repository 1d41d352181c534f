package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// rig is a server with the bureau at work: registered robot phones, an agent at each, and callers.
type rig struct {
	*server
	x      *exchange
	phones []*phone
	sink   *sink
	number string // what offered calls dial
}

func newRig(ctx context.Context, b *bench, o staffing) (*rig, error) {
	s, err := startServer(ctx, b.bin, b.dir, o)
	if err != nil {
		return nil, err
	}
	r := &rig{server: s, number: direct}
	if err := r.come(o.people); err != nil {
		return nil, errors.Join(err, r.close(), errors.New(s.lastLines()))
	}
	return r, nil
}

func (r *rig) come(people int) (err error) {
	if r.sink, err = newSink(); err != nil {
		return err
	}
	if r.x, err = newExchange(r.sip); err != nil {
		return err
	}
	for i := range people {
		p, err := newPhone(r.sip, phoneCode(i), phoneWord)
		if err != nil {
			return err
		}
		r.phones = append(r.phones, p)
		p.lifted = r.x.connected
		p.ports = func() (int, *stream) { return r.sink.port, nil }
		if err := p.register(); err != nil {
			return err
		}
	}
	return nil
}

// work signs n agents in and makes them ready, some at a time: each answer waits for its facts.
func (r *rig) work(ctx context.Context, n int) error {
	return many(n, func(i int) error {
		if err := r.desk(ctx, userCode(i), "signin", map[string]string{"endpoint": phoneCode(i)}); err != nil {
			return err
		}
		return r.desk(ctx, userCode(i), "state", map[string]string{"state": "ready"})
	})
}

// many calls f for 0 … n-1, sixteen at a time, and gives the first error.
func many(n int, f func(i int) error) error {
	var work sync.WaitGroup
	next, errs := atomic.Int64{}, make(chan error, n)
	for range 16 {
		work.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := f(i); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	work.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

func (r *rig) close() error {
	for _, p := range r.phones {
		p.close()
	}
	if r.x != nil {
		r.x.close()
	}
	err := r.stop()
	if r.sink != nil {
		r.sink.close()
	}
	return err
}

// offer places calls at an even rate for a time and returns them when each has come to its end.
func (r *rig) offer(ctx context.Context, rate float64, during, hold time.Duration) ([]*call, error) {
	n := int(rate * during.Seconds())
	calls := make([]*call, 0, n)
	begin := time.Now()
	for i := range n {
		due := begin.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		if d := time.Until(due); d > 0 {
			time.Sleep(d)
		}
		if ctx.Err() != nil {
			return calls, ctx.Err()
		}
		calls = append(calls, r.x.place(r.number, hold, r.sink.port, nil))
	}
	return calls, settle(ctx, calls)
}

// faults gives how many calls failed, and of what (the commonest).
func faults(calls []*call) (n int, what string) {
	count := map[string]int{}
	for _, c := range calls {
		if c.fault != "" {
			n++
			count[c.fault]++
			if count[c.fault] > count[what] {
				what = c.fault
			}
		}
	}
	if n > 0 {
		what = fmt.Sprintf("%d × %s", count[what], what)
	}
	return n, what
}

// median gives the middle of the values and how far they spread.
func median(values []float64) (mid, low, high float64) {
	if len(values) == 0 {
		return 0, 0, 0
	}
	s := slices.Sorted(slices.Values(values))
	mid = s[len(s)/2]
	if len(s)%2 == 0 {
		mid = (s[len(s)/2-1] + s[len(s)/2]) / 2
	}
	return mid, s[0], s[len(s)-1]
}
