package web

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/kapok-hotline/kapok/platform/clock"
)

// limiters holds one token bucket per route and client address. It is bounded: when it is full, buckets that
// have filled up again (their client is like a new one) are dropped, and if none has, all are.
type limiters struct {
	mu    sync.Mutex
	clock clock.Clock
	by    map[limitKey]*rate.Limiter
}

type limitKey struct {
	route *treatment
	ip    string
}

const maxLimiters = 10_000

func newLimiters(c clock.Clock) *limiters {
	return &limiters{clock: c, by: map[limitKey]*rate.Limiter{}}
}

// take uses one token and gives 0, or how long to wait for the next.
func (l *limiters) take(t *treatment, ip string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	k := limitKey{t, ip}
	b := l.by[k]
	if b == nil {
		if len(l.by) >= maxLimiters {
			l.shrink(now)
		}
		b = rate.NewLimiter(rate.Limit(t.perMin/60), t.burst)
		l.by[k] = b
	}
	if b.AllowN(now, 1) {
		return 0
	}
	missing := 1 - b.TokensAt(now)
	return time.Duration(missing / float64(b.Limit()) * float64(time.Second))
}

func (l *limiters) shrink(now time.Time) {
	for k, b := range l.by {
		if b.TokensAt(now) >= float64(b.Burst()) {
			delete(l.by, k)
		}
	}
	if len(l.by) >= maxLimiters {
		clear(l.by)
	}
}
