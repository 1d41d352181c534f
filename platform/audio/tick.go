package audio

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

const (
	phases    = 10                 // the members are spread over the 20 ms, so that no burst holds up signalling
	phaseTime = FrameTime / phases // 2 ms
	yieldOver = 16                 // members served before other goroutines get the processor
	giveUp    = 200 * time.Millisecond
)

// member is served once in every round of FrameTime. round counts from the Tick's start and jumps when the
// machine stood still, so that a member's timestamps stay on the wall's time.
type member interface {
	beat(round uint64, now time.Time)
}

// Tick is the one 20 ms clock of all players and mixers of a process: one goroutine, absolute deadlines
// (a late beat is made up at once, more than 200 ms late is skipped), no wake-ups while nobody plays.
type Tick struct {
	mu      sync.Mutex
	members [phases][]member // each slice is replaced, never changed in place: it is read without the lock
	count   int
	wake    chan struct{}
	stop    chan struct{}
	done    chan struct{}
	once    sync.Once
}

// NewTick starts the clock. Close ends it.
func NewTick() *Tick {
	t := &Tick{wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go t.run()
	return t
}

// Close stops the clock; players and mixers fall silent.
func (t *Tick) Close() {
	t.once.Do(func() { close(t.stop) })
	<-t.done
}

// Members gives the number of players and mixers being served: a figure for metrics.
func (t *Tick) Members() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count
}

// join puts m into the phase with the fewest members.
func (t *Tick) join(m member) {
	t.mu.Lock()
	best := 0
	for i := range t.members {
		if len(t.members[i]) < len(t.members[best]) {
			best = i
		}
	}
	t.members[best] = append(slices.Clone(t.members[best]), m)
	t.count++
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func (t *Tick) leave(m member) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, list := range t.members {
		if at := slices.Index(list, m); at >= 0 {
			t.members[i] = slices.Delete(slices.Clone(list), at, at+1)
			t.count--
			return
		}
	}
}

func (t *Tick) phase(i int) []member {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.members[i]
}

// run beats phase after phase. step counts phases since begin; the deadline of a step never depends on when the
// one before was served.
func (t *Tick) run() {
	defer close(t.done)
	begin, step := time.Now(), uint64(0)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if t.Members() == 0 {
			select {
			case <-t.wake:
			case <-t.stop:
				return
			}
		}
		timer.Reset(time.Until(begin.Add(time.Duration(step) * phaseTime)))
		select {
		case <-timer.C:
		case <-t.stop:
			return
		}
		now := time.Now()
		if late := now.Sub(begin) - time.Duration(step)*phaseTime; late > giveUp {
			step += uint64(late/FrameTime) * phases
		}
		for due := uint64(now.Sub(begin) / phaseTime); step <= due; step++ {
			t.serve(step, now)
		}
	}
}

func (t *Tick) serve(step uint64, now time.Time) {
	for i, m := range t.phase(int(step % phases)) {
		m.beat(step/phases, now)
		if i%yieldOver == yieldOver-1 {
			runtime.Gosched()
		}
	}
}
