package rtp

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/audio"
)

// TestSenderNeverGoesBack changes sources at random, with wild numbering, and checks what a receiver relies on.
func TestSenderNeverGoesBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	s := sender{ssrc: 1, allowed: true, seq: 65000, time: 1<<32 - 5000, eventPT: 101, pt: 8}
	at := time.Unix(1000, 0)
	sources := []*audio.Source{{}, {}, {}}
	frames := make([]audio.Frame, len(sources))
	for i := range frames {
		frames[i] = audio.Frame{Source: sources[i], Payload: make([]byte, 160), Seq: uint16(rng.Uint32()), Time: rng.Uint32()}
	}
	var last header
	begun, who := false, 0
	for step := range 20000 {
		change := rng.IntN(50) == 0
		if change {
			who = rng.IntN(len(sources))
		}
		f := &frames[who]
		f.At = at
		p := s.build(f)
		h, ok := parse(p)
		if !ok || h.ssrc != 1 {
			t.Fatal("no packet")
		}
		if begun {
			if d := int16(h.seq - last.seq); d < 1 || d > 4 {
				t.Fatalf("step %d: number +%d", step, d)
			}
			if d := int32(h.time - last.time); d < 160 || d > 16000 {
				t.Fatalf("step %d: time +%d", step, d)
			}
		}
		last, begun = h, true
		lost := uint16(rng.IntN(3))
		for i := range frames {
			frames[i].Seq += 1 + lost
			frames[i].Time += 160 * uint32(1+lost)
		}
		at = at.Add(20 * time.Millisecond * time.Duration(1+lost))
		if rng.IntN(100) == 0 { // a source whose clock goes mad
			f.Time += 1 << 30
			f.Seq += 20000
		}
	}
}

func TestSenderPassesOrderOn(t *testing.T) {
	s := sender{ssrc: 1, allowed: true, pt: 8}
	src := &audio.Source{}
	at := time.Unix(1000, 0)
	var got []uint16
	for _, seq := range []uint16{10, 11, 13, 12, 14} {
		h, _ := parse(s.build(&audio.Frame{Source: src, Seq: seq, Time: uint32(seq) * 160, At: at, Payload: []byte{1}}))
		got = append(got, h.seq)
	}
	for i, want := range []uint16{0, 1, 3, 2, 4} {
		if got[i]-got[0] != want {
			t.Errorf("packet %d has number %d", i, got[i]-got[0])
		}
	}
}

func TestSenderDropsWhatCannotBeSent(t *testing.T) {
	s := sender{pt: 8}
	f := audio.Frame{Source: &audio.Source{}, Payload: []byte{1}, At: time.Now()}
	if s.build(&f) != nil {
		t.Error("not allowed")
	}
	s.allowed = true
	f.Codec = audio.Event
	if s.build(&f) != nil {
		t.Error("no event was agreed")
	}
	f.Codec, f.Payload = audio.PCMA, make([]byte, maxPacket)
	if s.build(&f) != nil {
		t.Error("too long")
	}
	f.Payload = nil
	if s.build(&f) != nil {
		t.Error("empty")
	}
}
