package main

import (
	"context"
	"fmt"
	"time"
)

// Row music: a thousand callers wait and hear music; new calls are answered all the same.
const (
	musicCallers = 1000
	musicShare   = 8.0   // % of a core per 100
	musicMemory  = 60e3  // bytes each
	musicPace    = 100.0 // calls a second while they come together
	promptly     = time.Second
)

func measureMusic(ctx context.Context, b *bench, r *row) error {
	g, err := newRig(ctx, b, staffing{people: agents})
	if err != nil {
		return err
	}
	defer g.close() //nolint:errcheck // what went wrong at the end of a measured run is no figure
	if err := g.warm(ctx); err != nil {
		return err
	}
	idle, err := quiet(g.pid(), 2*time.Second)
	if err != nil {
		return err
	}
	empty, err := resident(g.pid())
	if err != nil {
		return err
	}
	if _, err := g.wait(ctx, direct, musicCallers); err != nil {
		return err
	}
	var shares []float64
	heardAll := 1.0
	for range b.times(3) {
		before, err := used(g.pid())
		if err != nil {
			return err
		}
		packets, began := g.sink.packets.Load(), time.Now()
		time.Sleep(5 * time.Second)
		took := time.Since(began)
		after, err := used(g.pid())
		if err != nil {
			return err
		}
		heardAll = min(heardAll, float64(g.sink.packets.Load()-packets)/(50*took.Seconds()*musicCallers))
		shares = append(shares, (float64(after-before)/float64(took)-idle)*100/musicCallers*100)
	}
	full, err := resident(g.pid())
	if err != nil {
		return err
	}
	memory := float64(full-empty) / musicCallers
	late, slowest, err := g.newcomers(ctx, 50)
	if err != nil {
		return err
	}
	r.of(shares, "%.1f %% of a core per 100")
	r.Measured += fmt.Sprintf("; %.0f kB each; %d of 50 new calls answered within a second (slowest %.0f ms)", memory/1000, 50-late, slowest.Seconds()*1000)
	r.Met = r.Value <= musicShare && memory <= musicMemory && late == 0 && heardAll > 0.97
	r.notef("%.1f %% of the music's packets arrived; idle server %.2f %% of the core, %.0f MB; with %d waiting %.0f MB",
		heardAll*100, idle*100, float64(empty)/1e6, musicCallers, float64(full)/1e6)
	return nil
}

// warm lets some callers come and go, until the heap has the size it keeps, so that what is measured is what each of many costs, not what the first does.
func (r *rig) warm(ctx context.Context) error {
	calls, err := r.wait(ctx, direct, 250)
	if err != nil {
		return err
	}
	for _, c := range calls {
		c.hangUp()
	}
	return settle(ctx, calls)
}

// wait brings n callers into the queue behind a number, where they stay.
func (r *rig) wait(ctx context.Context, number string, n int) ([]*call, error) {
	var calls []*call
	for range n {
		calls = append(calls, r.x.place(number, -1, r.sink.port, nil))
		time.Sleep(time.Second / musicPace)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		waiting := r.x.waiting(calls)
		if waiting == n {
			return calls, nil
		}
		for i, c := range calls {
			select {
			case <-c.over: // refused for the moment, as told to come again
				calls[i] = r.x.place(number, -1, r.sink.port, nil)
				time.Sleep(time.Second / musicPace)
			default:
			}
		}
		if ctx.Err() != nil {
			return calls, ctx.Err()
		}
		if time.Now().After(deadline) {
			_, what := faults(calls)
			return calls, fmt.Errorf("only %d of %d came to wait (%s)", waiting, n, what)
		}
	}
}

// waiting counts the calls that were answered and have not ended.
func (x *exchange) waiting(calls []*call) (n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range calls {
		if !c.answered.IsZero() && c.ended.IsZero() {
			n++
		}
	}
	return n
}

// newcomers calls one after another and says how many were not answered promptly.
func (r *rig) newcomers(ctx context.Context, n int) (late int, slowest time.Duration, err error) {
	for range n {
		c := r.x.place(direct, -1, r.sink.port, nil)
		for r.x.waiting([]*call{c}) == 0 && time.Since(c.placed) < patience {
			if ctx.Err() != nil {
				return late, slowest, ctx.Err()
			}
			time.Sleep(2 * time.Millisecond)
		}
		d := time.Since(c.placed)
		slowest = max(slowest, d)
		if d > promptly {
			late++
		}
		c.hangUp()
		time.Sleep(20 * time.Millisecond)
	}
	return late, slowest, nil
}
