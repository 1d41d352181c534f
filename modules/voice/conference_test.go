package voice

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/rtp"
)

// voiced is a leg of media whose peer says one level for ever and notes which levels come to it.
type voiced struct {
	rtp.Leg
	name string
	mu   sync.Mutex
	sink audio.Sink
	last int // the loudness of the newest frame, as linear samples
}

func (v *voiced) SetSink(s audio.Sink) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sink = s
}

func (v *voiced) Write(f *audio.Frame) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.last = int(audio.DecodeA(f.Payload[0]))
	return nil
}

func (v *voiced) say(at uint32, level int16) {
	v.mu.Lock()
	s := v.sink
	v.mu.Unlock()
	if s == nil {
		return
	}
	p := make([]byte, audio.FrameSamples)
	for i := range p {
		p[i] = audio.EncodeA(level)
	}
	_ = s.Write(&audio.Frame{Source: &audio.Source{Name: v.name}, Codec: audio.PCMA, Time: at, Payload: p})
}

// Each member hears exactly those it is said to hear, and the recording what the caller hears.
func TestConference(t *testing.T) {
	tick := audio.NewTick()
	defer tick.Close()
	levels := map[string]int16{"c": 1000, "a": 2000, "x": 4000, "s": 8000} // sums tell who is heard
	sides, legs := map[string]*side{}, map[string]*voiced{}
	for name := range levels {
		legs[name] = &voiced{name: name}
		sides[name] = &side{role: name, leg: legs[name]}
	}
	right := &voiced{name: "right"}
	whispers := func(listener, speaker *side) bool { return speaker.role != "s" || listener.role == "a" }
	all := func(_, _ *side) bool { return true }
	for _, x := range []struct {
		name, in string
		hears    func(listener, speaker *side) bool
		want     string // who hears whom; r is the recording's right side
	}{
		{"three talk", "cax", all, "c:ax a:cx x:ca r:ax"},
		{"a supervisor whispers to the agent", "cas", whispers, "c:a a:cs s:ca r:a"},
		{"four talk", "caxs", all, "c:axs a:cxs x:cas s:cax r:axs"},
		{"the caller is on hold", "ax", all, "a:x x:a"},
		{"and back", "cax", all, "c:ax a:cx x:ca r:ax"},
	} {
		t.Run(x.name, func(t *testing.T) {
			k := newConference(tick)
			defer k.close()
			var in []*side
			for _, r := range x.in {
				in = append(in, sides[string(r)])
			}
			k.seat(in, x.hears)
			if strings.Contains(x.in, "c") {
				k.tape(sides["c"], audio.SinkFunc(func(*audio.Frame) error { return nil }), right)
			}
			ok := func() bool {
				for _, w := range strings.Fields(x.want) {
					who, whom, _ := strings.Cut(w, ":")
					want, at := 0, legs[who]
					for _, r := range whom {
						want += int(levels[string(r)])
					}
					if who == "r" {
						at = right
					}
					at.mu.Lock()
					last := at.last
					at.mu.Unlock()
					if last < want-500 || last > want+500 {
						return false
					}
				}
				return true
			}
			for n := uint32(0); n < 250; n++ {
				for name, l := range legs {
					l.say(n*audio.FrameSamples, levels[name])
				}
				if ok() {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
			for name, l := range legs {
				t.Errorf("%s hears %d", name, l.last)
			}
		})
	}
}
