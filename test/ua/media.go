package ua

import (
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	rate   = 8000
	packet = 160 // samples in 20 ms
	memory = 10 * rate
)

// Media is one RTP stream in G.711 A-law both ways (RFC 3551): it sends a tone and remembers the last ten seconds
// of what it heard.
type Media struct {
	conn *net.UDPConn
	stop chan struct{}
	once sync.Once

	still bool // set before anything flows

	mu      sync.Mutex
	started bool
	to      netip.AddrPort
	tone    float64
	keys    []byte
	keyType byte
	send    bool
	heard   []int16 // the newest last
	pressed []byte  // keys heard
	key     uint32  // timestamp of the last of them
	packets int
	last    time.Time
	gap     time.Duration // longest between two packets
	id      int64
	version int
	payload byte
}

func newMedia(ip string, tone float64) (*Media, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip)})
	if err != nil {
		return nil, err
	}
	return &Media{conn: conn, stop: make(chan struct{}), tone: tone, keyType: 101, id: time.Now().UnixNano(), payload: 8}, nil
}

// SetTone changes what is sent: a sine of so many Hz, 0 for silence.
func (m *Media) SetTone(hz float64) {
	m.mu.Lock()
	m.tone = hz
	m.mu.Unlock()
}

// describe writes our session description (RFC 8866).
func (m *Media) describe(direction string, codecs []string) string {
	a := m.conn.LocalAddr().(*net.UDPAddr)
	m.version++
	if len(codecs) == 0 {
		codecs = []string{"m=audio %d RTP/AVP 8 0 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15"}
	}
	lines := []string{"v=0", fmt.Sprintf("o=- %d %d IN IP4 %s", m.id, m.version, a.IP), "s=-", "c=IN IP4 " + a.IP.String(), "t=0 0"}
	for _, c := range codecs {
		if strings.Contains(c, "%d") {
			c = fmt.Sprintf(c, a.Port)
		}
		lines = append(lines, c)
	}
	return strings.Join(append(lines, "a=ptime:20", "a="+direction), "\r\n") + "\r\n"
}

// connect takes the far side's description and begins, or goes on, to send there.
func (m *Media) connect(sdp string) error {
	host, port, send := "", 0, true
	for _, l := range strings.Split(sdp, "\n") {
		l = strings.TrimSpace(l)
		switch {
		case strings.HasPrefix(l, "c=IN IP4 "):
			host = strings.TrimPrefix(l, "c=IN IP4 ")
		case strings.HasPrefix(l, "m=audio "):
			f := strings.Fields(l)
			port, _ = strconv.Atoi(f[1])
			if len(f) > 3 && f[3] == "0" {
				m.payload = 0
			}
		case l == "a=recvonly" || l == "a=inactive":
			send = l != "a=inactive"
		}
	}
	to, err := netip.ParseAddrPort(net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil || port == 0 {
		return fmt.Errorf("no audio in %q", sdp)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.to, m.send = to, send
	if !m.started {
		m.started = true
		if !m.still {
			go m.speak()
		}
		go m.listen()
	}
	return nil
}

func (m *Media) close() {
	m.once.Do(func() {
		close(m.stop)
		_ = m.conn.Close()
	})
}

// Press sends keys as telephone-events (RFC 4733), one after the other.
func (m *Media) Press(keys string) {
	m.mu.Lock()
	m.keys = append(m.keys, keys...)
	m.mu.Unlock()
}

// speak sends a packet each 20 ms: the tone, or a key's event.
func (m *Media) speak() {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var seq uint16
	var stamp, ssrc uint32 = 0, uint32(m.id)
	phase, step := 0.0, 0
	for {
		select {
		case <-m.stop:
			return
		case <-tick.C:
		}
		m.mu.Lock()
		to, tone, keys, send := m.to, m.tone, m.keys, m.send
		m.mu.Unlock()
		seq++
		stamp += packet
		if !send {
			continue
		}
		if len(keys) > 0 {
			done := step >= 9
			m.write(to, m.keyType, seq, stamp-uint32(step)*packet, ssrc, step == 0, event(keys[0], step, done))
			if step++; step > 11 {
				if step > 20 { // a pause between keys
					step = 0
					m.mu.Lock()
					m.keys = m.keys[1:]
					m.mu.Unlock()
				}
			}
			continue
		}
		b := make([]byte, packet)
		for i := range b {
			v := 0.0
			if tone > 0 {
				v = 8000 * math.Sin(phase)
				phase += 2 * math.Pi * tone / rate
			}
			b[i] = toALaw(int16(v))
		}
		m.write(to, 8, seq, stamp, ssrc, false, b)
	}
}

// event is the payload of RFC 4733 §2.3.
func event(key byte, step int, done bool) []byte {
	b := make([]byte, 4)
	b[0] = byte(strings.IndexByte("0123456789*#ABCD", key))
	b[1] = 10
	if done {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], uint16(min(step+1, 10)*packet))
	return b
}

func (m *Media) write(to netip.AddrPort, kind byte, seq uint16, stamp, ssrc uint32, mark bool, body []byte) {
	b := make([]byte, 12, 12+len(body))
	b[0], b[1] = 0x80, kind
	if mark {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], stamp)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	_, _ = m.conn.WriteToUDPAddrPort(append(b, body...), to)
}

func (m *Media) listen() {
	b := make([]byte, 2048)
	for {
		n, _, err := m.conn.ReadFromUDPAddrPort(b)
		select {
		case <-m.stop:
			return
		default:
		}
		if err == nil && n >= 16 && b[1]&0x7f == 101 {
			m.hearKey(b)
		}
		if err != nil || n < 12 || b[1]&0x7f != 8 && b[1]&0x7f != 0 {
			continue
		}
		m.mu.Lock()
		now := time.Now()
		if m.packets++; !m.last.IsZero() {
			m.gap = max(m.gap, now.Sub(m.last))
		}
		m.last = now
		if m.still {
			m.mu.Unlock()
			continue
		}
		for _, v := range b[12:n] {
			m.heard = append(m.heard, fromALaw(v))
		}
		if len(m.heard) > 2*memory {
			m.heard = append([]int16(nil), m.heard[len(m.heard)-memory:]...)
		}
		m.mu.Unlock()
	}
}

// hearKey keeps a key that has been released; its end is said three times.
func (m *Media) hearKey(b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := binary.BigEndian.Uint32(b[4:])
	if end := b[13]&0x80 != 0; end && b[12] < 16 && (len(m.pressed) == 0 || m.key != at) {
		m.pressed, m.key = append(m.pressed, "0123456789*#ABCD"[b[12]]), at
	}
}

// Keys gives the keys that the other side has pressed (RFC 4733).
func (m *Media) Keys() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return string(m.pressed)
}

// Packets gives how many packets have come.
func (m *Media) Packets() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.packets
}

// Forget begins the measuring anew.
func (m *Media) Forget() {
	m.mu.Lock()
	m.heard, m.gap = nil, 0
	m.mu.Unlock()
}

// Gap gives the longest time without a packet since Forget, the present one included.
func (m *Media) Gap() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(m.gap, time.Since(m.last))
}

// Heard gives the samples heard in the last d.
func (m *Media) Heard(d time.Duration) []int16 {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := min(int(d.Seconds()*rate), len(m.heard))
	return append([]int16(nil), m.heard[len(m.heard)-n:]...)
}

// Share gives the part of the samples' energy that lies at a frequency, 0 to 1, and their level in dB below full
// scale (Goertzel's algorithm).
func Share(samples []int16, hz float64) (share, level float64) {
	if len(samples) == 0 {
		return 0, -127
	}
	k := 2 * math.Cos(2*math.Pi*hz/rate)
	var s1, s2, sum float64
	for _, v := range samples {
		x := float64(v)
		s1, s2 = x+k*s1-s2, s1
		sum += x * x
	}
	if sum == 0 {
		return 0, -127
	}
	n := float64(len(samples))
	power := s1*s1 + s2*s2 - k*s1*s2
	return 2 * power / (n * sum), 10 * math.Log10(sum/n/(32768*32768))
}

// toALaw and fromALaw are G.711 by its definition.
func toALaw(v int16) byte {
	sign, x := byte(0x80), int(v)
	if x < 0 {
		sign, x = 0, -x-1
	}
	x >>= 4
	exp, mant := 0, x
	if x >= 16 {
		for exp = 1; x >= 32; exp++ {
			x >>= 1
		}
		mant = x & 0x0f
	}
	return (sign | byte(exp<<4) | byte(mant&0x0f)) ^ 0x55
}

func fromALaw(b byte) int16 {
	b ^= 0x55
	exp, mant := int(b>>4)&7, int(b&0x0f)
	v := mant<<4 + 8
	if exp > 0 {
		v = (v + 256) << (exp - 1)
	}
	if b&0x80 == 0 {
		return int16(-v)
	}
	return int16(v)
}

// ALaw decodes one sample of G.711 A-law.
func ALaw(b byte) int16 { return fromALaw(b) }
