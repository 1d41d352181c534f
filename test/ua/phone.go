package ua

import (
	"context"
	"crypto/md5" //nolint:gosec // the digest of RFC 2617 is what desk phones speak
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Timers of RFC 3261 §17, T1 as there; a request nobody answers is given up after giveUp.
const (
	t1     = 500 * time.Millisecond
	giveUp = 8 * time.Second
)

// ErrSilence says that nobody answered a request.
var ErrSilence = errors.New("nobody answers")

// Refused is the final response of a call that was not answered.
type Refused struct {
	Code int
	Line string
}

func (r *Refused) Error() string { return r.Line }

// Phone is a telephone on a UDP socket. Without a password it is a line of a trunk: it calls and is called unasked.
type Phone struct {
	User, Password string
	OnCall         func(*Call) // runs on a goroutine of its own for each call that comes in; nil: 480
	Still          bool        // its calls send no sound and keep none of what comes, which only counts: for many at once

	conn   *net.UDPConn
	server netip.AddrPort

	mu      sync.Mutex
	waiting map[string]chan *Message  // responses, by branch
	calls   map[string]*Call          // by Call-ID
	from    map[string]netip.AddrPort // where a call that came in came from, by Call-ID: answers and our own requests go there
	sent    map[string]string         // our responses, by branch and method: a repeated request gets the same
	seq     int
	closed  bool
	done    chan struct{}
}

// Open opens a telephone of the server on the address ip.
func Open(ip, server, user, password string) (*Phone, error) {
	to, err := netip.ParseAddrPort(server)
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip)})
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(1 << 20) // what the system allows is enough
	p := &Phone{
		User: user, Password: password, conn: conn, server: to, waiting: map[string]chan *Message{},
		calls: map[string]*Call{}, from: map[string]netip.AddrPort{}, sent: map[string]string{}, done: make(chan struct{}),
	}
	go p.read()
	return p, nil
}

// Addr is where the telephone listens.
func (p *Phone) Addr() string { return p.conn.LocalAddr().String() }

func (p *Phone) ip() string { h, _, _ := net.SplitHostPort(p.Addr()); return h }

// Close hangs everything up without a word and frees the socket.
func (p *Phone) Close() {
	p.mu.Lock()
	p.closed = true
	calls := make([]*Call, 0, len(p.calls))
	for _, c := range p.calls {
		calls = append(calls, c)
	}
	p.mu.Unlock()
	for _, c := range calls {
		c.finish("closed")
	}
	_ = p.conn.Close()
	<-p.done
}

func (p *Phone) read() {
	defer close(p.done)
	b := make([]byte, 65535)
	for {
		n, source, err := p.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			if p.isClosed() {
				return
			}
			continue // a refused port of the far side comes up here
		}
		m := parse(string(b[:n]))
		if m.Method() == "" {
			p.response(m)
		} else {
			p.cameFrom(m, source)
			p.request(m)
		}
	}
}

func (p *Phone) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

func (p *Phone) response(m *Message) {
	p.mu.Lock()
	ch := p.waiting[m.branch()]
	p.mu.Unlock()
	if ch == nil {
		if m.Code() >= 200 && m.Code() < 300 && strings.HasSuffix(m.Get("CSeq"), "INVITE") {
			if c := p.find(m.Get("Call-ID")); c != nil {
				c.ack() // our ACK was lost
			}
		}
		return
	}
	select {
	case ch <- m:
	default:
	}
}

func (p *Phone) find(callID string) *Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[callID]
}

// cameFrom notes where a call comes from: of several processes of a house any may call.
func (p *Phone) cameFrom(m *Message, source netip.AddrPort) {
	if m.Method() != "INVITE" || source == p.server {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.from[m.Get("Call-ID")] = source
}

func (p *Phone) send(text string) {
	to := p.server
	p.mu.Lock()
	if len(p.from) > 0 {
		if at, ok := p.from[parse(text).Get("Call-ID")]; ok {
			to = at
		}
	}
	p.mu.Unlock()
	_, _ = p.conn.WriteToUDPAddrPort([]byte(text), to)
}

// answer sends a response and keeps it for repeats of the request.
func (p *Phone) answer(m *Message, code int, reason, tag, body string, extra ...string) {
	text := m.reply(code, reason, tag, body, extra...)
	p.mu.Lock()
	if len(p.sent) > 4096 {
		clear(p.sent)
	}
	p.sent[m.branch()+m.Method()] = text
	p.mu.Unlock()
	p.send(text)
}

func (p *Phone) request(m *Message) {
	p.mu.Lock()
	before, repeated := p.sent[m.branch()+m.Method()]
	c := p.calls[m.Get("Call-ID")]
	p.mu.Unlock()
	switch {
	case m.Method() == "ACK":
		if c != nil {
			c.acked(m)
		}
	case repeated:
		p.send(before)
	case c != nil:
		c.request(m)
	case m.Method() == "INVITE" && p.OnCall != nil:
		p.incoming(m)
	case m.Method() == "INVITE":
		p.answer(m, 480, "Temporarily Unavailable", token(), "")
	case m.Method() == "OPTIONS":
		p.answer(m, 200, "OK", token(), "")
	default:
		p.answer(m, 481, "Call/Transaction Does Not Exist", token(), "")
	}
}

// ask sends a request until its final response comes. Provisional ones of an INVITE stop the repeats.
func (p *Phone) ask(ctx context.Context, branch, text string) (*Message, error) {
	ch := make(chan *Message, 16)
	p.mu.Lock()
	p.waiting[branch] = ch
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.waiting, branch)
		p.mu.Unlock()
	}()
	p.send(text)
	wait, invite, provisional := t1, strings.HasPrefix(text, "INVITE"), false
	again := time.NewTimer(wait)
	defer again.Stop()
	end := time.NewTimer(giveUp)
	defer end.Stop()
	for {
		select {
		case m := <-ch:
			if m.Code() >= 200 {
				return m, nil
			}
			provisional = true
			if invite {
				end.Stop()
			}
		case <-again.C:
			if !provisional || !invite {
				p.send(text)
			}
			wait = min(2*wait, 4*time.Second)
			again.Reset(wait)
		case <-end.C:
			return nil, ErrSilence
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Register registers for a length; 0 takes the registration back.
func (p *Phone) Register(ctx context.Context, length time.Duration) error {
	callID, from := token(), token()
	auth := ""
	for range 3 {
		branch := "z9hG4bK" + token()
		m, err := p.ask(ctx, branch, p.register(callID, from, branch, auth, length))
		switch {
		case err != nil:
			return err
		case m.Code() == 200:
			return nil
		case m.Code() != 401:
			return &Refused{m.Code(), m.Start}
		}
		if auth, err = p.authorize(m, "REGISTER", "sip:"+p.server.String()); err != nil {
			return err
		}
	}
	return errors.New("the registrar never takes the password")
}

func (p *Phone) register(callID, from, branch, auth string, length time.Duration) string {
	p.mu.Lock()
	p.seq++
	seq := p.seq
	p.mu.Unlock()
	s := fmt.Sprintf("REGISTER sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s;rport\r\nMax-Forwards: 70\r\n", p.server, p.Addr(), branch)
	s += fmt.Sprintf("From: <sip:%s@%s>;tag=%s\r\nTo: <sip:%s@%s>\r\n", p.User, p.server, from, p.User, p.server)
	s += fmt.Sprintf("Call-ID: %s\r\nCSeq: %d REGISTER\r\nContact: <sip:%s@%s>;expires=%d\r\n", callID, seq, p.User, p.Addr(), int(length.Seconds()))
	return s + auth + "Content-Length: 0\r\n\r\n"
}

// authorize answers a challenge by MD5 with qop=auth (RFC 2617 §3.2.2).
func (p *Phone) authorize(m *Message, method, uri string) (string, error) {
	for _, ch := range m.All("WWW-Authenticate") {
		if a := quoted(ch, "algorithm"); a != "" && !strings.EqualFold(a, "MD5") {
			continue
		}
		realm, nonce, cnonce := quoted(ch, "realm"), quoted(ch, "nonce"), token()
		h := func(s string) string { x := md5.Sum([]byte(s)); return hex.EncodeToString(x[:]) } //nolint:gosec // as above
		response := h(h(p.User+":"+realm+":"+p.Password) + ":" + nonce + ":00000001:" + cnonce + ":auth:" + h(method+":"+uri))
		return fmt.Sprintf("Authorization: Digest username=%q, realm=%q, nonce=%q, uri=%q, response=%q, algorithm=MD5, qop=auth, nc=00000001, cnonce=%q\r\n",
			p.User, realm, nonce, uri, response, cnonce), nil
	}
	return "", errors.New("the registrar offers no MD5 challenge")
}

func quoted(header, name string) string {
	_, v, ok := strings.Cut(header, name+"=")
	if !ok {
		return ""
	}
	if strings.HasPrefix(v, `"`) {
		v, _, _ = strings.Cut(v[1:], `"`)
		return v
	}
	if i := strings.IndexAny(v, ", "); i >= 0 {
		v = v[:i]
	}
	return v
}

func token() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}
