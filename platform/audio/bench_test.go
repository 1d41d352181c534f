package audio

import (
	"testing"
	"time"
)

// BenchmarkRecorderFrame measures what a recorded frame costs the media goroutine.
func BenchmarkRecorderFrame(b *testing.B) {
	d := &disk{}
	now := time.Unix(1000, 0)
	s, err := NewStudio(StudioConfig{Key: testKey, KeyID: "k", Now: func() time.Time { return time.Unix(1000, 0) }, Open: func(string) (File, error) { return d, nil }})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	r, err := s.Record("", nil)
	if err != nil {
		b.Fatal(err)
	}
	f := Frame{Source: &Source{}, Payload: make([]byte, FrameSamples)}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		f.At, f.Time = now.Add(time.Duration(i%400)*FrameTime), uint32(i%400*FrameSamples)
		_ = r.Left().Write(&f)
	}
}

// BenchmarkSeal measures the Studio's work on one second of a recording: measuring and sealing.
func BenchmarkSeal(b *testing.B) {
	s, _, err := newSeal(testKey, "k", time.Unix(1, 0))
	if err != nil {
		b.Fatal(err)
	}
	var c chunk
	buf := make([]byte, 0, sealedSize)
	for i := 0; b.Loop(); i++ {
		var g [2]gauge
		buf = s.lock(buf[:0], uint32(i), c[:])
		g[0].chunk(c[:], 0, chunkSamples)
		g[1].chunk(c[:], 1, chunkSamples)
	}
}

// BenchmarkMixer measures one beat of a supervised call: three parties.
func BenchmarkMixer(b *testing.B) {
	m := &Mixer{}
	none := SinkFunc(func(*Frame) error { return nil })
	parties := []*Member{m.Join(none), m.Join(none), m.Join(none)}
	f := Frame{Source: &Source{}, Payload: make([]byte, FrameSamples)}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		f.Time = uint32(i * FrameSamples)
		for _, p := range parties {
			_ = p.Write(&f)
		}
		m.beat(uint64(i), time.Time{})
	}
}
