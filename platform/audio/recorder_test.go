package audio

import (
	"bytes"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// disk is a File in memory that can be full, slow or lost.
type disk struct {
	mu   sync.Mutex
	b    []byte
	full bool
}

func (d *disk) WriteAt(p []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := len(p)
	if d.full {
		n = len(p) / 2
	}
	if need := int(off) + n; need > len(d.b) {
		d.b = append(d.b, make([]byte, need-len(d.b))...)
	}
	copy(d.b[off:], p[:n])
	if d.full {
		return n, errors.New("no space left on device")
	}
	return n, nil
}

func (d *disk) ReadAt(p []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.NewReader(d.b).ReadAt(p, off)
}

func (d *disk) Truncate(n int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.b = d.b[:min(int(n), len(d.b))]
	return nil
}
func (d *disk) Sync() error  { return nil }
func (d *disk) Close() error { return nil }

func (d *disk) fill(full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = full
}

func (d *disk) size() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return int64(len(d.b))
}

var testKey = bytes.Repeat([]byte{7}, 32)

func testKeys(id string) ([]byte, error) {
	if id != "2026-11" {
		return nil, errors.New("no such key")
	}
	return testKey, nil
}

func newStudio(t *testing.T, d *disk) *Studio {
	t.Helper()
	cfg := StudioConfig{Key: testKey, KeyID: "2026-11"}
	if d != nil {
		cfg.Open = func(string) (File, error) { return d, nil }
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s, err := NewStudio(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// voice feeds tones to a channel on the wall's time.
type voice struct {
	f  Frame
	hz float64
	n  int
}

func newVoice(hz float64) *voice { return &voice{f: Frame{Source: &Source{}, Time: 1 << 31}, hz: hz} }

func (v *voice) say(s Sink, law Codec) {
	p := make([]byte, FrameSamples)
	for i := range p {
		pcm := int16(10000 * math.Sin(2*math.Pi*v.hz*float64(v.n+i)/Rate))
		p[i] = EncodeA(pcm)
		if law == PCMU {
			p[i] = EncodeU(pcm)
		}
	}
	v.f.Codec, v.f.At, v.f.Payload = law, time.Now(), p
	_ = s.Write(&v.f)
	v.f.Time += FrameSamples
	v.f.Seq++
	v.n += FrameSamples
}

func (v *voice) skip() { v.f.Time += FrameSamples; v.f.Seq++ }

// closed ends a recorder and waits.
func closed(t *testing.T, r *Recorder) (Summary, error) {
	t.Helper()
	type result struct {
		s   Summary
		err error
	}
	c := make(chan result, 1)
	r.Close(func(s Summary, err error) { c <- result{s, err} })
	got := <-c
	return got.s, got.err
}

// sides opens a recording and gives its two channels.
func sides(t *testing.T, f io.ReaderAt, size int64) (rec *Recording, left, right []int16) {
	t.Helper()
	rec, err := OpenRecording(f, size, testKeys)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(rec.WAV())
	if err != nil {
		t.Fatal(err)
	}
	for i := waveHeaderSize; i+3 < len(b); i += 4 {
		left = append(left, int16(uint16(b[i])|uint16(b[i+1])<<8))
		right = append(right, int16(uint16(b[i+2])|uint16(b[i+3])<<8))
	}
	return rec, left, right
}

func TestRecorderKeepsBothSidesOnOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		s := newStudio(t, d)
		defer s.Close()
		r, err := s.Record("", nil)
		if err != nil {
			t.Fatal(err)
		}
		caller, first, second := newVoice(500), newVoice(1000), newVoice(1500)
		for i := range 500 { // 10 s: one agent, four seconds of hold and transfer, another agent with µ-law
			caller.say(r.Left(), PCMA)
			switch {
			case i < 200:
				first.say(r.Right(), PCMA)
			case i == 250:
				r.Pause(true)
			case i == 300:
				r.Pause(false)
			case i >= 400:
				second.say(r.Right(), PCMU)
			}
			time.Sleep(FrameTime)
		}
		sum, err := closed(t, r)
		if err != nil {
			t.Fatal(err)
		}
		if sum.Duration != 10*time.Second || !sum.Complete || !sum.BothSounded(time.Second) || sum.Dropped != 0 {
			t.Errorf("%+v", sum)
		}
		if a := sum.Right.Active; a < 5900*time.Millisecond || a > 6100*time.Millisecond {
			t.Errorf("the agents spoke for %v", a)
		}
		if sum.Left.RMS < -16 || sum.Left.RMS > -12 || len(sum.Left.Peaks) != 100 || sum.Step != 100*time.Millisecond {
			t.Errorf("%+v", sum.Left)
		}
		rec, left, right := sides(t, d, d.size())
		if got := rec.Summary(); !got.Started.Equal(sum.Started) || got.Duration != sum.Duration || got.Right.Active != sum.Right.Active {
			t.Errorf("read back: %+v", got)
		}
		at := func(s []int16, from, to float64) []int16 { return s[int(from*Rate):int(to*Rate)] }
		for _, c := range []struct {
			name string
			s    []int16
			hz   float64
		}{
			{"caller", at(left, 0.1, 4.9), 500},
			{"first agent", at(right, 0.1, 3.9), 1000},
			{"second agent", at(right, 8.1, 9.9), 1500},
			{"caller after the pause", at(left, 6.1, 9.9), 500},
		} {
			if s := share(c.s, Rate, c.hz); s < 0.95 {
				t.Errorf("%s: share %.2f", c.name, s)
			}
		}
		if rms(at(right, 4.1, 7.9)) > 20 || rms(at(left, 5.1, 5.9)) > 20 {
			t.Error("hold or pause is not silent")
		}
	})
}

func TestRecorderPlacesByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		s := newStudio(t, d)
		defer s.Close()
		r, _ := s.Record("", nil)
		time.Sleep(time.Second) // nobody speaks yet
		v := newVoice(1000)
		for i := range 100 {
			switch {
			case i >= 40 && i < 50: // lost on the way: a hole, no shift
				v.skip()
				v.n += FrameSamples
			case i == 60: // jitter: three packets come late and together
				time.Sleep(60 * time.Millisecond)
				v.say(r.Left(), PCMA)
				v.say(r.Left(), PCMA)
				v.say(r.Left(), PCMA)
				v.say(r.Left(), PCMA)
				continue
			case i > 60 && i < 64:
				continue
			default:
				v.say(r.Left(), PCMA)
			}
			time.Sleep(FrameTime)
		}
		_, err := closed(t, r)
		if err != nil {
			t.Fatal(err)
		}
		_, left, _ := sides(t, d, d.size())
		if rms(left[:7900]) > 20 || rms(left[8200:14000]) < 5000 {
			t.Error("the beginning is not at one second")
		}
		if rms(left[8000+40*160+10:8000+50*160-10]) > 20 {
			t.Error("lost packets are not a hole")
		}
		if got := share(left[8000+50*160:8000+98*160], Rate, 1000); got < 0.95 {
			t.Errorf("after jitter the share is %.2f", got)
		}
	})
}

func TestRecordingSurvivesACut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		s := newStudio(t, d)
		defer s.Close()
		r, _ := s.Record("", nil)
		a, b := newVoice(500), newVoice(1000)
		for range 250 { // 5 s
			a.say(r.Left(), PCMA)
			b.say(r.Right(), PCMA)
			time.Sleep(FrameTime)
		}
		size := d.size() - 5000 // as kill -9 leaves it: within a chunk
		rec, left, right := sides(t, d, size)
		if n := len(left) / Rate; n < 3 || rec.Summary().Complete || share(left, Rate, 500) < 0.95 || share(right, Rate, 1000) < 0.95 {
			t.Errorf("%d seconds can be read", n)
		}
		sum, err := rec.Scan()
		if err != nil || !sum.BothSounded(2*time.Second) || sum.Complete || sum.Started.IsZero() {
			t.Errorf("%v %+v", err, sum)
		}
	})
}

func TestFullDiskIsToldAndTheCallGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		s := newStudio(t, d)
		defer s.Close()
		var told []error
		var mu sync.Mutex
		r, _ := s.Record("", func(err error) { mu.Lock(); told = append(told, err); mu.Unlock() })
		v := newVoice(500)
		speak := func(seconds int) {
			for range 50 * seconds {
				v.say(r.Left(), PCMA)
				time.Sleep(FrameTime)
			}
		}
		speak(3)
		d.fill(true)
		speak(4)
		if mu.Lock(); len(told) != 1 {
			t.Errorf("told %v", told)
		}
		mu.Unlock()
		if n := (d.size() - headSize) % sealedSize; n != 0 {
			t.Errorf("half a chunk of %d bytes is left", n)
		}
		d.fill(false)
		speak(2) // the kept seconds are written
		d.fill(true)
		speak(15) // more than is kept
		d.fill(false)
		speak(2)
		sum, err := closed(t, r)
		if err != nil || sum.Duration != 26*time.Second || sum.Dropped == 0 {
			t.Errorf("%v %+v", err, sum)
		}
		_, left, _ := sides(t, d, d.size())
		if share(left[:9*Rate], Rate, 500) < 0.95 || share(left[25*Rate:], Rate, 500) < 0.95 {
			t.Error("sound was lost though the disk came back in time, or the line has shifted")
		}
		if len(told) != 3 { // full, full again, behind
			t.Errorf("told %v", told)
		}
		r2, _ := s.Record("", nil)
		d.fill(true)
		time.Sleep(2 * time.Second)
		if sum, err := closed(t, r2); err == nil || sum.Complete {
			t.Errorf("a recording that could not be ended: %v %+v", err, sum)
		}
	})
}

func TestRecordingOnDiskServesRangesAndRotatesKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.rec")
	s := newStudio(t, nil)
	r, err := s.Record(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Record(path, nil); err == nil {
		t.Error("an existing recording is overwritten")
	}
	v := newVoice(500)
	start := time.Now()
	for i := range 75 {
		v.f.At = start.Add(time.Duration(i) * FrameTime)
		v.say(r.Left(), PCMA)
	}
	s.Close() // ends what is under way
	if _, err := s.Record(path+"x", nil); err == nil {
		t.Error("a closed studio records")
	}
	raw, err := os.ReadFile(path)
	if err != nil || bytes.Contains(raw, bytes.Repeat([]byte{SilenceA}, 100)) {
		t.Error("the file is not sealed", err)
	}
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rec, err := OpenRecording(f, int64(len(raw)), testKeys)
	if err != nil {
		t.Fatal(err)
	}
	whole, _ := io.ReadAll(rec.WAV())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		http.ServeContent(w, q, "a.wav", time.Time{}, rec.WAV())
	}))
	defer srv.Close()
	defer srv.Client().CloseIdleConnections()
	for _, c := range []struct {
		name     string
		from, to int
	}{{"0-99", 0, 100}, {"43-46", 43, 47}, {"45-45", 45, 46}} {
		q, _ := http.NewRequest(http.MethodGet, srv.URL, nil)
		q.Header.Set("Range", "bytes="+c.name)
		res, err := srv.Client().Do(q)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 206 || !bytes.Equal(b, whole[c.from:min(c.to, len(whole))]) {
			t.Errorf("range %s: %d, %d bytes", c.name, res.StatusCode, len(b))
		}
	}

	other := bytes.Repeat([]byte{9}, 32)
	if err := Rewrap(f, testKeys, "2026-12", other); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRecording(f, int64(len(raw)), testKeys); err == nil {
		t.Error("the old key still opens it")
	}
	again, err := OpenRecording(f, int64(len(raw)), func(id string) ([]byte, error) { return other, nil })
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(again.WAV()); !bytes.Equal(b, whole) {
		t.Error("another key, another sound")
	}
}

func TestRecordingNoticesChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		s := newStudio(t, d)
		defer s.Close()
		r, _ := s.Record("", nil)
		time.Sleep(2500 * time.Millisecond)
		if _, err := closed(t, r); err != nil {
			t.Fatal(err)
		}
		good := bytes.Clone(d.b)
		for _, at := range []int{0, 9, 25, 41, 57, 70, 80} {
			d.b = bytes.Clone(good)
			d.b[at] ^= 1
			if _, err := OpenRecording(d, d.size(), func(string) ([]byte, error) { return testKey, nil }); !errors.Is(err, ErrRecording) {
				t.Errorf("byte %d of the header: %v", at, err)
			}
		}
		d.b = bytes.Clone(good)
		copy(d.b[chunkAt(0):chunkAt(1)], good[chunkAt(1):chunkAt(2)]) // seconds exchanged
		rec, err := OpenRecording(d, d.size(), testKeys)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(rec.WAV()); !errors.Is(err, ErrRecording) {
			t.Errorf("exchanged seconds: %v", err)
		}
		if _, err := rec.Scan(); !errors.Is(err, ErrRecording) {
			t.Errorf("exchanged seconds: %v", err)
		}
	})
}

func FuzzOpenRecording(f *testing.F) {
	_, h, err := newSeal(testKey, "2026-11", time.UnixMilli(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(h)
	f.Add(append(h, "\x00\x00\x00\x10KEND"...))
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := OpenRecording(bytes.NewReader(b), int64(len(b)), testKeys)
		if err == nil {
			_, _ = io.Copy(io.Discard, rec.WAV())
		}
	})
}
