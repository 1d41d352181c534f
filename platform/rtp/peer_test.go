package rtp

import (
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/audio"
)

// newPlane opens a plane on loopback for a test.
func newPlane(t testing.TB, change func(*Config)) *Plane {
	t.Helper()
	cfg := Config{Bind: netip.MustParseAddr("127.0.0.1"), Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	cfg.Fast = os.Getenv(insideFast) != ""
	if change != nil {
		change(&cfg)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// phone is a telephone of the test: a socket that sends what it is told and keeps what it hears.
type phone struct {
	t    testing.TB
	conn *net.UDPConn
	dst  netip.AddrPort
	pt   uint8
	ssrc uint32
	seq  uint16
	ts   uint32

	mu    sync.Mutex
	heard []heard
	raw   int
}

// heard is one packet a phone got.
type heard struct {
	header
	data []byte
}

func newPhone(t testing.TB) *phone {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return phoneOn(t, c)
}

// phoneOn makes a phone of a socket, which it closes.
func phoneOn(t testing.TB, c *net.UDPConn) *phone {
	p := &phone{t: t, conn: c, pt: 8, ssrc: 0xABCD0000 + uint32(portOf(c)), seq: 100, ts: 5000}
	done := make(chan struct{})
	t.Cleanup(func() { _ = c.Close(); <-done })
	go func() {
		defer close(done)
		b := make([]byte, 2000)
		for {
			n, _, err := c.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			h, ok := parse(b[:n])
			p.mu.Lock()
			p.raw++
			if ok && !isRTCP(b[:n]) {
				p.heard = append(p.heard, heard{h, append([]byte(nil), b[h.payload:h.end]...)})
			}
			p.mu.Unlock()
		}
	}()
	return p
}

func (p *phone) addr() netip.AddrPort { return p.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// sdp gives the phone's description with payload types 8 and 0 as asked and telephone-event under a number.
func (p *phone) sdp(codecs string, event int, extra string) []byte {
	return fmt.Appendf(nil, "v=0\r\no=p 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d RTP/AVP %s %d\r\na=rtpmap:%d telephone-event/8000\r\n%s",
		p.addr().Addr(), p.addr().Port(), codecs, event, event, extra)
}

// send sends one packet of the phone's stream.
func (p *phone) send(payload []byte) {
	b := make([]byte, headerSize+len(payload))
	put(b, false, p.pt, p.seq, p.ts, p.ssrc)
	copy(b[headerSize:], payload)
	p.seq++
	p.ts += 160
	p.sendRaw(b)
}

func (p *phone) sendRaw(b []byte) {
	if _, err := p.conn.WriteToUDPAddrPort(b, p.dst); err != nil {
		p.t.Error(err)
	}
}

// event sends one telephone-event packet at a timestamp.
func (p *phone) event(pt uint8, ts uint32, code byte, end bool, length uint16) {
	b := make([]byte, headerSize+4)
	put(b, false, pt, p.seq, ts, p.ssrc)
	b[12], b[13] = code, 10
	if end {
		b[13] |= 0x80
	}
	binary.BigEndian.PutUint16(b[14:], length)
	p.seq++
	p.sendRaw(b)
}

// got waits until the phone has heard n packets and gives them.
func (p *phone) got(n int) []heard {
	p.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		p.mu.Lock()
		h := append([]heard(nil), p.heard...)
		p.mu.Unlock()
		if len(h) >= n {
			return h
		}
		if time.Now().After(end) {
			p.t.Fatalf("heard %d packets, want %d", len(h), n)
		}
	}
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

// answered opens a plain leg that has answered the phone's offer.
func answered(t testing.TB, p *Plane, ph *phone, cfg PlainConfig, offer []byte) *Plain {
	t.Helper()
	l, err := p.NewPlain(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Answer(offer); err != nil {
		t.Fatal(err)
	}
	ph.dst = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), l.Port())
	return l
}

// tone makes 20 ms frames of a sine in A-law.
func tone(hz float64, frame int) []byte {
	b := make([]byte, audio.FrameSamples)
	for i := range b {
		b[i] = audio.EncodeA(int16(8000 * math.Sin(2*math.Pi*hz*float64(frame*len(b)+i)/audio.Rate)))
	}
	return b
}

// level gives the share of the energy at a frequency (Goertzel): 1 for a pure tone.
func level(data []byte, law audio.Codec, hz float64) float64 {
	pcm := make([]int16, len(data))
	audio.Decode(pcm, data, law)
	w := 2 * math.Cos(2*math.Pi*hz/audio.Rate)
	var s1, s2, sum float64
	for _, v := range pcm {
		s1, s2 = float64(v)+w*s1-s2, s1
		sum += float64(v) * float64(v)
	}
	if sum == 0 {
		return 0
	}
	return 2 * (s1*s1 + s2*s2 - w*s1*s2) / (sum * float64(len(pcm)))
}
