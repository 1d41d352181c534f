package audio

import (
	"math"
	"sync"
	"time"
)

// What counts as speech. Telephone lines hum at −60 to −45 dBFS; a person speaks at −30 to −12.
const (
	earFloor   = -48.0 // dBFS: nothing below it is speech
	earAbove   = 9.0   // dB over the line's own noise
	earRise    = 0.1   // dB a frame: how fast the idea of the noise goes up; down at once
	earGuess   = -45.0 // dBFS of noise, before earLearn frames have been heard
	earLearn   = 20
	earStart   = 5                      // frames of speech among the last eight begin an utterance
	earLead    = 300 * time.Millisecond // kept from before its beginning: the first consonant is quiet
	earLeast   = 160 * time.Millisecond // less speech than this was a click
	earLongest = 30 * time.Second       // whatever is configured
)

// EarConfig says what an ear listens for. Began and Ended are called on the media goroutine: they must only post.
type EarConfig struct {
	Longest time.Duration // of an utterance; what is said beyond is left out
	Pause   time.Duration // of silence that ends it
	Began   func()        // speech has begun; nil: nobody asks
	Ended   func(*Clip)   // an utterance is complete; told once, then the ear is deaf
}

// Ear cuts what a person says out of a line by its energy: it learns the line's noise, begins where it is exceeded for
// a tenth of a second, and ends with a pause or at the limit. It holds at most Longest and earLead of sound. Frames
// come from one goroutine; Take may come from another.
type Ear struct {
	cfg EarConfig

	mu     sync.Mutex
	rest   []byte  // of a frame that was no multiple of 20 ms
	sound  []byte  // A-law: the lead, or the utterance
	noise  float64 // dBFS
	frames int     // heard before the first speech, up to earLearn
	lowest float64 // of them
	recent uint8   // the last eight frames, one bit each
	spoken int     // frames of speech in the utterance
	quiet  int     // frames since the last of them
	on     bool
	deaf   bool
}

// NewEar gives an ear that hears from now on.
func NewEar(cfg EarConfig) *Ear {
	cfg.Longest = min(max(cfg.Longest, time.Second), earLongest)
	cfg.Pause = min(max(cfg.Pause, 200*time.Millisecond), 3*time.Second)
	return &Ear{cfg: cfg, noise: earGuess, lowest: 0}
}

// Write takes a frame of the line; an Ear is a Sink.
func (e *Ear) Write(f *Frame) error {
	if f.Codec == Event {
		return nil
	}
	began, ended := e.take(f)
	if began && e.cfg.Began != nil {
		e.cfg.Began()
	}
	if ended != nil && e.cfg.Ended != nil {
		e.cfg.Ended(ended)
	}
	return nil
}

func (e *Ear) take(f *Frame) (began bool, ended *Clip) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range f.Payload {
		if e.deaf {
			return began, nil
		}
		if f.Codec == PCMU {
			b = UToA(b)
		}
		if e.rest = append(e.rest, b); len(e.rest) < FrameSamples {
			continue
		}
		was := e.on
		over := e.step(e.rest)
		began = began || e.on && !was
		e.rest = e.rest[:0]
		if over {
			ended = e.close()
			return began && ended != nil, ended
		}
	}
	return began, nil
}

// step hears 20 ms; true: the utterance is over.
func (e *Ear) step(alaw []byte) bool {
	level := Level(alaw)
	speech := level > earFloor && level > e.noise+earAbove
	e.learn(level)
	e.recent = e.recent<<1 | bit(speech)
	e.sound = append(e.sound, alaw...)
	if !e.on {
		e.on = ones(e.recent) >= earStart
		e.spoken, e.quiet = ones(e.recent), 0
		if most := samples(earLead) + 8*FrameSamples; len(e.sound) > most {
			e.sound = append(e.sound[:0], e.sound[len(e.sound)-most:]...)
		}
		return false
	}
	if e.quiet++; speech {
		e.spoken, e.quiet = e.spoken+1, 0
	}
	if time.Duration(e.quiet)*FrameTime >= e.cfg.Pause {
		if time.Duration(e.spoken)*FrameTime >= earLeast {
			return true
		}
		e.on, e.recent, e.sound = false, 0, e.sound[:0] // a click: listen on
	}
	return len(e.sound) >= samples(e.cfg.Longest)
}

// learn follows the line's noise while nobody speaks. Who speaks at once is heard against a guess.
func (e *Ear) learn(level float64) {
	level = math.Max(level, -70)
	switch {
	case level < e.noise:
		e.noise = level
	case e.on:
	case e.frames >= earLearn:
		e.noise = math.Min(e.noise+earRise, level)
	}
	if e.on || e.frames >= earLearn {
		return
	}
	e.frames++
	e.lowest = math.Min(e.lowest, level)
	if e.frames == earLearn {
		e.noise = e.lowest
	}
}

// close gives the utterance without the pause at its end, and makes the ear deaf.
func (e *Ear) close() *Clip {
	e.deaf = true
	keep := len(e.sound) - max(e.quiet-10, 0)*FrameSamples // 200 ms of the pause stay
	return NewClip("heard", e.sound[:max(keep, 0)])
}

// Take ends the listening and gives what was said so far; nil: nothing.
func (e *Ear) Take() *Clip {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.deaf || !e.on || time.Duration(e.spoken)*FrameTime < earLeast {
		e.deaf = true
		return nil
	}
	return e.close()
}

// Level gives the loudness of A-law sound in dBFS, −100 for silence.
func Level(alaw []byte) float64 {
	sum := 0.0
	for _, b := range alaw {
		v := float64(DecodeA(b))
		sum += v * v
	}
	if sum == 0 || len(alaw) == 0 {
		return -100
	}
	return 10 * math.Log10(sum/float64(len(alaw))/(32768*32768))
}

func bit(on bool) uint8 {
	if on {
		return 1
	}
	return 0
}

func ones(b uint8) (n int) {
	for ; b != 0; b &= b - 1 {
		n++
	}
	return n
}
