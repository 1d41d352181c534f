package sip

import (
	"runtime"
	"runtime/metrics"
	"syscall"
	"time"
)

// processor tells how well the process gets at its processors.
type processor struct {
	used   time.Duration
	counts []uint64
	sample [1]metrics.Sample
}

const (
	schedLatencies = "/sched/latencies:seconds"
	fewWaits       = 20 // below so many waits a percentile says nothing, and nothing waits
)

// fare gives the 90th percentile of the waits of goroutines for a processor since the last call, and how much of the
// processors was used (user and system time, by getrusage). Others who take the processors show in the first only.
func (p *processor) fare(elapsed time.Duration) (delay time.Duration, busy float64) {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		used := time.Duration(u.Utime.Nano() + u.Stime.Nano())
		if elapsed > 0 {
			busy = min(float64(used-p.used)/float64(elapsed)/float64(runtime.GOMAXPROCS(0)), 1)
		}
		p.used = used
	}
	p.sample[0].Name = schedLatencies
	metrics.Read(p.sample[:])
	if p.sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return 0, busy
	}
	h := p.sample[0].Value.Float64Histogram()
	return p.percentile(h.Counts, h.Buckets), busy
}

// percentile gives the 90th percentile of what was added to the counts; bounds has one more than counts.
func (p *processor) percentile(counts []uint64, bounds []float64) time.Duration {
	if len(p.counts) != len(counts) {
		p.counts = make([]uint64, len(counts))
	}
	total, d := uint64(0), make([]uint64, len(counts))
	for i, n := range counts {
		d[i] = n - p.counts[i]
		total += d[i]
	}
	copy(p.counts, counts)
	if total < fewWaits {
		return 0
	}
	above := total / 10
	for i, sum := len(d)-1, uint64(0); i >= 0; i-- {
		if sum += d[i]; sum > above {
			return time.Duration(max(bounds[i], 0) * float64(time.Second)) // the bucket's lower bound; -Inf is 0
		}
	}
	return 0
}
