package sip_test

import (
	"context"
	"flag"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "16") // the tests wait for timers, they do not compute
	goleak.VerifyTestMain(m)
}

// quick are the timers of the tests: T1 of 40 ms makes 64*T1 2.5 s.
const quick = 40 * time.Millisecond

// start runs a server with short timers that ends with the test.
func start(t testing.TB, change func(*sip.Config)) *sip.Server {
	t.Helper()
	cfg := sip.Config{
		Listen: []string{"127.0.0.1:0"}, Now: time.Now, T1: quick, T2: 8 * quick, T4: 10 * quick,
		Flood: sip.FloodConfig{Rate: -1}, Ping: 5 * time.Second,
		Overload: sip.OverloadConfig{Delay: time.Minute, Pending: 1 << 20}, // the machine may be busy
		Registrar: sip.RegistrarConfig{
			Credentials: func(_ context.Context, user, realm string) (map[sip.Algorithm]string, bool) {
				if user != "101" && user != "102" {
					return nil, false
				}
				return map[sip.Algorithm]string{
					sip.MD5: sip.HA1(sip.MD5, user, realm, "secret"), sip.SHA256: sip.HA1(sip.SHA256, user, realm, "secret"),
				}, true
			},
		},
	}
	if change != nil {
		change(&cfg)
	}
	s, err := sip.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// answering accepts every call with the SDP and gives the dialogs on a channel.
func answering(dialogs chan *sip.Dialog) func(*sip.Incoming) {
	return func(in *sip.Incoming) {
		d, err := in.Answer(context.Background(), []byte(siptest.SDP))
		if err == nil && dialogs != nil {
			dialogs <- d
		}
	}
}

func recv[T any](t testing.TB, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(5 * time.Second):
		t.Fatal("nothing came within 5 s")
		panic("unreachable")
	}
}

func TestCallIsAnsweredAndEnds(t *testing.T) {
	dialogs := make(chan *sip.Dialog, 1)
	s := start(t, func(c *sip.Config) { c.Invite = answering(dialogs) })
	p := siptest.New(t, s.Addr("udp"))
	c := p.NewCall("sip:12366@" + s.Addr("udp").String())
	c.Establish(siptest.SDP)
	d := recv(t, dialogs)
	c.Request("BYE", "")
	p.Expect("SIP/2.0 200")
	recv(t, d.Done())
	if d.End().Cause != sip.CauseRemote {
		t.Fatalf("ended by %q", d.End().Cause)
	}
}

func TestOccupiedPortIsNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := sip.New(sip.Config{Listen: []string{l.Addr().String()}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Start()
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) || !strings.Contains(err.Error(), "in use") {
		t.Fatalf("error %v does not say which address is in use", err)
	}
}

// register plays REGISTER with digest for a scripted phone and gives its contact.
func register(t testing.TB, p *siptest.Peer, user, password string, expires int, extra ...string) siptest.Msg {
	t.Helper()
	id, from := siptest.Token(), siptest.Token()
	send := func(seq int, auth string) {
		p.Send(fmt.Sprintf(`REGISTER sip:kapok SIP/2.0
Via: SIP/2.0/UDP {addr};branch={branch};rport
Max-Forwards: 70
From: <sip:%[1]s@kapok>;tag=%[2]s
To: <sip:%[1]s@kapok>
Call-ID: %[3]s
CSeq: %[4]d REGISTER
Contact: <sip:%[1]s@{addr}>
Expires: %[5]d
%[6]s%[7]s`, user, from, id, seq, expires, strings.Join(append(extra, ""), "\n"), auth))
	}
	send(1, "")
	m := p.Expect("SIP/2.0")
	if !strings.HasPrefix(m.Start, "SIP/2.0 401") {
		return m
	}
	send(2, "Authorization: "+digestAnswer(m, "REGISTER", "sip:kapok", user, password))
	return p.Expect("SIP/2.0")
}

// digestAnswer answers the first challenge of a message with its algorithm.
func digestAnswer(m siptest.Msg, method, uri, user, password string) string {
	ch := m.Get("WWW-Authenticate")
	get := func(k string) string {
		_, v, _ := strings.Cut(ch, k+"=")
		v = strings.TrimPrefix(v, `"`)
		return v[:strings.IndexAny(v+`"`, `",`)]
	}
	a := sip.Algorithm(get("algorithm"))
	ha1 := sip.HA1(a, user, get("realm"), password)
	ha2 := sip.HashOf(a, method+":"+uri)
	r := sip.HashOf(a, ha1+":"+get("nonce")+":00000001:cc:auth:"+ha2)
	return fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s", algorithm=%s, qop=auth, nc=00000001, cnonce="cc"`,
		user, get("realm"), get("nonce"), uri, r, a)
}

func TestPhoneRegistersAndIsCalled(t *testing.T) {
	came := make(chan sip.Binding, 1)
	s := start(t, func(c *sip.Config) { c.Registrar.Registered = func(b sip.Binding) { came <- b } })
	p := siptest.New(t, s.Addr("udp"))
	if m := register(t, p, "101", "secret", 300); !strings.HasPrefix(m.Start, "SIP/2.0 200") {
		t.Fatalf("REGISTER: %s", m.Start)
	}
	b := recv(t, came)
	if b.User != "101" || len(s.Registrar().Lookup("101")) != 1 {
		t.Fatalf("binding %+v", b)
	}
	o, err := s.Call(context.Background(), sip.CallOptions{
		Binding: &b, From: sip.Address{Display: "13800138000", URI: sip.URI{User: "13800138000", Host: "kapok"}}, Body: []byte(siptest.SDP),
	})
	if err != nil {
		t.Fatal(err)
	}
	inv := p.Expect("INVITE sip:101@" + p.Addr.String())
	p.Respond(inv, 180, "Ringing", "t1", "")
	if e := recv(t, o.Events()); e.Kind != sip.Progressed || e.Code != 180 {
		t.Fatalf("event %+v", e)
	}
	p.Respond(inv, 200, "OK", "t1", siptest.SDP)
	p.Expect("ACK")
	e := recv(t, o.Events())
	if e.Kind != sip.Answered || string(e.Body) != siptest.SDP {
		t.Fatalf("event %+v", e)
	}
	go func() {
		m := p.Expect("BYE")
		p.Respond(m, 200, "OK", "", "")
	}()
	if err := e.Dialog.Bye(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestHandlerPanicIsOneCallOnly(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *sip.Config) {
		c.Invite = func(in *sip.Incoming) {
			if in.URI.User == "bad" {
				panic("a mistake")
			}
			_ = in.Reject(486, "")
		}
	})
	p := siptest.New(t, s.Addr("udp"))
	p.NewCall("sip:bad@kapok").SendInvite(siptest.SDP)
	p.Expect("SIP/2.0 500")
	p.NewCall("sip:good@kapok").SendInvite(siptest.SDP)
	p.Expect("SIP/2.0 486")
}

// A socket on all addresses of both families serves IPv4 and IPv6 peers.
func TestBothFamilies(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *sip.Config) { c.Listen = []string{":0"}; c.Invite = answering(nil) })
	p := siptest.New(t, s.Addr("udp"))
	p.To = netAddr("127.0.0.1", s.Addr("udp").Port())
	p.NewCall("sip:x@kapok").Establish(siptest.SDP)
	other := start(t, func(c *sip.Config) { c.Listen = []string{"[::1]:0"} })
	for _, o := range []*sip.Server{other, s} { // the second calls itself: both dialogs live in one lane
		out, err := o.Call(context.Background(), sip.CallOptions{
			URI: sip.URI{User: "x", Host: "::1", Port: int(s.Addr("udp").Port())}, Body: []byte(siptest.SDP),
		})
		if err != nil {
			t.Fatal(err)
		}
		d, err := out.Wait(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Bye(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}
