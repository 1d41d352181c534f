package sip

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"time"
)

// OverloadConfig says when new calls are shed with 503 so that the existing ones stay good (RFC 3261 §21.5.4, ideas of
// RFC 7339 and of CoDel, RFC 8289). The sign is not how long a handler takes, which may have many reasons, but how
// long work that is ready waits for a processor.
type OverloadConfig struct {
	// Delay is how long, at the 90th percentile, what is ready may wait for a processor. When it waits longer through
	// five windows of 100 ms, new calls are limited. A call has a dozen such waits. Default 120 ms.
	Delay time.Duration
	// Pending is how many INVITEs may wait for their handler's first reaction at once, whatever the reason; those
	// beyond are shed, and no more follows from it. Default 1,000.
	Pending int
	// Rate is a fixed limit of new calls per second; 0 means none.
	Rate float64
}

func (c *OverloadConfig) withDefaults() {
	if c.Delay <= 0 {
		c.Delay = 120 * time.Millisecond
	}
	if c.Pending <= 0 {
		c.Pending = 1000
	}
}

// overload admits new calls at the rate the governor allows.
type overload struct {
	cfg      *Config
	governor governor
	sense    func(elapsed time.Duration) (delay time.Duration, busy float64) // how the process fares

	mu       sync.Mutex
	strain   func() float64
	pending  int     // INVITEs without a first reaction
	limit    float64 // calls/s admitted; 0 = no limit
	full     bool    // nothing more can be borne
	tokens   float64
	refilled time.Time
	admitted int // in this window
	shed     int // in this window, for the governor's limit
}

func (o *overload) init(cfg *Config) {
	o.cfg = cfg
	o.strain = func() float64 { return 0 }
	o.sense = new(processor).fare
}

// admit asks for one new call. It is called on the reading goroutine.
func (o *overload) admit(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.full || o.pending >= o.cfg.Overload.Pending {
		return false
	}
	limit := o.limit
	if r := o.cfg.Overload.Rate; r > 0 && (limit == 0 || r < limit) {
		limit = r
	}
	if limit > 0 {
		if d := now.Sub(o.refilled); d > 0 {
			o.tokens = min(max(limit/burstsPerSecond, 1), o.tokens+d.Seconds()*limit)
			o.refilled = now
		}
		if o.tokens < 1 {
			if limit == o.limit {
				o.shed++
			}
			return false
		}
		o.tokens--
	}
	o.admitted++
	return true
}

// fullStrain is the strain at which no call is let in.
const fullStrain = 2

// burstsPerSecond bounds what a limit lets in at once to a tenth of a second's calls.
const burstsPerSecond = 10

// waiting counts a call handed to the handler; the function returned must be called at its first reaction.
func (o *overload) waiting() (reacted func()) {
	o.mu.Lock()
	o.pending++
	o.mu.Unlock()
	return sync.OnceFunc(func() {
		o.mu.Lock()
		o.pending--
		o.mu.Unlock()
	})
}

// watchOverload moves the limit once a window until the server closes.
func (s *Server) watchOverload() {
	t := time.NewTicker(overloadWindow)
	defer t.Stop()
	last := s.cfg.Now()
	s.overload.sense(0) // from here on counts
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-t.C:
		}
		now := s.cfg.Now()
		if d := now.Sub(last); d >= overloadWindow/2 { // a tick made up for is no window
			s.overloadTick(now, d)
			last = now
		}
	}
}

// overloadTick judges one window.
func (s *Server) overloadTick(now time.Time, elapsed time.Duration) {
	o := &s.overload
	delay, busy := o.sense(elapsed)
	o.mu.Lock()
	strain := o.strain
	o.mu.Unlock()
	w := window{span: elapsed, delay: float64(delay) / float64(o.cfg.Overload.Delay), busy: busy, strain: strain()}
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.limit
	w.admitted, w.shed = o.admitted, o.shed
	o.limit, o.full = o.governor.judge(w), w.strain >= fullStrain
	if before == 0 && o.limit > 0 {
		o.tokens, o.refilled = 0, now
		s.log.Warn("sip: overload: new calls are limited", "per_second", int(o.limit), "delay_ms", delay.Milliseconds(), "strain", w.strain)
	}
	if before > 0 && o.limit == 0 {
		s.log.Info("sip: overload is over")
	}
	o.admitted, o.shed = 0, 0
}

// Strain has the user say how much of what calls need has been used up or put off: 0 nothing, 1 as much as is borne
// well: beyond, new calls are limited as with late processors; at 2 none is let in. It is asked ten times a second and
// must not block.
func (s *Server) Strain(f func() float64) {
	s.overload.mu.Lock()
	defer s.overload.mu.Unlock()
	s.overload.strain = f
}

// retryAfter spreads the callers' second try over some seconds.
func retryAfter() string { return strconv.Itoa(2 + rand.IntN(6)) }

// Shedding says whether new calls are being limited, and to how many per second.
func (s *Server) Shedding() (perSecond float64, on bool) {
	s.overload.mu.Lock()
	defer s.overload.mu.Unlock()
	return s.overload.limit, s.overload.limit > 0
}
