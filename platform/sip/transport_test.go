package sip_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/sip/siptest"
)

// streamPeer is a scripted peer on TCP or TLS.
type streamPeer struct {
	t testing.TB
	c net.Conn
	r *bufio.Reader
}

func newStreamPeer(t testing.TB, c net.Conn, err error) *streamPeer {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &streamPeer{t, c, bufio.NewReader(c)}
}

func (p *streamPeer) expect(start string) siptest.Msg {
	p.t.Helper()
	_ = p.c.SetReadDeadline(time.Now().Add(5 * time.Second))
	for {
		head := ""
		for !strings.HasSuffix(head, "\r\n\r\n") {
			l, err := p.r.ReadString('\n')
			if err != nil {
				p.t.Fatalf("expected %q: %v", start, err)
			}
			if head == "" && l == "\r\n" {
				continue
			}
			head += l
		}
		m := siptest.Parse(head)
		var n int
		_, _ = fmt.Sscan(m.Get("Content-Length"), &n)
		b := make([]byte, n)
		if _, err := io.ReadFull(p.r, b); err != nil {
			p.t.Fatal(err)
		}
		m.Body = string(b)
		if strings.HasPrefix(m.Start, start) {
			return m
		}
	}
}

func tcpOptions(n int, extra string) string {
	return siptest.Fill(fmt.Sprintf("OPTIONS sip:x@kapok SIP/2.0\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKt%d\nMax-Forwards: 70\nFrom: <sip:a@b>;tag=1\nTo: <sip:x@kapok>\nCall-ID: t%d\nCSeq: 1 OPTIONS\n%s", n, n, extra))
}

func TestStreamFraming(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	c, err := net.Dial("tcp", s.Addr("tcp").String())
	p := newStreamPeer(t, c, err)
	two := tcpOptions(1, "\nbody") + "\r\n" + tcpOptions(2, "")
	for i := range len(two) { // byte by byte
		_, _ = c.Write([]byte(two[i : i+1]))
	}
	p.expect("SIP/2.0 200")
	p.expect("SIP/2.0 200")
	_, _ = c.Write([]byte("\r\n\r\n")) // keep-alive, RFC 5626 §3.5.1
	b := make([]byte, 2)
	_ = c.SetReadDeadline(time.Now().Add(3 * time.Second))
	if _, err := io.ReadFull(p.r, b); err != nil || string(b) != "\r\n" {
		t.Fatalf("pong %q %v", b, err)
	}
	_, _ = c.Write([]byte(tcpOptions(3, "\n"+strings.Repeat("x", 50000))))
	p.expect("SIP/2.0 200")
	_, _ = c.Write([]byte("OPTIONS sip:x@kapok SIP/2.0\r\nContent-Length: 99999999\r\n\r\n")) // no framing any more
	if _, err := p.r.ReadByte(); err == nil {
		t.Fatal("a connection that lost its framing stays open")
	}
}

func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kapok"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"kapok.example"},
	}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	cert := certificate(t)
	leaf, _ := x509.ParseCertificate(cert.Certificate[0])
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	server := start(t, func(c *sip.Config) {
		c.ListenTLS = []string{"127.0.0.1:0"}
		c.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, RootCAs: roots}
		c.Invite = answering(nil)
	})
	idle, err := net.Dial("tcp", server.Addr("tls").String()) // a client that never shakes hands holds up nobody
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	if _, err := tls.Dial("tcp", server.Addr("tls").String(), &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
	other := start(t, func(c *sip.Config) { c.TLS = &tls.Config{RootCAs: roots} })
	o, err := other.Call(context.Background(), sip.CallOptions{
		URI:  sip.URI{User: "x", Host: "127.0.0.1", Port: int(server.Addr("tls").Port()), Params: "transport=tls"},
		Body: []byte(siptest.SDP),
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := o.Wait(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Bye(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// Two of our servers talk over TCP: the whole call goes over one connection, and a pending call fails at once when
// it closes.
func TestTCPCall(t *testing.T) {
	t.Parallel()
	far := start(t, func(c *sip.Config) { c.Invite = answering(nil) })
	near := start(t, nil)
	to := sip.URI{User: "x", Host: "127.0.0.1", Port: int(far.Addr("tcp").Port()), Params: "transport=tcp"}
	o, err := near.Call(context.Background(), sip.CallOptions{URI: to, Body: []byte(siptest.SDP)})
	if err != nil {
		t.Fatal(err)
	}
	d, err := o.Wait(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Bye(context.Background()); err != nil {
		t.Fatal(err)
	}
	// the connection closes in the call: the next request opens another
	o, err = near.Call(context.Background(), sip.CallOptions{URI: to, Body: []byte(siptest.SDP)})
	if err != nil {
		t.Fatal(err)
	}
	if d, err = o.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	d.Flow().Close()
	time.Sleep(2 * quick)
	if err := d.Bye(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !d.Flow().Alive() {
		t.Fatal("no new connection was opened")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o, err = near.Call(context.Background(), sip.CallOptions{
		URI: sip.URI{User: "x", Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Params: "transport=tcp"}, Body: []byte("x"),
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	p := newStreamPeer(t, c, err)
	p.expect("INVITE")
	c.Close()
	if e := final(t, o); !errors.Is(e.Err, sip.ErrFlowClosed) {
		t.Fatalf("%+v", e)
	}
}

func TestReplyAddress(t *testing.T) { // RFC 3261 §18.2, RFC 3581
	t.Parallel()
	s := start(t, nil)
	p, other := siptest.New(t, s.Addr("udp")), siptest.New(t, s.Addr("udp"))
	opt := func(via string) string {
		return "OPTIONS sip:x@kapok SIP/2.0\nVia: SIP/2.0/UDP " + via + "\nMax-Forwards: 70\nFrom: <sip:a@b>;tag=1\nTo: <sip:x@kapok>\nCall-ID: r\nCSeq: 1 OPTIONS\n"
	}
	p.Send(opt("10.9.8.7:5099;branch=z9hG4bKr1;rport"))
	if v := p.Expect("SIP/2.0 200").Get("Via"); !strings.Contains(v, fmt.Sprintf("rport=%d;received=127.0.0.1", p.Addr.Port())) {
		t.Errorf("Via %s", v)
	}
	p.Send(opt("10.9.8.7:5099;branch=z9hG4bKr2")) // NAT without rport: the source, or it would never arrive
	if v := p.Expect("SIP/2.0 200").Get("Via"); !strings.Contains(v, "received=127.0.0.1") {
		t.Errorf("Via %s", v)
	}
	p.Send(opt(other.Addr.String() + ";branch=z9hG4bKr3")) // the true host, another port
	other.Expect("SIP/2.0 200")
}

func TestAdvertisedAddress(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *sip.Config) {
		c.Listen = []string{"0.0.0.0:0"}
		c.Invite = answering(nil)
	})
	to := s.Addr("udp")
	p := siptest.New(t, to)
	p.To = netAddr("127.0.0.1", to.Port())
	c := p.NewCall("sip:x@kapok")
	c.SendInvite(siptest.SDP)
	if m := p.Expect("SIP/2.0 200"); m.ContactURI() != fmt.Sprintf("sip:x@127.0.0.1:%d", to.Port()) {
		t.Errorf("a socket on all addresses says Contact %s", m.ContactURI())
	}
}
