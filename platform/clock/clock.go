// Package clock is the only place that asks the machine for the time. Everything else takes a Clock (or a
// time as a value), so that tests and the twin can run a day in a second.
package clock

import "time"

// Clock tells the time and wakes its user. System is the real one, Manual one for tests.
type Clock interface {
	// Now gives the current time; it carries Go's monotonic reading, so differences survive clock steps.
	Now() time.Time
	// NewTimer gives a timer that sends the time on C once, after d.
	NewTimer(d time.Duration) Timer
	// AfterFunc calls f on a goroutine of its own after d; the timer's C is nil.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is the part of time.Timer the house uses.
type Timer interface {
	C() <-chan time.Time
	Stop() bool                 // false when it had fired or was stopped before
	Reset(d time.Duration) bool // as Stop, and starts again
}

// System gives the machine's clock.
func System() Clock { return system{} }

type system struct{}

func (system) Now() time.Time { return time.Now() }

func (system) NewTimer(d time.Duration) Timer { return systemTimer{time.NewTimer(d)} }

func (system) AfterFunc(d time.Duration, f func()) Timer { return systemTimer{time.AfterFunc(d, f)} }

type systemTimer struct{ *time.Timer }

func (t systemTimer) C() <-chan time.Time { return t.Timer.C }
