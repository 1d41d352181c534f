package rtp

import (
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/platform/audio"
)

// maxRate is the most packets a second that are taken from a peer: 5 ms packets and bursts fit, floods do not.
const maxRate = 400

// kinds of payload types as the receiver knows them.
const (
	kindUnknown uint8 = iota
	kindA
	kindU
	kindEvent
	kindIgnored // comfort noise: valid, and not passed on
)

// receiver checks, counts and delivers what a peer sends. It is fed by one goroutine; mu guards it against
// snapshots and new agreements.
type receiver struct {
	mu     sync.Mutex
	kinds  [128]uint8
	wanted bool // frames are passed on (not while the leg is on hold)
	frame  audio.Frame
	tally  tally
	digits detector
	heard  time.Time
	second int64 // the second that rate counts
	rate   int

	bad, foreign, flooded uint64

	lane    *lane  // the kernel relays what comes; nil: nobody but us
	carried uint64 // packets it has relayed
	queue   queue  // what may have waited in the socket when it began
	stale   uint64 // of that: sound that was too old to be passed on
}

// known says whether the payload type was agreed.
func (r *receiver) known(pt uint8) bool { return r.kinds[pt&0x7f] != kindUnknown }

// flood counts a packet and says whether there are too many. The caller holds r.mu.
func (r *receiver) flood(at time.Time) bool {
	if sec := at.Unix(); sec != r.second {
		r.second, r.rate = sec, 0
	}
	if r.rate++; r.rate > maxRate {
		r.flooded++
		return true
	}
	return false
}

// take counts a valid packet of the peer and prepares r.frame; deliver says whether it is to be passed on. waited: it
// belongs before others that are counted. Digits are told by tell. The caller holds r.mu.
func (r *receiver) take(h header, payload []byte, at time.Time, waited bool, tell func(byte, time.Duration)) (deliver bool) {
	kind := r.kinds[h.pt]
	r.heard = at
	if waited {
		r.tally.late(h.seq)
	} else {
		r.tally.packet(h.ssrc, h.seq, h.time, at, kind == kindA || kind == kindU)
	}
	f := &r.frame
	f.Epoch, f.Marker, f.Seq, f.Time, f.At, f.Payload = h.ssrc, h.marker, h.seq, h.time, at, payload
	switch kind {
	case kindA:
		f.Codec = audio.PCMA
	case kindU:
		f.Codec = audio.PCMU
	case kindEvent:
		f.Codec = audio.Event
		r.digits.event(h.time, payload, at, tell)
	default:
		return false
	}
	if kind != kindEvent && r.digits.active {
		r.digits.idle(at, tell)
	}
	return r.wanted && len(payload) > 0
}

// tally keeps the reception statistics of RFC 3550 appendix A, over changes of the SSRC.
type tally struct {
	ssrc     uint32
	begun    bool
	base     uint32 // extended number of the first packet
	highest  uint32 // extended number of the highest
	received uint64 // of this SSRC
	transit  int64  // in samples
	jitter   float64
	lostOld  uint64 // of earlier SSRCs
	all      uint64 // received of all SSRCs
	priorExp uint64 // at the last report
	priorRec uint64
}

// packet counts one packet; timed says that its timestamp may serve for jitter (an event's repeats).
func (t *tally) packet(ssrc uint32, seq uint16, ts uint32, at time.Time, timed bool) {
	t.all++
	if !t.begun || ssrc != t.ssrc || jumped(seq, uint16(t.highest)) {
		t.restart(ssrc, seq)
	}
	t.received++
	if d := int16(seq - uint16(t.highest)); d > 0 {
		t.highest += uint32(d)
	}
	if !timed {
		return
	}
	transit := at.UnixMicro()*8/1000 - int64(ts)
	if t.received > 1 {
		d := int64(int32(transit - t.transit)) // the timestamp wraps at 32 bits
		t.jitter += (float64(max(d, -d)) - t.jitter) / 16
	}
	t.transit = transit
}

// late counts a packet of the stream that waited here while others went by. How long says nothing of the network.
func (t *tally) late(seq uint16) {
	t.all++
	t.received++
	if d := int16(seq - uint16(t.highest)); d > 0 {
		t.highest += uint32(d)
	}
}

func (t *tally) restart(ssrc uint32, seq uint16) {
	t.lostOld += t.lost()
	t.ssrc, t.begun, t.received = ssrc, true, 0
	t.base, t.highest = 1<<16+uint32(seq), 1<<16+uint32(seq)
	t.priorExp, t.priorRec, t.jitter = 0, 0, 0
}

// jumped says whether a number is too far from the highest to be loss or disorder.
func jumped(seq, highest uint16) bool {
	d := int16(seq - highest)
	return d > 3000 || d < -500
}

func (t *tally) expected() uint64 {
	if !t.begun {
		return 0
	}
	return uint64(t.highest-t.base) + 1
}

// lost gives the packets of the current SSRC that never came; duplicates make it 0, not negative.
func (t *tally) lost() uint64 {
	if e := t.expected(); e > t.received {
		return e - t.received
	}
	return 0
}

// fraction gives the share lost since the last call, in 256ths, for a receiver report.
func (t *tally) fraction() uint8 {
	exp, rec := t.expected()-t.priorExp, t.received-t.priorRec
	t.priorExp, t.priorRec = t.expected(), t.received
	if exp == 0 || rec >= exp {
		return 0
	}
	return uint8(min((exp-rec)<<8/exp, 255))
}

func (t *tally) jitterTime() time.Duration {
	return time.Duration(t.jitter * float64(time.Second) / 8000)
}
