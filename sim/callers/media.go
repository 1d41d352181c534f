package callers

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// media is one RTP socket for all talks of a kind: the hotline gives each leg a port of its own, so what comes is
// told apart by the port it comes from. One ticker sends for all.
type media struct {
	conn  *net.UDPConn
	mu    sync.Mutex
	all   map[*stream]struct{}
	ports map[uint16]*stream
	voice *voice
}

// stream is one talk's audio.
type stream struct {
	media  *media
	ssrc   uint32
	event  uint8 // payload type of telephone-events
	mu     sync.Mutex
	remote netip.AddrPort
	seq    uint16
	time   uint32
	speak  bool
	fresh  bool // the next packet begins a spurt
	at     int  // in the voice
	keys   []byte
	pressT int // ticks of the key being pressed; below 0: the pause after it
	idle   int

	heard atomic.Int64 // packets received
}

const (
	frame     = 160 // samples in 20 ms
	tick      = 20 * time.Millisecond
	keyTicks  = 6  // 120 ms a key
	keyPause  = 6  // and a pause
	idleEvery = 50 // silent packets while one listens: one a second
)

func openMedia() (*media, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(2 << 20) // the system may allow less
	return &media{conn: conn, all: map[*stream]struct{}{}, ports: map[uint16]*stream{}, voice: newVoice()}, nil
}

func (m *media) port() int {
	a, _ := m.conn.LocalAddr().(*net.UDPAddr)
	return a.Port
}

func (m *media) open() *stream {
	s := &stream{media: m, ssrc: rand.Uint32(), event: 101, seq: uint16(rand.Uint32()), time: rand.Uint32(), at: rand.IntN(m.voice.frames)}
	m.mu.Lock()
	m.all[s] = struct{}{}
	m.mu.Unlock()
	return s
}

func (m *media) drop(s *stream) {
	s.mu.Lock()
	port := s.remote.Port()
	s.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.all, s)
	if m.ports[port] == s {
		delete(m.ports, port)
	}
}

// to says where the audio goes and what number the peer gives telephone-events.
func (s *stream) to(a netip.AddrPort, event uint8) {
	s.mu.Lock()
	s.remote = a
	if event != 0 {
		s.event = event
	}
	s.mu.Unlock()
	s.media.mu.Lock()
	s.media.ports[a.Port()] = s
	s.media.mu.Unlock()
}

// talking begins or ends speech.
func (s *stream) talking(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fresh = s.fresh || on && !s.speak
	s.speak = on
}

// press sends keys as telephone-events, one after another.
func (s *stream) press(keys string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.keys)+len(keys) <= 32 {
		s.keys = append(s.keys, keys...)
	}
}

// run sends and receives until ctx ends.
func (m *media) run(ctx context.Context) {
	var read sync.WaitGroup
	read.Go(m.read)
	t := time.NewTicker(tick)
	defer t.Stop()
	var list []*stream
	b := make([]byte, 12+frame)
	for {
		select {
		case <-t.C:
			m.mu.Lock()
			list = list[:0]
			for s := range m.all {
				list = append(list, s)
			}
			m.mu.Unlock()
			for _, s := range list {
				s.tick(b)
			}
		case <-ctx.Done():
			_ = m.conn.Close() // ends read
			read.Wait()
			return
		}
	}
}

func (m *media) read() {
	b := make([]byte, 2048)
	for {
		n, from, err := m.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		if n < 12 || b[0]>>6 != 2 {
			continue
		}
		m.mu.Lock()
		s := m.ports[from.Port()]
		m.mu.Unlock()
		if s != nil {
			s.heard.Add(1)
		}
	}
}

// tick sends what is due of a stream: a key, speech, or now and then silence so that the line is not thought dead.
func (s *stream) tick(b []byte) {
	s.mu.Lock()
	s.time += frame
	to, n := s.remote, 0
	switch {
	case !to.IsValid():
	case len(s.keys) > 0 || s.pressT < 0:
		n = s.key(b)
	case s.speak:
		s.at = (s.at + 1) % s.media.voice.frames
		copy(b[12:], s.media.voice.frame(s.at))
		n = s.packet(b, 8, s.time, s.fresh, frame)
		s.fresh = false
	default:
		if s.idle++; s.idle%idleEvery == 1 {
			copy(b[12:], s.media.voice.silence[:])
			n = s.packet(b, 8, s.time, true, frame)
		}
	}
	s.mu.Unlock()
	if n > 0 {
		_, _ = s.media.conn.WriteToUDPAddrPort(b[:n], to) // a lost packet is a lost packet
	}
}

// key sends the next packet of the key being pressed (RFC 4733 §2.5): one timestamp, growing duration, the end
// three times.
func (s *stream) key(b []byte) int {
	if s.pressT < 0 {
		s.pressT++
		return 0
	}
	code := keyCode(s.keys[0])
	held := min(s.pressT, keyTicks)
	start := s.time - uint32(s.pressT)*frame
	b[12], b[13] = code, 10
	if s.pressT >= keyTicks {
		b[13] |= 0x80
	}
	binary.BigEndian.PutUint16(b[14:], uint16((held+1)*frame))
	n := s.packet(b, s.event, start, s.pressT == 0, 4)
	if s.pressT++; s.pressT == keyTicks+3 {
		s.keys, s.pressT, s.fresh = s.keys[1:], -keyPause, true
	}
	return n
}

func keyCode(k byte) byte {
	switch {
	case k == '*':
		return 10
	case k == '#':
		return 11
	case k >= '0' && k <= '9':
		return k - '0'
	}
	return 0
}

// packet writes the RTP header before a payload of the given length.
func (s *stream) packet(b []byte, kind uint8, at uint32, marker bool, length int) int {
	b[0], b[1] = 0x80, kind
	if marker {
		b[1] |= 0x80
	}
	s.seq++
	binary.BigEndian.PutUint16(b[2:], s.seq)
	binary.BigEndian.PutUint32(b[4:], at)
	binary.BigEndian.PutUint32(b[8:], s.ssrc)
	return 12 + length
}
