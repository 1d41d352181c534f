package sipgofail

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

func to(p *peer) sip.Uri { return sip.Uri{User: "b", Host: "127.0.0.1", Port: p.port()} }

func TestFailure01ManyProvisionals(t *testing.T) {
	p := newPeer(t, func(p *peer, from net.Addr, m string) {
		if !strings.HasPrefix(m, "INVITE") {
			return
		}
		p.reply(from, m, 100, "Trying", "", "")
		for range 12 {
			p.reply(from, m, 183, "Session Progress", "t1", "")
			time.Sleep(3 * time.Millisecond)
		}
		p.reply(from, m, 200, "OK", "t1", sdp)
	})
	ua, _ := caller(t)
	d, err := ua.Invite(context.Background(), to(p), []byte(sdp))
	if err != nil {
		t.Fatal(err)
	}
	err = d.WaitAnswer(context.Background(), sipgo.AnswerOptions{})
	time.Sleep(300 * time.Millisecond)
	if err == nil || strings.Contains(p.saw(), "CANCEL") {
		t.Fatalf("mended: %v, the peer saw %s", err, p.saw())
	}
}

func TestFailure02AnswerCrossesCancel(t *testing.T) {
	var invite string
	p := newPeer(t, func(p *peer, from net.Addr, m string) {
		switch {
		case strings.HasPrefix(m, "INVITE"):
			invite = m
			p.reply(from, m, 180, "Ringing", "t1", "")
		case strings.HasPrefix(m, "CANCEL"):
			p.reply(from, invite, 200, "OK", "t1", sdp)
			p.reply(from, m, 200, "OK", "t1", "")
		}
	})
	ua, _ := caller(t)
	d, err := ua.Invite(context.Background(), to(p), []byte(sdp))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_ = d.WaitAnswer(ctx, sipgo.AnswerOptions{})
	time.Sleep(500 * time.Millisecond)
	if s := p.saw(); strings.Contains(s, "ACK") && strings.Contains(s, "BYE") {
		t.Fatalf("mended: the peer saw %s", s)
	}
}

func TestFailure03ForkedAnswers(t *testing.T) {
	p := newPeer(t, func(p *peer, from net.Addr, m string) {
		if strings.HasPrefix(m, "INVITE") {
			p.reply(from, m, 200, "OK", "t1", sdp)
			time.Sleep(50 * time.Millisecond)
			p.reply(from, m, 200, "OK", "t2", sdp)
		}
	})
	ua, _ := caller(t)
	d, err := ua.Invite(context.Background(), to(p), []byte(sdp))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.WaitAnswer(context.Background(), sipgo.AnswerOptions{}); err != nil {
		t.Fatal(err)
	}
	_ = d.Ack(context.Background())
	time.Sleep(400 * time.Millisecond)
	if s := p.saw(); strings.Contains(s, "ACK t2") || strings.Contains(s, "BYE t2") {
		t.Fatalf("mended: the peer saw %s", s)
	}
}

func TestFailure04ByeMeetsTrying(t *testing.T) {
	p := newPeer(t, func(p *peer, from net.Addr, m string) {
		switch {
		case strings.HasPrefix(m, "INVITE"):
			p.reply(from, m, 200, "OK", "t1", sdp)
		case strings.HasPrefix(m, "BYE"):
			p.reply(from, m, 100, "Trying", "", "")
			time.Sleep(20 * time.Millisecond)
			p.reply(from, m, 200, "OK", "", "")
		}
	})
	ua, _ := caller(t)
	d, err := ua.Invite(context.Background(), to(p), []byte(sdp))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.WaitAnswer(context.Background(), sipgo.AnswerOptions{}); err != nil {
		t.Fatal(err)
	}
	_ = d.Ack(context.Background())
	if err := d.Bye(context.Background()); err == nil {
		t.Fatal("mended: BYE waits for the final answer")
	}
}

func TestFailure05LargeMessagesOverUDP(t *testing.T) {
	p := newPeer(t, func(*peer, net.Addr, string) {})
	ua, _ := caller(t)
	_, err := ua.Invite(context.Background(), to(p), []byte(sdp+strings.Repeat("a=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host\r\n", 20)))
	if !errors.Is(err, sip.ErrUDPMTUCongestion) {
		t.Fatalf("mended: %v", err)
	}
}

// served runs a sipgo server on a UDP socket and gives its address.
func served(t *testing.T, srv *sipgo.Server) *net.UDPAddr {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go srv.ServeUDP(c)
	return c.LocalAddr().(*net.UDPAddr)
}

func TestFailure06AckNeverComes(t *testing.T) {
	ua, srv := caller(t)
	done := make(chan error, 1)
	srv.OnInvite(func(req *sip.Request, tx sip.ServerTransaction) {
		d, err := ua.ReadInvite(req, tx)
		if err == nil {
			err = d.RespondSDP([]byte(sdp))
		}
		done <- err
	})
	at := served(t, srv)
	c, err := net.DialUDP("udp4", nil, at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "INVITE sip:s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKnoack\r\nFrom: <sip:x@y>;tag=1\r\nTo: <sip:s@127.0.0.1>\r\nCall-ID: noack\r\nCSeq: 1 INVITE\r\nContact: <sip:x@%s>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		at, c.LocalAddr(), c.LocalAddr())
	answers, byes := 0, 0
	_ = c.SetReadDeadline(time.Now().Add(4 * time.Second))
	b := make([]byte, 9000)
	for {
		n, err := c.Read(b)
		if err != nil {
			break
		}
		if strings.HasPrefix(string(b[:n]), "SIP/2.0 200") {
			answers++
		}
		if strings.HasPrefix(string(b[:n]), "BYE") {
			byes++
		}
	}
	if byes > 0 || answers == 11 { // RFC 3261 §13.3.1.4: once, and again at 1, 3, 7, 15, 23 … 63 T1; then BYE
		t.Fatalf("mended: %d answers, %d BYE", answers, byes)
	}
}

// websocket runs a sipgo server on its own WebSocket listener.
func websocket(t *testing.T) string {
	t.Helper()
	_, srv := caller(t)
	srv.OnOptions(func(req *sip.Request, tx sip.ServerTransaction) {
		_ = tx.Respond(sip.NewResponseFromRequest(req, 200, "OK", nil))
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go srv.ServeWS(l)
	return l.Addr().String()
}

func upgrade(addr string) (net.Conn, *bufio.Reader, error) {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return nil, nil, err
	}
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n")
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	r := bufio.NewReader(c)
	_, err = http.ReadResponse(r, nil)
	return c, r, err
}

func TestFailure08IdleConnectionBlocksAll(t *testing.T) {
	addr := websocket(t)
	c, _, err := upgrade(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	idle, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	time.Sleep(50 * time.Millisecond)
	if _, _, err := upgrade(addr); err == nil {
		t.Fatal("mended: an idle connection holds up nobody")
	}
}

func TestFailure09WebSocketFrames(t *testing.T) {
	options := func(n int) []byte {
		return fmt.Appendf(nil, "OPTIONS sip:x@cc SIP/2.0\r\nVia: SIP/2.0/WS a.invalid;branch=z9hG4bK%d\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@cc>\r\nCall-ID: c%d\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", n, n)
	}
	frame := func(op byte, fin bool, p []byte) []byte {
		b := []byte{op}
		if fin {
			b[0] |= 0x80
		}
		if len(p) < 126 {
			b = append(b, 0x80|byte(len(p)))
		} else {
			b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(len(p)))
		}
		return append(append(b, 0, 0, 0, 0), p...)
	}
	answered := func(frames ...[]byte) bool {
		c, r, err := upgrade(websocket(t))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for _, f := range frames {
			_, _ = c.Write(f)
			time.Sleep(20 * time.Millisecond)
		}
		_ = c.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		b := make([]byte, 4096)
		n, _ := r.Read(b)
		return strings.Contains(string(b[:n]), "SIP/2.0 200")
	}
	if !answered(frame(1, true, options(1))) {
		t.Fatal("the plain case must work")
	}
	if answered(frame(9, true, []byte("keep")), frame(1, true, options(2))) {
		t.Error("mended: a ping with a payload does no harm")
	}
	m := options(3)
	if answered(frame(1, false, m[:100]), frame(0, true, m[100:])) {
		t.Error("mended: a message in fragments arrives")
	}
}

func TestFailure10SourcesAreKept(t *testing.T) {
	_, srv := caller(t)
	at := served(t, srv)
	for i := range 2000 {
		c, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 1, byte(i>>8), byte(i))}, at)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte("xx-not-sip-at-all\r\n\r\n"))
		c.Close()
		if i%50 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	time.Sleep(300 * time.Millisecond)
	if n := srv.TransportLayer().Pool("udp").Size(); n < 1900 {
		t.Fatalf("mended: %d entries after junk from 2000 sources", n)
	}
}
