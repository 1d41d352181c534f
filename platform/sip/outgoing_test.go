package sip_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

func TestOutgoingIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	p := siptest.New(t, s.Addr("udp"))
	o := call(t, s, p, nil)
	inv := p.Expect("INVITE")
	p.Respond(inv, 486, "Busy Here", "t1", "", "Reason: Q.850;cause=17")
	ack := p.Expect("ACK")
	if ack.Tag("To") != "t1" || ack.Get("Via") != inv.Get("Via") {
		t.Fatalf("ACK of a refusal:\n%s", ack.Raw)
	}
	p.Respond(inv, 486, "Busy Here", "t1", "") // our ACK was lost
	p.Again(ack)
	e := final(t, o)
	if e.Kind != sip.Failed || e.Code != 486 || e.Headers("reason")[0] != "Q.850;cause=17" {
		t.Fatalf("%+v", e)
	}
	var refused *sip.StatusError
	if _, err := o.Wait(context.Background()); !errors.As(err, &refused) {
		t.Fatalf("Wait: %v", err)
	}
}

func TestOutgoingChallenged(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	p := siptest.New(t, s.Addr("udp"))
	o := call(t, s, p, func(c *sip.CallOptions) { c.Auth = &sip.Credentials{User: "u", Password: "p"} })
	inv := p.Expect("INVITE")
	p.Respond(inv, 407, "Proxy Authentication Required", "x", "",
		`Proxy-Authenticate: Digest realm="r", nonce="n1", algorithm=MD5, qop="auth,auth-int"`,
		`Proxy-Authenticate: Digest realm="r", nonce="n2", algorithm=SHA-256, qop="auth", opaque="o"`)
	p.Expect("ACK")
	again := p.Expect("INVITE")
	h := again.Get("Proxy-Authorization")
	if !strings.Contains(h, "SHA-256") || !strings.Contains(h, `nonce="n2"`) || !strings.Contains(h, `opaque="o"`) {
		t.Fatalf("answered %s", h)
	}
	if again.Get("Call-ID") != inv.Get("Call-ID") || again.Tag("From") != inv.Tag("From") || again.Get("CSeq") == inv.Get("CSeq") || again.Get("Via") == inv.Get("Via") {
		t.Fatal("the second try must be the same call with a new CSeq and branch")
	}
	p.Respond(again, 200, "OK", "t1", siptest.SDP)
	p.Expect("ACK")
	if e := final(t, o); e.Kind != sip.Answered {
		t.Fatalf("%+v", e)
	}
}

func TestWrongPasswordDoesNotLoop(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	p := siptest.New(t, s.Addr("udp"))
	o := call(t, s, p, func(c *sip.CallOptions) { c.Auth = &sip.Credentials{User: "u", Password: "p"} })
	for range 3 {
		p.Respond(p.Expect("INVITE"), 401, "Unauthorized", "x", "", `WWW-Authenticate: Digest realm="r", nonce="n"`)
	}
	if e := final(t, o); e.Code != 401 {
		t.Fatalf("%+v", e)
	}
}

func TestOutgoingNobodyAnswers(t *testing.T) {
	t.Parallel()
	t.Run("silence", func(t *testing.T) {
		t.Parallel()
		s := start(t, nil)
		p := siptest.New(t, s.Addr("udp"))
		o := call(t, s, p, nil)
		if e := final(t, o); e.Code != 408 || !errors.Is(e.Err, sip.ErrTimeout) {
			t.Fatalf("%+v", e)
		}
		// RFC 3261 §17.1.1.2: 0, 1, 3, 7, 15, 31, 63 T1; the last is sent a T1 before the end, which a busy machine may miss.
		if n := len(p.Seen("INVITE")); n != 7 && n != 6 {
			t.Fatalf("%d INVITEs", n)
		}
	})
	t.Run("it rings too long", func(t *testing.T) {
		t.Parallel()
		s := start(t, nil)
		p := siptest.New(t, s.Addr("udp"))
		o := call(t, s, p, func(c *sip.CallOptions) { c.RingTimeout = 4 * quick })
		inv := p.Expect("INVITE")
		p.Respond(inv, 180, "Ringing", "t1", "")
		p.Respond(p.Expect("CANCEL"), 200, "OK", "", "")
		p.Respond(inv, 487, "Request Terminated", "t1", "")
		if e := final(t, o); e.Code != 408 {
			t.Fatalf("%+v", e)
		}
	})
	t.Run("cancelled before anything came: CANCEL follows the first provisional", func(t *testing.T) {
		t.Parallel()
		s := start(t, nil)
		p := siptest.New(t, s.Addr("udp"))
		ctx, cancel := context.WithCancel(context.Background())
		o, err := s.Call(ctx, sip.CallOptions{URI: sip.URI{User: "b", Host: "127.0.0.1", Port: int(p.Addr.Port())}, Body: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		inv := p.Expect("INVITE")
		cancel()
		p.ExpectNone("CANCEL", 2*quick)
		p.Respond(inv, 100, "Trying", "", "")
		c := p.Expect("CANCEL")
		if c.Get("Via") != inv.Get("Via") || c.Get("CSeq") != strings.Replace(inv.Get("CSeq"), "INVITE", "CANCEL", 1) {
			t.Fatalf("CANCEL:\n%s", c.Raw)
		}
		p.Respond(c, 200, "OK", "", "")
		p.Respond(inv, 487, "Request Terminated", "t1", "")
		if e := final(t, o); e.Code != 487 {
			t.Fatalf("%+v", e)
		}
	})
	t.Run("the peer ignores the CANCEL", func(t *testing.T) {
		t.Parallel()
		s := start(t, nil)
		p := siptest.New(t, s.Addr("udp"))
		o := call(t, s, p, nil)
		p.Respond(p.Expect("INVITE"), 180, "Ringing", "t1", "")
		recv(t, o.Events())
		o.Cancel()
		if e := final(t, o); e.Code != 487 {
			t.Fatalf("%+v", e)
		}
	})
}

func TestPrackOfOurs(t *testing.T) { // RFC 3262 §4
	t.Parallel()
	s := start(t, nil)
	p := siptest.New(t, s.Addr("udp"))
	o := call(t, s, p, nil)
	inv := p.Expect("INVITE")
	p.Respond(inv, 183, "Session Progress", "t1", siptest.SDP, "Require: 100rel", "RSeq: 77")
	m := p.Expect("PRACK")
	if m.Get("RAck") != "77 "+inv.Get("CSeq") || m.Tag("To") != "t1" {
		t.Fatalf("PRACK:\n%s", m.Raw)
	}
	p.Respond(m, 200, "OK", "", "")
	p.Respond(inv, 183, "Session Progress", "t1", siptest.SDP, "Require: 100rel", "RSeq: 77") // a repeat
	p.Respond(inv, 183, "Session Progress", "t1", siptest.SDP, "Require: 100rel", "RSeq: 79") // a gap
	p.ExpectNone("PRACK", 2*quick)
	p.Respond(inv, 180, "Ringing", "t1", "", "Require: 100rel", "RSeq: 78")
	p.Respond(p.Expect("PRACK"), 200, "OK", "", "")
	e := recv(t, o.Events())
	if e.Code != 183 || string(e.Body) != siptest.SDP || e.Dialog == nil {
		t.Fatalf("%+v", e)
	}
	p.Respond(inv, 200, "OK", "t1", "")
	p.Expect("ACK")
	if e := final(t, o); e.Kind != sip.Answered {
		t.Fatalf("%+v", e)
	}
}

func TestUpdateInEarlyDialog(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	p := siptest.New(t, s.Addr("udp"))
	o := call(t, s, p, func(c *sip.CallOptions) {
		c.Events = sip.Events{Offer: func(_ *sip.Dialog, o []byte) ([]byte, error) { return []byte("re:" + string(o)), nil }}
	})
	inv := p.Expect("INVITE")
	p.Respond(inv, 183, "Session Progress", "t1", siptest.SDP)
	recv(t, o.Events())
	inDialog(p, inv, "UPDATE", 1, "early")
	if m := p.Expect("SIP/2.0 200"); m.Body != "re:early" {
		t.Fatalf("%q", m.Body)
	}
	o.Cancel()
}

func TestSlowReaderLosesProvisionalsOnly(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	p := siptest.New(t, s.Addr("udp"))
	o := call(t, s, p, nil)
	inv := p.Expect("INVITE")
	for range 200 {
		p.Respond(inv, 183, "Session Progress", "t1", "")
	}
	p.Respond(inv, 200, "OK", "t1", siptest.SDP)
	p.Expect("ACK")
	if e := final(t, o); e.Kind != sip.Answered {
		t.Fatalf("%+v", e)
	}
	if _, ok := <-o.Events(); ok {
		t.Fatal("the channel must close")
	}
}

func TestCallNeedsSomethingToCall(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	for name, o := range map[string]sip.CallOptions{
		"no offer":      {URI: sip.URI{Host: "127.0.0.1"}},
		"no target":     {Body: []byte("x")},
		"no such trunk": {Body: []byte("x"), Trunk: "t"},
		"no such way":   {Body: []byte("x"), URI: sip.URI{Host: "127.0.0.1", Params: "transport=sctp"}},
		"nobody there":  {Body: []byte("x"), URI: sip.URI{Host: "127.0.0.1", Port: 1, Params: "transport=tcp"}},
	} {
		if _, err := s.Call(context.Background(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	time.Sleep(time.Millisecond)
}
