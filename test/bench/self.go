package main

import (
	"fmt"
	"math"
	"runtime/metrics"
	"syscall"
	"time"
)

// self watches the load generator while it works: a load that is late itself must not blame the server.
type self struct {
	at     time.Time
	used   time.Duration
	counts []uint64
}

// ownShare is what a span cost the load generator, and how late it was.
type ownShare struct {
	busy float64       // of its core
	late time.Duration // its work waited for the core, 99th percentile
}

// Beyond these the load was late itself: answers to the server's messages waited on this side.
const (
	lateSelf = 100 * time.Millisecond
	busySelf = 0.95
)

func watchSelf() *self {
	counts, _ := waits()
	return &self{at: time.Now(), used: ownTime(), counts: counts}
}

func (s *self) since() ownShare {
	now, bounds := waits()
	total := uint64(0)
	for i := range now {
		now[i] -= s.counts[i]
		total += now[i]
	}
	o := ownShare{busy: float64(ownTime()-s.used) / float64(time.Since(s.at))}
	for i, above := len(now)-1, uint64(0); i >= 0; i-- {
		if above += now[i]; above > total/100 {
			o.late = time.Duration(math.Max(bounds[i], 0) * float64(time.Second))
			break
		}
	}
	return o
}

// waits is how long goroutines that were ready have waited to run, as counts between bounds in seconds.
func waits() (counts []uint64, bounds []float64) {
	m := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	metrics.Read(m)
	h := m[0].Value.Float64Histogram()
	return h.Counts, h.Buckets
}

// ownTime is the processor time this process has used.
func ownTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail with these arguments
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (o ownShare) String() string {
	return fmt.Sprintf("%.0f %% of its core, its work waited up to %v (p99)", o.busy*100, o.late.Round(time.Millisecond))
}

// doubt says why a figure says nothing about the server, "" when it does.
func (o ownShare) doubt() string {
	if o.late > lateSelf || o.busy > busySelf {
		return "the load was late itself: " + o.String()
	}
	return ""
}
