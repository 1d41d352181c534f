package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"
	"time"
)

// sine makes a tone at a rate.
func sine(rate int, hz float64, d time.Duration) []int16 {
	s := make([]int16, int(d.Seconds()*float64(rate)))
	for i := range s {
		s[i] = int16(10000 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)))
	}
	return s
}

// file makes a WAV file of interleaved samples.
func file(enc Encoding, channels, rate int, data []byte) []byte {
	return append(WaveHeader(enc, channels, rate, uint32(len(data))), data...)
}

func bytes16(s ...[]int16) []byte {
	var b []byte
	for i := range s[0] {
		for _, c := range s {
			b = binary.LittleEndian.AppendUint16(b, uint16(c[i]))
		}
	}
	return b
}

// share gives the part of the energy at a frequency (Goertzel).
func share(s []int16, rate int, hz float64) float64 {
	w := 2 * math.Cos(2*math.Pi*hz/float64(rate))
	var s1, s2, sum float64
	for _, v := range s {
		s1, s2 = float64(v)+w*s1-s2, s1
		sum += float64(v) * float64(v)
	}
	if sum == 0 {
		return 0
	}
	return 2 * (s1*s1 + s2*s2 - w*s1*s2) / (sum * float64(len(s)))
}

// rms gives the effective amplitude.
func rms(s []int16) float64 {
	sum := 0.0
	for _, v := range s {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(s)))
}

func TestImportKeepsTheToneAtEveryRate(t *testing.T) {
	for _, rate := range []int{8000, 11025, 16000, 22050, 32000, 44100, 48000} {
		tone := sine(rate, 1000, time.Second)
		c, err := ImportClip("x", bytes.NewReader(file(WavePCM16, 2, rate, bytes16(tone, tone))), time.Minute)
		if err != nil {
			t.Fatal(rate, err)
		}
		pcm := make([]int16, len(c.data))
		Decode(pcm, c.data, PCMA)
		if n := len(pcm); n < 7998 || n > 8002 {
			t.Errorf("%d Hz: %d samples", rate, n)
		}
		if s := share(pcm, 8000, 1000); s < 0.99 {
			t.Errorf("%d Hz: share of the tone %.3f", rate, s)
		}
		if r := rms(pcm[200:7800]); math.Abs(r-7071) > 150 {
			t.Errorf("%d Hz: level %.0f", rate, r)
		}
	}
}

func TestResampleLetsNothingFoldBack(t *testing.T) {
	for _, hz := range []float64{4300, 5000, 9000, 15000} {
		out := Resample(Sound{44100, sine(44100, hz, time.Second)}, 8000).Samples
		if r := rms(out[200 : len(out)-200]); r > 7071/1000.0*3 { // −50 dB
			t.Errorf("%v Hz leaves %.1f", hz, r)
		}
	}
	if s := (Sound{8000, []int16{1, 2}}); len(Resample(s, 8000).Samples) != 2 {
		t.Error("the same rate")
	}
	if s := Resample(Sound{8000, sine(8000, 440, time.Second)}, 16000); share(s.Samples, 16000, 440) < 0.99 {
		t.Error("upwards")
	}
}

func TestReadWAVForms(t *testing.T) {
	tone := sine(8000, 440, 100*time.Millisecond)
	law := make([]byte, len(tone))
	Encode(law, tone, PCMA)
	u := make([]byte, len(tone))
	Encode(u, tone, PCMU)
	pcm := file(WavePCM16, 1, 8000, bytes16(tone))
	extensible := append([]byte(nil), pcm[:12]...)
	ext := make([]byte, 48)
	copy(ext, "fmt ")
	ext[4] = 40
	copy(ext[8:], pcm[20:36])
	ext[8], ext[9] = 0xFE, 0xFF
	ext[8+24] = 1
	extensible = append(append(extensible, "LIST\x03\x00\x00\x00abc\x00"...), ext...)
	extensible = append(extensible, pcm[36:]...)
	streamed := append([]byte(nil), pcm...)
	binary.LittleEndian.PutUint32(streamed[40:], 0xFFFFFFFF)
	for name, b := range map[string][]byte{
		"PCM": pcm, "A-law": file(WaveA, 1, 8000, law), "µ-law": file(WaveU, 1, 8000, u), "extensible, after another chunk": extensible,
		"stereo": file(WavePCM16, 2, 8000, bytes16(tone, tone)), "streamed": streamed,
	} {
		s, err := ReadWAV(bytes.NewReader(b), time.Minute)
		if err != nil || s.Rate != 8000 || len(s.Samples) != 800 || share(s.Samples, 8000, 440) < 0.98 {
			t.Errorf("%s: %v, %d samples", name, err, len(s.Samples))
		}
	}
}

func TestReadWAVRefuses(t *testing.T) {
	tone := bytes16(sine(8000, 440, time.Second))
	bits8 := file(WavePCM16, 1, 8000, tone)
	bits8[34] = 8
	for name, b := range map[string][]byte{
		"empty": nil, "MP3": []byte("ID3\x03aaaaaaaaaaaaaaaa"), "too long": file(WavePCM16, 1, 8000, append(tone, tone...)),
		"8-bit PCM": bits8, "5 channels": file(WavePCM16, 5, 8000, tone), "96 kHz": file(WavePCM16, 1, 96000, tone),
		"only a header": file(WavePCM16, 1, 8000, nil), "float": file(3, 1, 8000, tone), "data first": append([]byte("RIFF....WAVEdata\x02\x00\x00\x00"), 1, 2),
	} {
		if _, err := ReadWAV(bytes.NewReader(b), 1500*time.Millisecond); !errors.Is(err, ErrWAV) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWriteWAV(t *testing.T) {
	var b bytes.Buffer
	if err := WriteWAV(&b, Beep()); err != nil {
		t.Fatal(err)
	}
	c, err := ImportClip("y", &b, time.Minute)
	if err != nil || !bytes.Equal(c.data, Beep().data) {
		t.Errorf("not what was written: %v", err)
	}
}

func FuzzReadWAV(f *testing.F) {
	f.Add(file(WavePCM16, 2, 44100, bytes16(sine(8000, 440, 5*time.Millisecond), sine(8000, 440, 5*time.Millisecond))))
	f.Add(file(WaveA, 1, 8000, []byte("abcdef")))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ReadWAV(bytes.NewReader(b), time.Second)
		if err == nil && (s.Rate < 8000 || s.Rate > 48000 || len(s.Samples) == 0 || len(s.Samples) > s.Rate+1) {
			t.Fatalf("%d Hz, %d samples", s.Rate, len(s.Samples))
		}
	})
}
