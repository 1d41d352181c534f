package sip_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

func netAddr(ip string, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(ip), port)
}

// names is a resolver of the test.
type names struct {
	srv map[string][]*sip.SRV
	ips map[string]string
}

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if ip, ok := n.ips[host]; ok {
		return []netip.Addr{netip.MustParseAddr(ip)}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func (n names) LookupSRV(_ context.Context, service, proto, name string) (string, []*sip.SRV, error) {
	if r, ok := n.srv["_"+service+"._"+proto+"."+name]; ok {
		return name, r, nil
	}
	return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// pong answers OPTIONS with the code.
func pong(p *siptest.Peer, code int) {
	p.SetAuto(func(m siptest.Msg) string {
		if m.Method() == "OPTIONS" {
			return p.Reply(m, code, "x", "o", "")
		}
		return ""
	})
}

func TestTrunkFailover(t *testing.T) {
	t.Parallel()
	var s *sip.Server
	resolver := names{ips: map[string]string{"a.carrier": "127.0.0.1", "b.carrier": "127.0.0.1"}}
	peers := []*siptest.Peer{}
	s = start(t, func(c *sip.Config) { c.Resolve = &resolver })
	for range 3 {
		peers = append(peers, siptest.New(t, s.Addr("udp")))
	}
	resolver.srv = map[string][]*sip.SRV{"_sip._udp.carrier.example": {
		{Target: "a.carrier.", Port: peers[0].Addr.Port(), Priority: 1}, {Target: "b.carrier.", Port: peers[1].Addr.Port(), Priority: 2},
	}}
	if err := s.SetTrunks([]sip.TrunkConfig{{
		ID: "t", Targets: []string{"carrier.example", peers[2].Addr.String()}, Options: -1, Auth: &sip.Credentials{User: "u", Password: "p"},
	}}); err != nil {
		t.Fatal(err)
	}
	o, err := s.Call(context.Background(), sip.CallOptions{Trunk: "t", URI: sip.URI{User: "13800138000"}, Body: []byte(siptest.SDP)})
	if err != nil {
		t.Fatal(err)
	}
	peers[0].Expect("INVITE sip:13800138000@carrier.example SIP/2.0") // the first stays silent
	inv := peers[1].Expect("INVITE")                                  // the second has no room
	peers[1].Respond(inv, 503, "Service Unavailable", "x", "")
	peers[1].Expect("ACK")
	inv = peers[2].Expect("INVITE") // the third challenges, and answers
	peers[2].Respond(inv, 407, "Auth", "x", "", `Proxy-Authenticate: Digest realm="r", nonce="n"`)
	inv = peers[2].Expect("INVITE")
	if inv.Get("Proxy-Authorization") == "" {
		t.Fatal("the trunk's account was not shown")
	}
	peers[2].Respond(inv, 200, "OK", "t1", siptest.SDP)
	peers[2].Expect("ACK")
	if e := final(t, o); e.Kind != sip.Answered || e.Dialog.Trunk() != "t" {
		t.Fatalf("%+v", e)
	}
}

func TestRingingTargetIsNotLeft(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	a, b := siptest.New(t, s.Addr("udp")), siptest.New(t, s.Addr("udp"))
	if err := s.SetTrunks([]sip.TrunkConfig{{ID: "t", Targets: []string{a.Addr.String(), b.Addr.String()}, Options: -1}}); err != nil {
		t.Fatal(err)
	}
	o, err := s.Call(context.Background(), sip.CallOptions{Trunk: "t", URI: sip.URI{User: "1"}, Body: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	inv := a.Expect("INVITE")
	a.Respond(inv, 180, "Ringing", "t1", "")
	a.Respond(inv, 503, "Service Unavailable", "t1", "")
	if e := final(t, o); e.Code != 503 {
		t.Fatalf("%+v", e)
	}
	b.ExpectNone("INVITE", 2*quick)
}

func TestTrunkHealth(t *testing.T) {
	t.Parallel()
	health := make(chan sip.TrunkHealth, 8)
	s := start(t, func(c *sip.Config) { c.TrunkHealth = func(h sip.TrunkHealth) { health <- h } })
	p := siptest.New(t, s.Addr("udp"))
	pong(p, 404) // any answer means that somebody is there
	tr := sip.TrunkConfig{ID: "t", Targets: []string{p.Addr.String()}, Options: 100 * time.Millisecond}
	if err := s.SetTrunks([]sip.TrunkConfig{tr}); err != nil {
		t.Fatal(err)
	}
	if h := recv(t, health); !h.Up || h.Trunk != "t" {
		t.Fatalf("%+v", h)
	}
	if err := s.SetTrunks([]sip.TrunkConfig{tr}); err != nil { // unchanged: nothing happens
		t.Fatal(err)
	}
	pong(p, 503)
	if h := recv(t, health); h.Up || !strings.Contains(h.Detail, "503") {
		t.Fatalf("%+v", h)
	}
	pong(p, 200)
	if h := recv(t, health); !h.Up {
		t.Fatalf("%+v", h)
	}
}

func TestTrunkOfACall(t *testing.T) {
	t.Parallel()
	s, p, ch := incomings(t, nil)
	q := siptest.New(t, s.Addr("udp"))
	set := func(list ...sip.TrunkConfig) {
		t.Helper()
		if err := s.SetTrunks(list); err != nil {
			t.Fatal(err)
		}
	}
	trunkOf := func(user string) string {
		t.Helper()
		p.NewCall("sip:" + user + "@kapok").SendInvite(siptest.SDP)
		in := recv(t, ch)
		defer in.Reject(480, "")
		return in.Trunk
	}
	wide := sip.TrunkConfig{ID: "wide", Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	narrow := sip.TrunkConfig{ID: "narrow", Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	reg := sip.TrunkConfig{
		ID: "reg", Targets: []string{q.Addr.String()}, Options: -1,
		Register: &sip.TrunkRegister{AOR: sip.URI{User: "075512366", Host: "carrier"}},
	}
	if got := trunkOf("1"); got != "" {
		t.Errorf("no trunk: %q", got)
	}
	set(wide)
	if got := trunkOf("1"); got != "wide" {
		t.Errorf("by network: %q", got)
	}
	set(wide, narrow)
	if got := trunkOf("1"); got != "narrow" {
		t.Errorf("by the narrower network: %q", got)
	}
	set(wide, narrow, reg)
	q.Expect("REGISTER")
	if got := trunkOf("075512366"); got != "reg" {
		t.Errorf("by the account that is called: %q", got)
	}
	set()
}

func TestTrunkRegisters(t *testing.T) {
	t.Parallel()
	health := make(chan sip.TrunkHealth, 8)
	s := start(t, func(c *sip.Config) { c.TrunkHealth = func(h sip.TrunkHealth) { health <- h } })
	p := siptest.New(t, s.Addr("udp"))
	tr := sip.TrunkConfig{
		ID: "t", Targets: []string{p.Addr.String()}, Options: -1, Auth: &sip.Credentials{User: "u", Password: "p"},
		Register: &sip.TrunkRegister{AOR: sip.URI{User: "u", Host: "carrier.example"}, Expires: time.Hour},
	}
	if err := s.SetTrunks([]sip.TrunkConfig{tr}); err != nil {
		t.Fatal(err)
	}
	m := p.Expect("REGISTER sip:carrier.example SIP/2.0")
	if m.Get("To") != "<sip:u@carrier.example>" || m.Get("Expires") != "3600" {
		t.Fatalf("REGISTER:\n%s", m.Raw)
	}
	p.Respond(m, 401, "Unauthorized", "x", "", `WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"`)
	m = p.Expect("REGISTER")
	if m.Get("Authorization") == "" {
		t.Fatal("no credentials")
	}
	p.Respond(m, 423, "Interval Too Brief", "x", "", "Min-Expires: 7200")
	m = p.Expect("REGISTER")
	if m.Get("Expires") != "7200" {
		t.Fatalf("Expires %s", m.Get("Expires"))
	}
	p.Respond(m, 200, "OK", "x", "", "Contact: "+m.Get("Contact")+";expires=7200")
	if h := recv(t, health); !h.Up || h.Target != "register" {
		t.Fatalf("%+v", h)
	}
	tr.Register = nil // the account is taken away: we say good-bye
	if err := s.SetTrunks([]sip.TrunkConfig{tr}); err != nil {
		t.Fatal(err)
	}
	m = p.Expect("REGISTER")
	if m.Get("Expires") != "0" {
		t.Fatalf("good-bye:\n%s", m.Raw)
	}
	p.Respond(m, 200, "OK", "x", "")
}

func TestTrunkTestSaysWhatWorked(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *sip.Config) { c.Resolve = names{} })
	p := siptest.New(t, s.Addr("udp"))
	p.SetAuto(func(m siptest.Msg) string {
		if m.Method() == "REGISTER" {
			return p.Reply(m, 403, "Forbidden", "x", "")
		}
		return p.Reply(m, 200, "OK", "x", "")
	})
	if err := s.SetTrunks([]sip.TrunkConfig{{
		ID: "t", Targets: []string{p.Addr.String(), "nowhere.example", "127.0.0.1:1;transport=tcp"}, Options: -1,
		Register: &sip.TrunkRegister{AOR: sip.URI{User: "u", Host: "c"}},
	}}); err != nil {
		t.Fatal(err)
	}
	steps, err := s.TestTrunk(context.Background(), "t")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, st := range steps {
		got = append(got, fmt.Sprintf("%s %v", st.Name, st.OK))
	}
	want := "resolve true,connect true,options true,resolve false,resolve true,connect false,register false"
	if strings.Join(got, ",") != want {
		t.Fatalf("%v\n%+v", got, steps)
	}
	if last := steps[len(steps)-1]; !strings.Contains(last.Detail, "check user and password") {
		t.Errorf("the last step does not say what to do: %s", last.Detail)
	}
	if _, err := s.TestTrunk(context.Background(), "none"); err == nil {
		t.Error("an unknown trunk was tested")
	}
}

func TestTrunkMistakes(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	for name, list := range map[string][]sip.TrunkConfig{
		"no id":      {{Targets: []string{"x"}}},
		"nothing":    {{ID: "a"}},
		"bad target": {{ID: "a", Targets: []string{"a b"}}},
		"twice":      {{ID: "a", Targets: []string{"x"}}, {ID: "a", Targets: []string{"y"}}},
		"no account": {{ID: "a", Targets: []string{"x"}, Register: &sip.TrunkRegister{}}},
	} {
		if s.SetTrunks(list) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
