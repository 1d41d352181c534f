package rtp

import (
	"encoding/binary"
	"time"
)

const (
	shortestDigit = 40 * time.Millisecond  // shorter is no key press (ITU-T Q.24)
	lostEnd       = 120 * time.Millisecond // silence of an event after which its end counts as lost
)

// digitNames are the events 0–16 of RFC 4733 §3.2; '!' is a hook flash.
const digitNames = "0123456789*#ABCD!"

// detector turns telephone-event packets into digits. A digit is the timestamp of its packets, so repeats and the
// three end packets count once; one whose end packets are all lost ends with the next event, or by time.
type detector struct {
	active bool // an event has begun and its digit is not told yet
	known  bool // time and code are those of the last event
	time   uint32
	code   byte
	length uint32 // in samples
	base   uint32 // of the segments before, for events longer than 65,535 samples (RFC 4733 §2.5.1.3)
	at     time.Time
}

// event takes the payload of one packet; tell is called for each digit that is complete.
func (d *detector) event(ts uint32, p []byte, at time.Time, tell func(digit byte, length time.Duration)) {
	if len(p) < 4 || int(p[0]) >= len(digitNames) {
		return
	}
	code, end, length := p[0], p[1]&0x80 != 0, uint32(binary.BigEndian.Uint16(p[2:]))
	switch {
	case d.known && ts == d.time && code == d.code:
	case d.known && int32(ts-d.time) < 0:
		return // late packet of an earlier event
	case d.active && code == d.code && ts-d.time == 0xFFFF:
		d.base, d.time, d.length = d.base+0xFFFF, ts, 0
	default:
		d.finish(tell)
		*d = detector{active: true, known: true, time: ts, code: code}
	}
	if !d.active {
		return
	}
	d.length, d.at = max(d.length, length), at
	if end {
		d.active = false
		if n := d.duration(); n >= shortestDigit {
			tell(digitNames[code], n)
		}
	}
}

// idle is called now and then: it ends an event that has gone silent.
func (d *detector) idle(at time.Time, tell func(byte, time.Duration)) {
	if d.active && at.Sub(d.at) >= lostEnd {
		d.finish(tell)
	}
}

// finish tells the event whose end was not seen; its length is at least what was heard.
func (d *detector) finish(tell func(byte, time.Duration)) {
	if d.active {
		d.active = false
		tell(digitNames[d.code], d.duration())
	}
}

func (d *detector) duration() time.Duration {
	return time.Duration(d.base+d.length) * time.Second / 8000
}
