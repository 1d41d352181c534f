package audio

import (
	"math"
	"time"
)

// Clip is a piece of sound ready to send: A-law at 8 kHz, shared by all players and never changed.
type Clip struct {
	name string
	data []byte
}

// NewClip makes a clip of A-law bytes; the clip owns them from now on. The name is for logs.
func NewClip(name string, alaw []byte) *Clip { return &Clip{name: name, data: alaw} }

// Name gives the clip's name.
func (c *Clip) Name() string { return c.name }

// Duration gives the clip's length.
func (c *Clip) Duration() time.Duration { return time.Duration(len(c.data)) * time.Second / Rate }

// Bytes gives the A-law sound, to be read only.
func (c *Clip) Bytes() []byte { return c.data }

// SilenceClip makes a pause.
func SilenceClip(d time.Duration) *Clip {
	b := make([]byte, samples(d))
	for i := range b {
		b[i] = SilenceA
	}
	return &Clip{name: "silence", data: b}
}

// Cadence is a tone that comes and goes: On of Hz, then Off of silence.
type Cadence struct {
	Name    string
	Hz      float64
	On, Off time.Duration
}

// The tones of mainland Chinese exchanges (GB/T 3380): 450 Hz.
func ringBack() Cadence { return Cadence{"ringback", 450, time.Second, 4 * time.Second} }

func busy() Cadence { return Cadence{"busy", 450, 350 * time.Millisecond, 350 * time.Millisecond} }

func congestion() Cadence {
	return Cadence{"congestion", 450, 700 * time.Millisecond, 700 * time.Millisecond}
}

// RingBack gives one period of the ring-back tone, to be looped.
func RingBack() *Clip { return ringBack().Clip() }

// Busy gives one period of the busy tone, to be looped.
func Busy() *Clip { return busy().Clip() }

// Congestion gives one period of the congestion tone, to be looped.
func Congestion() *Clip { return congestion().Clip() }

// Beep gives a short tone, for instance before a voice message.
func Beep() *Clip { return Cadence{Name: "beep", Hz: 1000, On: 300 * time.Millisecond}.Clip() }

// Clip makes one period of the tone at −10 dBm0 (peak 7,000 of 32,767).
func (c Cadence) Clip() *Clip {
	on, off := samples(c.On), samples(c.Off)
	b := make([]byte, on+off)
	for i := range b {
		b[i] = SilenceA
		if i < on {
			b[i] = EncodeA(int16(7000 * math.Sin(2*math.Pi*c.Hz*float64(i)/Rate)))
		}
	}
	return &Clip{name: c.Name, data: b}
}

// samples gives the number of samples in d.
func samples(d time.Duration) int { return int(d * Rate / time.Second) }
