package sip

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

const newCall = "INVITE sip:12367@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKshed;rport\r\nMax-Forwards: 70\r\n" +
	"From: <sip:13800000001@127.0.0.1:5070>;tag=c1\r\nTo: <sip:12367@127.0.0.1:5060>\r\nCall-ID: shed-1\r\nCSeq: 1 INVITE\r\n" +
	"Contact: <sip:13800000001@127.0.0.1:5070>\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"

// full is a server that sheds all new calls, a flow to it, and the peer that hears the answers.
func full(t testing.TB) (*Server, *Flow, net.PacketConn) {
	s, err := New(Config{Listen: []string{"127.0.0.1:0"}, Now: time.Now, Flood: FloodConfig{Rate: -1}, Invite: func(*Incoming) {}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	peer, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	s.Strain(func() float64 { return fullStrain })
	s.overload.mu.Lock()
	s.overload.full = true
	s.overload.mu.Unlock()
	p := s.packets[0]
	return s, &Flow{Transport: "udp", Remote: peer.LocalAddr().(*net.UDPAddr).AddrPort(), local: p.local, udp: p.conn}, peer
}

// A shed call leaves nothing behind, and the ACK of its 503 meets nobody.
func TestShedLeavesNothing(t *testing.T) {
	s, f, peer := full(t)
	s.arrived(f, []byte(newCall))
	buf := make([]byte, 2048)
	_ = peer.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, _, err := peer.ReadFrom(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "SIP/2.0 503 ") || !strings.Contains(string(buf[:n]), "\r\nRetry-After: ") {
		t.Fatalf("%q, %v", buf[:n], err)
	}
	s.arrived(f, []byte(strings.ReplaceAll(newCall, "INVITE", "ACK")))
	if s.Lanes() != 0 || s.Counts().Shed != 1 {
		t.Errorf("%d lanes, %d shed", s.Lanes(), s.Counts().Shed)
	}
}

// BenchmarkShed prints what refusing a call costs, the sending of the 503 included.
func BenchmarkShed(b *testing.B) {
	s, f, _ := full(b)
	f.Remote = netip.MustParseAddrPort("127.0.0.1:9") // nobody: the answers need no reading
	raw := []byte(newCall)
	for b.Loop() {
		s.arrived(f, append([]byte(nil), raw...))
	}
}
