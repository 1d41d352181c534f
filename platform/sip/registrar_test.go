package sip_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

// phone plays REGISTERs one by one.
type phone struct {
	*siptest.Peer
	user, id, tag string
	seq           int
	last          siptest.Msg // the newest challenge
}

func newPhone(t testing.TB, s *sip.Server, user string) *phone {
	return &phone{Peer: siptest.New(t, s.Addr("udp")), user: user, id: siptest.Token(), tag: siptest.Token()}
}

func (p *phone) send(auth string, lines ...string) siptest.Msg {
	p.seq++
	if auth != "" {
		lines = append(lines, "Authorization: "+auth)
	}
	p.Send(fmt.Sprintf("REGISTER sip:kapok SIP/2.0\nVia: SIP/2.0/UDP {addr};branch={branch};rport\nMax-Forwards: 70\nFrom: <sip:%s@kapok>;tag=%s\nTo: <sip:%s@kapok>\nCall-ID: %s\nCSeq: %d REGISTER\n%s\n",
		p.user, p.tag, p.user, p.id, p.seq, strings.Join(lines, "\n")))
	m := p.Expect("SIP/2.0")
	if strings.Contains(m.Start, " 401 ") {
		p.last = m
	}
	return m
}

// register challenges itself first.
func (p *phone) register(lines ...string) siptest.Msg {
	p.send("", lines...)
	return p.send(digestAnswer(p.last, "REGISTER", "sip:kapok", p.user, "secret"), lines...)
}

func code(t testing.TB, m siptest.Msg, want string) {
	t.Helper()
	if !strings.HasPrefix(m.Start, "SIP/2.0 "+want) {
		t.Fatalf("%s, expected %s\n%s", m.Start, want, m.Raw)
	}
}

func TestRegisterTable(t *testing.T) {
	t.Parallel()
	contact := func(extra string) string { return "Contact: <sip:101@192.168.1.7:5062>" + extra }
	for name, c := range map[string]struct {
		lines []string
		want  string
		bound int
		check func(siptest.Msg) string
	}{
		"plain":                 {[]string{contact(""), "Expires: 120"}, "200", 1, func(m siptest.Msg) string { return has(m, "expires=120") }},
		"param beats header":    {[]string{contact(";expires=60"), "Expires: 120"}, "200", 1, func(m siptest.Msg) string { return has(m, "expires=60") }},
		"default":               {[]string{contact("")}, "200", 1, func(m siptest.Msg) string { return has(m, "expires=300") }},
		"too long is cut":       {[]string{contact(";expires=999999")}, "200", 1, func(m siptest.Msg) string { return has(m, "expires=3600") }},
		"too short":             {[]string{contact(";expires=5")}, "423", 0, func(m siptest.Msg) string { return eq(m.Get("Min-Expires"), "30") }},
		"query":                 {nil, "200", 0, func(m siptest.Msg) string { return eq(m.Get("Contact"), "") }},
		"two contacts":          {[]string{contact("") + ", <sip:101@192.168.1.8>"}, "200", 1, nil}, // one flow, one Contact user: one device
		"two devices":           {[]string{contact(";+sip.instance=\"<urn:a>\""), "Contact: <sip:101@192.168.1.8>;+sip.instance=\"<urn:b>\""}, "200", 2, nil},
		"star without expires":  {[]string{"Contact: *"}, "400", 0, nil},
		"star with expires 0":   {[]string{"Contact: *", "Expires: 0"}, "200", 0, nil},
		"unregister what isn't": {[]string{contact(";expires=0")}, "200", 0, nil},
		"broken contact":        {[]string{"Contact: <sip:101@x"}, "400", 0, nil},
		"too many contacts":     {[]string{"Contact: <sip:a@x>,<sip:b@x>,<sip:c@x>,<sip:d@x>,<sip:e@x>"}, "400", 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, nil)
			p := newPhone(t, s, "101")
			m := p.register(c.lines...)
			code(t, m, c.want)
			if n := len(s.Registrar().Lookup("101")); n != c.bound {
				t.Errorf("%d bindings, expected %d", n, c.bound)
			}
			if c.check != nil {
				if why := c.check(m); why != "" {
					t.Error(why)
				}
			}
		})
	}
}

func has(m siptest.Msg, s string) string {
	if strings.Contains(strings.Join(m.All("Contact"), ","), s) {
		return ""
	}
	return "Contact " + m.Get("Contact") + " lacks " + s
}

func eq(got, want string) string {
	if got == want {
		return ""
	}
	return "got " + got + ", expected " + want
}

func TestRegisterLife(t *testing.T) {
	t.Parallel()
	type told struct {
		user string
		why  sip.Gone
	}
	came, gone := make(chan sip.Binding, 8), make(chan told, 8)
	s := start(t, func(c *sip.Config) {
		c.Registrar.MinExpires = time.Second
		c.Registrar.Registered = func(b sip.Binding) { came <- b }
		c.Registrar.Unregistered = func(b sip.Binding, g sip.Gone) { gone <- told{b.User, g} }
	})
	p := newPhone(t, s, "101")
	line := "Contact: <sip:101@{addr}>;+sip.instance=\"<urn:uuid:1>\""
	code(t, p.register(line), "200")
	recv(t, came)
	code(t, p.register(line), "200") // a refresh is not told
	p2 := newPhone(t, s, "101")      // the same device from another port: it moved
	code(t, p2.register(line), "200")
	if g := recv(t, gone); g.why != sip.GoneMoved {
		t.Fatalf("gone by %q", g.why)
	}
	recv(t, came)
	code(t, p2.register(line), "200")
	old := p2.seq // 4
	p2.seq = 1
	p2.send("")
	m := p2.send(digestAnswer(p2.last, "REGISTER", "sip:kapok", "101", "secret"), line) // CSeq 3: older than what we have
	code(t, m, "500")
	p2.seq = old
	code(t, p2.register(line+";expires=1"), "200")
	if g := recv(t, gone); g.why != sip.GoneExpired {
		t.Fatalf("gone by %q", g.why)
	}
	code(t, p2.register(line), "200")
	recv(t, came)
	code(t, p2.register(line+";expires=0"), "200")
	if g := recv(t, gone); g.why != sip.GoneLeft {
		t.Fatalf("gone by %q", g.why)
	}
	if n := s.Registrar().Users(); n != 0 {
		t.Fatalf("%d users are left", n)
	}
}

func TestBindingsAreBounded(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *sip.Config) { c.Registrar.MaxBindings = 3 })
	for i := range 5 {
		code(t, newPhone(t, s, "101").register(fmt.Sprintf("Contact: <sip:101@{addr}>;+sip.instance=\"<urn:%d>\"", i)), "200")
	}
	b := s.Registrar().Lookup("101")
	if len(b) != 3 || b[0].Instance != "<urn:4>" {
		t.Fatalf("%d bindings, newest %q", len(b), b[0].Instance)
	}
}

func TestDigestIsStrict(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *sip.Config) {
		c.Registrar.NonceLife = time.Second
		c.Registrar.Guess = sip.GuessConfig{Slow: 100, Silent: 200}
	})
	line := "Contact: <sip:101@{addr}>"
	t.Run("both algorithms are offered, SHA-256 first", func(t *testing.T) {
		all := newPhone(t, s, "101").send("").All("WWW-Authenticate")
		if len(all) != 2 || !strings.Contains(all[0], "SHA-256") || !strings.Contains(all[1], "MD5") {
			t.Fatal(all)
		}
	})
	t.Run("MD5", func(t *testing.T) {
		p := newPhone(t, s, "101")
		m := p.send("", line)
		m = siptest.Parse(strings.Replace(m.Raw, "WWW-Authenticate: ", "X-First: ", 1))
		code(t, p.send(digestAnswer(m, "REGISTER", "sip:kapok", "101", "secret"), line), "200")
	})
	t.Run("a recorded answer cannot be played again", func(t *testing.T) {
		p := newPhone(t, s, "101")
		p.send("", line)
		a := digestAnswer(p.last, "REGISTER", "sip:kapok", "101", "secret")
		code(t, p.send(a, line), "200")
		m := p.send(a, line)
		code(t, m, "401")
		if !strings.Contains(m.Get("WWW-Authenticate"), "stale=true") {
			t.Error("the phone should be told that only the nonce is old")
		}
	})
	t.Run("an old nonce is stale", func(t *testing.T) {
		p := newPhone(t, s, "101")
		p.send("", line)
		a := digestAnswer(p.last, "REGISTER", "sip:kapok", "101", "secret")
		time.Sleep(1100 * time.Millisecond)
		if m := p.send(a, line); !strings.Contains(m.Get("WWW-Authenticate"), "stale=true") {
			t.Fatal(m.Raw)
		}
	})
	t.Run("an invented nonce is challenged", func(t *testing.T) {
		p := newPhone(t, s, "101")
		m := siptest.Parse("SIP/2.0 401 x\r\nWWW-Authenticate: Digest realm=\"kapok\", nonce=\"AAAA\", algorithm=MD5, qop=\"auth\"\r\n\r\n")
		if m := p.send(digestAnswer(m, "REGISTER", "sip:kapok", "101", "secret"), line); strings.Contains(m.Raw, "stale") {
			t.Fatal("an invented nonce was called stale")
		}
	})
	t.Run("one user may not register another", func(t *testing.T) {
		p := newPhone(t, s, "102")
		p.send("", line)
		code(t, p.send(digestAnswer(p.last, "REGISTER", "sip:kapok", "101", "secret"), line), "403")
	})
	for _, user := range []string{"101", "nobody"} {
		t.Run("wrong password of "+user, func(t *testing.T) {
			p := newPhone(t, s, user)
			p.send("", line)
			code(t, p.send(digestAnswer(p.last, "REGISTER", "sip:kapok", user, "wrong"), line), "401")
		})
	}
}

func TestGuessingIsSlowedThenUnheard(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *sip.Config) {
		c.Registrar.Guess = sip.GuessConfig{Slow: 3, SlowAccount: 100, Silent: 5, Forget: 2 * time.Second, Delay: 400 * time.Millisecond}
	})
	p := newPhone(t, s, "101")
	p.send("")
	for i := 1; i <= 5; i++ {
		from := time.Now()
		m := p.send(digestAnswer(p.last, "REGISTER", "sip:kapok", "101", fmt.Sprint("guess", i)))
		slow := time.Since(from) > 390*time.Millisecond
		if i <= 3 && slow || i > 3 && (!slow || !strings.HasPrefix(m.Start, "SIP/2.0 403")) {
			t.Fatalf("guess %d: %s, slow %v", i, m.Start, slow)
		}
	}
	p.Send("REGISTER sip:kapok SIP/2.0\nVia: SIP/2.0/UDP {addr};branch={branch}\nFrom: <sip:101@kapok>;tag=1\nTo: <sip:101@kapok>\nCall-ID: x\nCSeq: 1 REGISTER\n")
	p.ExpectNone("SIP/2.0", 100*time.Millisecond)
	time.Sleep(2100 * time.Millisecond) // forgotten
	code(t, p.register("Contact: <sip:101@{addr}>"), "200")
}

func TestAccountIsGuardedButItsOwnerIsNot(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *sip.Config) {
		c.Registrar.Guess = sip.GuessConfig{Slow: 100, SlowAccount: 2, Silent: 200, Delay: 300 * time.Millisecond}
	})
	owner := newPhone(t, s, "101")
	code(t, owner.register("Contact: <sip:101@{addr}>"), "200")
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 9)}) // the guesser's own address
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	exchange := func(auth string) siptest.Msg {
		text := siptest.Fill(fmt.Sprintf("REGISTER sip:kapok SIP/2.0\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\nFrom: <sip:101@kapok>;tag=1\nTo: <sip:101@kapok>\nCall-ID: %s\nCSeq: 1 REGISTER\n%s",
			c.LocalAddr(), siptest.Token(), siptest.Token(), auth))
		_, _ = c.WriteToUDPAddrPort([]byte(text), s.Addr("udp"))
		_ = c.SetReadDeadline(time.Now().Add(3 * time.Second))
		b := make([]byte, 4096)
		n, err := c.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return siptest.Parse(string(b[:n]))
	}
	for i := range 3 {
		m := exchange("")
		m = exchange("Authorization: " + digestAnswer(m, "REGISTER", "sip:kapok", "101", "bad") + "\n")
		want := "401"
		if i == 2 {
			want = "403"
		}
		code(t, m, want)
	}
	from := time.Now()
	code(t, owner.register("Contact: <sip:101@{addr}>"), "200")
	if d := time.Since(from); d > 250*time.Millisecond {
		t.Fatalf("the owner waited %v because of the guesser", d)
	}
}

func TestPhoneInviteIsChallenged(t *testing.T) {
	t.Parallel()
	users := make(chan string, 2)
	var srv *sip.Server
	ready := make(chan struct{})
	srv = start(t, func(c *sip.Config) {
		c.Invite = func(in *sip.Incoming) {
			<-ready
			u, err := srv.Registrar().Authenticate(context.Background(), in)
			if err != nil {
				return
			}
			users <- u
			_ = in.Reject(480, "")
		}
	})
	close(ready)
	p := siptest.New(t, srv.Addr("udp"))
	c := p.NewCall("sip:102@kapok")
	c.SendInvite(siptest.SDP)
	m := p.Expect("SIP/2.0 401")
	c.To = m.Tag("To")
	p.Raw([]byte(c.Text("ACK", c.Branch, "")))
	c.To = ""
	c.Request("INVITE", siptest.SDP, "Authorization: "+digestAnswer(m, "INVITE", "sip:102@kapok", "101", "secret"))
	p.Expect("SIP/2.0 480")
	if u := recv(t, users); u != "101" {
		t.Fatalf("user %q", u)
	}
}

// A phone that stumbles over a second challenge gets the one algorithm chosen for it; nobody else is touched.
func TestAlgorithmsOfOneUser(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *sip.Config) {
		c.Registrar.AlgorithmsFor = func(user string) []sip.Algorithm {
			if user == "101" {
				return []sip.Algorithm{sip.MD5}
			}
			return nil
		}
	})
	for user, want := range map[string]int{"101": 1, "102": 2} {
		p := newPhone(t, s, user)
		if all := p.send("").All("WWW-Authenticate"); len(all) != want {
			t.Errorf("%s is offered %v", user, all)
		}
		code(t, p.register("Contact: <sip:"+user+"@{addr}>"), "200")
	}
}
