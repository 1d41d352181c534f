package callers

import (
	"math"
	"math/rand/v2"
)

// voice is half a minute of something like speech: bursts of hummed noise of the length of words, with pauses, in
// G.711 A-law. Made once; all streams read it from places of their own.
type voice struct {
	frames  int
	samples []byte
	silence [frame]byte
}

func newVoice() *voice {
	const seconds = 30
	v := &voice{frames: seconds * 50, samples: make([]byte, seconds*50*frame)}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range v.silence {
		v.silence[i] = aLaw(0)
	}
	pitch, loud, left, phase, low := 140.0, 0.0, 0, 0.0, 0.0
	for i := range v.samples {
		if left--; left <= 0 {
			left = 800 + r.IntN(2800) // 100 to 450 ms
			if loud > 0 && r.Float64() < .5 {
				loud, left = 0, 400+r.IntN(4000)
			} else {
				loud, pitch = 1500+3500*r.Float64(), 110+90*r.Float64()
			}
		}
		phase += pitch / 8000
		low += .25 * (r.NormFloat64() - low) // a voice has little above 1 kHz
		hum := math.Sin(2*math.Pi*phase) + .5*math.Sin(4*math.Pi*phase) + .3*math.Sin(6*math.Pi*phase)
		v.samples[i] = aLaw(int16(max(min(loud*(hum+.8*low), 32000), -32000)))
	}
	return v
}

func (v *voice) frame(n int) []byte { return v.samples[n*frame : (n+1)*frame] }

// aLaw encodes one sample (ITU-T G.711).
func aLaw(s int16) byte {
	sign := byte(0x80)
	v := int(s) >> 3
	if v < 0 {
		sign, v = 0, -v-1
	}
	segment := 0
	for top := 31; v > top && segment < 8; top = top<<1 | 1 {
		segment++
	}
	if segment >= 8 {
		return (sign | 0x7f) ^ 0x55
	}
	code := byte(segment << 4)
	if segment < 2 {
		code |= byte(v>>1) & 15
	} else {
		code |= byte(v>>segment) & 15
	}
	return (sign | code) ^ 0x55
}
