package audio

import (
	"testing"
	"testing/synctest"
	"time"
)

// talker says a tone into a member every 20 ms.
type talker struct {
	f  Frame
	hz float64
	n  int
}

func newTalker(hz float64) *talker { return &talker{f: Frame{Source: &Source{}}, hz: hz} }

func (k *talker) say(b *Member) {
	pcm := sine(8000, k.hz, time.Second)
	p := make([]byte, FrameSamples)
	Encode(p, pcm[k.n%8000:k.n%8000+FrameSamples], PCMA)
	k.f.Time, k.f.Payload = uint32(k.n), p
	k.f.Seq++
	k.n += FrameSamples
	_ = b.Write(&k.f)
}

// sound joins what an ear has heard, from the frame on.
func (e *ear) sound(from int) []int16 {
	var s []int16
	for _, f := range e.got()[from:] {
		p := make([]int16, len(f.Payload))
		Decode(p, f.Payload, f.Codec)
		s = append(s, p...)
	}
	return s
}

func TestSupervision(t *testing.T) {
	for _, c := range []struct {
		name                  string
		mode                  Mode
		callerHears, agentToo bool
	}{{"listen", Listen, false, false}, {"whisper", Whisper, false, true}, {"barge", Barge, true, true}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tick := NewTick()
				defer tick.Close()
				m := tick.NewMixer()
				defer m.Close()
				var ears [3]ear
				caller, agent, boss := m.Join(&ears[0]), m.Join(&ears[1]), m.Join(&ears[2])
				m.Supervise(caller, agent, boss, c.mode)
				voices := []*talker{newTalker(500), newTalker(1000), newTalker(1500)}
				for range 100 {
					for i, b := range []*Member{caller, agent, boss} {
						voices[i].say(b)
					}
					time.Sleep(FrameTime)
				}
				hears := func(who int, hz float64) bool { return share(ears[who].sound(20), 8000, hz) > 0.25 }
				for i, want := range [][3]bool{{false, true, c.callerHears}, {true, false, c.agentToo}, {true, true, false}} {
					for j, w := range want {
						if got := hears(i, 500*float64(j+1)); got != w {
							t.Errorf("party %d hears voice %d: %v", i, j, got)
						}
					}
				}
				got := ears[0].got()
				if n := len(got); n < 98 || n > 102 || got[n-1].Time-got[n-2].Time != 160 {
					t.Errorf("%d frames", n)
				}
				m.Leave(agent)
				from := len(ears[0].got())
				for range 20 {
					voices[1].say(agent)
					time.Sleep(FrameTime)
				}
				if rms(ears[0].sound(from)) > 20 && c.mode != Barge {
					t.Error("a party that has left is heard")
				}
			})
		})
	}
}

func TestMixerBridgesJitterAndLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tick := NewTick()
		defer tick.Close()
		m := tick.NewMixer()
		defer m.Close()
		var e ear
		a := m.Join(nil)
		m.Join(&e)
		k := newTalker(1000)
		for i := range 200 {
			if i%20 == 19 { // a late packet: two come together next time
				time.Sleep(FrameTime)
				continue
			}
			if i%20 == 0 && i > 0 {
				k.say(a)
			}
			k.say(a)
			time.Sleep(FrameTime)
		}
		if s := share(e.sound(10), 8000, 1000); s < 0.9 {
			t.Errorf("share of the tone with jitter: %.2f", s)
		}
		synctest.Wait()
		if a.fill > bufferMost {
			t.Errorf("%d samples wait", a.fill)
		}
		k.n += 160 // one packet lost, then a burst of one second
		for range 50 {
			k.say(a)
		}
		if a.fill > bufferMost {
			t.Errorf("%d samples wait after a burst", a.fill)
		}
		synctest.Wait()
		k.f.Time = 0
		before := a.fill
		_ = a.Write(&k.f) // far too late
		_ = a.Write(&Frame{Codec: Event, Payload: []byte{1, 2, 3, 4}})
		if a.fill != before {
			t.Error("late packets and events are taken as sound")
		}
		m.Mute(a, true)
		time.Sleep(100 * time.Millisecond)
		from := len(e.got())
		for range 20 {
			k.say(a)
			time.Sleep(FrameTime)
		}
		if rms(e.sound(from)) > 20 {
			t.Error("a muted party is heard")
		}
		k.f.Codec = PCMU
		m.Mute(a, false)
		k.say(a)
	})
}
