package sip_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

// established plays an incoming call up to the ACK.
func established(t testing.TB, ev sip.Events, change func(*sip.Config), extra ...string) (*siptest.Peer, *siptest.Call, *sip.Dialog) {
	t.Helper()
	s, p, ch := incomings(t, change)
	c := p.NewCall(uri(s))
	c.SendInvite(siptest.SDP, extra...)
	in := recv(t, ch)
	in.Handle(ev)
	d, err := in.Answer(context.Background(), []byte(siptest.SDP))
	if err != nil {
		t.Fatal(err)
	}
	c.Answered(p.Expect("SIP/2.0 200"))
	c.Ack("")
	if _, err := d.WaitACK(context.Background()); err != nil {
		t.Fatal(err)
	}
	return p, c, d
}

// placed plays an outgoing call up to the ACK and gives the INVITE.
func placed(t testing.TB, change func(*sip.CallOptions), extra ...string) (*siptest.Peer, *sip.Dialog, siptest.Msg) {
	t.Helper()
	s := start(t, func(c *sip.Config) { c.MinSE = time.Second; c.SessionExpires = 2 * time.Second })
	p := siptest.New(t, s.Addr("udp"))
	o := call(t, s, p, change)
	inv := p.Expect("INVITE")
	p.Respond(inv, 200, "OK", "t1", siptest.SDP, extra...)
	p.Expect("ACK")
	return p, final(t, o).Dialog, inv
}

// inDialog writes a request of the callee in the dialog of an INVITE of ours.
func inDialog(p *siptest.Peer, inv siptest.Msg, method string, seq int, body string, extra ...string) {
	s := fmt.Sprintf("%s %s SIP/2.0\nVia: SIP/2.0/UDP {addr};branch={branch}\nMax-Forwards: 70\nFrom: %s;tag=t1\nTo: %s\nCall-ID: %s\nCSeq: %d %s\nContact: <sip:peer@{addr}>\n",
		method, inv.ContactURI(), inv.Get("To"), inv.Get("From"), inv.Get("Call-ID"), seq, method)
	for _, x := range extra {
		s += x + "\n"
	}
	if body != "" && !strings.Contains(s, "Content-Type") {
		s += "Content-Type: application/sdp\n"
	}
	p.Send(s + "\n" + body)
}

func TestPeerReinvites(t *testing.T) {
	t.Parallel()
	offers := make(chan string, 4)
	var refuse atomic.Bool
	p, c, d := established(t, sip.Events{Offer: func(_ *sip.Dialog, o []byte) ([]byte, error) {
		offers <- string(o)
		if refuse.Load() {
			return nil, errors.New("no codec")
		}
		return []byte("answer to " + string(o)), nil
	}}, nil)
	c.Request("INVITE", "hold", "Contact: <sip:moved@"+p.Addr.String()+">")
	m := p.Expect("SIP/2.0 200")
	if m.Body != "answer to hold" || recv(t, offers) != "hold" {
		t.Fatalf("answer %q", m.Body)
	}
	p.Again(m) // repeated until the ACK
	c.Ack("")
	c.Request("INVITE", "") // late offer
	if m := p.Expect("SIP/2.0 200"); m.Body != "answer to " {
		t.Fatalf("late offer answered %q", m.Body)
	}
	c.Ack("ours")
	recv(t, offers)
	time.Sleep(2 * quick)
	refuse.Store(true)
	c.Request("INVITE", "bad")
	p.Expect("SIP/2.0 488")
	p.Raw([]byte(c.Text("ACK", "z9hG4bKx", "")))
	go d.Bye(context.Background())
	p.Expect("BYE")
}

func TestPeerUpdates(t *testing.T) {
	t.Parallel()
	p, c, _ := established(t, sip.Events{Offer: func(_ *sip.Dialog, o []byte) ([]byte, error) { return []byte("re:" + string(o)), nil }}, nil)
	c.Request("UPDATE", "x")
	if m := p.Expect("SIP/2.0 200"); m.Body != "re:x" {
		t.Fatalf("answer %q", m.Body)
	}
	c.Request("UPDATE", "")
	if m := p.Expect("SIP/2.0 200"); m.Body != "" {
		t.Fatalf("a refresh without offer got %q", m.Body)
	}
}

func TestSlowOfferHandlerIsCut(t *testing.T) {
	t.Parallel()
	p, c, d := established(t, sip.Events{Offer: func(d *sip.Dialog, _ []byte) ([]byte, error) {
		<-d.Done()
		return nil, nil
	}}, func(c *sip.Config) { c.OfferTimeout = 12 * quick })
	c.Request("INVITE", "x")
	c.Request("INVITE", "y") // a second while the first is open (RFC 3261 §14.2)
	if m := p.Expect("SIP/2.0 500"); m.Get("Retry-After") == "" {
		t.Fatal("no Retry-After")
	}
	p.Expect("SIP/2.0 500")
	c.Request("BYE", "")
	recv(t, d.Done())
}

func TestRequestsOutOfOrder(t *testing.T) {
	t.Parallel()
	p, c, d := established(t, sip.Events{}, nil)
	c.Seq = 10
	c.Request("OPTIONS", "")
	p.Expect("SIP/2.0 200")
	c.Seq = 4
	c.Request("INFO", "")
	p.Expect("SIP/2.0 500")
	c.Seq = 20
	c.Request("FANCY", "")
	p.Expect("SIP/2.0 501")
	c.Request("BYE", "")
	p.Expect("SIP/2.0 200")
	recv(t, d.Done())
	c.Ack("") // a late ACK changes nothing
	c.Request("INFO", "")
	p.Expect("SIP/2.0 481")
	if d.End().Cause != sip.CauseRemote {
		t.Fatalf("the state went back: %+v", d.End())
	}
}

func TestInfoCarriesKeys(t *testing.T) {
	t.Parallel()
	keys := make(chan byte, 8)
	p, c, d := established(t, sip.Events{Info: func(_ *sip.Dialog, ct string, b []byte) {
		if k, _, ok := sip.ParseDTMF(ct, b); ok {
			keys <- k
		}
	}}, nil)
	for _, k := range "5#9" {
		c.Request("INFO", "Signal="+string(k)+"\nDuration=200\n", "Content-Type: application/dtmf-relay")
		p.Expect("SIP/2.0 200")
	}
	c.Request("INFO", "*", "Content-Type: application/dtmf")
	p.Expect("SIP/2.0 200")
	for _, want := range "5#9*" {
		if k := recv(t, keys); k != byte(want) {
			t.Fatalf("key %c, expected %c: order is lost", k, want)
		}
	}
	done := make(chan error, 1)
	go func() { done <- d.SendDTMF(context.Background(), '7', 100*time.Millisecond) }()
	m := p.Expect("INFO")
	if !strings.Contains(m.Body, "Signal=7") {
		t.Fatalf("INFO carries %q", m.Body)
	}
	p.Respond(m, 200, "OK", "", "")
	if err := recv(t, done); err != nil {
		t.Fatal(err)
	}
}

func TestReferAndNotify(t *testing.T) {
	t.Parallel()
	refers := make(chan *sip.Refer, 1)
	p, c, _ := established(t, sip.Events{Refer: func(_ *sip.Dialog, r *sip.Refer) int { refers <- r; return 202 }}, nil)
	c.Request("REFER", "", "Refer-To: <sip:102@kapok?Replaces=abc%40h%3Bto-tag%3Dx%3Bfrom-tag%3Dy>", "Referred-By: <sip:101@kapok>")
	p.Expect("SIP/2.0 202")
	n := p.Expect("NOTIFY")
	p.Respond(n, 200, "OK", "", "")
	if !strings.HasPrefix(n.Body, "SIP/2.0 100") || n.Get("Event") != "refer;id=2" {
		t.Fatalf("first NOTIFY:\n%s", n.Raw)
	}
	r := recv(t, refers)
	if r.To.URI.User != "102" || r.Replaces == nil || *r.Replaces != (sip.Replaces{CallID: "abc@h", ToTag: "x", FromTag: "y"}) {
		t.Fatalf("refer %+v %+v", r.To, r.Replaces)
	}
	r.Notify(200, "")
	n = p.Expect("NOTIFY")
	p.Respond(n, 200, "OK", "", "")
	if !strings.HasPrefix(n.Body, "SIP/2.0 200 OK") || !strings.HasPrefix(n.Get("Subscription-State"), "terminated") {
		t.Fatalf("last NOTIFY:\n%s", n.Raw)
	}
	c.Request("REFER", "")
	p.Expect("SIP/2.0 400")
}

func TestReinviteGlareAndChallenge(t *testing.T) {
	t.Parallel()
	p, d, inv := placed(t, func(c *sip.CallOptions) { c.Auth = &sip.Credentials{User: "u", Password: "p"} })
	type result struct {
		body []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		b, err := d.Reinvite(context.Background(), []byte("hold"))
		done <- result{b, err}
	}()
	m := p.Expect("INVITE")
	inDialog(p, inv, "INVITE", 1, "their hold") // glare
	p.Expect("SIP/2.0 491")
	p.Respond(m, 491, "Request Pending", "", "")
	p.Expect("ACK")
	m = p.Expect("INVITE") // after the back-off
	p.Respond(m, 401, "Unauthorized", "", "", `WWW-Authenticate: Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"`)
	p.Expect("ACK")
	m = p.Expect("INVITE")
	if !strings.Contains(m.Get("Authorization"), "SHA-256") {
		t.Fatalf("no credentials:\n%s", m.Raw)
	}
	p.Respond(m, 100, "Trying", "", "")
	p.Respond(m, 200, "OK", "", "held")
	ack := p.Expect("ACK")
	p.Respond(m, 200, "OK", "", "held") // our ACK was lost
	p.Again(ack)
	r := recv(t, done)
	if r.err != nil || string(r.body) != "held" {
		t.Fatalf("%q %v", r.body, r.err)
	}
	go func() {
		b, err := d.Reinvite(context.Background(), []byte("x"))
		done <- result{b, err}
	}()
	p.Respond(p.Expect("INVITE"), 488, "Not Acceptable Here", "", "")
	var refused *sip.StatusError
	if r := recv(t, done); !errors.As(r.err, &refused) || refused.Code != 488 || d.End().Cause != "" {
		t.Fatalf("%v, dialog %+v", r.err, d.End())
	}
	go func() {
		_, err := d.Reinvite(context.Background(), []byte("x"))
		done <- result{nil, err}
	}()
	p.Respond(p.Expect("INVITE"), 481, "Gone", "", "")
	recv(t, done)
	recv(t, d.Done())
	if d.End().Cause != sip.CauseLost {
		t.Fatalf("ended by %+v", d.End())
	}
}

func TestReinvitesQueue(t *testing.T) {
	t.Parallel()
	p, d, _ := placed(t, nil)
	done := make(chan error, 2)
	for _, b := range []string{"a", "b"} {
		go func() {
			_, err := d.Reinvite(context.Background(), []byte(b))
			done <- err
		}()
	}
	for range 2 {
		m := p.Expect("INVITE")
		p.ExpectNone("INVITE", quick/2)
		p.Respond(m, 200, "OK", "", "ok")
		p.Expect("ACK")
		if err := recv(t, done); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSessionTimers(t *testing.T) { // RFC 4028
	t.Parallel()
	short := func(c *sip.Config) { c.MinSE = time.Second; c.SessionExpires = 2 * time.Second }
	t.Run("too small an interval is refused", func(t *testing.T) {
		t.Parallel()
		s, p, _ := incomings(t, nil)
		p.NewCall(uri(s)).SendInvite(siptest.SDP, "Supported: timer", "Session-Expires: 60")
		if m := p.Expect("SIP/2.0 422"); m.Get("Min-SE") != "90" {
			t.Fatalf("Min-SE %q", m.Get("Min-SE"))
		}
	})
	t.Run("the peer refreshes and stays", func(t *testing.T) {
		t.Parallel()
		p, c, d := established(t, sip.Events{}, short, "Supported: timer", "Session-Expires: 2;refresher=uac")
		if se := c.Answer_.Get("Session-Expires"); se != "2;refresher=uac" || !strings.Contains(strings.Join(c.Answer_.All("Require"), ","), "timer") {
			t.Fatalf("200 says %q", se)
		}
		for range 3 {
			time.Sleep(time.Second)
			c.Request("UPDATE", "", "Supported: timer", "Session-Expires: 2;refresher=uac")
			p.Expect("SIP/2.0 200")
		}
		if d.End().Cause != "" {
			t.Fatalf("ended by %+v in spite of refreshes", d.End())
		}
	})
	t.Run("no refresh comes", func(t *testing.T) {
		t.Parallel()
		p, _, d := established(t, sip.Events{}, short, "Supported: timer", "Session-Expires: 2;refresher=uac")
		p.Respond(p.Expect("BYE"), 200, "OK", "", "")
		recv(t, d.Done())
		if d.End().Cause != sip.CauseSession {
			t.Fatalf("ended by %+v", d.End())
		}
	})
	t.Run("a peer without timers gets none", func(t *testing.T) {
		t.Parallel()
		_, c, _ := established(t, sip.Events{}, short)
		if c.Answer_.Get("Session-Expires") != "" {
			t.Fatal("a timer was set for a peer that does not know it")
		}
	})
	t.Run("we refresh by UPDATE", func(t *testing.T) {
		t.Parallel()
		p, d, _ := placed(t, nil, "Session-Expires: 2;refresher=uac", "Allow: INVITE, UPDATE")
		for range 2 {
			m := p.Expect("UPDATE")
			if m.Get("Session-Expires") != "2;refresher=uac" || m.Body != "" {
				t.Fatalf("refresh:\n%s", m.Raw)
			}
			p.Respond(m, 200, "OK", "", "", "Session-Expires: 2;refresher=uac")
		}
		p.Respond(p.Expect("UPDATE"), 481, "Gone", "", "")
		recv(t, d.Done())
	})
	t.Run("we refresh by re-INVITE where UPDATE is not allowed", func(t *testing.T) {
		t.Parallel()
		p, d, _ := placed(t, nil, "Session-Expires: 2;refresher=uac", "Allow: INVITE, BYE")
		m := p.Expect("INVITE")
		if m.Body != siptest.SDP {
			t.Fatalf("the refresh changes the session: %q", m.Body)
		}
		p.Respond(m, 200, "OK", "", siptest.SDP, "Session-Expires: 2;refresher=uac")
		p.Expect("ACK")
		if d.End().Cause != "" {
			t.Fatal("ended")
		}
	})
	t.Run("our interval is raised by 422", func(t *testing.T) {
		t.Parallel()
		s := start(t, nil)
		p := siptest.New(t, s.Addr("udp"))
		o := call(t, s, p, nil)
		p.Respond(p.Expect("INVITE"), 422, "Session Interval Too Small", "t", "", "Min-SE: 3600")
		p.Expect("ACK")
		m := p.Expect("INVITE")
		if m.Get("Session-Expires") != "3600" || m.Get("Min-SE") != "3600" {
			t.Fatalf("second try:\n%s", m.Raw)
		}
		o.Cancel()
	})
}

func TestRouteSetAndTargetRefresh(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	p := siptest.New(t, s.Addr("udp"))
	o := call(t, s, p, nil)
	inv := p.Expect("INVITE")
	hop := "<sip:" + p.Addr.String() + ";lr>"
	p.Respond(inv, 200, "OK", "t1", siptest.SDP, "Record-Route: <sip:far.example;lr>", "Record-Route: "+hop)
	ack := p.Expect("ACK")
	if got := ack.All("Route"); len(got) != 2 || got[0] != hop || got[1] != "<sip:far.example;lr>" {
		t.Fatalf("Route of the ACK: %v", got)
	}
	d := final(t, o).Dialog
	inDialog(p, inv, "UPDATE", 1, "", "Contact: <sip:new@"+p.Addr.String()+">")
	p.Expect("SIP/2.0 200")
	go d.Bye(context.Background())
	if m := p.Expect("BYE"); m.URI() != "sip:peer@"+p.Addr.String() && m.URI() != "sip:new@"+p.Addr.String() || len(m.All("Route")) != 2 {
		t.Fatalf("BYE:\n%s", m.Raw)
	}
}

func TestReplacesFindsTheDialog(t *testing.T) {
	t.Parallel()
	s, p, ch := incomings(t, nil)
	c := p.NewCall(uri(s))
	c.SendInvite(siptest.SDP)
	d, err := recv(t, ch).Answer(context.Background(), []byte(siptest.SDP))
	if err != nil {
		t.Fatal(err)
	}
	local, remote := d.Tags()
	if got, ok := s.Dialog(c.ID, local, remote); !ok || got != d {
		t.Fatal("the dialog is not found by its tags")
	}
	if _, ok := s.Dialog(c.ID, local, "wrong"); ok {
		t.Fatal("a wrong tag finds a dialog")
	}
}

func TestTraceHoldsTheCall(t *testing.T) {
	t.Parallel()
	handed := make(chan []sip.Entry, 1)
	srv, p, ch := incomings(t, func(c *sip.Config) { c.Traced = func(_ string, e []sip.Entry) { handed <- e } })
	c := p.NewCall(uri(srv))
	c.SendInvite(siptest.SDP)
	d, err := recv(t, ch).Answer(context.Background(), []byte(siptest.SDP))
	if err != nil {
		t.Fatal(err)
	}
	c.Answered(p.Expect("SIP/2.0 200"))
	c.Ack("")
	c.Request("BYE", "")
	p.Expect("SIP/2.0 200")
	recv(t, d.Done())
	if n := len(srv.Trace(c.ID)); n < 4 {
		t.Errorf("the live trace has %d messages", n)
	}
	var got []string
	for _, e := range recv(t, handed) { // when repeats can no longer come: 64*T1
		dir := "<"
		if e.Out {
			dir = ">"
		}
		got = append(got, dir+strings.Join(strings.Fields(e.StartLine())[:2], " "))
	}
	story := strings.Join(got, "\n")
	for _, want := range []string{"<INVITE", ">SIP/2.0 200", "<ACK", "<BYE"} {
		if !strings.Contains(story, want) {
			t.Errorf("trace lacks %s:\n%s", want, story)
		}
	}
}

// The transactions of a call that is over wait half a minute for repeats: they keep nothing of its owner's alive.
func TestAnEndedCallIsForgotten(t *testing.T) {
	gone := make(chan struct{}, 2)
	owned := func() sip.Events {
		media := new([4096]byte)
		runtime.AddCleanup(media, func(struct{}) { gone <- struct{}{} }, struct{}{})
		return sip.Events{Info: func(*sip.Dialog, string, []byte) { media[0]++ }}
	}
	p, c, d := established(t, owned(), nil)
	c.Request("BYE", "")
	p.Expect("SIP/2.0 200")
	<-d.Done()
	q, out, inv := placed(t, func(o *sip.CallOptions) { o.Events = owned() })
	inDialog(q, inv, "BYE", 7, "")
	q.Expect("SIP/2.0 200")
	<-out.Done()
	for end, left := time.Now().Add(10*time.Second), 2; left > 0; {
		runtime.GC()
		select {
		case <-gone:
			left--
		case <-time.After(20 * time.Millisecond):
			if time.Now().After(end) {
				t.Fatalf("%d of 2 calls are kept", left)
			}
		}
	}
}
