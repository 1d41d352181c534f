package rtp

import "encoding/binary"

// headerSize is the fixed RTP header (RFC 3550 §5.1); what we send has no more.
const headerSize = 12

// maxPacket is the largest datagram that is read or written: an Ethernet frame's.
const maxPacket = 1500

// maxReport is the largest RTCP datagram that is read: a compound of a report and a description is 200 bytes.
const maxReport = 512

// header is a parsed RTP header.
type header struct {
	marker  bool
	pt      uint8
	seq     uint16
	time    uint32
	ssrc    uint32
	payload int // where the payload begins
	end     int // and where it ends, padding taken off
}

// parse reads an RTP header; ok is false for anything that lies about its lengths.
func parse(b []byte) (h header, ok bool) {
	if len(b) < headerSize || b[0]>>6 != 2 {
		return h, false
	}
	h.marker, h.pt = b[1]&0x80 != 0, b[1]&0x7f
	h.seq = binary.BigEndian.Uint16(b[2:])
	h.time = binary.BigEndian.Uint32(b[4:])
	h.ssrc = binary.BigEndian.Uint32(b[8:])
	at := headerSize + 4*int(b[0]&15)
	if b[0]&0x10 != 0 {
		if len(b) < at+4 {
			return h, false
		}
		at += 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	}
	end := len(b)
	if at > end {
		return h, false
	}
	if b[0]&0x20 != 0 {
		if at == end {
			return h, false
		}
		pad := int(b[end-1])
		if pad == 0 || pad > end-at {
			return h, false
		}
		end -= pad
	}
	h.payload, h.end = at, end
	return h, true
}

// put writes a header without CSRC, extension or padding.
func put(b []byte, marker bool, pt uint8, seq uint16, time, ssrc uint32) {
	b[0], b[1] = 0x80, pt&0x7f
	if marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], time)
	binary.BigEndian.PutUint32(b[8:], ssrc)
}

// isRTCP tells RTCP from RTP on one port (RFC 5761 §4).
func isRTCP(b []byte) bool { return len(b) >= 2 && b[1] >= 192 && b[1] <= 223 }
