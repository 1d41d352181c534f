package sip_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

// startWS runs a server behind an HTTP server and gives that one's address.
func startWS(t testing.TB, change func(*sip.Config)) (*sip.Server, string) {
	t.Helper()
	s := start(t, change)
	h := httptest.NewServer(s.WebSocket())
	t.Cleanup(h.Close)
	t.Cleanup(s.Close) // hijacked connections are ours to end
	return s, h.Listener.Addr().String()
}

// wsClient speaks WebSocket frames by hand.
type wsClient struct {
	t testing.TB
	c net.Conn
	r *bufio.Reader
}

func dialWS(t testing.TB, addr string) *wsClient {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "GET /sip HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n", addr, addr)
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	w := &wsClient{t: t, c: c, r: bufio.NewReader(c)}
	resp, err := http.ReadResponse(w.r, nil)
	if err != nil || resp.StatusCode != 101 || resp.Header.Get("Sec-WebSocket-Protocol") != "sip" {
		t.Fatalf("upgrade: %v %+v", err, resp)
	}
	return w
}

func (w *wsClient) frame(op byte, fin bool, p []byte) {
	w.t.Helper()
	b := []byte{op}
	if fin {
		b[0] |= 0x80
	}
	switch {
	case len(p) < 126:
		b = append(b, 0x80|byte(len(p)))
	case len(p) < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(len(p)))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(len(p)))
	}
	key := []byte{1, 2, 3, 4}
	b = append(b, key...)
	for i, x := range p {
		b = append(b, x^key[i%4])
	}
	if _, err := w.c.Write(b); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wsClient) text(template string) { w.frame(1, true, []byte(siptest.Fill(template))) }

func (w *wsClient) read() (op byte, p []byte) {
	w.t.Helper()
	_ = w.c.SetReadDeadline(time.Now().Add(5 * time.Second))
	var h [2]byte
	if _, err := io.ReadFull(w.r, h[:]); err != nil {
		w.t.Fatal("reading a frame: ", err)
	}
	n := int(h[1] & 127)
	switch n {
	case 126:
		var l [2]byte
		_, _ = io.ReadFull(w.r, l[:])
		n = int(binary.BigEndian.Uint16(l[:]))
	case 127:
		var l [8]byte
		_, _ = io.ReadFull(w.r, l[:])
		n = int(binary.BigEndian.Uint64(l[:]))
	}
	p = make([]byte, n)
	if _, err := io.ReadFull(w.r, p); err != nil {
		w.t.Fatal(err)
	}
	return h[0] & 15, p
}

// expectFrame passes over pings of the server.
func (w *wsClient) expectFrame(op byte, payload string) {
	w.t.Helper()
	o, p := w.read()
	for o == 9 {
		w.frame(10, true, p)
		o, p = w.read()
	}
	if o != op || string(p) != payload {
		w.t.Fatalf("frame %d %q, expected %d %q", o, p, op, payload)
	}
}

// expect passes over pings of the server.
func (w *wsClient) expect(start string) siptest.Msg {
	w.t.Helper()
	for {
		op, p := w.read()
		if op == 9 {
			w.frame(10, true, p)
			continue
		}
		m := siptest.Parse(string(p))
		if strings.HasPrefix(m.Start, "SIP/2.0 100") && start != "SIP/2.0 100" {
			continue
		}
		if !strings.HasPrefix(m.Start, start) {
			w.t.Fatalf("got %q, expected %q", m.Start, start)
		}
		return m
	}
}

func wsOptions(n int) string {
	return fmt.Sprintf("OPTIONS sip:x@kapok SIP/2.0\nVia: SIP/2.0/WS a.invalid;branch=z9hG4bKo%d\nFrom: <sip:a@b>;tag=1\nTo: <sip:x@kapok>\nCall-ID: c%d\nCSeq: 1 OPTIONS\nMax-Forwards: 70\n", n, n)
}

// wsRegister registers 101 from a browser with a Contact that leads nowhere.
func wsRegister(w *wsClient, user, contact string, expires int) siptest.Msg {
	id := siptest.Token()
	send := func(seq int, auth string) {
		w.text(fmt.Sprintf("REGISTER sip:kapok SIP/2.0\nVia: SIP/2.0/WS r.invalid;branch=z9hG4bK%s\nMax-Forwards: 70\nFrom: <sip:%s@kapok>;tag=f\nTo: <sip:%s@kapok>\nCall-ID: %s\nCSeq: %d REGISTER\nContact: <sip:%s;transport=ws>;expires=%d\n%s",
			siptest.Token(), user, user, id, seq, contact, expires, auth))
	}
	send(1, "")
	m := w.expect("SIP/2.0 401")
	send(2, "Authorization: "+digestAnswer(m, "REGISTER", "sip:kapok", user, "secret")+"\n")
	return w.expect("SIP/2.0")
}

func TestBrowserRegistersIsCalledAndLeaves(t *testing.T) {
	t.Parallel()
	came, gone := make(chan sip.Binding, 1), make(chan sip.Gone, 1)
	s, addr := startWS(t, func(c *sip.Config) {
		c.Registrar.Registered = func(b sip.Binding) { came <- b }
		c.Registrar.Unregistered = func(_ sip.Binding, g sip.Gone) { gone <- g }
	})
	w := dialWS(t, addr)
	m := wsRegister(w, "101", "x@rand.invalid", 120)
	if !strings.HasPrefix(m.Start, "SIP/2.0 200") {
		t.Fatalf("REGISTER: %s", m.Start)
	}
	b := recv(t, came)
	if b.Flow.Transport != "ws" || b.Contact.Host != "rand.invalid" {
		t.Fatalf("binding %+v", b)
	}
	o, err := s.Call(context.Background(), sip.CallOptions{
		Binding: &b, From: sip.Address{URI: sip.URI{User: "k", Host: "kapok"}}, Body: []byte(siptest.SDP),
	})
	if err != nil {
		t.Fatal(err)
	}
	inv := w.expect("INVITE sip:x@rand.invalid;transport=ws")
	p := &siptest.Peer{}
	w.frame(1, true, []byte(strings.Replace(p.Reply(inv, 200, "OK", "t1", siptest.SDP), "invalid AddrPort", "rand.invalid", 1)))
	w.expect("ACK")
	d, err := o.Wait(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	w.c.Close() // the socket is lost: the binding goes, the call stays
	if g := recv(t, gone); g != sip.GoneClosed {
		t.Fatalf("gone by %q", g)
	}
	if d.End().Cause != "" {
		t.Fatalf("the call ended with the socket: %+v", d.End())
	}
	w2 := dialWS(t, addr) // the page comes back and the call moves to the new connection
	if m := wsRegister(w2, "101", "y@rand.invalid", 120); !strings.HasPrefix(m.Start, "SIP/2.0 200") {
		t.Fatalf("REGISTER: %s", m.Start)
	}
	b2 := recv(t, came)
	d.Move(b2.Flow)
	done := make(chan error, 1)
	go func() { done <- d.Bye(context.Background()) }()
	bye := w2.expect("BYE")
	w2.frame(1, true, []byte(p.Reply(bye, 200, "OK", "", "")))
	if err := recv(t, done); err != nil {
		t.Fatal(err)
	}
}

func TestWebSocketUpgradeIsChecked(t *testing.T) {
	t.Parallel()
	_, addr := startWS(t, nil)
	for name, c := range map[string]struct {
		origin, proto string
		want          int
	}{
		"own page":            {"http://" + addr, "sip", 101},
		"no origin (a phone)": {"", "sip", 101},
		"foreign page":        {"https://evil.example", "sip", 403},
	} {
		req, _ := http.NewRequest("GET", "http://"+addr+"/", nil)
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "websocket")
		req.Header.Set("Sec-WebSocket-Version", "13")
		req.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
		req.Header.Set("Sec-WebSocket-Protocol", c.proto)
		if c.origin != "" {
			req.Header.Set("Origin", c.origin)
		}
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s: %d, expected %d", name, resp.StatusCode, c.want)
		}
	}
}
