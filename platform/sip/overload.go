package sip

import (
	"strconv"
	"sync"
	"time"
)

// OverloadConfig says when new calls are shed with 503 so that the existing ones stay good (RFC 3261 §21.5.4,
// ideas of RFC 7415). Emergency of the machine shows as delay, so delay is what is measured.
type OverloadConfig struct {
	// Delay is how long a new INVITE may wait for its handler's first reaction before new calls are shed.
	// Default 400 ms.
	Delay time.Duration
	// Pending is how many INVITEs may wait for a first reaction at once. Default 400.
	Pending int
	// Rate is a fixed limit of new calls per second; 0 means none.
	Rate float64
}

func (c *OverloadConfig) withDefaults() {
	if c.Delay <= 0 {
		c.Delay = 400 * time.Millisecond
	}
	if c.Pending <= 0 {
		c.Pending = 400
	}
}

// overload admits new calls at a rate that falls when first reactions come late and rises again when they are quick
// (additive increase would be too slow to recover in 5 s, so both ways are multiplicative).
type overload struct {
	cfg *Config

	mu       sync.Mutex
	pending  int     // INVITEs without a first reaction
	limit    float64 // calls/s admitted; 0 = no limit
	tokens   float64
	refilled time.Time
	admitted int           // in this window
	shedding int           // in this window
	worst    time.Duration // slowest first reaction in this window
	quick    time.Duration // the quickest
}

const overloadWindow = 100 * time.Millisecond

func (o *overload) init(cfg *Config) { o.cfg = cfg }

// admit asks for one new call. It is called on the reading goroutine.
func (o *overload) admit(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	limit := o.limit
	if r := o.cfg.Overload.Rate; r > 0 && (limit == 0 || r < limit) {
		limit = r
	}
	if o.pending >= o.cfg.Overload.Pending {
		o.shedding++
		return false
	}
	if limit > 0 {
		if d := now.Sub(o.refilled); d > 0 {
			o.tokens = min(max(limit/5, 1), o.tokens+d.Seconds()*limit)
			o.refilled = now
		}
		if o.tokens < 1 {
			o.shedding++
			return false
		}
		o.tokens--
	}
	o.admitted++
	return true
}

// waiting counts a call handed to the handler; the function returned must be called at its first reaction.
func (o *overload) waiting(arrived time.Time) (reacted func(now time.Time)) {
	o.mu.Lock()
	o.pending++
	o.mu.Unlock()
	var once sync.Once
	return func(now time.Time) {
		once.Do(func() {
			d := now.Sub(arrived)
			o.mu.Lock()
			o.pending--
			o.worst = max(o.worst, d)
			if o.quick == 0 || d < o.quick {
				o.quick = d
			}
			o.mu.Unlock()
		})
	}
}

// watchOverload moves the limit once a window until the server closes.
func (s *Server) watchOverload() {
	t := time.NewTicker(overloadWindow)
	defer t.Stop()
	last := s.cfg.Now()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-t.C:
		}
		now := s.cfg.Now()
		if d := now.Sub(last); d > 0 {
			s.overloadTick(d)
			last = now
		}
	}
}

// overloadTick judges one window.
func (s *Server) overloadTick(elapsed time.Duration) {
	o := &s.overload
	o.mu.Lock()
	defer o.mu.Unlock()
	rate := float64(o.admitted) / elapsed.Seconds()
	late := o.quick > o.cfg.Overload.Delay || // even the luckiest waited too long
		o.worst > 4*o.cfg.Overload.Delay || o.pending >= o.cfg.Overload.Pending
	switch {
	case late && o.limit == 0:
		o.limit = max(rate*0.7, 5)
		o.tokens, o.refilled = 0, s.cfg.Now()
	case late:
		o.limit = max(min(o.limit, rate)*0.8, 5)
	case o.limit > 0:
		o.limit *= 1.1
		if o.shedding == 0 && o.limit > 2*rate || o.limit > 100000 {
			o.limit = 0
		}
	}
	o.admitted, o.shedding, o.worst, o.quick = 0, 0, 0, 0
}

// retryAfter spreads the callers' second try over some seconds.
func (o *overload) retryAfter() string {
	return strconv.Itoa(2 + int(between(0, 6*time.Second)/time.Second))
}

// Shedding says whether new calls are being limited, and to how many per second.
func (s *Server) Shedding() (perSecond float64, on bool) {
	s.overload.mu.Lock()
	defer s.overload.mu.Unlock()
	return s.overload.limit, s.overload.limit > 0
}
