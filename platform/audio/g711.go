package audio

// Silence is the payload byte of no sound: A-law's and µ-law's code for the smallest positive value.
const (
	SilenceA = 0xD5
	SilenceU = 0xFF
)

// tables holds what is looked up. It is built once and never written again.
type tables struct {
	a2l, u2l [256]int16
	l2a, l2u [1 << 14]byte // index: the upper 14 bits of a sample, unsigned
	a2u, u2a [256]byte
}

var g711 = build()

// AToU and UToA translate single bytes between the laws (ITU-T G.711 tables 3 and 4).
func AToU(b byte) byte { return g711.a2u[b] }

// UToA translates a µ-law byte to A-law.
func UToA(b byte) byte { return g711.u2a[b] }

// DecodeA gives the linear 16-bit value of an A-law byte.
func DecodeA(b byte) int16 { return g711.a2l[b] }

// DecodeU gives the linear 16-bit value of a µ-law byte.
func DecodeU(b byte) int16 { return g711.u2l[b] }

// EncodeA gives the A-law byte of a linear 16-bit sample.
func EncodeA(s int16) byte { return g711.l2a[uint16(s)>>2] }

// EncodeU gives the µ-law byte of a linear 16-bit sample.
func EncodeU(s int16) byte { return g711.l2u[uint16(s)>>2] }

// Translate copies src into dst from one law to the other and returns the number of bytes; with equal laws it is
// a plain copy. dst must be as long as src.
func Translate(dst, src []byte, from, to Codec) int {
	if from == to || from == Event || to == Event {
		return copy(dst, src)
	}
	t := &g711.a2u
	if from == PCMU {
		t = &g711.u2a
	}
	dst = dst[:len(src)]
	for i, b := range src {
		dst[i] = t[b]
	}
	return len(src)
}

// Decode writes the linear samples of a payload to dst and returns their number.
func Decode(dst []int16, src []byte, law Codec) int {
	t := &g711.a2l
	if law == PCMU {
		t = &g711.u2l
	}
	n := min(len(dst), len(src))
	for i, b := range src[:n] {
		dst[i] = t[b]
	}
	return n
}

// Encode writes the payload of linear samples to dst and returns the number of bytes.
func Encode(dst []byte, src []int16, law Codec) int {
	t := &g711.l2a
	if law == PCMU {
		t = &g711.l2u
	}
	n := min(len(dst), len(src))
	for i, s := range src[:n] {
		dst[i] = t[uint16(s)>>2]
	}
	return n
}

func build() *tables {
	t := &tables{}
	for i := range 256 {
		t.a2l[i] = expandA(byte(i))
		t.u2l[i] = expandU(byte(i))
	}
	for i := range t.l2a {
		s := int16(uint16(i) << 2)
		t.l2a[i] = compressA(s)
		t.l2u[i] = compressU(s)
	}
	for i := range 256 {
		t.a2u[i] = aToU(byte(i))
		t.u2a[i] = uToA(byte(i))
	}
	return t
}

// expandA decodes A-law (ITU-T G.711 table 1): 13-bit values left-justified in 16.
func expandA(b byte) int16 {
	b ^= 0x55
	seg, v := b>>4&7, int16(b&15)<<4+8
	if seg > 0 {
		v = (v + 0x100) << (seg - 1)
	}
	if b&0x80 == 0 {
		return -v
	}
	return v
}

// expandU decodes µ-law (ITU-T G.711 table 2): 14-bit values left-justified in 16.
func expandU(b byte) int16 {
	b = ^b
	v := (int16(b&15)<<3+0x84)<<(b>>4&7) - 0x84
	if b&0x80 != 0 {
		return -v
	}
	return v
}

// compressA finds the A-law decision interval (G.711 table 1): 4 bits of position in one of 8 segments.
func compressA(s int16) byte {
	v, sign := int(s)>>3, byte(0x80)
	if v < 0 {
		v, sign = -v-1, 0
	}
	seg := byte(0)
	for x := v >> 5; x > 0; x >>= 1 {
		seg++
	}
	shift := max(seg, 1)
	return (sign | seg<<4 | byte(v>>shift)&15) ^ 0x55
}

// compressU finds the µ-law interval (G.711 table 2) with the bias of 33 (132 in 16 bits).
func compressU(s int16) byte {
	v, sign := int(s)>>2, byte(0)
	if v < 0 { // one's complement, as in ITU-T G.191: the input has already been rounded down
		v, sign = ^v, 0x80
	}
	v = min(v+33, 8191)
	seg := byte(0)
	for x := v >> 6; x > 0; x >>= 1 {
		seg++
	}
	return ^(sign | seg<<4 | byte(v>>(seg+1))&15)
}
