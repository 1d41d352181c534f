package rtp

import (
	"sync"

	"github.com/kapok-hotline/kapok/platform/audio"
)

// Bridge joins two legs: what one's peer says the other's peer hears. Payloads are relayed as they come; each leg
// keeps its own numbering, law and payload types. There is no jitter buffer: the peers have theirs.
type Bridge struct {
	a, b         Leg
	mu           sync.Mutex
	tapA, tapB   audio.Sink
	muteA, muteB bool
	cut          bool
}

// Join makes a bridge; what a and b were connected to before is cut. The first packets that come before the
// other peer is known are dropped.
func Join(a, b Leg) *Bridge {
	br := &Bridge{a: a, b: b}
	br.lay()
	return br
}

// Tap lets fromA and fromB hear what each peer says, as a recorder's two channels do; nil ends it.
func (br *Bridge) Tap(fromA, fromB audio.Sink) {
	br.mu.Lock()
	br.tapA, br.tapB = fromA, fromB
	br.mu.Unlock()
	br.lay()
}

// Mute keeps what a's or b's peer says from the other side; the taps still hear it.
func (br *Bridge) Mute(a, b bool) {
	br.mu.Lock()
	br.muteA, br.muteB = a, b
	br.mu.Unlock()
	br.lay()
}

// Cut undoes the bridge: both legs deliver to nobody. A leg that has been given another sink since is left alone
// only if Cut is called before that; so cut first, then connect anew.
func (br *Bridge) Cut() {
	br.mu.Lock()
	defer br.mu.Unlock()
	if br.cut {
		return
	}
	br.cut = true
	br.a.SetSink(nil)
	br.b.SetSink(nil)
}

func (br *Bridge) lay() {
	br.mu.Lock()
	defer br.mu.Unlock()
	if br.cut {
		return
	}
	br.a.SetSink(path(br.b, br.tapA, br.muteA))
	br.b.SetSink(path(br.a, br.tapB, br.muteB))
}

// path gives the sink of one direction.
func path(to, tap audio.Sink, mute bool) audio.Sink {
	switch {
	case mute:
		return tap
	case tap == nil:
		return to
	}
	return audio.Tee(to, tap)
}
