package audio

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"
)

// ErrBehind is told when the disk is so slow that sound had to be left out of a recording.
var ErrBehind = errors.New("audio: the disk is behind; a part of the recording is silent")

// File is where a recording is written.
type File interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// StudioConfig says how recordings are sealed and where they go.
type StudioConfig struct {
	Key   []byte           // master key, 32 bytes
	KeyID string           // its name, at most 16 bytes, kept in each file so that keys can be changed
	Now   func() time.Time // mandatory: recordings say when they began
	// Open makes the file of a recording; nil makes a new file on disk that only its owner can read.
	Open func(path string) (File, error)
}

// Studio writes all recordings of a process: one goroutine, four times a second, off the media's way.
type Studio struct {
	cfg    StudioConfig
	mu     sync.Mutex
	list   []*Recorder
	closed bool
	pool   []*chunk
	wake   chan struct{}
	stop   chan struct{}
	done   chan struct{}
	once   sync.Once
	quiet  chunk
	buf    []byte
}

const (
	studioTime = 250 * time.Millisecond
	poolMost   = 256 // chunks kept for use again: 4 MB
)

// NewStudio starts the writer. Close ends it.
func NewStudio(cfg StudioConfig) (*Studio, error) {
	if _, err := gcm(cfg.Key); err != nil {
		return nil, err
	}
	if len(cfg.KeyID) > idSize {
		return nil, fmt.Errorf("audio: the key id %q has more than %d bytes", cfg.KeyID, idSize)
	}
	if cfg.Now == nil {
		return nil, errors.New("audio: StudioConfig.Now is missing: hand in the clock")
	}
	if cfg.Open == nil {
		cfg.Open = func(path string) (File, error) {
			return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		}
	}
	s := &Studio{cfg: cfg, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}), buf: make([]byte, 0, sealedSize)}
	for i := range s.quiet {
		s.quiet[i] = SilenceA
	}
	go s.run()
	return s, nil
}

// Record begins a recording in a new file. fail (may be nil) is told once when writing begins to fail (a full
// disk); the call goes on, up to ten seconds are kept and written when the disk is back. It may be called on a
// media goroutine and must only post a message.
func (s *Studio) Record(path string, fail func(error)) (*Recorder, error) {
	begin := s.cfg.Now()
	key, name := s.key()
	seal, head, err := newSeal(key, name, begin)
	if err != nil {
		return nil, err
	}
	f, err := s.cfg.Open(path)
	if err != nil {
		return nil, fmt.Errorf("audio: recording file: %w", err)
	}
	if _, err := f.WriteAt(head, 0); err != nil {
		return nil, errors.Join(fmt.Errorf("audio: recording file: %w", err), f.Close())
	}
	r := &Recorder{studio: s, file: f, seal: seal, key: name, begin: begin, fail: fail}
	r.left, r.right = channel{rec: r}, channel{rec: r, side: 1}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.Join(errors.New("audio: the recorder is being shut down"), f.Close())
	}
	s.list = append(s.list, r)
	return r, nil
}

// Recording gives the number of recordings under way.
func (s *Studio) Recording() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.list)
}

// Close ends all recordings in order and then the writer.
func (s *Studio) Close() {
	s.once.Do(func() { close(s.stop) })
	<-s.done
}

func (s *Studio) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Studio) run() {
	defer close(s.done)
	t := time.NewTicker(studioTime)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-s.wake:
		case <-s.stop:
			s.mu.Lock()
			s.closed = true
			s.mu.Unlock()
			for _, r := range s.recorders() {
				r.Close(nil)
			}
			s.round()
			return
		}
		s.round()
	}
}

func (s *Studio) recorders() []*Recorder {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.list)
}

// round writes what is ready of each recording, and ends those that are closed.
func (s *Studio) round() {
	now := s.cfg.Now()
	for _, r := range s.recorders() {
		err := s.write(r, now)
		if length, dropped, ok := r.ended(); ok {
			s.finish(r, length, dropped, err)
		}
	}
}

// write seals and writes all chunks whose time is over. A chunk that cannot be written stays for the next round.
func (s *Studio) write(r *Recorder, now time.Time) error {
	for {
		c, n, ok := r.first(now)
		if !ok {
			return nil
		}
		if c == nil {
			c = &s.quiet
		}
		s.buf = r.seal.lock(s.buf[:0], uint32(n), c[:])
		if _, err := r.file.WriteAt(s.buf, chunkAt(n)); err != nil {
			_ = r.file.Truncate(chunkAt(n)) // half a chunk is worth nothing, and the space may be
			if !r.failing && r.fail != nil {
				r.fail(fmt.Errorf("audio: writing a recording: %w", err))
			}
			r.failing = true
			return err
		}
		r.failing = false
		r.measure(c, n)
		r.written()
	}
}

// measure takes a written chunk into the summary; of the last one only what lies before the end counts.
func (r *Recorder) measure(c *chunk, n int) {
	count := chunkSamples
	if length, _, ok := r.ended(); ok {
		count = int(min(chunkSamples, length-int64(n)*chunkSamples))
	}
	for side := range r.gauges {
		r.gauges[side].chunk(c[:], side, count)
	}
}

// finish writes the summary and closes the file.
func (s *Studio) finish(r *Recorder, length int64, dropped int, err error) {
	s.mu.Lock()
	s.list = slices.DeleteFunc(s.list, func(x *Recorder) bool { return x == r })
	s.mu.Unlock()
	r.mu.Lock()
	whole, done := r.base, r.done
	for _, c := range r.window {
		s.free(c)
	}
	r.window = nil
	r.mu.Unlock()
	sum := sum(&r.gauges[0], &r.gauges[1], r.begin, min(length, int64(whole)*chunkSamples))
	sum.Dropped, sum.Complete = dropped, err == nil
	if err == nil {
		err = s.end(r, sum, whole)
		sum.Complete = err == nil
	}
	if e := r.file.Close(); err == nil {
		err = e
	}
	if done != nil {
		done(sum, err)
	}
}

// end writes the sealed summary behind the last chunk.
func (s *Studio) end(r *Recorder, sum Summary, chunks int) error {
	b, err := json.Marshal(sum)
	if err != nil {
		return fmt.Errorf("audio: summary of a recording: %w", err)
	}
	b = r.seal.lock(nil, 0xFFFFFFFF, b)
	b = binary.BigEndian.AppendUint32(b, uint32(len(b)))
	b = append(b, recEnd...)
	if _, err := r.file.WriteAt(b, chunkAt(chunks)); err != nil {
		_ = r.file.Truncate(chunkAt(chunks))
		return fmt.Errorf("audio: ending a recording: %w", err)
	}
	if err := r.file.Sync(); err != nil {
		return fmt.Errorf("audio: ending a recording: %w", err)
	}
	return nil
}

// blank gives a silent chunk.
func (s *Studio) blank() *chunk {
	s.mu.Lock()
	var c *chunk
	if n := len(s.pool); n > 0 {
		c, s.pool = s.pool[n-1], s.pool[:n-1]
	}
	s.mu.Unlock()
	if c == nil {
		c = new(chunk)
	}
	*c = s.quiet
	return c
}

func (s *Studio) free(c *chunk) {
	if c == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pool) < poolMost {
		s.pool = append(s.pool, c)
	}
}
