package audio

import (
	"sync"
	"time"
)

const (
	latest  = 300 * time.Millisecond // a chunk is closed this long after its end: late packets still find their place
	backlog = 10                     // chunks (seconds) that wait in memory for a disk that is behind
	early   = FrameSamples           // a frame placed this far before its arrival shows that the anchor came late
	astray  = Rate / 2               // a frame this far behind its place: the sender's clock stood still
)

// Recorder takes both sides of a call: Left the caller, Right the agent. Frames are placed by their RTP time on
// one wall-clock line that begins with the recorder, so the channels stay together over transfers, hold and loss;
// where nothing came there is silence. Writing a frame copies it into memory; the Studio's goroutine does the rest.
type Recorder struct {
	studio *Studio
	file   File
	seal   *seal
	key    string // id of the master key
	begin  time.Time
	fail   func(error)
	left   channel
	right  channel

	mu      sync.Mutex
	window  []*chunk // chunks base, base+1, …; nil where nothing was written yet
	base    int
	frozen  int // chunks before this one are being sealed or are written: nothing is added to them
	paused  bool
	dropped int
	behind  bool // the error that the disk is behind has been told
	end     time.Time
	closing bool
	done    func(Summary, error)

	// The Studio's goroutine alone uses these.
	gauges  [2]gauge
	failing bool
}

// chunk is one second of both sides in memory.
type chunk [chunkBytes]byte

// channel is one side of a recorder.
type channel struct {
	rec    *Recorder
	side   int
	source *Source
	epoch  uint32
	known  bool
	time   uint32 // timestamp of the anchor
	pos    int64  // its place on the line, in samples
}

// Left gives the Sink for what the caller says.
func (r *Recorder) Left() Sink { return &r.left }

// Right gives the Sink for what the agent says, whoever that is at the moment.
func (r *Recorder) Right() Sink { return &r.right }

// Pause records silence on both sides until Resume: while a card number is keyed or told.
func (r *Recorder) Pause(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paused = on
}

// Close ends the recording. The rest is written by the Studio, which then calls done (may be nil) on its goroutine
// with what the recording holds.
func (r *Recorder) Close(done func(Summary, error)) {
	r.mu.Lock()
	if r.closing {
		r.mu.Unlock()
		return
	}
	r.closing, r.end, r.done = true, r.studio.cfg.Now(), done
	r.mu.Unlock()
	r.studio.poke()
}

// Write places one frame. Events are not recorded.
func (c *channel) Write(f *Frame) error {
	if f.Codec == Event {
		return nil
	}
	r := c.rec
	r.mu.Lock()
	if r.closing || r.paused {
		r.mu.Unlock()
		return nil
	}
	kept := r.copy(c.place(f), c.side, f)
	tell := !kept && !r.behind
	if !kept {
		r.dropped++
		r.behind = true
	}
	r.mu.Unlock()
	if tell && r.fail != nil {
		r.fail(ErrBehind)
	}
	return nil
}

// place gives the frame's first sample on the line.
func (c *channel) place(f *Frame) int64 {
	arrived := int64(samples(f.At.Sub(c.rec.begin)))
	if !c.known || c.source != f.Source || c.epoch != f.Epoch {
		c.anchor(f, arrived)
		return arrived
	}
	pos := c.pos + int64(int32(f.Time-c.time))
	if off := pos - arrived; off > early || off < -astray {
		pos = arrived
	}
	c.anchor(f, pos)
	return pos
}

func (c *channel) anchor(f *Frame, pos int64) {
	c.source, c.epoch, c.known, c.time, c.pos = f.Source, f.Epoch, true, f.Time, pos
}

// copy puts the payload into the window; false when it lies too far ahead of what has been written to disk.
func (r *Recorder) copy(pos int64, side int, f *Frame) bool {
	data := f.Payload
	if pos < 0 { // before the beginning
		data, pos = data[min(-pos, int64(len(data))):], 0
	}
	for len(data) > 0 {
		n, at := int(pos/chunkSamples), int(pos%chunkSamples)
		part := data[:min(len(data), chunkSamples-at)]
		data, pos = data[len(part):], pos+int64(len(part))
		if n < r.base || n < r.frozen {
			continue // too late for its chunk
		}
		if n-r.base >= backlog {
			return false
		}
		to := r.chunk(n - r.base)[2*at+side:]
		for i, b := range part {
			if f.Codec == PCMU {
				b = g711.u2a[b]
			}
			to[2*i] = b
		}
	}
	return true
}

// chunk gives a chunk of the window to write to.
func (r *Recorder) chunk(i int) *chunk {
	for len(r.window) <= i {
		r.window = append(r.window, nil)
	}
	if r.window[i] == nil {
		r.window[i] = r.studio.blank()
	}
	return r.window[i]
}

// first gives the oldest chunk if its time is over by now; nil with ok means a second of silence. From now on the
// chunk does not change: sealing it twice, after a failed write, must not use one nonce for two texts.
func (r *Recorder) first(now time.Time) (c *chunk, n int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	end := r.begin.Add(time.Duration(r.base+1) * time.Second)
	if r.closing {
		if !r.end.After(end.Add(-time.Second)) {
			return nil, 0, false
		}
	} else if now.Before(end.Add(latest)) {
		r.behind = false // the disk has caught up
		return nil, 0, false
	}
	if len(r.window) > 0 {
		c = r.window[0]
	}
	r.frozen = r.base + 1
	return c, r.base, true
}

// written takes the oldest chunk away.
func (r *Recorder) written() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.window) > 0 {
		r.studio.free(r.window[0])
		r.window[0] = nil
		r.window = r.window[1:]
	}
	r.base++
}

// ended says whether the recorder has been closed, and with how many samples.
func (r *Recorder) ended() (samples64 int64, dropped int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int64(samples(r.end.Sub(r.begin))), r.dropped, r.closing
}
