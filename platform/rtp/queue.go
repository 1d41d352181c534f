package rtp

import (
	"net/netip"
	"time"

	"github.com/kapok-hotline/kapok/platform/audio"
)

// staleAfter is how far behind the kernel's packets, in samples, sound may be that waited in the socket when the kernel took
// over: no telephone's buffer plays what is later than 200 ms. A digit is never too old.
const staleAfter = 200 * 8

// queue is what a receiver knows of the packets that lay in the socket when the kernel took the stream over. They come
// to us behind those it relays from then on, and belong before the first of these. A process that is pressed always
// has some: without this the kernel could never relieve it.
type queue struct {
	may   bool // some may lie there still
	begun bool // the kernel has relayed some of the stream
	ssrc  uint32
	first uint16 // number of the first that it relayed
	time  uint32 // timestamp of the last it relayed, or of ours before that
}

// holds says whether a packet waited there; owned, whether the kernel has the stream at this moment; highest is the
// newest number.
func (q *queue) holds(h header, highest uint16, owned bool) bool {
	if !q.may || h.ssrc != q.ssrc {
		return false
	}
	if q.begun {
		d := int16(h.seq - q.first)
		return d < 0 && d >= -resyncSeq
	}
	d, ahead := int16(h.seq-highest), int32(h.time-q.time)
	return owned && d <= resyncSeq && d >= -resyncSeq && ahead <= resyncTime && ahead >= -resyncTime
}

// stale says whether a packet of sound is too old to be played.
func (q *queue) stale(ts uint32) bool { return q.begun && int32(q.time-ts) > staleAfter }

// fetch comes before a packet is judged that reached the socket although the kernel has a lane, or has had one. It says
// whether the packet waited there when the lane was laid: then the lane stands. Otherwise it is a stranger's, which the
// latch judges by when the peer was heard last; or the peer's own, by which the lane ends. Under in.mu.
func (l *Plain) fetch(h header, from netip.AddrPort, at time.Time) (waited bool) {
	ln, known := l.in.lane, from == l.latch.current
	owned := ln != nil && ln.slot.Owned()
	l.in.look(at)
	if ln != nil && !owned && (known || l.latch.may(from, at)) {
		l.home(at) // the kernel had given it back: now the figures are final
	}
	if known && l.in.queue.holds(h, uint16(l.in.tally.highest), owned) {
		return true
	}
	if owned && (known || l.latch.may(from, at)) {
		l.home(at)
	}
	if known {
		l.in.queue = queue{} // a socket is read in order: nothing older follows
	}
	return false
}

// late takes a packet that waited in the socket when the kernel took over: it is counted, a digit is heard, and it goes on
// to the other leg with the number it would have had. Sound that nobody could play any more is left out, and so is
// what no other leg is to hear now.
func (l *Plain) late(h header, payload []byte, at time.Time) {
	var t told
	r := &l.in
	r.mu.Lock()
	deliver := r.take(h, payload, at, true, t.add)
	if deliver && r.frame.Codec != audio.Event && r.queue.stale(h.time) {
		deliver = false
		r.stale++
	}
	r.mu.Unlock()
	t.tell(&l.events)
	if s := l.sink.Load(); deliver && s != nil {
		if to, ok := (*s).(*Plain); ok {
			to.insert(&r.frame)
		}
	}
}

// insert sends a frame of the stream that the kernel relays to this leg.
func (l *Plain) insert(f *audio.Frame) {
	l.out.mu.Lock()
	defer l.out.mu.Unlock()
	if p := l.out.insert(f); p != nil {
		_ = l.transmit(p, false) // what cannot be sent is not counted for any packet
	}
}
