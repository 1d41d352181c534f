package audio

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// Recording is a sealed recording that is open for reading. It is safe for several goroutines.
type Recording struct {
	file    io.ReaderAt
	seal    *seal
	chunks  int
	samples int64
	sum     Summary

	mu     sync.Mutex
	at     int // the chunk in plain; −1 at first
	sealed []byte
	plain  []byte
}

// OpenRecording opens a recording of size bytes. One that was cut off is opened up to its last whole second; its
// Summary is then not Complete and is worked out by Scan. Errors wrap ErrRecording, or are those of keys.
func OpenRecording(file io.ReaderAt, size int64, keys Keys) (*Recording, error) {
	h := make([]byte, headSize)
	if _, err := file.ReadAt(h, 0); err != nil {
		return nil, fmt.Errorf("%w (header: %w)", ErrRecording, err)
	}
	key, err := unwrap(h, keys)
	if err != nil {
		return nil, err
	}
	r := &Recording{file: file, at: -1, sealed: make([]byte, sealedSize), seal: &seal{prefix: [8]byte(h[56:64])}}
	if r.seal.aead, err = gcm(key); err != nil {
		return nil, err
	}
	if !r.readSummary(size) {
		r.chunks = int((size - headSize) / sealedSize)
		r.samples = int64(r.chunks) * chunkSamples
		r.sum = Summary{
			Started:  time.UnixMilli(int64(binary.BigEndian.Uint64(h[24:]))),
			Duration: time.Duration(r.chunks) * time.Second,
		}
	}
	return r, nil
}

// readSummary reads the end of a file that was closed in order.
func (r *Recording) readSummary(size int64) bool {
	var foot [8]byte
	if size < headSize+int64(len(foot)) {
		return false
	}
	if _, err := r.file.ReadAt(foot[:], size-8); err != nil || string(foot[4:]) != recEnd {
		return false
	}
	n := int64(binary.BigEndian.Uint32(foot[:]))
	body := size - 8 - n - headSize
	if n > maxSummary || n < tagSize || body < 0 || body%sealedSize != 0 {
		return false
	}
	b := make([]byte, n)
	if _, err := r.file.ReadAt(b, size-8-n); err != nil {
		return false
	}
	plain, err := r.seal.unlock(b[:0], 0xFFFFFFFF, b)
	if err != nil || json.Unmarshal(plain, &r.sum) != nil {
		return false
	}
	r.chunks = int(body / sealedSize)
	r.samples = max(0, min(int64(samples(r.sum.Duration)), int64(r.chunks)*chunkSamples))
	return true
}

// Summary gives what the recording holds.
func (r *Recording) Summary() Summary { return r.sum }

// Scan works the summary out from the sound: for a recording that was cut off.
func (r *Recording) Scan() (Summary, error) {
	var g [2]gauge
	for n := range r.chunks {
		r.mu.Lock()
		err := r.load(n)
		for side := range g {
			if err == nil {
				g[side].chunk(r.plain, side, int(min(chunkSamples, r.samples-int64(n)*chunkSamples)))
			}
		}
		r.mu.Unlock()
		if err != nil {
			return Summary{}, err
		}
	}
	s := sum(&g[0], &g[1], r.sum.Started, r.samples)
	s.Complete, s.Dropped = r.sum.Complete, r.sum.Dropped
	return s, nil
}

// load brings a chunk into memory. Under mu.
func (r *Recording) load(n int) error {
	if r.at == n {
		return nil
	}
	r.at = -1
	if _, err := r.file.ReadAt(r.sealed, chunkAt(n)); err != nil {
		return fmt.Errorf("audio: reading a recording: %w", err)
	}
	b, err := r.seal.unlock(r.plain[:0], uint32(n), r.sealed)
	if err != nil {
		return err
	}
	r.plain, r.at = b, n
	return nil
}

// WAV gives the recording as a WAV file of 16-bit stereo PCM. Its size is known and any part can be read, so it
// serves HTTP ranges (http.ServeContent) without unsealing what is not asked for.
func (r *Recording) WAV() *io.SectionReader {
	return io.NewSectionReader(wave{r}, 0, waveHeaderSize+4*r.samples)
}

// wave reads the recording as a WAV file.
type wave struct{ r *Recording }

// ReadAt is io.ReaderAt.
func (w wave) ReadAt(p []byte, off int64) (n int, err error) {
	r := w.r
	size := waveHeaderSize + 4*r.samples
	if off < 0 || off >= size {
		return 0, io.EOF
	}
	if off < waveHeaderSize {
		n = copy(p, WaveHeader(WavePCM16, 2, Rate, uint32(4*r.samples))[off:])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for n < len(p) && off+int64(n) < size {
		at := (off + int64(n) - waveHeaderSize) / 2 // which value; left and right by turns
		if err := r.load(int(at / chunkBytes)); err != nil {
			return n, err
		}
		v := uint16(DecodeA(r.plain[at%chunkBytes]))
		b := [2]byte{byte(v), byte(v >> 8)}
		n += copy(p[n:], b[(off+int64(n))%2:])
	}
	if n < len(p) {
		err = io.EOF
	}
	return n, err
}

// ReadWriterAt is a file whose header can be replaced.
type ReadWriterAt interface {
	io.ReaderAt
	io.WriterAt
}

// Rewrap puts a recording under another master key: only its header changes. For rotating keys.
func Rewrap(file ReadWriterAt, keys Keys, newID string, newKey []byte) error {
	h := make([]byte, headSize)
	if _, err := file.ReadAt(h, 0); err != nil {
		return fmt.Errorf("%w (header: %w)", ErrRecording, err)
	}
	key, err := unwrap(h, keys)
	if err != nil {
		return err
	}
	if len(newID) > idSize {
		return fmt.Errorf("audio: the key id %q has more than %d bytes", newID, idSize)
	}
	if err := wrap(h, key, newKey, newID); err != nil {
		return err
	}
	if _, err := file.WriteAt(h, 0); err != nil {
		return fmt.Errorf("audio: rewrapping a recording: %w", err)
	}
	return nil
}
