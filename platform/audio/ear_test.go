package audio

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// line makes A-law of spans of noise and of a voice (a buzz at 150 Hz), each with its level in dBFS.
type lineSpan struct {
	ms    int
	level float64
	voice bool
}

func lineOf(seed uint64, spans ...lineSpan) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	var out []byte
	for _, s := range spans {
		amp := 32768 * math.Pow(10, s.level/20)
		for i := range s.ms * Rate / 1000 {
			v := amp * r.NormFloat64()
			if s.voice {
				v = amp * math.Sqrt2 * (math.Sin(2*math.Pi*150*float64(i)/Rate) + 0.5*math.Sin(2*math.Pi*900*float64(i)/Rate)) / 1.12
			}
			out = append(out, EncodeA(int16(min(max(v, -32000), 32000))))
		}
	}
	return out
}

// hear plays a line into an ear in packets of a size and tells when it ended, in ms, and what it took.
func hear(e *Ear, got **Clip, line []byte, packet int) int {
	for at := 0; at < len(line); at += packet {
		_ = e.Write(&Frame{Codec: PCMA, Payload: line[at:min(at+packet, len(line))]})
		if *got != nil {
			return (at + packet) * 1000 / Rate
		}
	}
	return -1
}

func TestEarCutsSpeechOut(t *testing.T) {
	quiet := func(ms int) lineSpan { return lineSpan{ms, -60, false} }
	speech := func(ms int, level float64) lineSpan { return lineSpan{ms, level, true} }
	for _, x := range []struct {
		name   string
		line   []lineSpan
		end    int // ms it is told at, ±60; −1: never
		length int // ms of the clip, ±80
		began  int
	}{
		{"a word in silence", []lineSpan{quiet(1000), speech(800, -20), quiet(2000)}, 2500, 300 + 800 + 200, 1},
		{"quiet speech over a quiet line", []lineSpan{quiet(1000), speech(800, -38), quiet(2000)}, 2500, 1300, 1},
		{"speech over a loud line", []lineSpan{{1500, -40, false}, speech(800, -20), {2000, -40, false}}, 3000, 1300, 1},
		{"at once", []lineSpan{speech(600, -20), quiet(1500)}, 1300, 800, 1},
		{"a pause within", []lineSpan{quiet(500), speech(500, -20), quiet(400), speech(500, -20), quiet(1500)}, 2600, 1900, 1},
		{"somebody who does not stop", []lineSpan{quiet(500), speech(9000, -20)}, 5140, 5000, 1},
		{"silence", []lineSpan{quiet(6000)}, -1, 0, 0},
		{"a loud line and nobody on it", []lineSpan{{6000, -40, false}}, -1, 0, 0},
		{"a click", []lineSpan{quiet(1000), speech(60, -10), quiet(3000)}, -1, 0, 0},
		{"a click, then a word", []lineSpan{quiet(1000), speech(110, -10), quiet(1500), speech(600, -20), quiet(1500)}, 3910, 1100, 2},
	} {
		for _, packet := range []int{160, 80, 240, 7} {
			var got *Clip
			began := 0
			e := NewEar(EarConfig{Longest: 5 * time.Second, Pause: 700 * time.Millisecond, Began: func() { began++ }, Ended: func(c *Clip) { got = c }})
			end := hear(e, &got, lineOf(7, x.line...), packet)
			length := 0
			if got != nil {
				length = int(got.Duration().Milliseconds())
			}
			if off(end, x.end, 60) || off(length, x.length, 80) || began != x.began && packet == 160 {
				t.Errorf("%s, packets of %d: ended at %d with %d ms, began %d times; want %d with %d, %d", x.name, packet, end, length, began, x.end, x.length, x.began)
			}
			if got != nil && e.Take() != nil {
				t.Errorf("%s: told twice", x.name)
			}
		}
	}
}

func off(a, b, by int) bool { return a-b > by || b-a > by }

// A line that falls silent without packets: what was said so far can be taken.
func TestEarTakesWhatThereIs(t *testing.T) {
	var got *Clip
	e := NewEar(EarConfig{Longest: 5 * time.Second, Pause: time.Second, Ended: func(c *Clip) { got = c }})
	hear(e, &got, lineOf(1, lineSpan{500, -60, false}, lineSpan{600, -20, true}), 160)
	if c := e.Take(); got != nil || c == nil || off(int(c.Duration().Milliseconds()), 900, 250) {
		t.Errorf("%v %v", got, c)
	}
	if e = NewEar(EarConfig{}); e.Take() != nil {
		t.Error("something out of nothing")
	}
}

func TestEarHearsBothLaws(t *testing.T) {
	var got *Clip
	e := NewEar(EarConfig{Longest: 5 * time.Second, Pause: 700 * time.Millisecond, Ended: func(c *Clip) { got = c }})
	line := lineOf(3, lineSpan{500, -60, false}, lineSpan{600, -20, true}, lineSpan{1200, -60, false})
	for i := range line {
		line[i] = AToU(line[i])
	}
	for at := 0; at < len(line); at += 160 {
		_ = e.Write(&Frame{Codec: PCMU, Payload: line[at:min(at+160, len(line))]})
	}
	if got == nil || Level(got.Bytes()) < -30 {
		t.Errorf("heard %v", got)
	}
	_ = e.Write(&Frame{Codec: Event, Payload: []byte{1, 2, 3, 4}})
}

// Whatever comes from a line, an ear keeps no more than it may, and tells of one utterance.
func FuzzEar(f *testing.F) {
	f.Add([]byte{0xd5, 0x2a, 0xaa}, uint16(3000))
	f.Add(lineOf(1, lineSpan{200, -20, true}), uint16(20))
	f.Fuzz(func(t *testing.T, payload []byte, times uint16) {
		if len(payload) > 4000 {
			return
		}
		ended := 0
		e := NewEar(EarConfig{Longest: time.Second, Pause: 300 * time.Millisecond, Ended: func(c *Clip) {
			ended++
			if c.Duration() > 3*time.Second {
				t.Errorf("%v", c.Duration())
			}
		}})
		for range min(int(times), 2000) {
			_ = e.Write(&Frame{Codec: PCMU, Payload: payload})
		}
		if ended > 1 || len(e.sound) > 3*Rate {
			t.Errorf("%d utterances, %d bytes", ended, len(e.sound))
		}
	})
}
