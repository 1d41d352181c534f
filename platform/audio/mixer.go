package audio

import (
	"slices"
	"sync"
	"time"
)

const (
	bufferMost  = 10 * FrameSamples // 200 ms: more than that waits in no member's buffer
	bufferStart = 2 * FrameSamples  // a member begins to be heard when this much has come: 40 ms against jitter
)

// Mixer lets several parties hear each other: conference, listening, whisper, barge. Each member hears the sum of
// those it may hear, never itself (N−1), made on the shared Tick. A mixer is only needed where a Bridge does not
// do. Telephone-events are not mixed: the legs tell their digits themselves.
type Mixer struct {
	tick    *Tick
	mu      sync.Mutex
	members []*Member
	closed  bool
	linear  [FrameSamples]int32
	law     [FrameSamples]byte
	seq     uint16
}

// Member is one party of a mixer. It is the Sink for what the party says.
type Member struct {
	mixer *Mixer
	out   Sink
	frame Frame
	deaf  []*Member // those it does not hear
	mute  bool

	ring   [bufferMost]int16
	head   int // where the next sample is read
	fill   int
	primed bool
	now    [FrameSamples]int16 // what it says in this beat
	spoke  bool
	source *Source
	epoch  uint32
	next   uint32 // timestamp that is expected
	known  bool
}

// NewMixer makes an empty mixer.
func (t *Tick) NewMixer() *Mixer {
	m := &Mixer{tick: t}
	t.join(m)
	return m
}

// Join adds a party: out gets what it is to hear (nil: it hears nothing), the returned Member is the Sink for what
// it says. At first everybody hears everybody.
func (m *Mixer) Join(out Sink) *Member {
	b := &Member{mixer: m, out: out, frame: Frame{Source: &Source{Name: "mixer"}, Codec: PCMA}}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.members = append(m.members, b)
	return b
}

// Leave takes a party out. When it returns, nothing more is written to its out.
func (m *Mixer) Leave(b *Member) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.members = slices.DeleteFunc(m.members, func(x *Member) bool { return x == b })
	for _, x := range m.members {
		x.deaf = slices.DeleteFunc(x.deaf, func(y *Member) bool { return y == b })
	}
}

// Hear sets whether listener hears speaker.
func (m *Mixer) Hear(listener, speaker *Member, on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	listener.deaf = slices.DeleteFunc(listener.deaf, func(y *Member) bool { return y == speaker })
	if !on {
		listener.deaf = append(listener.deaf, speaker)
	}
}

// Mute keeps what a party says from everybody.
func (m *Mixer) Mute(b *Member, on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b.mute = on
}

// Mode is how a supervisor takes part in a call.
type Mode uint8

// The modes: Listen (nobody hears the supervisor), Whisper (the agent alone does), Barge (everybody does).
const (
	Listen Mode = iota
	Whisper
	Barge
)

// Supervise sets who hears the supervisor; the caller and the agent always hear each other.
func (m *Mixer) Supervise(caller, agent, supervisor *Member, mode Mode) {
	m.Hear(agent, supervisor, mode != Listen)
	m.Hear(caller, supervisor, mode == Barge)
}

// Close ends the mixer.
func (m *Mixer) Close() {
	m.mu.Lock()
	was := m.closed
	m.closed = true
	m.members = nil
	m.mu.Unlock()
	if !was {
		m.tick.leave(m)
	}
}

// Write takes what the member's party says. Packets of any length are taken; what is missing is silence.
func (b *Member) Write(f *Frame) error {
	if f.Codec == Event {
		return nil
	}
	b.mixer.mu.Lock()
	defer b.mixer.mu.Unlock()
	if !b.known || f.Source != b.source || f.Epoch != b.epoch {
		b.source, b.epoch, b.known = f.Source, f.Epoch, true
	} else if gap := int32(f.Time - b.next); gap < 0 {
		return nil // came too late: its place is taken
	} else if gap > 0 && gap <= bufferStart && b.primed {
		b.push(nil, int(gap), PCMA) // lost on the way
	}
	b.next = f.Time + uint32(len(f.Payload))
	b.push(f.Payload, len(f.Payload), f.Codec)
	return nil
}

// push appends samples, silence when there is no payload; when the buffer is full the oldest go, down to what is
// normal, so that a delay never stays.
func (b *Member) push(payload []byte, n int, law Codec) {
	n = min(n, bufferMost-bufferStart)
	if b.fill+n > bufferMost {
		drop := b.fill - bufferStart
		b.head, b.fill = (b.head+drop)%bufferMost, bufferStart
	}
	t := &g711.a2l
	if law == PCMU {
		t = &g711.u2l
	}
	for i := range n {
		at := (b.head + b.fill + i) % bufferMost
		if payload == nil {
			b.ring[at] = 0
		} else {
			b.ring[at] = t[payload[i]]
		}
	}
	b.fill += n
	b.primed = b.primed || b.fill >= bufferStart
}

// pull takes this beat's samples out of the buffer; a buffer that has run dry fills up again first.
func (b *Member) pull() {
	b.spoke = b.primed && b.fill >= FrameSamples && !b.mute
	if b.primed && b.fill < FrameSamples {
		b.primed = false
	}
	if !b.primed {
		return
	}
	for i := range b.now {
		b.now[i] = b.ring[(b.head+i)%bufferMost]
	}
	b.head, b.fill = (b.head+FrameSamples)%bufferMost, b.fill-FrameSamples
}

// beat mixes one frame for each member.
func (m *Mixer) beat(round uint64, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seq++
	for _, b := range m.members {
		b.pull()
	}
	for _, b := range m.members {
		if b.out == nil {
			continue
		}
		m.mix(b)
		f := &b.frame
		f.Seq, f.Time, f.At, f.Payload = m.seq, uint32(round*FrameSamples), now, m.law[:]
		_ = b.out.Write(f) // a leg that cannot send counts it itself
	}
}

// mix puts what b hears into m.law; sums that are too loud are cut at the ends of the range.
func (m *Mixer) mix(b *Member) {
	clear(m.linear[:])
	for _, x := range m.members {
		if x == b || !x.spoke || slices.Contains(b.deaf, x) {
			continue
		}
		for i, v := range &x.now {
			m.linear[i] += int32(v)
		}
	}
	for i, v := range &m.linear {
		m.law[i] = g711.l2a[uint16(int16(min(max(v, -32768), 32767)))>>2]
	}
}
