package audio

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// answered makes the A-law of who answers: spans of silence, speech and tones, over a line's noise.
type answered struct {
	ms    int
	level float64 // dBFS; 0: silence
	hz    float64 // a tone; 0: speech
}

// sound makes speech as a vocal tract does, roughly: a buzz whose pitch moves, through two resonances that move, in syllables
// of some 180 ms, and a hiss between them.
func (a answered) sound(r *rand.Rand, noise float64) []byte {
	loud := func(db float64) float64 { return 32768 * math.Pow(10, db/20) }
	var out []byte
	pitch, phase := 110+80*r.Float64(), 0.0
	var harmonics [10]float64
	for i := range a.ms * Rate / 1000 {
		v := loud(noise) * r.NormFloat64()
		at := float64(i) / Rate
		switch {
		case a.level == 0:
		case a.hz > 0:
			v += loud(a.level) * math.Sqrt2 * math.Sin(2*math.Pi*a.hz*at)
		default:
			if i%(180*Rate/1000) == 0 {
				f1, f2 := 300+500*r.Float64(), 900+1400*r.Float64()
				for h := range harmonics {
					hz := float64(h+1) * pitch
					d1, d2 := (hz-f1)/120, (hz-f2)/160
					harmonics[h] = 1/(1+d1*d1) + 0.5/(1+d2*d2) + 0.02
				}
			}
			phase += 2 * math.Pi * (pitch + 15*math.Sin(2*math.Pi*3*at)) / Rate
			s := 0.0
			for h, loud := range harmonics {
				s += math.Sin(float64(h+1)*phase) * loud
			}
			syllable := math.Abs(math.Sin(math.Pi * at / 0.18))
			v += loud(a.level) * (s*syllable + 0.2*(1-syllable)*r.NormFloat64())
		}
		out = append(out, EncodeA(int16(min(max(v, -32000), 32000))))
	}
	return out
}

func greet(cfg GreetingConfig, packet int, codec Codec, line []byte) (a Answer, over time.Duration) {
	at := 0
	cfg.Said = func(x Answer) { a = x }
	cfg.Over = func() { over = time.Duration(at) * time.Second / Rate }
	g := NewGreeting(cfg)
	for ; at < len(line); at += packet {
		payload := append([]byte(nil), line[at:min(at+packet, len(line))]...)
		if codec == PCMU {
			for i, b := range payload {
				payload[i] = EncodeU(DecodeA(b))
			}
		}
		_ = g.Write(&Frame{Codec: codec, Payload: payload})
	}
	return a, over
}

// Who answers: a person says a word or two and waits, a machine speaks on or beeps, and of all else nothing is claimed.
// Each line is made several times over, with other voices and another noise.
func TestGreetingTellsWhoAnswers(t *testing.T) {
	quiet := func(ms int) answered { return answered{ms: ms} }
	says := func(ms int) answered { return answered{ms: ms, level: -20} }
	beep := func(ms int, hz float64) answered { return answered{ms, -16, hz} }
	for _, x := range []struct {
		name  string
		line  []answered
		who   Answerer
		why   string
		after [2]int // ms
	}{
		{"喂?", []answered{quiet(300), says(350), quiet(3000)}, ByPerson, "pause", [2]int{1200, 1700}},
		{"at once", []answered{says(400), quiet(3000)}, ByPerson, "pause", [2]int{1000, 1500}},
		{"喂,你好", []answered{quiet(500), says(300), quiet(400), says(500), quiet(3000)}, ByPerson, "pause", [2]int{2200, 2800}},
		{"a company's two seconds", []answered{quiet(400), says(2000), quiet(3000)}, ByPerson, "pause", [2]int{3000, 3500}},
		{"a mailbox", []answered{quiet(400), says(6000), quiet(2000)}, ByMachine, "long", [2]int{2700, 3100}},
		{"a mailbox that breathes", []answered{quiet(300), says(1200), quiet(400), says(900), quiet(500), says(2000), quiet(1500)}, ByMachine, "long", [2]int{2600, 3600}},
		{"a mailbox with a short word and a beep", []answered{quiet(300), says(800), quiet(500), beep(500, 1000), quiet(3000)}, ByMachine, "beep", [2]int{1700, 1900}},
		{"a beep alone", []answered{quiet(700), beep(400, 1400), quiet(3000)}, ByMachine, "beep", [2]int{800, 1000}},
		{"a fax", []answered{quiet(500), beep(3000, 2100)}, ByMachine, "beep", [2]int{600, 800}},
		{"silence", []answered{quiet(6000)}, ByUnknown, "silence", [2]int{2500, 2560}},
		{"somebody who waits long", []answered{quiet(2400), says(400), quiet(3000)}, ByPerson, "pause", [2]int{3500, 3800}},
		{"clicks on the line", []answered{quiet(500), {40, -18, 0}, quiet(600), {40, -18, 0}, quiet(4000)}, ByUnknown, "silence", [2]int{2500, 2560}},
		{"words far apart and late", []answered{quiet(2300), says(600), quiet(600), says(600), quiet(600), says(600), quiet(600), says(600), quiet(600), says(600), quiet(600), says(600)}, ByUnknown, "limit", [2]int{4980, 5020}},
	} {
		t.Run(x.name, func(t *testing.T) {
			cfg := GreetingConfig{}
			if x.why == "limit" {
				cfg.Longest = 4500 * time.Millisecond
			}
			for seed := range uint64(4) {
				r := rand.New(rand.NewPCG(seed, 7))
				noise := -65 + 15*r.Float64()
				var line []byte
				for _, s := range x.line {
					line = append(line, s.sound(r, noise)...)
				}
				codec := []Codec{PCMA, PCMU}[seed%2]
				a, _ := greet(cfg, []int{160, 240, 80}[seed%3], codec, line)
				if ms := int(a.After.Milliseconds()); a.Who != x.who || a.Why != x.why || ms < x.after[0] || ms > x.after[1] {
					t.Fatalf("line %d (noise %.0f dBFS): %s by %s after %d ms", seed, noise, a.Who, a.Why, ms)
				}
			}
		})
	}
}

// A message is left when the machine's greeting is over: after its beep, or after a silence.
func TestGreetingIsOver(t *testing.T) {
	for _, x := range []struct {
		name string
		line []answered
		over [2]int // ms; 0: never
	}{
		{"greeting and beep", []answered{{300, 0, 0}, {4000, -20, 0}, {600, 0, 0}, {400, -16, 1000}, {3000, 0, 0}}, [2]int{5280, 5380}},
		{"greeting without a beep", []answered{{300, 0, 0}, {4000, -20, 0}, {3000, 0, 0}}, [2]int{5400, 5600}},
		{"a greeting that does not end", []answered{{300, 0, 0}, {9000, -20, 0}}, [2]int{}},
		{"a person", []answered{{300, 0, 0}, {400, -20, 0}, {5000, 0, 0}}, [2]int{}},
	} {
		t.Run(x.name, func(t *testing.T) {
			for seed := range uint64(3) {
				r := rand.New(rand.NewPCG(seed, 3))
				var line []byte
				for _, s := range x.line {
					line = append(line, s.sound(r, -60)...)
				}
				if _, over := greet(GreetingConfig{}, 160, PCMA, line); int(over.Milliseconds()) < x.over[0] || int(over.Milliseconds()) > x.over[1] {
					t.Fatalf("line %d: over after %v", seed, over)
				}
			}
		})
	}
}

// Speech is no tone: in a minute of it there is no beep. Nor does any sound break the listening.
func TestGreetingHearsNoBeepInSpeech(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 11))
		line := answered{10_000, -20, 0}.sound(r, -55)
		g := NewGreeting(GreetingConfig{Limit: time.Hour, Longest: time.Hour, Pause: time.Hour})
		for at := 0; at < len(line); at += 160 {
			_ = g.Write(&Frame{Codec: PCMA, Payload: line[at : at+160]})
		}
		if g.said != nil && g.said.Why == "beep" {
			t.Fatalf("line %d: a beep after %v", seed, g.said.After)
		}
	}
}
