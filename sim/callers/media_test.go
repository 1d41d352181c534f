package callers

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"
)

// TestALaw: values of ITU-T G.711 and of every decoder's table.
func TestALaw(t *testing.T) {
	for s, want := range map[int16]byte{0: 0xd5, -1: 0x55, 8: 0xd5, 16: 0xd4, -16: 0x55, 1000: 0xfa, 32767: 0xaa, -32768: 0x2a} {
		if got := aLaw(s); got != want {
			t.Errorf("aLaw(%d) = %#x, want %#x", s, got, want)
		}
	}
}

// TestKeyAndSpeech: a key is one event of one timestamp whose end comes three times; then speech in steps of 20 ms.
func TestKeyAndSpeech(t *testing.T) {
	peer, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	m, err := openMedia()
	if err != nil {
		t.Fatal(err)
	}
	defer m.conn.Close()
	s := m.open()
	a, _ := netip.ParseAddrPort(peer.LocalAddr().String())
	s.to(a, 96)
	s.press("5")
	s.talking(true)
	buffer := make([]byte, 12+frame)
	for range keyTicks + 3 + keyPause + 4 {
		s.tick(buffer)
	}
	var events, ends, marks int
	var at, last uint32
	b := make([]byte, 500)
	for n := range keyTicks + 3 + 4 {
		_ = peer.SetReadDeadline(time.Now().Add(2 * time.Second))
		size, err := peer.Read(b)
		if err != nil {
			t.Fatalf("packet %d: %v", n, err)
		}
		stamp := binary.BigEndian.Uint32(b[4:])
		switch b[1] & 0x7f {
		case 96:
			if events++; events == 1 {
				at = stamp
			}
			if size != 16 || b[12] != 5 || stamp != at {
				t.Errorf("event %d: % x", events, b[:size])
			}
			if b[13]&0x80 != 0 {
				ends++
			}
		case 8:
			if size != 12+frame || last != 0 && stamp != last+frame {
				t.Errorf("speech of %d bytes at %d after %d", size, stamp, last)
			}
			last = stamp
		}
		if b[1]&0x80 != 0 {
			marks++
		}
	}
	if events != keyTicks+3 || ends != 3 || marks != 2 {
		t.Errorf("%d event packets, %d ends, %d marks", events, ends, marks)
	}
}

func TestConnect(t *testing.T) {
	m, err := openMedia()
	if err != nil {
		t.Fatal(err)
	}
	defer m.conn.Close()
	s := m.open()
	if err := s.connect([]byte("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\n")); err != nil || s.remote.Port() != 4000 || s.event != 96 {
		t.Errorf("%v %d, %v", s.remote, s.event, err)
	}
	for _, bad := range []string{"", "m=audio 0 RTP/AVP 8\r\nc=IN IP4 127.0.0.1", "m=audio 99999 RTP/AVP 8\r\nc=IN IP4 127.0.0.1", "m=audio 4000 RTP/AVP 8\r\nc=IN IP6 ::1"} {
		if err := s.connect([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzConnect(f *testing.F) {
	m, err := openMedia()
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = m.conn.Close() })
	f.Add([]byte("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := m.open()
		defer m.drop(s)
		_ = s.connect(b)
	})
}
