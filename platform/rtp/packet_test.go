package rtp

import (
	"bytes"
	"testing"

	prtp "github.com/pion/rtp"
)

func TestParse(t *testing.T) {
	head := func(first byte, rest ...byte) []byte {
		return append([]byte{first, 8, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4}, rest...)
	}
	for _, c := range []struct {
		name    string
		b       []byte
		payload string
		ok      bool
	}{
		{"plain", head(0x80, 'h', 'i'), "hi", true},
		{"no payload", head(0x80), "", true},
		{"two CSRC", head(0x82, 1, 1, 1, 1, 2, 2, 2, 2, 'x'), "x", true},
		{"an extension", head(0x90, 0xBE, 0xDE, 0, 1, 9, 9, 9, 9, 'x'), "x", true},
		{"padding", head(0xA0, 'x', 0, 2), "x", true},
		{"all padding", head(0xA0, 0, 2), "", true},
		{"11 bytes", head(0x80)[:11], "", false},
		{"version 1", head(0x40, 'x'), "", false},
		{"CSRC beyond the end", head(0x8F, 'x'), "", false},
		{"extension beyond the end", head(0x90, 0, 0, 0xFF, 0xFF), "", false},
		{"extension cut in its header", head(0x90, 0, 0), "", false},
		{"padding of 0", head(0xA0, 'x', 0), "", false},
		{"padding longer than the payload", head(0xA0, 'x', 9), "", false},
		{"padding without a byte", head(0xA0), "", false},
	} {
		h, ok := parse(c.b)
		if ok != c.ok || ok && string(c.b[h.payload:h.end]) != c.payload {
			t.Errorf("%s: %v %+v", c.name, ok, h)
		}
	}
}

func TestPutIsReadBack(t *testing.T) {
	b := make([]byte, headerSize)
	put(b, true, 101, 65535, 1<<31, 42)
	h, ok := parse(b)
	if !ok || !h.marker || h.pt != 101 || h.seq != 65535 || h.time != 1<<31 || h.ssrc != 42 {
		t.Errorf("%+v", h)
	}
	if isRTCP(b) || !isRTCP([]byte{0x80, 200}) || isRTCP([]byte{0x80}) {
		t.Error("RTCP is told by its second byte")
	}
}

// FuzzParse compares with pion's parser: what ours takes, it takes too, and sees the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte("\x80\x08\x00\x01\x00\x00\x00\xa0\x01\x02\x03\x04hello"))
	f.Add([]byte("\x92\x08\x00\x01\x00\x00\x00\xa0\x01\x02\x03\x04aaaabbbb\xbe\xde\x00\x01\x10\x00\x00\x00hello"))
	f.Add([]byte("\xa0\x08\x00\x01\x00\x00\x00\xa0\x01\x02\x03\x04hello\x00\x02"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ok := parse(b)
		if !ok {
			return
		}
		if h.payload < headerSize || h.payload > h.end || h.end > len(b) {
			t.Fatalf("%+v of %d bytes", h, len(b))
		}
		var p prtp.Packet
		if p.Unmarshal(bytes.Clone(b)) != nil {
			return // pion also looks into the extension, which is of no use here
		}
		if p.SSRC != h.ssrc || p.SequenceNumber != h.seq || p.Timestamp != h.time || p.PayloadType != h.pt || p.Marker != h.marker || !bytes.Equal(p.Payload, b[h.payload:h.end]) {
			t.Fatalf("%+v, pion %+v", h, p.Header)
		}
	})
}

// FuzzLeg feeds a leg: whatever comes, it must neither fail nor grow.
func FuzzLeg(f *testing.F) {
	f.Add([]byte("\x80\x08\x00\x01\x00\x00\x00\xa0\x01\x02\x03\x04hello"))
	f.Add([]byte("\x80\x65\x00\x01\x00\x00\x00\xa0\x01\x02\x03\x04\x05\x8a\x03\x20"))
	f.Add([]byte("\x81\xc8\x00\x0c\x01\x02\x03\x04aaaaaaaabbbbccccddddeeee"))
	p := newPlane(f, nil)
	ph := newPhone(f)
	l := answered(f, p, ph, PlainConfig{}, ph.sdp("8 0", 101, ""))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > maxPacket {
			return
		}
		l.arrive(b, ph.addr(), l.now())
		l.arriveReport(b, ph.addr(), l.now())
		s := l.Stats()
		if s.MOS < 0 || s.MOS > 4.5 || s.Jitter < 0 || s.RTT < 0 {
			t.Fatalf("%+v", s)
		}
	})
}
