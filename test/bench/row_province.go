package main

import (
	"context"
	"fmt"
	"time"
)

// Row province: a call as in row call, in a house where much else goes on: three cities, their people, and a thousand who
// wait for a queue nobody serves. The music's cost is measured right before and after each span of calls and taken off.
func measureProvince(ctx context.Context, b *bench, r *row) error {
	g, err := newRig(ctx, b, staffing{people: muchMore, cities: true})
	if err != nil {
		return err
	}
	defer g.close() //nolint:errcheck // what went wrong at the end of a measured run is no figure
	g.number = province
	g.x.caller = func(n int) string { return fmt.Sprintf("%s%08d", cities[n%len(cities)].area, 20_000_000+n) }
	if err := g.work(ctx, muchMore); err != nil {
		return err
	}
	if _, err := g.wait(ctx, nobody, musicCallers); err != nil {
		return err
	}
	if _, err := g.offer(ctx, callRate, 3*time.Second, callHold); err != nil { // warm: tables, caches, the heap's size
		return err
	}
	var costs []float64
	var calls, faulty int
	music, err := quiet(g.pid(), 4*time.Second)
	if err != nil {
		return err
	}
	for range b.times(3) {
		began := time.Now()
		cost, done, err := costOfCalls(ctx, g, callRate, callSpan)
		if err != nil {
			return err
		}
		took := time.Since(began)
		after, err := quiet(g.pid(), 4*time.Second)
		if err != nil {
			return err
		}
		n, what := faults(done)
		if n > 0 {
			r.notef("%d of %d calls failed: %s", n, len(done), what)
		}
		beside := (music + after) / 2 * took.Seconds() * 1000 / float64(len(done)) // ms of music for each call
		costs, music = append(costs, cost-beside), after
		calls, faulty = calls+len(done), faulty+n
	}
	r.of(costs, "%.2f ms")
	r.Met = r.Value <= manyGoal && faulty == 0
	r.notef("%d calls, %d failed; %d waiting on music use %.1f %% of the core beside them", calls, faulty, musicCallers, music*100)
	return nil
}
