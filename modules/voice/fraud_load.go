package voice

import (
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// outgoing is what is counted of calls by trunks.
type outgoing struct {
	loads trunkLoads
	calls callTimes
}

// trunkLoads counts the calls of every trunk, both ways, against its limits. The zero value is ready.
type trunkLoads struct {
	mu sync.Mutex
	of map[id.Trunk]*trunkLoad
}

// trunkLoad is one trunk's: calls under way, what is left of its rate, and the calls that found no room.
type trunkLoad struct {
	calls   int
	credit  float64
	at      time.Time
	refused int64
}

// enter books a call of the trunk; false when its channels are taken or calls come faster than allowed. leave, called
// once, gives the channel back.
func (l *trunkLoads) enter(code id.Trunk, t Trunk, now time.Time) (leave func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	x := l.of[code]
	if x == nil {
		if l.of == nil {
			l.of = map[id.Trunk]*trunkLoad{}
		}
		x = &trunkLoad{at: now, credit: float64(t.MaxRate)}
		l.of[code] = x
	}
	if t.MaxCalls > 0 && x.calls >= t.MaxCalls || !x.spend(float64(t.MaxRate), now) {
		x.refused++
		return nil, false
	}
	x.calls++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		x.calls--
	}, true
}

// spend takes one call from the rate (calls a second, a second's worth at once); rate 0 is no limit.
func (x *trunkLoad) spend(rate float64, now time.Time) bool {
	if rate == 0 {
		return true
	}
	x.credit = min(rate, x.credit+now.Sub(x.at).Seconds()*rate)
	x.at = now
	if x.credit < 1 {
		return false
	}
	x.credit--
	return true
}

// now gives the calls under way on a trunk, and how many found no room since the start.
func (l *trunkLoads) now(code id.Trunk) (calls int, refused int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if x := l.of[code]; x != nil {
		return x.calls, x.refused
	}
	return 0, 0
}

// trunkRoom books an incoming call on its trunk; a call beyond the limits is refused by 503, which a carrier takes to
// its next way or to busy, and false says so. leave is nil for a call by no trunk.
func (m *Module) trunkRoom(in *sip.Incoming) (leave func(), ok bool) {
	if in.Trunk == "" {
		return nil, true
	}
	code := id.Trunk(in.Trunk)
	leave, ok = m.out.loads.enter(code, m.snap.Load().trunks[code], m.now())
	if !ok {
		m.deps.Log.Warn("a trunk is full: a call is refused", "trunk", code)
		m.reject(in, 503, "Trunk full")
	}
	return leave, ok
}
