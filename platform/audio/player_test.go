package audio

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ear is a Sink that keeps what it is given.
type ear struct {
	mu     sync.Mutex
	frames []Frame
	fail   bool
}

func (e *ear) Write(f *Frame) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := *f
	g.Payload = bytes.Clone(f.Payload)
	e.frames = append(e.frames, g)
	if e.fail {
		return errors.New("broken")
	}
	return nil
}

func (e *ear) got() []Frame {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.frames)
}

// fill makes a clip of one byte value, n samples long.
func fill(b byte, n int) *Clip { return NewClip(string(b), bytes.Repeat([]byte{b}, n)) }

func TestPlayerKeepsToTheWall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tick := NewTick()
		defer tick.Close()
		var e ear
		p := tick.NewPlayer(&e)
		p.Music(fill('m', 8000))
		time.Sleep(10*time.Second + time.Millisecond)
		p.Stop()
		got := e.got()
		if n := len(got); n < 500 || n > 501 {
			t.Fatalf("%d frames in 10 s", n)
		}
		for i, f := range got[1:] {
			if f.Time-got[i].Time != 160 || f.Seq-got[i].Seq != 1 || len(f.Payload) != 160 {
				t.Fatalf("frame %d: %+v", i+1, f)
			}
		}
		n := len(e.got())
		time.Sleep(time.Second)
		if len(e.got()) != n || tick.Members() != 0 {
			t.Error("it plays after Stop")
		}
	})
}

func TestPlayerSaysPromptsOverMusic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tick := NewTick()
		defer tick.Close()
		var e ear
		p := tick.NewPlayer(&e)
		done := make(chan string, 4)
		tell := func(s string) func() { return func() { done <- s } }
		p.Play(tell("two"), fill('a', 200), fill('b', 200))
		p.Music(fill('m', 8000))
		if <-done != "two" {
			t.Fatal("not done")
		}
		time.Sleep(50 * time.Millisecond)
		var sound []byte
		for _, f := range e.got() {
			sound = append(sound, f.Payload...)
		}
		if sound[199] != 'a' || sound[200] != 'b' || sound[399] != 'b' || sound[400] != 'm' {
			t.Errorf("the joints: %q", sound[195:405])
		}
		if !e.got()[0].Marker || e.got()[1].Marker {
			t.Error("markers")
		}
		p.Play(tell("long"), fill('c', 80000))
		time.Sleep(100 * time.Millisecond)
		p.Play(tell("short"), fill('d', 160)) // interrupts
		if s := <-done; s != "short" {
			t.Errorf("%s was told", s)
		}
		p.Play(tell("hushed"), fill('e', 80000))
		time.Sleep(100 * time.Millisecond)
		p.Hush()
		time.Sleep(40 * time.Millisecond)
		if got := e.got(); got[len(got)-1].Payload[0] != 'm' {
			t.Error("no music after Hush")
		}
		p.Queue(tell("queued"), fill('f', 1600))
		p.Queue(tell("last"), fill('g', 160))
		if s := <-done; s != "last" {
			t.Errorf("%s was told", s)
		}
		p.Play(tell("nothing"))
		if s := <-done; s != "nothing" {
			t.Errorf("%s was told", s)
		}
		p.Music(nil)
		time.Sleep(40 * time.Millisecond)
		if got := e.got(); got[len(got)-1].Payload[0] != SilenceA {
			t.Error("no silence without music")
		}
		p.Stop()
		select {
		case s := <-done:
			t.Errorf("%s was told after an interruption", s)
		default:
		}
	})
}

func TestPlayersAreSpreadAndRejoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tick := NewTick()
		defer tick.Close()
		ears := make([]ear, 100)
		players := make([]*Player, 100)
		for i := range players {
			players[i] = tick.NewPlayer(&ears[i])
			players[i].Music(Busy())
		}
		for i := range tick.members {
			if n := len(tick.phase(i)); n != 10 {
				t.Errorf("phase %d has %d members", i, n)
			}
		}
		for range 20 { // stopping and starting never repeats a timestamp
			time.Sleep(7 * time.Millisecond)
			players[0].Stop()
			time.Sleep(3 * time.Millisecond)
			players[0].Hush()
		}
		time.Sleep(time.Second)
		got := ears[0].got()
		for i, f := range got[1:] {
			if int32(f.Time-got[i].Time) < 160 {
				t.Errorf("frame %d at %d after %d", i+1, f.Time, got[i].Time)
			}
		}
		ears[1].mu.Lock()
		ears[1].fail = true
		ears[1].mu.Unlock()
		time.Sleep(100 * time.Millisecond)
		if n := players[1].Errors(); n < 5 {
			t.Errorf("%d errors counted", n)
		}
		for _, p := range players {
			p.Stop()
		}
	})
}

func TestTones(t *testing.T) {
	if d := RingBack().Duration(); d != 5*time.Second {
		t.Errorf("ring-back lasts %v", d)
	}
	if d := Busy().Duration(); d != 700*time.Millisecond || Congestion().Duration() != 1400*time.Millisecond || Beep().Name() != "beep" {
		t.Errorf("busy lasts %v", d)
	}
	if s := SilenceClip(time.Second); len(s.Bytes()) != 8000 || s.Bytes()[7] != SilenceA {
		t.Error("silence")
	}
}

func TestTee(t *testing.T) {
	var a, b ear
	b.fail = true
	if Tee(&a, &b).Write(&Frame{}) != nil || Tee(&b, &a).Write(&Frame{}) == nil || len(a.got()) != 2 {
		t.Error("the first sink's error counts, and all are served")
	}
}
