package clock

import (
	"slices"
	"sync"
	"time"
)

// Manual is a clock that stands still until it is told to move. The zero value is not usable; see NewManual.
type Manual struct {
	mu     sync.Mutex
	now    time.Time
	timers []*manualTimer // armed ones, in no order
}

// NewManual gives a clock that shows start.
func NewManual(start time.Time) *Manual { return &Manual{now: start} }

// Now gives the time the clock was last set to.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Advance moves the clock by d and fires what falls due, in order of due time; each timer sees Now as its
// own due time. Functions of AfterFunc run on the caller's goroutine, so that after Advance they are done.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	end := m.now.Add(d)
	for {
		t := m.nextDue(end)
		if t == nil {
			break
		}
		if t.due.After(m.now) {
			m.now = t.due
		}
		m.disarm(t)
		at := m.now
		if t.f == nil {
			select {
			case t.c <- at:
			default:
			}
			continue
		}
		m.mu.Unlock()
		t.f()
		m.mu.Lock()
	}
	m.now = end
	m.mu.Unlock()
}

// Set moves the clock forward to at; going back is ignored.
func (m *Manual) Set(at time.Time) {
	if d := at.Sub(m.Now()); d > 0 {
		m.Advance(d)
	}
}

// Waiting gives the number of armed timers: a test waits for it before it advances.
func (m *Manual) Waiting() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.timers)
}

// NewTimer is Clock's.
func (m *Manual) NewTimer(d time.Duration) Timer {
	return m.arm(&manualTimer{clock: m, c: make(chan time.Time, 1)}, d)
}

// AfterFunc is Clock's, with the difference that f runs inside Advance.
func (m *Manual) AfterFunc(d time.Duration, f func()) Timer {
	return m.arm(&manualTimer{clock: m, f: f}, d)
}

func (m *Manual) arm(t *manualTimer, d time.Duration) *manualTimer {
	m.mu.Lock()
	defer m.mu.Unlock()
	t.due = m.now.Add(max(d, 0))
	m.timers = append(m.timers, t)
	return t
}

func (m *Manual) nextDue(end time.Time) *manualTimer {
	var next *manualTimer
	for _, t := range m.timers {
		if !t.due.After(end) && (next == nil || t.due.Before(next.due)) {
			next = t
		}
	}
	return next
}

func (m *Manual) disarm(t *manualTimer) bool {
	i := slices.Index(m.timers, t)
	if i < 0 {
		return false
	}
	m.timers = slices.Delete(m.timers, i, i+1)
	return true
}

type manualTimer struct {
	clock *Manual
	due   time.Time
	c     chan time.Time
	f     func()
}

func (t *manualTimer) C() <-chan time.Time { return t.c }

func (t *manualTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	select { // as time.Timer since Go 1.23: no stale value after Stop or Reset
	case <-t.c:
	default:
	}
	return t.clock.disarm(t)
}

func (t *manualTimer) Reset(d time.Duration) bool {
	was := t.Stop()
	t.clock.arm(t, d)
	return was
}
