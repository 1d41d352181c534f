package rtp

import (
	"net/netip"
	"time"

	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/rtp/kernel"
)

const (
	fastFresh   = time.Second            // a leg that has been silent for longer is not worth a lane
	fastTried   = 5                      // fewer packets than this were not worth one either
	fastRest    = 250 * time.Millisecond // how long such a leg is left alone; doubled each time
	fastDoubles = 8                      // at most
	fastEmpty   = 2 * time.Second        // a lane by which nothing has gone for so long is taken back
	fastWaits   = 2                      // looks in a row at which datagrams wait; then the lane is laid all the same
	fastEach    = 64                     // a reader that does not come to rest looks itself, each time it has read so many
)

// lane is one direction of a bridge in the kernel's hands: what from's peer says goes to to's peer without us. It hangs
// on both legs: on from's receiver (under its in.mu) and on to's sender (under its out.mu). Either may take the slot
// back alone; each then fetches its own figures.
type lane struct {
	table    *kernel.Table
	slot     *kernel.Slot
	from, to *Plain
	turn     uint32 // of the routes it was laid by
	laid     time.Time

	// under from.in.mu: what has been fetched
	received uint64
	flooded  uint64

	// under to.out.mu
	sent    uint64
	octets  uint64
	seqOff  uint16
	timeOff uint32
}

// fast is what a plain leg remembers of lanes.
type fast struct {
	shut  bool // under in.mu: the leg is closed
	rest  time.Time
	tries int // under in.mu: lanes in a row that came to nothing
	waits int // the clerk's: looks in a row at which datagrams waited
}

// age gives how long ago something was by the kernel's clock.
func (ln *lane) age(t time.Duration) time.Duration { return max(ln.table.Now()-t, 0) }

// look fetches what the kernel has received, so that the figures are as if the packets had come here. The caller
// holds r.mu.
func (r *receiver) look(now time.Time) {
	ln := r.lane
	if ln == nil {
		return
	}
	t := ln.slot.Tally()
	r.flooded += t.Flooded - ln.flooded
	ln.flooded = t.Flooded
	n := t.Packets - ln.received
	if n == 0 {
		return
	}
	ln.received = t.Packets
	if heard := now.Add(-ln.age(t.Heard)); heard.After(r.heard) {
		r.heard, ln.from.latch.last = heard, heard
	}
	r.carried += n
	r.tally.all += n
	r.tally.received += n
	r.tally.highest = max(r.tally.highest, t.Highest) // ours is ahead when only older ones have come by the lane
	r.tally.jitter, r.tally.transit = t.Jitter, int64(t.Transit+ln.shift(now))
	r.queue.begun, r.queue.first, r.queue.time = true, t.First, t.Time
}

// shift gives how many samples the wall clock is ahead of the kernel's.
func (ln *lane) shift(now time.Time) uint32 {
	return uint32(now.UnixMicro()*8/1000) - kernel.Samples(ln.table.Now())
}

// look fetches what the kernel has sent. The caller holds s.mu.
func (s *sender) look(now time.Time) {
	ln := s.lane
	if ln == nil {
		return
	}
	t := ln.slot.Tally()
	n := t.Packets - ln.sent
	if n == 0 {
		return
	}
	s.packets += n
	s.octets += t.Octets - ln.octets
	ln.sent, ln.octets = t.Packets, t.Octets
	if seq := uint16(t.Highest) + ln.seqOff; int16(seq-s.seq) > 0 {
		s.seq = seq
	}
	if ts := t.Time + ln.timeOff; int32(ts-s.time) >= 0 {
		s.time, s.at = ts, now.Add(-ln.age(t.Advanced))
	}
}

// claim takes the lane back that feeds this sender: something else is to be sent, or elsewhere. The caller holds s.mu.
func (s *sender) claim(now time.Time) {
	if ln := s.lane; ln != nil {
		ln.slot.Take()
		s.look(now)
		s.lane = nil
	}
}

// home takes back the lane of what this leg's peer says. Every packet from now on is read from the socket; those
// before are in the figures. Under in.mu.
func (l *Plain) home(now time.Time) {
	ln := l.in.lane
	if ln == nil {
		return
	}
	ln.slot.Take()
	l.in.look(now)
	l.in.lane = nil
	l.plane.lanes.Add(-1)
	if ln.received >= fastTried {
		l.fast.tries = 0
	} else {
		l.fast.rest = now.Add(fastRest << min(l.fast.tries, fastDoubles))
		l.fast.tries++
	}
	ln.to.out.mu.Lock()
	if ln.to.out.lane == ln {
		ln.to.out.claim(now)
	}
	ln.to.out.mu.Unlock()
}

// recall takes both directions of the leg back.
func (l *Plain) recall() {
	now := l.now()
	l.in.mu.Lock()
	l.home(now)
	l.in.mu.Unlock()
	l.out.mu.Lock()
	l.out.claim(now)
	l.out.mu.Unlock()
}

// SetSink says who gets what the peer sends; nil for nobody. When it returns the kernel passes nothing by it: every
// packet that comes from now on goes to the new sink.
func (l *Plain) SetSink(s audio.Sink) {
	l.line.SetSink(s)
	if l.plane.kernel != nil {
		l.in.mu.Lock()
		l.home(l.now())
		l.in.mu.Unlock()
	}
}

// shutFast ends all lanes of a leg that is closed, for good.
func (l *Plain) shutFast() {
	if l.plane.kernel == nil {
		return
	}
	l.in.mu.Lock()
	l.fast.shut = true
	l.in.mu.Unlock()
	l.recall()
}

// tend is the clerk's look at the leg, with what the kernel has counted, and with a new lane where one can be.
func (l *Plain) tend(now time.Time) {
	k := l.plane.kernel
	if k == nil {
		l.line.tend(now)
		return
	}
	l.in.mu.Lock()
	l.in.look(now)
	if ln := l.in.lane; ln != nil && (!ln.slot.Owned() || ln.turn != k.Turn() || ln.received == 0 && now.Sub(ln.laid) > fastEmpty) {
		l.home(now)
	}
	l.in.mu.Unlock()
	l.line.tend(now)
	l.lay(k, now, false)
}

// lay gives the leg's direction to the kernel when it is a plain pair: the sink is another plain leg and nothing else,
// both in the clear and over IPv4, the same law on both sides, and the last packet was sound that went through. The clerk
// calls it, which prefers a moment at which no datagram waits; and the leg's reader when it is pressed, which takes any.
func (l *Plain) lay(k *kernel.Table, now time.Time, pressed bool) {
	s := l.sink.Load()
	if s == nil {
		return
	}
	to, ok := (*s).(*Plain)
	if !ok || to == l {
		return
	}
	l.in.mu.Lock()
	peer, fit := l.latch.current, l.fits(now)
	l.in.mu.Unlock()
	to.out.mu.Lock()
	dst := to.dst
	fit = fit && to.out.lane == nil && !to.closed && to.guardOut == nil && dst.Addr().Is4() && dst.Port() != 0
	to.out.mu.Unlock()
	if !fit {
		return
	}
	turn := k.Turn()
	in, okIn := l.route(k, peer.Addr())
	out, okOut := to.route(k, dst.Addr())
	if !okIn || !okOut || (in.Out == 0) != (out.Out == 0) {
		return
	}
	if !pressed {
		if l.fast.waits++; l.fast.waits < fastWaits && kernel.Pending(l.pair.rtp.Conn()) {
			return
		}
		l.fast.waits = 0
	}
	l.in.mu.Lock()
	defer l.in.mu.Unlock()
	to.out.mu.Lock()
	defer to.out.mu.Unlock()
	if s != l.sink.Load() || peer != l.latch.current || dst != to.dst || !l.fits(now) || !l.continues(&to.out, now) || to.out.lane != nil || to.closed || to.guardOut != nil {
		return
	}
	l.give(k, to, in, out, turn, now)
}

// fits says whether what the peer says may be relayed by the kernel. Under in.mu.
func (l *Plain) fits(now time.Time) bool {
	return l.in.lane == nil && !l.fast.shut && !now.Before(l.fast.rest) && l.agreed && l.in.wanted && l.guardIn == nil &&
		l.latch.current.Addr().Is4() && l.in.tally.begun && now.Sub(l.in.heard) < fastFresh && !l.in.digits.active &&
		l.in.frame.Codec != audio.Event
}

// continues says whether the sender's numbers are those of this leg's peer, moved by its offsets. Under in.mu and out.mu.
func (l *Plain) continues(s *sender, now time.Time) bool {
	return s.allowed && s.begun && s.source == l.in.frame.Source && s.epoch == l.in.tally.ssrc && s.codec == l.in.frame.Codec &&
		!now.Before(s.muted) && s.seq == uint16(l.in.tally.highest)+s.seqOff
}

// route gives the way to a peer, with the address of ours it knows; false: packets go by the sockets, which tell what is
// wrong.
func (l *Plain) route(k *kernel.Table, to netip.Addr) (kernel.Way, bool) {
	w, err := k.Way(to)
	if bind := l.plane.cfg.Bind; err == nil && !bind.IsUnspecified() {
		w.From = bind
	}
	return w, err == nil && w.From.Is4()
}

// give hands the direction over. Under in.mu and to.out.mu.
func (l *Plain) give(k *kernel.Table, to *Plain, in, out kernel.Way, turn uint32, now time.Time) {
	slot := k.Slot(l.pair.port)
	if slot == nil {
		return
	}
	s, t := &to.out, &l.in.tally
	ln := &lane{table: k, slot: slot, from: l, to: to, turn: turn, laid: now, seqOff: s.seqOff, timeOff: s.timeOff}
	at := func(then time.Time) time.Duration { return k.Now() - now.Sub(then) }
	l.in.lane, s.lane, s.even = ln, ln, true
	l.plane.lanes.Add(1)
	l.in.queue = queue{may: true, ssrc: t.ssrc, time: s.time - s.timeOff}
	slot.Give(kernel.Order{
		From: l.latch.current, To: in.From, Kind: l.in.typeOf(l.in.frame.Codec), SSRC: t.ssrc,
		NewFrom: netip.AddrPortFrom(out.From, to.pair.port), NewTo: to.dst, NewKind: s.pt, NewSSRC: s.ssrc,
		SeqOff: s.seqOff, TimeOff: s.timeOff, Out: out.Out,
		Highest: t.highest, Time: s.time - s.timeOff, Heard: at(l.in.heard), Advanced: at(s.at),
		Transit: uint32(t.transit) - ln.shift(now), Jitter: t.jitter,
	})
}

// typeOf gives the payload type the peer sends a law as. The caller holds r.mu.
func (r *receiver) typeOf(c audio.Codec) uint8 {
	want := kindA
	if c == audio.PCMU {
		want = kindU
	}
	for pt, kind := range r.kinds {
		if kind == want {
			return uint8(pt)
		}
	}
	return 0x7f
}

// openKernel probes the fast path; nil when there is none, which is said in one line.
func openKernel(cfg Config) *kernel.Table {
	k, err := kernel.Open(kernel.Config{First: cfg.First, Last: cfg.Last, Log: cfg.Log})
	if err != nil {
		cfg.Log.Info("media fast path off: calls are relayed by this process alone", "why", err)
		return nil
	}
	cfg.Log.Info("media fast path on: the kernel relays plain calls", "interfaces", k.Interfaces())
	return k
}
