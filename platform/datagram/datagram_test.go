package datagram

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

func open(t *testing.T, network, address string) *Socket {
	t.Helper()
	c, err := net.ListenPacket(network, address)
	if err != nil {
		t.Fatal(err)
	}
	s := New(c.(*net.UDPConn))
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func port(s *Socket) uint16 { return s.LocalAddr().(*net.UDPAddr).AddrPort().Port() }

// A socket of either family and one of Go's own understand each other, whichever way the address is written.
func TestBothFamilies(t *testing.T) {
	for _, c := range []struct{ name, network, bound, to, from string }{
		{"IPv4", "udp4", "127.0.0.1:0", "127.0.0.1", "127.0.0.1"},
		{"IPv4, mapped", "udp4", "127.0.0.1:0", "::ffff:127.0.0.1", "127.0.0.1"},
		{"both, spoken to by IPv4", "udp", ":0", "127.0.0.1", "127.0.0.1"},
		{"both, mapped", "udp", ":0", "::ffff:127.0.0.1", "127.0.0.1"},
		{"both, spoken to by IPv6", "udp", ":0", "::1", "::1"},
		{"IPv6", "udp6", "[::1]:0", "::1", "::1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, c.network, c.bound)
			peer := open(t, "udp", net.JoinHostPort(c.from, "0"))
			word := bytes.Repeat([]byte("kapok"), 40)
			if n, err := peer.Conn().WriteToUDPAddrPort(word, netip.AddrPortFrom(netip.MustParseAddr(c.from), port(s))); n != len(word) || err != nil {
				t.Fatal(n, err)
			}
			b := make([]byte, 300)
			n, from, err := s.ReadFromAddrPort(b)
			if want := netip.AddrPortFrom(netip.MustParseAddr(c.from), port(peer)); err != nil || from != want || !bytes.Equal(b[:n], word) {
				t.Fatalf("%q from %v, want %v: %v", b[:n], from, want, err)
			}
			if n, err := s.WriteToAddrPort(word[:7], netip.AddrPortFrom(netip.MustParseAddr(c.to), port(peer))); n != 7 || err != nil {
				t.Fatal(n, err)
			}
			if n, back, err := peer.Conn().ReadFromUDPAddrPort(b); n != 7 || back.Port() != port(s) || err != nil {
				t.Fatal(n, back, err)
			}
		})
	}
}

func TestEmptyAndCut(t *testing.T) {
	s, peer := open(t, "udp4", "127.0.0.1:0"), open(t, "udp4", "127.0.0.1:0")
	to := s.LocalAddr().(*net.UDPAddr).AddrPort()
	for _, n := range []int{0, 100} {
		if _, err := peer.WriteToAddrPort(make([]byte, n), to); err != nil {
			t.Fatal(err)
		}
		if got, _, err := s.ReadFromAddrPort(make([]byte, 40)); got != min(n, 40) || err != nil {
			t.Errorf("of %d bytes: %d, %v", n, got, err)
		}
	}
	if _, err := s.WriteToAddrPort(make([]byte, 70000), to); err == nil {
		t.Error("what no datagram holds was sent")
	}
	if _, err := s.WriteToAddrPort([]byte("x"), netip.AddrPort{}); err == nil {
		t.Error("to nowhere")
	}
	if _, err := s.WriteToAddrPort([]byte("x"), netip.MustParseAddrPort("[::1]:9")); err == nil {
		t.Error("to IPv6 by IPv4")
	}
}

func TestCloseEndsTheReading(t *testing.T) {
	s := open(t, "udp4", "127.0.0.1:0")
	done := make(chan error)
	go func() {
		_, _, err := s.ReadFromAddrPort(make([]byte, 10))
		done <- err
	}()
	time.Sleep(10 * time.Millisecond) // it waits, most likely; right either way
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("reading: %v", err)
	}
	if _, err := s.WriteToAddrPort([]byte("x"), netip.MustParseAddrPort("127.0.0.1:9")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("writing: %v", err)
	}
}

// Many write at once: each datagram arrives whole, and at the one it was meant for.
func TestManyWriters(t *testing.T) {
	s := open(t, "udp4", "127.0.0.1:0")
	var work sync.WaitGroup
	for i := range 8 {
		peer := open(t, "udp4", "127.0.0.1:0")
		to := peer.LocalAddr().(*net.UDPAddr).AddrPort()
		word := bytes.Repeat([]byte{byte('a' + i)}, 20+i)
		work.Go(func() {
			b := make([]byte, 100)
			for range 50 {
				if _, err := s.WriteToAddrPort(word, to); err != nil {
					t.Error(err)
				}
				if n, _, err := peer.ReadFromAddrPort(b); err != nil || !bytes.Equal(b[:n], word) {
					t.Errorf("%q, want %q: %v", b[:n], word, err)
				}
			}
		})
	}
	work.Wait()
}

func TestNothingIsAllocated(t *testing.T) {
	s := open(t, "udp4", "127.0.0.1:0")
	to, b := s.LocalAddr().(*net.UDPAddr).AddrPort(), make([]byte, 200)
	if n := testing.AllocsPerRun(100, func() {
		_, err1 := s.WriteToAddrPort(b, to)
		_, _, err2 := s.ReadFromAddrPort(b)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%.1f allocations a round", n)
	}
}
