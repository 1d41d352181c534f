package sip_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

// Ten failures that a well-known library shows in production (test/sipgofail shows them there). Each must not be ours.

// call begins a call to the peer's socket.
func call(t testing.TB, s *sip.Server, p *siptest.Peer, change func(*sip.CallOptions)) *sip.Outgoing {
	t.Helper()
	opt := sip.CallOptions{
		URI:  sip.URI{User: "b", Host: "127.0.0.1", Port: int(p.Addr.Port())},
		From: sip.Address{URI: sip.URI{User: "kapok", Host: "127.0.0.1"}}, Body: []byte(siptest.SDP),
	}
	if change != nil {
		change(&opt)
	}
	o, err := s.Call(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// final skips provisional events.
func final(t testing.TB, o *sip.Outgoing) sip.Event {
	t.Helper()
	for {
		if e := recv(t, o.Events()); e.Kind != sip.Progressed {
			return e
		}
	}
}

func TestFailure01ManyProvisionals(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	p := siptest.New(t, s.Addr("udp"))
	for _, answered := range []bool{true, false} {
		o := call(t, s, p, nil)
		inv := p.Expect("INVITE")
		p.Respond(inv, 100, "Trying", "", "")
		for range 40 {
			p.Respond(inv, 183, "Session Progress", "t1", "")
			time.Sleep(time.Millisecond)
		}
		if answered {
			p.Respond(inv, 200, "OK", "t1", siptest.SDP)
			p.Expect("ACK")
			if e := final(t, o); e.Kind != sip.Answered {
				t.Fatalf("after 40 provisionals: %+v", e)
			}
			continue
		}
		o.Cancel()
		p.Respond(p.Expect("CANCEL"), 200, "OK", "t1", "")
		p.Respond(inv, 487, "Request Terminated", "t1", "")
		p.Expect("ACK")
		if e := final(t, o); e.Kind != sip.Failed || !errors.Is(e.Err, sip.ErrCanceled) {
			t.Fatalf("after Cancel: %+v", e)
		}
	}
}

func TestFailure02AnswerCrossesCancel(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	p := siptest.New(t, s.Addr("udp"))
	o := call(t, s, p, nil)
	inv := p.Expect("INVITE")
	p.Respond(inv, 180, "Ringing", "t1", "")
	recv(t, o.Events())
	o.Cancel()
	c := p.Expect("CANCEL")
	p.Respond(inv, 200, "OK", "t1", siptest.SDP)
	p.Respond(c, 200, "OK", "t1", "")
	p.Expect("ACK")
	p.Respond(p.Expect("BYE"), 200, "OK", "", "")
	if e := final(t, o); e.Kind != sip.Failed || e.Code != 487 {
		t.Fatalf("event %+v", e)
	}
}

func TestFailure03ForkedAnswers(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	p := siptest.New(t, s.Addr("udp"))
	o := call(t, s, p, nil)
	inv := p.Expect("INVITE")
	p.Respond(inv, 180, "Ringing", "t1", "")
	p.Respond(inv, 200, "OK", "t1", siptest.SDP)
	ack := p.Expect("ACK")
	if ack.Tag("To") != "t1" {
		t.Fatalf("first ACK to %q", ack.Tag("To"))
	}
	p.Respond(inv, 200, "OK", "t2", siptest.SDP)
	if m := p.Expect("ACK"); m.Tag("To") != "t2" {
		t.Fatalf("second ACK to %q", m.Tag("To"))
	}
	bye := p.Expect("BYE")
	if bye.Tag("To") != "t2" {
		t.Fatalf("BYE to %q, not to the surplus leg", bye.Tag("To"))
	}
	p.Respond(bye, 200, "OK", "", "")
	p.Respond(inv, 200, "OK", "t1", siptest.SDP) // a repeat of the first gets its own ACK again
	p.Again(ack)
	if e := final(t, o); e.Kind != sip.Answered || e.Dialog.End().Cause != "" {
		t.Fatalf("the first leg must live: %+v", e)
	}
}

func TestFailure04ByeMeetsTryingAndChallenge(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	p := siptest.New(t, s.Addr("udp"))
	o := call(t, s, p, func(c *sip.CallOptions) { c.Auth = &sip.Credentials{User: "u", Password: "p"} })
	inv := p.Expect("INVITE")
	p.Respond(inv, 200, "OK", "t1", siptest.SDP)
	p.Expect("ACK")
	d := final(t, o).Dialog
	ended := make(chan error, 1)
	go func() { ended <- d.Bye(context.Background()) }()
	bye := p.Expect("BYE")
	p.Respond(bye, 100, "Trying", "", "")
	p.Respond(bye, 407, "Proxy Authentication Required", "", "", `Proxy-Authenticate: Digest realm="r", nonce="n", qop="auth"`)
	again := p.Expect("BYE")
	if again.Get("Proxy-Authorization") == "" || again.Get("CSeq") == bye.Get("CSeq") {
		t.Fatalf("BYE was not repeated with credentials:\n%s", again.Raw)
	}
	p.Respond(again, 200, "OK", "", "")
	if err := recv(t, ended); err != nil {
		t.Fatal(err)
	}
}

func TestFailure05LargeMessagesOverUDP(t *testing.T) {
	t.Parallel()
	big := siptest.SDP + strings.Repeat("a=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host\r\n", 100)
	s := start(t, func(c *sip.Config) {
		c.Invite = func(in *sip.Incoming) { _, _ = in.Answer(context.Background(), []byte(big)) }
	})
	p := siptest.New(t, s.Addr("udp"))
	o := call(t, s, p, func(c *sip.CallOptions) { c.Body = []byte(big) })
	if m := p.Expect("INVITE"); m.Body != big {
		t.Fatalf("%d of %d bytes arrived", len(m.Body), len(big))
	}
	o.Cancel()
	c := p.NewCall("sip:a@" + s.Addr("udp").String())
	c.SendInvite(big)
	if m := p.Expect("SIP/2.0 200"); m.Body != big {
		t.Fatalf("%d of %d bytes came back", len(m.Body), len(big))
	}
}

func TestFailure06AckNeverComes(t *testing.T) {
	t.Parallel()
	dialogs := make(chan *sip.Dialog, 1)
	s := start(t, func(c *sip.Config) { c.Invite = answering(dialogs) })
	p := siptest.New(t, s.Addr("udp"))
	c := p.NewCall("sip:a@" + s.Addr("udp").String())
	c.SendInvite(siptest.SDP)
	first := p.Expect("SIP/2.0 200")
	bye := p.Expect("BYE")
	p.Respond(bye, 200, "OK", "", "")
	d := recv(t, dialogs)
	recv(t, d.Done())
	if d.End().Cause != sip.CauseNoAck {
		t.Fatalf("ended by %q", d.End().Cause)
	}
	var at []float64 // in T1: 1, 3, 7, 15, 23, 31, 39, 47, 55, 63 (RFC 3261 §13.3.1.4)
	for _, m := range p.Seen("SIP/2.0 200")[1:] {
		at = append(at, float64(m.At.Sub(first.At))/float64(quick))
	}
	want := []float64{1, 3, 7, 15, 23, 31, 39, 47, 55, 63}
	if len(at) != len(want) {
		t.Fatalf("200 repeated %d times at %.1f T1, expected %v", len(at), at, want)
	}
	for i := range want {
		if at[i] < want[i]-1 || at[i] > want[i]+40 { // late only by what the machine is late
			t.Errorf("repeat %d after %.1f T1, expected %v", i+1, at[i], want[i])
		}
	}
}

func TestFailure07AckThenByeAtOnce(t *testing.T) {
	t.Parallel()
	const calls = 1000
	dialogs := make(chan *sip.Dialog, calls)
	s := start(t, func(c *sip.Config) { c.Invite = answering(dialogs) })
	p := siptest.New(t, s.Addr("udp"))
	open := map[string]*siptest.Call{}
	for range calls {
		c := p.NewCall("sip:a@" + s.Addr("udp").String())
		open[c.ID] = c
		c.SendInvite(siptest.SDP)
		if len(open)%50 == 0 {
			time.Sleep(2 * time.Millisecond)
		}
	}
	for len(open) > 0 {
		m := p.Expect("SIP/2.0 200")
		c := open[m.Get("Call-ID")]
		if c == nil || !strings.HasSuffix(m.Get("CSeq"), "INVITE") {
			continue
		}
		delete(open, c.ID)
		c.Answered(m)
		c.Ack("")
		c.Request("BYE", "")
	}
	for range calls {
		d := recv(t, dialogs)
		if _, err := d.WaitACK(context.Background()); err != nil {
			t.Fatalf("the ACK before the BYE was not seen: %v", err)
		}
		recv(t, d.Done())
		if d.End().Cause != sip.CauseRemote {
			t.Fatalf("ended by %q", d.End().Cause)
		}
	}
}

func TestFailure08IdleConnectionBlocksNobody(t *testing.T) {
	t.Parallel()
	s, addr := startWS(t, nil)
	for range 20 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	w := dialWS(t, addr)
	w.text(wsOptions(1))
	w.expect("SIP/2.0 200")
	for range 20 { // and on the SIP port itself
		c, err := net.Dial("tcp", s.Addr("tcp").String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	p := siptest.New(t, s.Addr("udp"))
	p.Send(wsOptions(2))
	p.Expect("SIP/2.0 200")
}

func TestFailure09WebSocketFrames(t *testing.T) {
	t.Parallel()
	_, addr := startWS(t, nil)
	w := dialWS(t, addr)
	w.frame(9, true, nil)
	w.expectFrame(10, "")
	w.frame(9, true, []byte("keep"))
	w.expectFrame(10, "keep")
	w.text(wsOptions(1))
	w.expect("SIP/2.0 200")
	m := []byte(siptest.Fill(wsOptions(2)))
	w.frame(1, false, m[:100])
	w.frame(9, true, []byte("between")) // control frames may stand between fragments
	w.frame(0, false, m[100:150])
	w.frame(0, true, m[150:])
	w.expectFrame(10, "between")
	w.expect("SIP/2.0 200")
	w.frame(2, true, []byte(siptest.Fill(wsOptions(3)))) // RFC 7118 §4: binary is allowed
	w.expect("SIP/2.0 200")
	w.frame(1, true, []byte("\r\n\r\n"))
	w.expectFrame(1, "\r\n")
	w.text(wsOptions(4) + "Subject: " + strings.Repeat("x", 7000) + "\n" + strings.Repeat("P-X: "+strings.Repeat("y", 7000)+"\n", 5))
	w.expect("SIP/2.0 200")
}

func TestFailure10SourcesLeaveNothing(t *testing.T) {
	s := start(t, func(c *sip.Config) { c.Flood = sip.FloodConfig{} })
	to := net.UDPAddrFromAddrPort(s.Addr("udp"))
	burst := func(base byte, text func(i int) string) {
		for i := range 20000 {
			ip := net.IPv4(127, base, byte(i>>8), byte(i))
			c, err := net.DialUDP("udp4", &net.UDPAddr{IP: ip}, to)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Write([]byte(text(i))); err != nil && !errors.Is(err, net.ErrClosed) {
				t.Log(err)
			}
			c.Close()
			if i%100 == 99 {
				time.Sleep(time.Millisecond)
			}
		}
		deadline := time.Now().Add(5 * time.Second)
		for n := int64(-1); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			if now := s.Counts().Received + s.Counts().Dropped; now == n {
				return
			} else {
				n = now
			}
		}
	}
	burst(2, func(int) string { return "xx-not-sip-at-all\r\n\r\n" }) // what is allocated once is there after the first round
	before, routines := heap(), runtime.NumGoroutine()
	burst(3, func(int) string { return "xx-not-sip-at-all\r\n\r\n" })
	burst(4, func(i int) string {
		return siptest.Fill(fmt.Sprintf("OPTIONS sip:x@kapok SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK%d;rport\nMax-Forwards: 70\nFrom: <sip:a@b>;tag=1\nTo: <sip:x@cc>\nCall-ID: opt%d\nCSeq: 1 OPTIONS\n", i, i))
	})
	if s.Counts().Received < 10000 {
		t.Fatalf("only %d messages arrived", s.Counts().Received)
	}
	if n := s.Lanes(); n != 0 {
		t.Errorf("%d Call-IDs are kept", n)
	}
	if g := runtime.NumGoroutine(); g > routines+2 {
		t.Errorf("%d goroutines, %d before", g, routines)
	}
	if grown := int64(heap()) - int64(before); grown > 1<<20 {
		t.Errorf("the heap grew by %d kB", grown>>10)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
