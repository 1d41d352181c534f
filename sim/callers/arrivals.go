package callers

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// curve is the share of a day's calls by half-hour of work, 8:30 to 12:00 and 14:00 to 17:30. Never written to.
var curve = []struct {
	begin time.Duration
	share float64
}{
	{510 * time.Minute, .085},
	{540 * time.Minute, .098},
	{570 * time.Minute, .103},
	{600 * time.Minute, .102},
	{630 * time.Minute, .094},
	{660 * time.Minute, .076},
	{690 * time.Minute, .044},
	{840 * time.Minute, .068},
	{870 * time.Minute, .080},
	{900 * time.Minute, .078},
	{930 * time.Minute, .068},
	{960 * time.Minute, .056},
	{990 * time.Minute, .036},
	{1020 * time.Minute, .012},
}

// share gives how busy it is some time after the beginning, 1 at 10:00. The curve has no nights and no lunch: the
// demonstration is always open, so after 17:30 it is 8:30 again, and no quarter is quieter than a third of the peak.
func share(begin, after time.Duration) float64 {
	const half = 30 * time.Minute
	first := 0
	for i, c := range curve {
		if c.begin <= begin {
			first = i
		}
	}
	at := time.Duration(first)*half + after + min(max(begin-curve[first].begin, 0), half-1)
	n := int(at/half) % len(curve)
	return max(curve[n].share/curve[3].share, 1.0/3)
}

// firstCalls come within the first half minute: whoever looks sees a hotline at work, not one that opens.
const firstCalls = 22

// crowd is what a news item or a deadline does: three minutes of every twenty, from the fifth on, well over half as many
// again call. Queues fill, alerts are raised and calm down again.
func crowd(after time.Duration) float64 {
	if at := after % (20 * time.Minute); at >= 4*time.Minute && at < 7*time.Minute {
		return 1.7
	}
	return 1
}

// arrivals is a Poisson process whose rate follows the curve.
func (t *Town) arrivals(ctx context.Context, all *sync.WaitGroup) {
	r := t.chance()
	began := time.Now()
	for n := 0; t.cfg.PerHour > 0; n++ {
		perSecond := t.cfg.PerHour / 3600 * t.cfg.Speed * share(t.cfg.Begin, time.Since(began))
		if t.cfg.Crowds {
			perSecond *= crowd(time.Since(began))
		}
		pause := time.Duration(r.ExpFloat64() / perSecond * float64(time.Second))
		if n < firstCalls {
			pause = min(pause, 1500*time.Millisecond)
		}
		if !sleep(ctx, pause, nil) {
			return
		}
		if t.calling.Load() >= maxCalling {
			continue
		}
		who := t.cfg.People[t.pick(r)]
		all.Go(func() { t.person(ctx, who) })
	}
	<-ctx.Done()
}

// pick chooses a caller: a third of the calls are the first tenth's, who keep many firms' books.
func (t *Town) pick(r *rand.Rand) int {
	n := len(t.cfg.People)
	if r.Float64() < .35 {
		n = max(n/10, 1)
	}
	return r.IntN(n)
}

// exponential draws a time by its mean.
func exponential(r *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(float64(mean) * r.ExpFloat64())
}

// lognormal draws a time by mean and coefficient of variation.
func lognormal(r *rand.Rand, mean time.Duration, cv float64) time.Duration {
	s2 := math.Log(1 + cv*cv)
	return time.Duration(float64(mean) * math.Exp(math.Sqrt(s2)*r.NormFloat64()-s2/2))
}
