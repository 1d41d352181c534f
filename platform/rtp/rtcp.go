package rtp

import (
	"encoding/binary"
	"time"
)

// RTCP packet types that are spoken (RFC 3550 §12.1).
const (
	typeSR  = 200
	typeRR  = 201
	typeSDE = 202
)

// reportEvery is the distance of our reports; some border controllers hang up without them.
const reportEvery = 5 * time.Second

// ntpEpoch is the difference between 1900 and 1970 in seconds.
const ntpEpoch = 2208988800

// ntp gives a time as an NTP timestamp: seconds since 1900 in the upper, their fraction in the lower 32 bits.
func ntp(t time.Time) uint64 {
	return uint64(t.Unix()+ntpEpoch)<<32 | uint64(t.Nanosecond())<<32/1_000_000_000
}

// block is one reception report (RFC 3550 §6.4.1).
type block struct {
	ssrc     uint32
	fraction uint8
	lost     uint32 // 24 bits
	highest  uint32
	jitter   uint32
	lsr      uint32 // middle of the NTP time of the last SR heard
	dlsr     uint32 // since then, in 1/65,536 s
}

// report is what matters of a compound packet.
type report struct {
	ssrc   uint32
	sender bool
	ntp    uint64 // of the SR
	block  block  // the one about us
	about  bool   // block is set
}

// compound writes SR or RR with at most one block, and the CNAME (RFC 3550 §6.1), into b and gives its length.
func compound(b []byte, ssrc uint32, sr bool, now time.Time, ts uint32, packets, octets uint64, about *block) int {
	n := 8
	b[1] = typeRR
	if sr {
		b[1] = typeSR
		binary.BigEndian.PutUint64(b[8:], ntp(now))
		binary.BigEndian.PutUint32(b[16:], ts)
		binary.BigEndian.PutUint32(b[20:], uint32(packets))
		binary.BigEndian.PutUint32(b[24:], uint32(octets))
		n = 28
	}
	b[0] = 0x80
	if about != nil {
		b[0] |= 1
		binary.BigEndian.PutUint32(b[n:], about.ssrc)
		binary.BigEndian.PutUint32(b[n+4:], uint32(about.fraction)<<24|min(about.lost, 0x7fffff))
		binary.BigEndian.PutUint32(b[n+8:], about.highest)
		binary.BigEndian.PutUint32(b[n+12:], about.jitter)
		binary.BigEndian.PutUint32(b[n+16:], about.lsr)
		binary.BigEndian.PutUint32(b[n+20:], about.dlsr)
		n += 24
	}
	binary.BigEndian.PutUint16(b[2:], uint16(n/4-1))
	binary.BigEndian.PutUint32(b[4:], ssrc)
	// SDES with one chunk: CNAME "kapok", closed by a zero and filled to four bytes.
	d := b[n : n+16]
	clear(d)
	d[0], d[1], d[3] = 0x81, typeSDE, 3
	binary.BigEndian.PutUint32(d[4:], ssrc)
	d[8], d[9] = 1, 5
	copy(d[10:], "kapok")
	return n + 16
}

// readReport reads a compound packet; ok is false when it is none. mine is our SSRC: the block about it is kept.
func readReport(b []byte, mine uint32) (r report, ok bool) {
	for len(b) >= 8 {
		size := 4 + 4*int(binary.BigEndian.Uint16(b[2:]))
		if b[0]>>6 != 2 || size > len(b) {
			return r, ok
		}
		kind, count, p := b[1], int(b[0]&31), b[:size]
		b = b[size:]
		at := 8
		switch kind {
		case typeSR:
			if size < 28 {
				return r, ok
			}
			r.sender, r.ntp, at = true, binary.BigEndian.Uint64(p[8:]), 28
		case typeRR:
			if size < 8 {
				return r, ok
			}
		default:
			continue
		}
		ok, r.ssrc = true, binary.BigEndian.Uint32(p[4:])
		for i := 0; i < count && at+24 <= size; i, at = i+1, at+24 {
			if binary.BigEndian.Uint32(p[at:]) != mine {
				continue
			}
			r.about = true
			r.block = block{
				ssrc: mine, fraction: p[at+4], lost: binary.BigEndian.Uint32(p[at+4:]) & 0xffffff,
				highest: binary.BigEndian.Uint32(p[at+8:]), jitter: binary.BigEndian.Uint32(p[at+12:]),
				lsr: binary.BigEndian.Uint32(p[at+16:]), dlsr: binary.BigEndian.Uint32(p[at+20:]),
			}
		}
	}
	return r, ok
}

// roundTrip works out the round trip from a block (RFC 3550 §6.4.1); 0 when it cannot be known or is absurd.
func (k block) roundTrip(now time.Time) time.Duration {
	if k.lsr == 0 {
		return 0
	}
	d := uint32(ntp(now)>>16) - k.lsr - k.dlsr
	if d > 30<<16 { // negative by rounding, or nonsense
		return 0
	}
	return time.Duration(d) * time.Second >> 16
}
