package audio

import (
	"math"
	"time"
)

const (
	loud        = -45.0 // dBFS: 20 ms above this are speech or music, below they are line noise
	peakSamples = Rate / 10
	maxPeaks    = 2000 // points of the waveform that are kept at the end
)

// Side tells what was heard on one channel.
type Side struct {
	RMS    float64       // dBFS over all loud parts; −100 when there are none
	Peak   float64       // dBFS of the loudest sample
	Active time.Duration // how long it was loud
	Peaks  []byte        // waveform: the loudest sample of each step, 0–255
}

// Summary tells what a recording holds.
type Summary struct {
	Started  time.Time
	Duration time.Duration
	Left     Side // the caller
	Right    Side // the agent, and whoever came after
	Step     time.Duration
	Complete bool // it was closed in order
	Dropped  int  // frames that had to be left out because the disk was behind
}

// BothSounded says whether both sides were heard for at least the time: the check that a recording is good.
func (s Summary) BothSounded(least time.Duration) bool {
	return s.Left.Active >= least && s.Right.Active >= least
}

// gauge measures one channel while it is written.
type gauge struct {
	frames int // loud frames of 20 ms
	energy float64
	peak   int
	peaks  []byte
}

// chunk measures n samples of one side of an interleaved chunk.
func (g *gauge) chunk(b []byte, side, n int) {
	for at := 0; at < n; at += peakSamples {
		top := 0
		for frame := at; frame < min(at+peakSamples, n); frame += FrameSamples {
			sum := 0.0
			for i := frame; i < min(frame+FrameSamples, n); i++ {
				v := int(g711.a2l[b[2*i+side]])
				sum += float64(v * v)
				top = max(top, v, -v)
			}
			if mean := sum / FrameSamples; decibel(math.Sqrt(mean)) > loud {
				g.frames++
				g.energy += mean
			}
		}
		g.peak = max(g.peak, top)
		g.peaks = append(g.peaks, byte(top>>7))
	}
}

// side gives the result; group steps are joined so that at most maxPeaks are left.
func (g *gauge) side(group int) Side {
	s := Side{RMS: -100, Peak: decibel(float64(g.peak)), Active: time.Duration(g.frames) * FrameTime}
	if g.frames > 0 {
		s.RMS = decibel(math.Sqrt(g.energy / float64(g.frames)))
	}
	for i, p := range g.peaks {
		if i%group == 0 {
			s.Peaks = append(s.Peaks, p)
			continue
		}
		s.Peaks[len(s.Peaks)-1] = max(s.Peaks[len(s.Peaks)-1], p)
	}
	return s
}

// sum puts both channels together.
func sum(left, right *gauge, started time.Time, samples int64) Summary {
	group := max(1, (len(left.peaks)+maxPeaks-1)/maxPeaks)
	return Summary{
		Started: started, Duration: time.Duration(samples) * time.Second / Rate,
		Left: left.side(group), Right: right.side(group), Step: time.Duration(group) * 100 * time.Millisecond,
	}
}

// decibel gives the level of an amplitude against full scale, −100 at least.
func decibel(v float64) float64 {
	if v < 1 {
		return -100
	}
	return max(-100, 20*math.Log10(v/32768))
}
