package rtp

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/sdp"
)

// line is what the kinds of legs have in common: the exchange, both directions, reports and timeouts. Locks are
// taken in the order neg, in.mu, out.mu, and no callback is called under any of them.
type line struct {
	events  Events
	timeout time.Duration
	now     func() time.Time
	send    func(packet []byte, report bool) error // called under out.mu with a plain packet
	settle  func(sdp.Agreement) error              // called under neg with each agreement: puts it into force

	neg sync.Mutex
	ex  *sdp.Exchange

	in   receiver
	out  sender
	sink atomic.Pointer[audio.Sink]

	// under in.mu
	agreed    bool
	agreement sdp.Agreement
	since     time.Time // when media was last begun, resumed or renegotiated
	silent    bool      // Timeout has been told
	up        bool
	lastSR    uint64
	lastSRAt  time.Time
	peer      block // the peer's last report about us
	reported  bool
	rtt       time.Duration
	nextRTCP  time.Time
}

func (l *line) start(now func() time.Time, e Events, timeout time.Duration) {
	l.now, l.events, l.timeout = now, e, timeout
	l.in.frame.Source = &audio.Source{Name: "leg"}
	l.in.wanted = true
	l.out.ssrc = rand.Uint32() | 1
	l.out.seq = uint16(rand.Uint32()) >> 1 // the first roll-over comes late (RFC 3711 §3.3.1)
	l.out.time = rand.Uint32()
}

// Offer writes our description.
func (l *line) Offer(want sdp.Direction) ([]byte, error) {
	l.neg.Lock()
	defer l.neg.Unlock()
	return l.ex.Offer(want), nil
}

// Answer takes the peer's offer, the first or a later one, and gives our answer from the stored state.
func (l *line) Answer(offer []byte) ([]byte, error) {
	l.neg.Lock()
	defer l.neg.Unlock()
	answer, err := l.ex.Answer(offer)
	if err != nil {
		return nil, err
	}
	return answer, l.agree()
}

// Accept takes the peer's answer.
func (l *line) Accept(answer []byte) error {
	l.neg.Lock()
	defer l.neg.Unlock()
	if err := l.ex.Accept(answer); err != nil {
		return err
	}
	return l.agree()
}

// agree puts what was agreed into force. Under neg.
func (l *line) agree() error {
	a, _ := l.ex.Agreed()
	return l.settle(a)
}

// SetSink says who gets what the peer sends; nil for nobody.
func (l *line) SetSink(s audio.Sink) {
	if s == nil {
		l.sink.Store(nil)
		return
	}
	l.sink.Store(&s)
}

// Write sends one frame.
func (l *line) Write(f *audio.Frame) error {
	l.out.mu.Lock()
	defer l.out.mu.Unlock()
	p := l.out.build(f)
	if p == nil {
		return nil
	}
	return l.send(p, false)
}

// adopt takes a new agreement into both directions. held legs of browsers deliver nothing.
func (l *line) adopt(a sdp.Agreement, mute bool) {
	now := l.now()
	l.in.mu.Lock()
	l.in.kinds = [128]uint8{}
	for _, p := range a.Recv {
		switch p.Name {
		case "PCMA":
			l.in.kinds[p.Type] = kindA
		case "PCMU":
			l.in.kinds[p.Type] = kindU
		case "TELEPHONE-EVENT":
			l.in.kinds[p.Type] = kindEvent
		}
	}
	l.in.kinds[13] = kindIgnored
	l.in.wanted = a.Direction.Receives() && !mute
	l.agreed, l.agreement, l.since, l.silent = true, a, now, false
	l.in.mu.Unlock()

	l.out.mu.Lock()
	l.out.codec = audio.PCMA
	if a.Codec == "PCMU" {
		l.out.codec = audio.PCMU
	}
	l.out.pt, l.out.eventPT, l.out.allowed = a.SendPT, a.EventPT, a.Direction.Sends()
	l.out.mu.Unlock()
}

// told holds digits until the locks are given back.
type told struct {
	digit  [4]byte
	length [4]time.Duration
	n      int
}

func (t *told) add(d byte, length time.Duration) {
	if t.n < len(t.digit) {
		t.digit[t.n], t.length[t.n] = d, length
		t.n++
	}
}

func (t *told) tell(e *Events) {
	for i := range t.n {
		if e.Digit != nil {
			e.Digit(t.digit[i], t.length[i])
		}
	}
}

// packet takes a packet that has passed the latch. It runs on the leg's reading goroutine.
func (l *line) packet(h header, payload []byte, at time.Time) {
	var t told
	l.in.mu.Lock()
	deliver := l.in.take(h, payload, at, false, t.add)
	first := !l.up
	l.up = true
	l.in.mu.Unlock()
	if first && l.events.Up != nil {
		l.events.Up()
	}
	t.tell(&l.events)
	if !deliver {
		return
	}
	if s := l.sink.Load(); s != nil {
		_ = (*s).Write(&l.in.frame) // the other side counts what it cannot send
	}
}

// report takes a decrypted RTCP packet.
func (l *line) report(b []byte, at time.Time) {
	l.in.mu.Lock()
	defer l.in.mu.Unlock()
	r, ok := readReport(b, l.out.ssrc)
	if !ok {
		l.in.bad++
		return
	}
	if r.sender {
		l.lastSR, l.lastSRAt = r.ntp, at
	}
	if r.about {
		l.peer, l.reported = r.block, true
		if rtt := r.block.roundTrip(at); rtt > 0 {
			l.rtt = rtt
		}
	}
}

// tend is the clerk's look at the leg: digits whose end was lost, the report that is due, silence.
func (l *line) tend(now time.Time) {
	var t told
	var about *block
	l.in.mu.Lock()
	l.in.digits.idle(now, t.add)
	due := l.agreed && !now.Before(l.nextRTCP)
	if due {
		l.nextRTCP = now.Add(reportEvery*3/4 + rand.N(reportEvery/2)) // spread, as RFC 3550 §6.3.1 wants
		if l.in.tally.begun {
			about = l.reception(now)
		}
	}
	lapsed := l.lapsed(now)
	l.in.mu.Unlock()
	t.tell(&l.events)
	if due {
		l.sendReport(now, about)
	}
	if lapsed && l.events.Timeout != nil {
		l.events.Timeout()
	}
}

// lapsed says whether the peer has just been silent for too long. Counters decide, and never while on hold.
func (l *line) lapsed(now time.Time) bool {
	if !l.agreed || l.timeout == 0 || !l.agreement.Direction.Receives() || l.agreement.Held {
		return false
	}
	last := l.in.heard
	if l.since.After(last) {
		last = l.since
	}
	if now.Sub(last) < l.timeout {
		l.silent = false
		return false
	}
	was := l.silent
	l.silent = true
	return !was
}

// reception makes our block about the peer.
func (l *line) reception(now time.Time) *block {
	t := &l.in.tally
	b := &block{ssrc: t.ssrc, fraction: t.fraction(), lost: uint32(min(t.lost(), 0x7fffff)), highest: t.highest - 1<<16, jitter: uint32(t.jitter)}
	if l.lastSR != 0 {
		b.lsr = uint32(l.lastSR >> 16)
		b.dlsr = uint32(now.Sub(l.lastSRAt) << 16 / time.Second)
	}
	return b
}

func (l *line) sendReport(now time.Time, about *block) {
	l.out.mu.Lock()
	defer l.out.mu.Unlock()
	l.out.look(now)
	var b [128]byte
	n := compound(b[:], l.out.ssrc, l.out.packets > 0, now, l.out.clock(now), l.out.packets, l.out.octets, about)
	_ = l.send(b[:n], true)
}

// stats fills in what is common.
func (l *line) stats(remote netip.AddrPort, secure string) Stats {
	l.in.mu.Lock()
	l.in.look(l.now())
	t := &l.in.tally
	s := Stats{
		Secure: secure, Remote: remote, Received: t.all, Lost: t.lostOld + t.lost(), Jitter: t.jitterTime(), Heard: l.in.heard,
		Bad: l.in.bad, Foreign: l.in.foreign, Flooded: l.in.flooded, Stale: l.in.stale, RTT: l.rtt,
		Fast: l.in.lane != nil && l.in.lane.slot.Owned(), Carried: l.in.carried,
	}
	if l.agreed {
		s.Codec, s.Held, s.Direction = l.agreement.Codec, l.agreement.Held, l.agreement.Direction
	}
	if all := s.Received + s.Lost; s.Received > 0 {
		s.MOS = mos(float64(s.Lost)/float64(all), s.Jitter, s.RTT)
	}
	reported, peer := l.reported, l.peer
	l.in.mu.Unlock()
	l.out.mu.Lock()
	l.out.look(l.now())
	s.Sent, s.Octets = l.out.packets, l.out.octets
	l.out.mu.Unlock()
	if reported {
		s.PeerLoss = float64(peer.fraction) / 256
		s.PeerJitter = time.Duration(peer.jitter) * time.Second / 8000
		s.PeerMOS = mos(s.PeerLoss, s.PeerJitter, s.RTT)
	}
	return s
}
