package rtp

import (
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/platform/audio"
)

const (
	resyncTime  = 5 * 8000               // a source whose clock jumps by more than 5 s is a new one
	resyncSeq   = 500                    // and so is one whose numbers jump by more than 10 s of packets
	digitMuting = 100 * time.Millisecond // sound stays away this long after a packet of a digit of ours
)

// sender turns frames of changing sources into one RTP stream: one SSRC, sequence numbers and timestamps that go
// on, a marker where the source changes. Within a source, gaps and order are passed on as they are, so that the
// peer's jitter buffer sees the truth.
type sender struct {
	mu      sync.Mutex
	ssrc    uint32
	codec   audio.Codec
	pt      uint8
	eventPT uint8 // 0: the peer takes none
	allowed bool  // the direction lets us send

	source  *audio.Source
	epoch   uint32
	seqOff  uint16 // added to the source's numbers
	timeOff uint32
	seq     uint16 // the highest sent
	time    uint32 // the latest sent
	at      time.Time
	begun   bool
	digit   uint32 // timestamp of the digit being sent
	muted   time.Time

	packets uint64
	octets  uint64
	lane    *lane // the kernel sends what a peer says; nil: nobody but us
	even    bool  // the source's numbers are moved as they were when it was last given to the kernel
	buf     [maxPacket]byte
}

// build makes the packet of a frame in s.buf; nil when nothing is to be sent. The caller holds s.mu.
func (s *sender) build(f *audio.Frame) []byte {
	if !s.allowed || len(f.Payload) == 0 || len(f.Payload) > maxPacket-headerSize-64 {
		return nil
	}
	pt := s.pt
	if f.Codec == audio.Event {
		if pt = s.eventPT; pt == 0 {
			return nil
		}
	}
	if s.lane != nil {
		s.claim(f.At)
	}
	var seq uint16
	var ts uint32
	marker := f.Marker
	switch {
	case f.Source == nil:
		seq, ts = s.own(f)
	case f.At.Before(s.muted):
		s.seqOff-- // left out, and the peer sees no gap
		return nil
	default:
		if s.changed(f) {
			s.adopt(f)
			marker = true
		}
		seq, ts = f.Seq+s.seqOff, f.Time+s.timeOff
	}
	return s.packet(f, marker, pt, seq, ts)
}

// insert makes the packet of a frame that belongs before those the kernel has sent since; nil when its number can no
// longer be given without giving it twice, or nothing is to be sent. The caller holds s.mu.
func (s *sender) insert(f *audio.Frame) []byte {
	pt := s.pt
	if f.Codec == audio.Event {
		pt = s.eventPT
	}
	if !s.allowed || !s.even || f.Source != s.source || f.Epoch != s.epoch || f.Codec == audio.Event && pt == 0 || len(f.Payload) > maxPacket-headerSize-64 {
		return nil
	}
	return s.packet(f, f.Marker, pt, f.Seq+s.seqOff, f.Time+s.timeOff)
}

// packet writes what is sent, and counts it.
func (s *sender) packet(f *audio.Frame, marker bool, pt uint8, seq uint16, ts uint32) []byte {
	if int16(seq-s.seq) > 0 || !s.begun {
		s.seq = seq
	}
	if int32(ts-s.time) > 0 || !s.begun {
		s.time, s.at = ts, f.At
	}
	s.begun = true
	put(s.buf[:], marker, pt, seq, ts, s.ssrc)
	n := audio.Translate(s.buf[headerSize:], f.Payload, f.Codec, s.codec)
	s.packets++
	s.octets += uint64(n)
	return s.buf[:headerSize+n]
}

// changed says whether the frame belongs to another numbering than the last one.
func (s *sender) changed(f *audio.Frame) bool {
	if f.Source != s.source || f.Epoch != s.epoch {
		return true
	}
	if seq := int16(f.Seq + s.seqOff - s.seq); seq > resyncSeq || seq < -resyncSeq {
		return true
	}
	ahead := int64(int32(f.Time+s.timeOff-s.time)) - s.since(f.At)
	return ahead > resyncTime || ahead < -resyncTime
}

// adopt makes the frame's numbering follow on what was sent, at the distance the wall clock says.
func (s *sender) adopt(f *audio.Frame) {
	s.source, s.epoch, s.even = f.Source, f.Epoch, false
	s.seqOff = s.seq + 1 - f.Seq
	s.timeOff = s.time + s.step(f.At) - f.Time
}

// own numbers a frame that has no source: a digit of ours, all of whose packets carry the time of its first. The
// numbers of the current source move on by one.
func (s *sender) own(f *audio.Frame) (seq uint16, ts uint32) {
	if f.Marker {
		s.digit = s.time + s.step(f.At)
	}
	s.seqOff++
	s.even = false
	s.muted = f.At.Add(digitMuting)
	return s.seq + 1, s.digit
}

// since gives the samples between the last frame and a time.
func (s *sender) since(at time.Time) int64 {
	if s.at.IsZero() {
		return 0
	}
	return int64(at.Sub(s.at)) * 8 / int64(time.Millisecond)
}

// step gives how far a new source's first frame lies behind the last one: the time that went by, one frame at least.
func (s *sender) step(at time.Time) uint32 {
	return uint32(max(s.since(at), audio.FrameSamples))
}

// clock gives the timestamp that belongs to a time: for sender reports.
func (s *sender) clock(at time.Time) uint32 { return s.time + uint32(s.since(at)) }
