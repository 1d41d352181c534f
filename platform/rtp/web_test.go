package rtp

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/ice/v4"
	"github.com/pion/srtp/v3"

	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/sdp"
)

// tab is a browser of the test: a full ICE agent, DTLS and SRTP, made of pion's parts alone.
type tab struct {
	t        *testing.T
	cert     tls.Certificate
	agent    *ice.Agent
	ufrag    string
	pwd      string
	in, out  *srtp.Context
	conn     *ice.Conn
	dtls     *dtls.Conn
	shakes   chan []byte
	profiles []dtls.SRTPProtectionProfile
	setup    string
	seq      uint16
	heard    chan []byte
	reports  atomic.Int32
}

func newTab(t *testing.T) *tab {
	t.Helper()
	b := &tab{t: t, shakes: make(chan []byte, 64), heard: make(chan []byte, 512), setup: "actpass", profiles: []dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80}}
	var err error
	if b.cert, err = selfsign.GenerateSelfSigned(); err != nil {
		t.Fatal(err)
	}
	b.ufrag, b.pwd = credentials()
	b.agent = b.newAgent()
	return b
}

func (b *tab) newAgent() *ice.Agent {
	a, err := ice.NewAgentWithOptions(ice.WithLocalCredentials(b.ufrag, b.pwd), ice.WithNetworkTypes([]ice.NetworkType{ice.NetworkTypeUDP4}),
		ice.WithCandidateTypes([]ice.CandidateType{ice.CandidateTypeHost}), ice.WithMulticastDNSMode(ice.MulticastDNSModeDisabled),
		ice.WithIncludeLoopback(), ice.WithIPFilter(func(ip net.IP) bool { return ip.IsLoopback() }), ice.WithHostAcceptanceMinWait(0))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := errors.Join(a.OnCandidate(func(ice.Candidate) {}), a.GatherCandidates()); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = a.Close() })
	return a
}

func (b *tab) sdp(direction string) []byte {
	sum := sha256.Sum256(b.cert.Certificate[0])
	return fmt.Appendf(nil, "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 8 126\r\nc=IN IP4 0.0.0.0\r\n"+
		"a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\na=setup:%s\r\na=mid:0\r\na=rtcp-mux\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:126 telephone-event/8000\r\na=%s\r\n",
		b.ufrag, b.pwd, colons(sum[:]), b.setup, direction)
}

// dial runs ICE on an agent against the leg's description.
func (b *tab) dial(a *ice.Agent, local []byte) *ice.Conn {
	b.t.Helper()
	s, err := sdp.Parse(local)
	if err != nil {
		b.t.Fatal(err)
	}
	p := s.Audio.ICE
	c, err := ice.NewCandidateHost(&ice.CandidateHostConfig{Network: "udp", Address: p.Candidates[0].Addr.Addr().String(), Port: int(p.Candidates[0].Addr.Port()), Component: 1})
	if err != nil {
		b.t.Fatal(err)
	}
	if err := a.AddRemoteCandidate(c); err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := a.Dial(ctx, p.Ufrag, p.Pwd)
	if err != nil {
		b.t.Fatal(err)
	}
	go func() {
		buf := make([]byte, 2000)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			b.arrive(append([]byte(nil), buf[:n]...))
		}
	}()
	return conn
}

func (b *tab) arrive(p []byte) {
	switch {
	case p[0] >= 20 && p[0] <= 63:
		select {
		case b.shakes <- p:
		default:
		}
	case isRTCP(p):
		b.reports.Add(1)
	default:
		select {
		case b.heard <- p:
		default:
		}
	}
}

// connect runs the handshake as DTLS client or server.
func (b *tab) connect(local []byte, client bool) error {
	b.conn = b.dial(b.agent, local)
	common := []dtls.Option{dtls.WithCertificates(b.cert), dtls.WithInsecureSkipVerify(true), dtls.WithSRTPProtectionProfiles(b.profiles...), dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret)}
	var err error
	if client {
		var o []dtls.ClientOption
		for _, c := range common {
			o = append(o, c)
		}
		b.dtls, err = dtls.ClientWithOptions(tabConn{b}, b.conn.RemoteAddr(), o...)
	} else {
		o := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert)}
		for _, c := range common {
			o = append(o, c)
		}
		b.dtls, err = dtls.ServerWithOptions(tabConn{b}, b.conn.RemoteAddr(), o...)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := b.dtls.HandshakeContext(ctx); err != nil {
		return err
	}
	b.t.Cleanup(func() { _ = b.dtls.Close() })
	st, _ := b.dtls.ConnectionState()
	pr, _ := b.dtls.SelectedSRTPProtectionProfile()
	c := &srtp.Config{Profile: srtp.ProtectionProfile(pr)}
	if err := c.ExtractSessionKeysFromDTLS(&st, client); err != nil {
		return err
	}
	b.in, _ = srtp.CreateContext(c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt, c.Profile)
	b.out, _ = srtp.CreateContext(c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt, c.Profile)
	return nil
}

// tabConn feeds DTLS from the demultiplexer.
type tabConn struct{ b *tab }

func (c tabConn) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case s := <-c.b.shakes:
		return copy(p, s), c.b.conn.RemoteAddr(), nil
	case <-c.b.t.Context().Done():
		return 0, nil, net.ErrClosed
	}
}
func (c tabConn) WriteTo(p []byte, _ net.Addr) (int, error) { return c.b.conn.Write(p) }
func (c tabConn) Close() error                              { return nil }
func (c tabConn) LocalAddr() net.Addr                       { return c.b.conn.LocalAddr() }
func (c tabConn) SetDeadline(time.Time) error               { return nil }
func (c tabConn) SetReadDeadline(time.Time) error           { return nil }
func (c tabConn) SetWriteDeadline(time.Time) error          { return nil }

// send protects and sends one packet of sound or an event.
func (b *tab) send(conn *ice.Conn, pt uint8, ts uint32, payload []byte) {
	b.t.Helper()
	p := make([]byte, headerSize+len(payload))
	put(p, false, pt, b.seq, ts, 4242)
	copy(p[headerSize:], payload)
	b.seq++
	e, err := b.out.EncryptRTP(nil, p, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := conn.Write(e); err != nil {
		b.t.Fatal(err)
	}
}

// hear gives the next packet in the clear.
func (b *tab) hear() heard {
	b.t.Helper()
	select {
	case p := <-b.heard:
		d, err := b.in.DecryptRTP(nil, p, nil)
		if err != nil {
			b.t.Fatal(err)
		}
		h, ok := parse(d)
		if !ok {
			b.t.Fatal("not RTP")
		}
		return heard{h, d[h.payload:h.end]}
	case <-time.After(5 * time.Second):
		b.t.Fatal("the browser hears nothing")
		panic("unreachable")
	}
}

// webLeg is a leg whose events are kept.
func webLeg(t *testing.T, p *Plane) (l *Web, up chan bool, down chan error, digits chan byte) {
	t.Helper()
	up, down, digits = make(chan bool, 4), make(chan error, 4), make(chan byte, 4)
	l, err := p.NewWeb(WebConfig{Events: Events{Up: func() { up <- true }, Down: func(err error) { down <- err }, Digit: func(d byte, _ time.Duration) { digits <- d }}})
	if err != nil {
		t.Fatal(err)
	}
	return l, up, down, digits
}

func await[T any](t *testing.T, what string, c chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("never: " + what)
		panic("unreachable")
	}
}

func webPlane(t *testing.T) *Plane {
	return newPlane(t, func(c *Config) { c.Web = true })
}

func TestBrowserTalksToAPhone(t *testing.T) {
	for _, c := range []struct {
		name     string
		weCall   bool // we offer and the browser answers
		setup    string
		client   bool // the browser is the DTLS client
		profiles []dtls.SRTPProtectionProfile
		secure   string
	}{
		{"the browser calls", false, "actpass", true, nil, sdp.SuiteGCM},
		{"we call", true, "active", true, nil, sdp.SuiteGCM},
		{"a browser that is only passive", false, "passive", false, nil, sdp.SuiteGCM},
		{"a browser without GCM", false, "actpass", true, []dtls.SRTPProtectionProfile{dtls.SRTP_AES128_CM_HMAC_SHA1_80}, sdp.SuiteSHA1},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := webPlane(t)
			b, ph := newTab(t), newPhone(t)
			b.setup = c.setup
			if c.profiles != nil {
				b.profiles = c.profiles
			}
			l, up, down, digits := webLeg(t, p)
			local := agreeWith(t, l, b, c.weCall)
			if err := b.connect(local, c.client); err != nil {
				t.Fatal(err)
			}
			await(t, "up", up)
			plain := answered(t, p, ph, PlainConfig{}, ph.sdp("8", 101, ""))
			Join(l, plain)
			if l.Stats().Secure != c.secure {
				t.Errorf("secured by %q", l.Stats().Secure)
			}
			var there, back []byte
			ph.send(tone(1000, 0)) // the first packet shows the leg where the phone is
			b.hear()
			for i := range 25 {
				b.send(b.conn, 8, uint32(1000+160*i), tone(440, i))
				ph.send(tone(1000, i))
				h := b.hear()
				back = append(back, h.data...)
				if h.ssrc != l.out.ssrc || h.pt != 8 {
					t.Fatalf("%+v", h.header)
				}
			}
			for _, h := range ph.got(25) {
				there = append(there, h.data...)
			}
			if x, y := level(there, audio.PCMA, 440), level(back, audio.PCMA, 1000); x < 0.95 || y < 0.95 {
				t.Errorf("shares of the tones: %.2f %.2f", x, y)
			}
			event := []byte{7, 0x8A, 0, 0}
			binary.BigEndian.PutUint16(event[2:], 800)
			pt := uint8(126)
			if c.weCall {
				pt = 101 // we offered 101, and the browser may use our number or its own
			}
			b.send(b.conn, pt, 90000, event)
			if d := await(t, "the digit", digits); d != '7' {
				t.Errorf("digit %c", d)
			}
			if got := ph.got(26)[25]; got.pt != 101 || got.data[0] != 7 {
				t.Errorf("the event at the phone: %+v", got)
			}
			eventually(t, "a report", func() bool {
				l.in.mu.Lock()
				l.nextRTCP = time.Time{}
				l.in.mu.Unlock()
				l.tend(time.Now())
				return b.reports.Load() > 0
			})
			_ = b.dtls.Close()
			await(t, "the browser's goodbye", down)
		})
	}
}

// agreeWith runs the exchange of descriptions and gives ours.
func agreeWith(t *testing.T, l *Web, b *tab, weCall bool) []byte {
	t.Helper()
	if weCall {
		local, _ := l.Offer(sdp.SendRecv)
		if err := l.Accept(b.sdp("sendrecv")); err != nil {
			t.Fatal(err)
		}
		return local
	}
	local, err := l.Answer(b.sdp("sendrecv"))
	if err != nil {
		t.Fatal(err)
	}
	return local
}

func TestBrowserHoldResumeAndMove(t *testing.T) {
	p := webPlane(t)
	b := newTab(t)
	l, up, _, _ := webLeg(t, p)
	local := agreeWith(t, l, b, false)
	if err := b.connect(local, true); err != nil {
		t.Fatal(err)
	}
	await(t, "up", up)
	var passed atomic.Int32
	l.SetSink(audio.SinkFunc(func(*audio.Frame) error { passed.Add(1); return nil }))
	b.send(b.conn, 8, 160, tone(440, 0))
	eventually(t, "sound passes", func() bool { return passed.Load() == 1 })

	answer, err := l.Answer(b.sdp("sendonly"))
	if err != nil || !strings.Contains(string(answer), "a=recvonly\r\n") {
		t.Fatalf("hold: %v\n%s", err, answer)
	}
	b.send(b.conn, 8, 320, tone(440, 1))
	eventually(t, "held sound is counted", func() bool { return l.Stats().Received == 2 })
	if passed.Load() != 1 {
		t.Error("held sound passes")
	}
	if _, err := l.Answer(b.sdp("sendrecv")); err != nil {
		t.Fatal(err)
	}

	// The browser changes its network: the same credentials nominate from a new address, the keys go on.
	second := b.newAgent()
	moved := b.dial(second, local)
	eventually(t, "the leg follows", func() bool { return l.Stats().Remote.String() == moved.LocalAddr().String() })
	b.send(moved, 8, 480, tone(440, 2))
	eventually(t, "sound passes from the new address", func() bool { return passed.Load() == 2 })
	b.send(b.conn, 8, 640, tone(440, 3)) // the old address is nobody's now
	f := audio.Frame{Source: &audio.Source{}, At: time.Now(), Payload: tone(440, 0)}
	if err := l.Write(&f); err != nil {
		t.Fatal(err)
	}
	if h := b.hear(); len(h.data) != 160 {
		t.Errorf("%+v", h)
	}
	if passed.Load() != 2 {
		t.Error("the old address is still heard")
	}
}

func TestBrowserRestartsICE(t *testing.T) {
	p := webPlane(t)
	b := newTab(t)
	l, up, _, _ := webLeg(t, p)
	local := agreeWith(t, l, b, false)
	if err := b.connect(local, true); err != nil {
		t.Fatal(err)
	}
	await(t, "up", up)
	_ = b.agent.Close()
	b.ufrag, b.pwd = credentials()
	again, err := l.Answer(b.sdp("sendrecv"))
	if err != nil {
		t.Fatal(err)
	}
	x, _ := sdp.Parse(local)
	y, _ := sdp.Parse(again)
	if x.Audio.ICE.Ufrag == y.Audio.ICE.Ufrag {
		t.Error("the answer to a restart keeps the credentials")
	}
	var passed atomic.Int32
	l.SetSink(audio.SinkFunc(func(*audio.Frame) error { passed.Add(1); return nil }))
	conn := b.dial(b.newAgent(), again)
	eventually(t, "sound passes on the new path with the old keys", func() bool {
		b.send(conn, 8, uint32(b.seq)*160, tone(440, 0))
		return passed.Load() > 0
	})
}

func TestBrowserWithAnotherCertificateIsRefused(t *testing.T) {
	p := webPlane(t)
	b := newTab(t)
	l, _, down, _ := webLeg(t, p)
	local := agreeWith(t, l, b, false)
	b.cert, _ = selfsign.GenerateSelfSigned()
	_ = b.connect(local, true)
	if err := await(t, "down", down); !strings.Contains(err.Error(), "certificate") && !errors.Is(err, ErrFingerprint) {
		t.Errorf("%v", err)
	}
	if l.Stats().Secure != "" {
		t.Error("keys were taken")
	}
}

func TestBrowserLegsNeedTheirPort(t *testing.T) {
	if _, err := newPlane(t, nil).NewWeb(WebConfig{}); err == nil {
		t.Error("no error")
	}
	p := webPlane(t)
	l, _, _, _ := webLeg(t, p)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if p.Legs() != 0 {
		t.Errorf("%d legs", p.Legs())
	}
}
