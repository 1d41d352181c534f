package audio

import (
	"sync"
	"time"
)

// Player plays prompts and music to one Sink, one frame every 20 ms of the shared Tick. Prompts come in a queue;
// when it is empty the music goes on where it stopped; without music there is silence, which keeps the path
// through NATs and carriers open. A player sends nothing before the first order and after Stop.
// All methods may be called from any goroutine and act at the next frame.
type Player struct {
	tick *Tick
	out  Sink

	mu      sync.Mutex
	queue   []*Clip
	pos     int
	music   *Clip
	at      int // position in the music
	done    func()
	running bool
	marker  bool
	frame   Frame
	buf     [FrameSamples]byte
	errors  uint64
	last    uint64 // the round of the last frame
	shift   uint64 // rounds added after a change of phase, so that no round comes twice
}

// NewPlayer makes a player that writes to out.
func (t *Tick) NewPlayer(out Sink) *Player {
	return &Player{tick: t, out: out, frame: Frame{Source: &Source{Name: "player"}, Codec: PCMA}}
}

// Play interrupts what is being said and says the clips. done (may be nil) is called on the tick's goroutine when
// the last frame has been written and nothing interrupted it: it must only post a message.
func (p *Player) Play(done func(), clips ...*Clip) {
	p.order(func() { p.queue, p.pos, p.done = append(p.queue[:0:0], clips...), 0, done })
}

// Queue says the clips after those already waiting; done as in Play, in place of the earlier one.
func (p *Player) Queue(done func(), clips ...*Clip) {
	p.order(func() { p.queue, p.done = append(p.queue, clips...), done })
}

// Music sets what is looped while nothing is said; nil means silence. A clip that is already looping goes on.
func (p *Player) Music(c *Clip) {
	if c != nil && len(c.data) == 0 {
		c = nil
	}
	p.order(func() {
		if p.music != c {
			p.music, p.at = c, 0
		}
	})
}

// Hush ends what is being said (a digit was pressed) and leaves the music or silence on. done is not called.
func (p *Player) Hush() {
	p.order(func() { p.queue, p.pos, p.done = nil, 0, nil })
}

// Stop ends everything: no more packets. When it returns no Write is under way or will follow, until the next
// order. It must not be called from done.
func (p *Player) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue, p.pos, p.done = nil, 0, nil
	if p.running {
		p.running = false
		p.tick.leave(p)
	}
}

// Errors gives the number of frames the Sink refused.
func (p *Player) Errors() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.errors
}

func (p *Player) order(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	if !p.running {
		p.running, p.marker = true, true
		p.tick.join(p)
	}
}

// beat writes one frame. The lock is held over the Write so that Stop can promise silence.
func (p *Player) beat(round uint64, now time.Time) {
	p.mu.Lock()
	if !p.running {
		p.mu.Unlock()
		return
	}
	payload, done := p.next()
	f := &p.frame
	if round+p.shift <= p.last {
		p.shift = p.last + 1 - round
	}
	p.last = round + p.shift
	f.Seq++
	f.Time, f.At, f.Payload = uint32(p.last*FrameSamples), now, payload
	f.Marker, p.marker = p.marker, false
	if p.out.Write(f) != nil {
		p.errors++
	}
	p.mu.Unlock()
	if done != nil {
		done()
	}
}

// next gives the next 20 ms: a slice of the clip itself when it lies in one piece, else put together in buf.
func (p *Player) next() (payload []byte, done func()) {
	if len(p.queue) > 0 && len(p.queue[0].data)-p.pos > FrameSamples {
		p.pos += FrameSamples
		return p.queue[0].data[p.pos-FrameSamples : p.pos], nil
	}
	if len(p.queue) == 0 && p.done == nil && p.music != nil && len(p.music.data)-p.at >= FrameSamples {
		p.at += FrameSamples
		return p.music.data[p.at-FrameSamples : p.at], nil
	}
	if len(p.queue) == 0 { // an order with nothing in it is done as well
		done, p.done = p.done, nil
	}
	n := 0
	for n < FrameSamples && len(p.queue) > 0 {
		c := copy(p.buf[n:], p.queue[0].data[p.pos:])
		n, p.pos = n+c, p.pos+c
		if p.pos == len(p.queue[0].data) {
			p.queue, p.pos = p.queue[1:], 0
			if len(p.queue) == 0 {
				done, p.done = p.done, nil
			}
		}
	}
	for n < FrameSamples && p.music != nil {
		if p.at >= len(p.music.data) {
			p.at = 0
		}
		c := copy(p.buf[n:], p.music.data[p.at:])
		n, p.at = n+c, p.at+c
	}
	for ; n < FrameSamples; n++ {
		p.buf[n] = SilenceA
	}
	return p.buf[:], done
}
