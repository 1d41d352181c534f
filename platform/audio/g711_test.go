package audio

import "testing"

func TestG711Values(t *testing.T) {
	// Character signals of ITU-T G.711 tables 1 and 2 (A-law with even bits inverted, 13-bit values ×8; µ-law
	// 14-bit values ×4): the decision values, the decoder outputs and the ends of the range.
	for _, c := range []struct {
		name     string
		b        byte
		got, lin int16
	}{
		{"A smallest positive", 0xD5, DecodeA(0xD5), 8},
		{"A smallest negative", 0x55, DecodeA(0x55), -8},
		{"A end of segment 1", 0xC5, DecodeA(0xC5), 264},
		{"A largest", 0xAA, DecodeA(0xAA), 32256},
		{"A largest negative", 0x2A, DecodeA(0x2A), -32256},
		{"µ zero", 0xFF, DecodeU(0xFF), 0},
		{"µ negative zero", 0x7F, DecodeU(0x7F), 0},
		{"µ first step", 0xFE, DecodeU(0xFE), 8},
		{"µ largest", 0x80, DecodeU(0x80), 32124},
		{"µ largest negative", 0x00, DecodeU(0x00), -32124},
	} {
		if c.got != c.lin {
			t.Errorf("%s (%#x): %d, want %d", c.name, c.b, c.got, c.lin)
		}
	}
	// The 0 dBm0 digital milliwatt of G.711 tables 5 and 6, 1 kHz.
	mwA := []byte{0x34, 0x21, 0x21, 0x34, 0xB4, 0xA1, 0xA1, 0xB4}
	mwU := []byte{0x1E, 0x0B, 0x0B, 0x1E, 0x9E, 0x8B, 0x8B, 0x9E}
	for i := range mwA {
		a, u := int(DecodeA(mwA[i])), int(DecodeU(mwU[i]))
		if d := a - u; d > 600 || d < -600 {
			t.Errorf("milliwatt sample %d: A-law %d, µ-law %d", i, a, u)
		}
	}
}

func TestG711RoundTrip(t *testing.T) {
	for i := range 256 {
		b := byte(i)
		if EncodeA(DecodeA(b)) != b {
			t.Errorf("A-law %#x becomes %#x", b, EncodeA(DecodeA(b)))
		}
		if u := EncodeU(DecodeU(b)); u != b && b != 0x7F { // negative zero becomes zero
			t.Errorf("µ-law %#x becomes %#x", b, u)
		}
	}
	for s := -32768; s < 32768; s++ { // the error is at most half a step; steps double from segment to segment
		for _, got := range []int{int(DecodeA(EncodeA(int16(s)))), int(DecodeU(EncodeU(int16(s))))} {
			mag := max(s, -s)
			if d := got - s; max(d, -d) > max(8, mag/20) {
				t.Fatalf("%d becomes %d", s, got)
			}
		}
	}
}

func TestG711Conversion(t *testing.T) {
	for i := range 256 {
		b := byte(i)
		if a, lin := DecodeA(UToA(b)), DecodeU(b); !near(a, lin) {
			t.Errorf("µ %#x = %d becomes A %d", b, lin, a)
		}
		if u, lin := DecodeU(AToU(b)), DecodeA(b); !near(u, lin) {
			t.Errorf("A %#x = %d becomes µ %d", b, lin, u)
		}
	}
	src := []byte{0xD5, 0x2A, 0x11}
	dst := make([]byte, 3)
	if Translate(dst, src, PCMA, PCMA) != 3 || dst[1] != 0x2A {
		t.Error("equal laws are copied")
	}
	if Translate(dst, src, PCMA, PCMU); dst[1] != AToU(0x2A) {
		t.Error("other laws are translated")
	}
}

// near allows the error of one quantising step between the laws.
func near(a, b int16) bool {
	d, m := int(a)-int(b), max(int(b), -int(b))
	return max(d, -d) <= max(16, m/16)
}
