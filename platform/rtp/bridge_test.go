package rtp

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/audio"
)

func TestBridgeCarriesATone(t *testing.T) {
	p := newPlane(t, nil)
	a, b := newPhone(t), newPhone(t)
	la := answered(t, p, a, PlainConfig{}, a.sdp("8", 101, ""))
	lb := answered(t, p, b, PlainConfig{}, b.sdp("8", 96, ""))
	br := Join(la, lb)
	defer br.Cut()
	for i := range 50 {
		a.send(tone(440, i))
		b.send(tone(1000, i))
		time.Sleep(time.Millisecond)
	}
	for _, c := range []struct {
		ph *phone
		hz float64
	}{{a, 1000}, {b, 440}} {
		var data []byte
		for _, h := range c.ph.got(50) {
			data = append(data, h.data...)
		}
		if l := level(data, audio.PCMA, c.hz); l < 0.95 {
			t.Errorf("share of %v Hz is %.2f", c.hz, l)
		}
	}
}

func TestBridgeTranslatesLawAndEventNumber(t *testing.T) {
	p := newPlane(t, nil)
	a, b := newPhone(t), newPhone(t)
	la := answered(t, p, a, PlainConfig{}, a.sdp("8", 101, ""))
	lb := answered(t, p, b, PlainConfig{}, b.sdp("0", 96, ""))
	Join(la, lb)
	sound := tone(440, 0)
	a.send(sound)
	a.event(101, a.ts, 5, false, 160)
	a.event(101, a.ts, 5, false, 320)
	a.event(101, a.ts, 5, true, 480)
	got := b.got(4)
	want := make([]byte, len(sound))
	audio.Translate(want, sound, audio.PCMA, audio.PCMU)
	if got[0].pt != 0 || !bytes.Equal(got[0].data, want) {
		t.Errorf("payload type %d, translated %v", got[0].pt, bytes.Equal(got[0].data, want))
	}
	for i, h := range got[1:] {
		if h.pt != 96 || h.time != got[1].time || h.seq != got[1].seq+uint16(i) {
			t.Errorf("event packet %d: %+v", i, h.header)
		}
	}
	if got[1].time-got[0].time != 160 {
		t.Errorf("the event stands %d samples after the sound", got[1].time-got[0].time)
	}
}

func TestNumberingGoesOnWhenTheSourceChanges(t *testing.T) {
	p := newPlane(t, nil)
	a, b := newPhone(t), newPhone(t)
	la := answered(t, p, a, PlainConfig{}, a.sdp("8", 101, ""))
	lb := answered(t, p, b, PlainConfig{}, b.sdp("8", 101, ""))
	tick := audio.NewTick()
	defer tick.Close()
	player := tick.NewPlayer(lb)
	player.Music(audio.RingBack())
	b.got(5)
	player.Stop()
	music := len(b.got(5))
	Join(la, lb)
	for i := range 5 {
		a.send(tone(440, i))
	}
	a.seq += 2 // lost on the way
	a.ts += 320
	a.send(tone(440, 9))
	before := b.got(music + 6)
	a.ssrc, a.seq, a.ts = 99, 40000, 7 // the phone begins a new stream
	a.send(tone(440, 10))
	got := b.got(len(before) + 1)
	for i, h := range got {
		if h.ssrc != got[0].ssrc {
			t.Fatalf("packet %d has another SSRC", i)
		}
		if i == 0 {
			continue
		}
		step, want := h.seq-got[i-1].seq, uint16(1)
		if i == music+5 {
			want = 3
		}
		if step != want || int32(h.time-got[i-1].time) < 160 || h.time-got[i-1].time > 8000 {
			t.Errorf("packet %d: number +%d, time +%d", i, step, h.time-got[i-1].time)
		}
		if change := i == music || i == len(got)-1; h.marker != change {
			t.Errorf("packet %d: marker %v", i, h.marker)
		}
	}
}

func TestBridgeTapsMutesAndCuts(t *testing.T) {
	p := newPlane(t, nil)
	a, b := newPhone(t), newPhone(t)
	la := answered(t, p, a, PlainConfig{}, a.sdp("8", 101, ""))
	lb := answered(t, p, b, PlainConfig{}, b.sdp("8", 101, ""))
	br := Join(la, lb)
	var mu sync.Mutex
	var tapped [2]int
	count := func(i int) audio.Sink {
		return audio.SinkFunc(func(*audio.Frame) error { mu.Lock(); tapped[i]++; mu.Unlock(); return nil })
	}
	taps := func(i int) int { mu.Lock(); defer mu.Unlock(); return tapped[i] }
	br.Tap(count(0), count(1))
	a.send(tone(440, 0))
	b.send(tone(440, 0))
	eventually(t, "both taps", func() bool { return taps(0) == 1 && taps(1) == 1 })
	a.got(1)
	b.got(1)
	br.Mute(true, false)
	a.send(tone(440, 1))
	eventually(t, "the tap hears the muted side", func() bool { return taps(0) == 2 })
	br.Cut()
	a.send(tone(440, 2))
	b.send(tone(440, 2))
	eventually(t, "both arrive", func() bool { return la.Stats().Received == 3 && lb.Stats().Received == 2 })
	time.Sleep(10 * time.Millisecond)
	if n := len(b.got(1)); n != 1 || taps(0) != 2 {
		t.Errorf("after mute and cut b has heard %d, the tap %d", n, taps(0))
	}
}

func TestSendDigitsWithinAStream(t *testing.T) {
	p := newPlane(t, nil)
	a, b := newPhone(t), newPhone(t)
	la := answered(t, p, a, PlainConfig{}, a.sdp("8", 101, ""))
	digits := make(chan byte, 8)
	other := answered(t, p, b, PlainConfig{Events: Events{Digit: func(d byte, _ time.Duration) { digits <- d }}}, b.sdp("8", 101, ""))
	Join(la, other)
	// What is sent to a is led back to the second leg's port, as if a were the far end of a trunk.
	if err := SendDigits(context.Background(), la, "1#", 60*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	got := a.got(10)
	for i, h := range got {
		if h.pt != 101 || h.seq != got[0].seq+uint16(i) || len(h.data) != 4 {
			t.Fatalf("packet %d: %+v", i, h)
		}
	}
	if !got[0].marker || got[1].marker || got[4].time != got[0].time || got[5].time == got[0].time {
		t.Error("marker and timestamps of the events")
	}
	for _, h := range got {
		b.event(101, h.time, h.data[0], h.data[1]&0x80 != 0, uint16(h.data[2])<<8|uint16(h.data[3]))
	}
	if d, e := <-digits, <-digits; d != '1' || e != '#' {
		t.Errorf("heard %c %c", d, e)
	}
	if err := SendDigits(context.Background(), la, "x", 0); err == nil {
		t.Error("x is no key")
	}
}
