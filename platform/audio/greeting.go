package audio

import (
	"cmp"
	"math"
	"sync"
	"time"
)

// Answerer is who answered a call of ours.
type Answerer string

// The answerers. Unknown is to be treated as a person: a machine that is taken for one costs an agent seconds, a person
// taken for a machine is a caller hung up on.
const (
	ByPerson  Answerer = "person"
	ByMachine Answerer = "machine"
	ByUnknown Answerer = "unknown"
)

// Answer is what a Greeting makes of the first seconds.
type Answer struct {
	Who   Answerer
	Why   string        // pause (after a short greeting), long (a greeting), beep, silence (nobody spoke), limit
	After time.Duration // of sound, since the answer
}

// GreetingConfig says how a greeting is judged. Zero fields are the usual ones, in brackets, after the parameters of
// Asterisk's AMD: a person says a word or two and waits; a machine speaks on, or beeps.
type GreetingConfig struct {
	Silence time.Duration // before the first word: unknown [2.5 s]
	Longest time.Duration // greeting of a person; longer is a machine [2.5 s]
	Pause   time.Duration // after a greeting that is a person's [800 ms]
	Limit   time.Duration // of the whole: unknown [5 s]
	// Said and Over are called on the media goroutine, once each: they must only post. Over tells that a machine's greeting is
	// over (a beep, or 1.2 s of silence): a message may be left.
	Said func(Answer)
	Over func()
}

const (
	greetingWord  = 5    // frames of speech that are a word (100 ms); fewer are a click
	greetingGap   = 3    // frames of silence between two words
	greetingOver  = 60   // frames of silence after which a machine is thought to record
	greetingNoise = -50. // dBFS, before the line is known
	beepLeast     = 9    // frames of one pure tone (180 ms) that are a beep
	beepLow       = 400. // Hz; below it are the voices
	beepHigh      = 2500.
	beepDrift     = 15.   // Hz between two frames of one tone
	beepPure      = 0.004 // what is left of a tone's energy when it is taken out, at most; A-law leaves 0.0002
)

// Greeting listens to who has answered a call, and says whether it is a person, by the length of what is said first and
// the silence after it. It is a Sink; frames come from one goroutine.
type Greeting struct {
	cfg GreetingConfig

	mu     sync.Mutex
	rest   []byte // of a frame that was no multiple of 20 ms
	noise  float64
	frames int // since the answer
	first  int // frame the first word began at; 0: none yet
	run    int // frames of speech in the word
	quiet  int // frames of silence since
	tone   float64
	beep   int // frames of it
	said   *Answer
	over   bool
}

// NewGreeting begins to listen.
func NewGreeting(cfg GreetingConfig) *Greeting {
	cfg.Silence = cmp.Or(cfg.Silence, 2500*time.Millisecond)
	cfg.Longest = cmp.Or(cfg.Longest, 2500*time.Millisecond)
	cfg.Pause = cmp.Or(cfg.Pause, 800*time.Millisecond)
	cfg.Limit = max(cmp.Or(cfg.Limit, 5*time.Second), cfg.Longest)
	return &Greeting{cfg: cfg, noise: greetingNoise}
}

// Write takes a frame of the line.
func (g *Greeting) Write(f *Frame) error {
	if f.Codec == Event {
		return nil
	}
	said, over := g.take(f)
	if said != nil && g.cfg.Said != nil {
		g.cfg.Said(*said)
	}
	if over && g.cfg.Over != nil {
		g.cfg.Over()
	}
	return nil
}

func (g *Greeting) take(f *Frame) (said *Answer, over bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, b := range f.Payload {
		if f.Codec == PCMU {
			b = UToA(b)
		}
		if g.rest = append(g.rest, b); len(g.rest) < FrameSamples {
			continue
		}
		was := g.said
		over = g.step(g.rest) || over
		g.rest = g.rest[:0]
		if was == nil && g.said != nil {
			said = g.said
		}
	}
	return said, over
}

// step hears 20 ms; true: a machine's greeting is over.
func (g *Greeting) step(alaw []byte) bool {
	g.frames++
	speech := g.speech(Level(alaw))
	beeped := g.tones(alaw, speech)
	if g.said == nil {
		g.judge(beeped)
	}
	if g.said == nil || g.said.Who != ByMachine || g.over {
		return false
	}
	g.over = g.beep >= beepLeast && !speech || beeped || g.quiet >= greetingOver
	return g.over
}

// speech says whether a frame is louder than the line, and counts words and pauses.
func (g *Greeting) speech(level float64) bool {
	level = math.Max(level, -70)
	loud := level > earFloor && level > g.noise+earAbove
	switch {
	case level < g.noise:
		g.noise = level
	case !loud:
		g.noise = math.Min(g.noise+earRise, level)
	}
	if loud {
		g.run, g.quiet = g.run+1, 0
		if g.first == 0 && g.run >= greetingWord {
			g.first = g.frames - g.run + 1
		}
		return true
	}
	if g.quiet++; g.quiet >= greetingGap {
		g.run = 0
	}
	return false
}

// tones follows a pure tone; true: one has just ended that was a beep.
func (g *Greeting) tones(alaw []byte, speech bool) bool {
	hz, pure := 0.0, false
	if speech {
		hz, pure = tone(alaw)
	}
	if pure && (g.beep == 0 || math.Abs(hz-g.tone) <= beepDrift) {
		g.tone = hz
		g.beep++
		return false
	}
	was := g.beep
	g.beep = 0
	return was >= beepLeast
}

func (g *Greeting) judge(beeped bool) {
	long := func(frames int) time.Duration { return time.Duration(frames) * FrameTime }
	say := func(who Answerer, why string) { g.said = &Answer{who, why, long(g.frames)} }
	switch {
	case beeped || g.beep >= beepLeast:
		say(ByMachine, "beep")
	case g.first > 0 && long(g.frames-g.quiet-g.first+1) >= g.cfg.Longest:
		say(ByMachine, "long")
	case g.first > 0 && long(g.quiet) >= g.cfg.Pause:
		say(ByPerson, "pause")
	case g.first == 0 && long(g.frames) >= g.cfg.Silence && g.run == 0:
		say(ByUnknown, "silence")
	case long(g.frames) >= g.cfg.Limit:
		say(ByUnknown, "limit")
	}
}

// tone says whether 20 ms of A-law are one pure tone, and of what pitch: x[n]+x[n−2] = 2·cos(2πf/rate)·x[n−1] holds for
// a sine alone (Prony's method for one frequency, by least squares).
func tone(alaw []byte) (hz float64, pure bool) {
	var top, sum, left float64
	at := func(i int) float64 { return float64(DecodeA(alaw[i])) }
	for n := 2; n < len(alaw); n++ {
		top += at(n-1) * (at(n) + at(n-2))
		sum += at(n-1) * at(n-1)
	}
	if sum == 0 {
		return 0, false
	}
	c := top / sum
	if c <= -2 || c >= 2 {
		return 0, false
	}
	for n := 2; n < len(alaw); n++ {
		d := at(n) + at(n-2) - c*at(n-1)
		left += d * d
	}
	w := math.Acos(c / 2)
	hz = w * Rate / (2 * math.Pi)
	// The filter passes white sound by 2+c²: what is left is set against what it would leave of noise as loud.
	return hz, hz >= beepLow && hz <= beepHigh && left/(sum*(2+c*c)) <= beepPure
}
