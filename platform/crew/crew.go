// Package crew runs short jobs on goroutines that are kept for the next one. A new goroutine begins with a small stack
// and copies it every time it grows; for a server that starts some twenty jobs a call, each a few functions deep, that
// copying is a twentieth of its processor time. A goroutine of the crew has grown already.
package crew

import "sync/atomic"

// Crew is a set of goroutines that wait for work. Jobs of any number run side by side; only so many wait afterwards.
type Crew struct {
	jobs  chan func()
	most  int32
	idle  atomic.Int32
	start func(func()) bool
	end   <-chan struct{}
}

// New makes a crew of which at most so many wait. start begins a goroutine, and says false when no more may begin; end
// sends the waiting ones home.
func New(most int, start func(func()) bool, end <-chan struct{}) *Crew {
	return &Crew{jobs: make(chan func()), most: int32(most), start: start, end: end}
}

// Do has the job run at once, by one who waits or by a new one; it says false when neither was to be had.
func (c *Crew) Do(job func()) bool {
	select {
	case c.jobs <- job:
		return true
	default:
		return c.start(func() { c.work(job) })
	}
}

func (c *Crew) work(job func()) {
	for {
		job()
		if c.idle.Add(1) > c.most {
			c.idle.Add(-1)
			return
		}
		select {
		case job = <-c.jobs:
			c.idle.Add(-1)
		case <-c.end:
			return
		}
	}
}
