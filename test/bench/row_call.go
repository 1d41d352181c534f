package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"time"
)

// Row call: the whole way of a queue call, as the peers were measured: A-law, phones that answer at once, 300 ms of
// talk, no recording.
const (
	callRate = 40.0
	callHold = 300 * time.Millisecond
	callSpan = 8 * time.Second
	callGoal = 1.2 // ms, with the bureau's own people
	manyGoal = 1.2 // ms, with 300 and with them
	muchMore = 300
)

func measureCall(ctx context.Context, b *bench, r *row) error {
	return measureCallOf(ctx, b, r, agents, callGoal)
}

func measureCallOfMany(ctx context.Context, b *bench, r *row) error {
	return measureCallOf(ctx, b, r, muchMore, manyGoal)
}

func measureCallOf(ctx context.Context, b *bench, r *row, people int, goal float64) error {
	g, err := newRig(ctx, b, staffing{people: people})
	if err != nil {
		return err
	}
	defer g.close() //nolint:errcheck // what went wrong at the end of a measured run is no figure
	if err := g.work(ctx, people); err != nil {
		return err
	}
	if _, err := g.offer(ctx, callRate, 3*time.Second, callHold); err != nil { // warm: tables, caches, the heap's size
		return err
	}
	idle, err := quiet(g.pid(), 2*time.Second)
	if err != nil {
		return err
	}
	var costs []float64
	var calls, faulty int
	for range b.times(3) {
		if b.perf != "" {
			stop, err := profile(g.pid(), b.perf)
			if err != nil {
				return err
			}
			defer stop()
		}
		cost, done, err := costOfCalls(ctx, g, callRate, callSpan)
		if err != nil {
			return err
		}
		n, what := faults(done)
		if n > 0 {
			r.notef("%d of %d calls failed: %s", n, len(done), what)
		}
		calls, faulty = calls+len(done), faulty+n
		costs = append(costs, cost)
	}
	r.of(costs, "%.2f ms")
	r.Met = r.Value <= goal && faulty == 0
	r.notef("%d calls, %d failed; the idle server uses %.2f %% of the core (included above)", calls, faulty, idle*100)
	return nil
}

// costOfCalls offers calls and gives the server's processor time per call in ms.
func costOfCalls(ctx context.Context, g *rig, rate float64, span time.Duration) (float64, []*call, error) {
	before, err := used(g.pid())
	if err != nil {
		return 0, nil, err
	}
	done, err := g.offer(ctx, rate, span, callHold)
	if err != nil {
		return 0, nil, err
	}
	after, err := used(g.pid())
	if err != nil {
		return 0, nil, err
	}
	return float64((after - before).Microseconds()) / 1000 / float64(len(done)), done, nil
}

// quiet gives the share of a core the server uses while nothing is asked of it.
func quiet(pid int, span time.Duration) (float64, error) {
	before, err := used(pid)
	if err != nil {
		return 0, err
	}
	time.Sleep(span)
	after, err := used(pid)
	return float64(after-before) / float64(span), err
}

// profile records where the server spends its time; stop ends it.
func profile(pid int, file string) (stop func(), err error) {
	cmd := exec.Command("perf", "record", "-q", "-F", "4999", "-g", "-p", strconv.Itoa(pid), "-o", file)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("perf could not be started: %w", err)
	}
	return func() {
		_ = cmd.Process.Signal(interrupt)
		_ = cmd.Wait() // ended by the signal
	}, nil
}
