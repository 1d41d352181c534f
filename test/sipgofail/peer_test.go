package sipgofail

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

const sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 8\r\n"

func TestMain(m *testing.M) {
	sip.SetDefaultLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
	sip.SetTimers(40*time.Millisecond, 320*time.Millisecond, 400*time.Millisecond) // 64*T1 = 2.6 s
	os.Exit(m.Run())
}

// peer is a raw UDP callee: on decides what to send for each request.
type peer struct {
	t    *testing.T
	conn net.PacketConn
	mu   sync.Mutex
	seen []string
}

func newPeer(t *testing.T, on func(p *peer, from net.Addr, m string)) *peer {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	p := &peer{t: t, conn: c}
	go func() {
		b := make([]byte, 65535)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			m := string(b[:n])
			p.mu.Lock()
			p.seen = append(p.seen, strings.SplitN(m, " ", 2)[0]+" "+tag(header(m, "To")))
			p.mu.Unlock()
			on(p, from, m)
		}
	}()
	return p
}

// saw gives the methods received so far, each with the To tag.
func (p *peer) saw() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.seen, ",")
}

func (p *peer) port() int { return p.conn.LocalAddr().(*net.UDPAddr).Port }

func (p *peer) reply(to net.Addr, m string, code int, reason, tag, body string) {
	t := header(m, "To")
	if !strings.Contains(t, "tag=") && tag != "" {
		t += ";tag=" + tag
	}
	s := fmt.Sprintf("SIP/2.0 %d %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <sip:uas@%s>\r\n",
		code, reason, header(m, "Via"), header(m, "From"), t, header(m, "Call-ID"), header(m, "CSeq"), p.conn.LocalAddr())
	if body != "" {
		s += "Content-Type: application/sdp\r\n"
	}
	_, _ = p.conn.WriteTo([]byte(s+fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)), to)
}

func header(m, name string) string {
	for _, l := range strings.Split(m, "\r\n") {
		if k, v, ok := strings.Cut(l, ":"); ok && strings.EqualFold(k, name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func tag(v string) string {
	_, t, _ := strings.Cut(v, "tag=")
	t, _, _ = strings.Cut(t, ";")
	return t
}

// caller is a sipgo user agent with its dialog helper.
func caller(t *testing.T) (*sipgo.DialogUA, *sipgo.Server) {
	t.Helper()
	ua, err := sipgo.NewUA()
	if err != nil {
		t.Fatal(err)
	}
	srv, err := sipgo.NewServer(ua)
	if err != nil {
		t.Fatal(err)
	}
	cli, err := sipgo.NewClient(ua, sipgo.WithClientHostname("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ua.Close() })
	return &sipgo.DialogUA{Client: cli, ContactHDR: sip.ContactHeader{Address: sip.Uri{User: "a", Host: "127.0.0.1", Port: 5098}}}, srv
}
