package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Row bridged: calls with both legs through the server and speech both ways, all on one core. The number of calls
// is raised until loss or delay says stop.
const (
	bridgedGoal  = 800
	recordedGoal = 400
	maxLoss      = 0.001
	maxMore      = 20.0 // ms of p99 delay above the idle echo
)

func measureBridged(ctx context.Context, b *bench, r *row) error {
	steps := []int{200, 400, 600, 800, 1000, 1200}
	if b.quick {
		steps = []int{200, 800}
	}
	return measureBridgedOf(ctx, b, r, steps, false, bridgedGoal)
}

// measureRecorded is measureBridged with every call recorded, sealed and on the disk.
func measureRecorded(ctx context.Context, b *bench, r *row) error {
	steps := []int{200, 400, 600, 800}
	if b.quick {
		steps = []int{400}
	}
	return measureBridgedOf(ctx, b, r, steps, true, recordedGoal)
}

func measureBridgedOf(ctx context.Context, b *bench, r *row, steps []int, recorded bool, goal int) error {
	people := steps[len(steps)-1] + 10
	g, err := newRig(ctx, b, staffing{people: people, recorded: recorded})
	if err != nil {
		return err
	}
	defer g.close() //nolint:errcheck // what went wrong at the end of a measured run is no figure
	p, err := newPump()
	if err != nil {
		return err
	}
	defer p.close() //nolint:errcheck // likewise
	echo, err := idleEcho(p)
	if err != nil {
		return err
	}
	for _, x := range g.phones {
		x.media(p.open)
	}
	if err := g.work(ctx, people); err != nil {
		return err
	}
	var calls []*call
	var shares []float64
	best, tired := 0, false
	for i, n := range steps {
		if calls, err = g.bridge(ctx, p, calls, n); err != nil {
			r.notef("%d calls: %v", n, err)
			break
		}
		time.Sleep(time.Second)
		before, err := used(g.pid())
		if err != nil {
			return err
		}
		began := time.Now()
		h := p.measure(uint32(i+2), 5*time.Second)
		took := time.Since(began)
		after, err := used(g.pid())
		if err != nil {
			return err
		}
		share := float64(after-before) / float64(took)
		due := float64(n) * 2 * 50 * 5
		keeps := float64(h.sent) >= 0.97*due
		fine := h.loss() < maxLoss && h.p99-echo.p99 < maxMore
		r.notef("%d calls: loss %.3f %%, p50 %.1f ms, p99 %.1f ms, %.0f %% of a core (%.1f per 100 calls); load sent %.1f %% of its packets in time",
			n, h.loss()*100, h.p50, h.p99, share*100, share*100/float64(n)*100, float64(h.sent)/due*100)
		if h.loss() < 0.01 { // a server that was kept from its work tells nothing of its cost
			shares = append(shares, share/float64(n))
		}
		if !keeps {
			tired = true
		}
		if !fine {
			break
		}
		best = n
	}
	if len(shares) == 0 {
		return errors.New("no step came through without loss: " + strings.Join(r.Notes, "; "))
	}
	each, _, _ := median(shares)
	r.Value, r.Low, r.High = float64(best), float64(best), 1/each
	r.Measured = fmt.Sprintf("%d calls within loss and delay (steps of 200); by processor cost a core is full at %.0f", best, 1/each)
	r.Met = best >= goal
	r.notef("idle echo loop: p50 %.2f ms, p99 %.2f ms, loss %.3f %%", echo.p50, echo.p99, echo.loss()*100)
	if tired {
		r.notef("the load could not send all its packets in time on its core: the steps above are its limit too")
	}
	return nil
}

// bridge adds calls until n talk. Those that a busy moment has refused with 503 are placed again.
func (r *rig) bridge(ctx context.Context, p *pump, calls []*call, n int) ([]*call, error) {
	for len(calls) < n {
		port, s := p.open()
		calls = append(calls, r.x.place(direct, -1, port, s))
		time.Sleep(12 * time.Millisecond)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		talking := r.x.talking(calls)
		if talking == n {
			return calls, nil
		}
		for i, c := range calls {
			if r.x.refused(c) {
				port, s := p.open()
				calls[i] = r.x.place(direct, -1, port, s)
			}
		}
		if ctx.Err() != nil {
			return calls, ctx.Err()
		}
		if time.Now().After(deadline) {
			_, what := faults(calls)
			return calls, fmt.Errorf("only %d came to talk (%s)", talking, what)
		}
	}
}

// talking counts the calls that are connected and have not ended.
func (x *exchange) talking(calls []*call) (n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range calls {
		if !c.bridged.IsZero() && c.ended.IsZero() {
			n++
		}
	}
	return n
}

// refused says whether the server has put the call off for a moment.
func (x *exchange) refused(c *call) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return !c.ended.IsZero() && c.code == 503
}
