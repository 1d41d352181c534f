package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrWAV means that a file is not a WAV file that can be used as a prompt.
var ErrWAV = errors.New("audio: the file is not usable WAV; save it as WAV with 16-bit PCM, mono or stereo, 8 to 48 kHz")

// Encoding is a WAV format tag.
type Encoding uint16

// The encodings that are read and written.
const (
	WavePCM16 Encoding = 1
	WaveA     Encoding = 6
	WaveU     Encoding = 7
)

// Sound is linear mono sound.
type Sound struct {
	Rate    int // Hz
	Samples []int16
}

// waveFormat is the "fmt " chunk.
type waveFormat struct {
	enc      Encoding
	channels int
	rate     int
	bits     int
}

// frame gives the bytes of one sample of all channels.
func (f waveFormat) frame() int { return f.channels * f.bits / 8 }

// ReadWAV reads a WAV file: PCM of 16 bits, A-law or µ-law, one or two channels (two are averaged), 8 to 48 kHz,
// at most limit long. Other chunks are passed over; a data chunk that ends early gives what is there. Errors wrap
// ErrWAV.
func ReadWAV(r io.Reader, limit time.Duration) (Sound, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return Sound{}, fmt.Errorf("%w (no RIFF/WAVE header)", ErrWAV)
	}
	var f waveFormat
	for range 64 { // chunks; a file with more is no prompt
		var ch [8]byte
		if _, err := io.ReadFull(r, ch[:]); err != nil {
			return Sound{}, fmt.Errorf("%w (it ends without sound)", ErrWAV)
		}
		size := int64(binary.LittleEndian.Uint32(ch[4:]))
		switch string(ch[:4]) {
		case "fmt ":
			var err error
			if f, err = readFormat(r, size); err != nil {
				return Sound{}, err
			}
		case "data":
			if f.rate == 0 {
				return Sound{}, fmt.Errorf("%w (sound before its format)", ErrWAV)
			}
			return readSamples(r, size, f, limit)
		default:
			if _, err := io.CopyN(io.Discard, r, size+size&1); err != nil {
				return Sound{}, fmt.Errorf("%w (it ends within a chunk)", ErrWAV)
			}
		}
	}
	return Sound{}, fmt.Errorf("%w (too many chunks)", ErrWAV)
}

func readFormat(r io.Reader, size int64) (f waveFormat, err error) {
	if size < 16 || size > 256 {
		return f, fmt.Errorf("%w (format of %d bytes)", ErrWAV, size)
	}
	b := make([]byte, size+size&1)
	if _, err := io.ReadFull(r, b); err != nil {
		return f, fmt.Errorf("%w (it ends within the format)", ErrWAV)
	}
	le := binary.LittleEndian
	f = waveFormat{Encoding(le.Uint16(b)), int(le.Uint16(b[2:])), int(le.Uint32(b[4:])), int(le.Uint16(b[14:]))}
	if f.enc == 0xFFFE && size >= 40 { // WAVE_FORMAT_EXTENSIBLE: the tag is the GUID's first two bytes
		f.enc = Encoding(le.Uint16(b[24:]))
	}
	bits := 16
	if f.enc == WaveA || f.enc == WaveU {
		bits = 8
	}
	switch {
	case f.enc != WavePCM16 && bits == 16, f.bits != bits:
		return f, fmt.Errorf("%w (format %d with %d bits)", ErrWAV, f.enc, f.bits)
	case f.channels < 1 || f.channels > 2:
		return f, fmt.Errorf("%w (%d channels)", ErrWAV, f.channels)
	case f.rate < 8000 || f.rate > 48000:
		return f, fmt.Errorf("%w (%d Hz)", ErrWAV, f.rate)
	}
	return f, nil
}

// readSamples reads the data chunk and mixes it down to mono.
func readSamples(r io.Reader, size int64, f waveFormat, limit time.Duration) (Sound, error) {
	most := int64(limit.Seconds()*float64(f.rate)) * int64(f.frame())
	// Recorders that stream write 0 or 0xFFFFFFFF; then the file's end is the sound's.
	if streamed := size == 0 || size == 0xFFFFFFFF; streamed {
		size = most + 1
	}
	if size > most+1 {
		return Sound{}, fmt.Errorf("%w (longer than %v)", ErrWAV, limit)
	}
	b, err := io.ReadAll(io.LimitReader(r, size))
	if err != nil {
		return Sound{}, fmt.Errorf("audio: reading the sound: %w", err)
	}
	if int64(len(b)) > most {
		return Sound{}, fmt.Errorf("%w (longer than %v)", ErrWAV, limit)
	}
	out := make([]int16, len(b)/f.frame())
	if len(out) == 0 {
		return Sound{}, fmt.Errorf("%w (no sound in it)", ErrWAV)
	}
	for i := range out {
		sum := 0
		for c := range f.channels {
			sum += int(f.sample(b, i*f.channels+c))
		}
		out[i] = int16(sum / f.channels)
	}
	return Sound{f.rate, out}, nil
}

func (f waveFormat) sample(b []byte, i int) int16 {
	switch f.enc {
	case WaveA:
		return DecodeA(b[i])
	case WaveU:
		return DecodeU(b[i])
	}
	return int16(binary.LittleEndian.Uint16(b[2*i:]))
}

// waveHeaderSize is the length of what WaveHeader gives.
const waveHeaderSize = 44

// WaveHeader gives the 44 bytes before size bytes of interleaved samples.
func WaveHeader(enc Encoding, channels, rate int, size uint32) []byte {
	bits := 16
	if enc != WavePCM16 {
		bits = 8
	}
	le := binary.LittleEndian
	b := make([]byte, waveHeaderSize)
	copy(b, "RIFF")
	le.PutUint32(b[4:], 36+size)
	copy(b[8:], "WAVEfmt ")
	le.PutUint32(b[16:], 16)
	le.PutUint16(b[20:], uint16(enc))
	le.PutUint16(b[22:], uint16(channels))
	le.PutUint32(b[24:], uint32(rate))
	le.PutUint32(b[28:], uint32(rate*channels*bits/8))
	le.PutUint16(b[32:], uint16(channels*bits/8))
	le.PutUint16(b[34:], uint16(bits))
	copy(b[36:], "data")
	le.PutUint32(b[40:], size)
	return b
}

// WriteWAV writes a clip as a WAV file of 16-bit PCM, which every player can play.
func WriteWAV(w io.Writer, c *Clip) error {
	b := WaveHeader(WavePCM16, 1, Rate, uint32(2*len(c.data)))
	for _, s := range c.data {
		b = binary.LittleEndian.AppendUint16(b, uint16(DecodeA(s)))
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("audio: writing WAV: %w", err)
	}
	return nil
}

// ImportClip reads a WAV file and makes a clip of it: mono, 8 kHz, A-law.
func ImportClip(name string, r io.Reader, limit time.Duration) (*Clip, error) {
	s, err := ReadWAV(r, limit)
	if err != nil {
		return nil, err
	}
	pcm := Resample(s, Rate)
	b := make([]byte, len(pcm.Samples))
	Encode(b, pcm.Samples, PCMA)
	return NewClip(name, b), nil
}
