package main

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// phone is a robot desk phone: it registers, rings for a moment and lifts the handset.
type phone struct {
	code     string
	password string
	conn     *net.UDPConn
	server   *net.UDPAddr
	own      string
	ports    func() (int, *stream) // media of a call: where the phone hears, and what it says (nil: nothing)
	lifted   func(caller string)   // the server has acknowledged our 200

	mu      sync.Mutex
	calls   map[string]*ringing // by Call-ID
	replies chan message
	offers  int
	done    chan struct{}
}

// ringing is a call at a phone.
type ringing struct {
	caller string
	ok     string // our 200, repeated until its ACK
	last   string
	acked  bool
	media  *stream
	again  *time.Timer
	every  time.Duration
}

func newPhone(server *net.UDPAddr, code, password string) (*phone, error) {
	conn, err := listen()
	if err != nil {
		return nil, err
	}
	p := &phone{
		code: code, password: password, conn: conn, server: server, own: conn.LocalAddr().String(),
		calls: map[string]*ringing{}, replies: make(chan message, 8), done: make(chan struct{}),
	}
	go p.hear()
	return p, nil
}

func (p *phone) close() {
	_ = p.conn.Close() // ends hear
	<-p.done
}

func (p *phone) write(text string) { _, _ = p.conn.WriteToUDP([]byte(text), p.server) } // lost: it is repeated

// register registers for an hour, answering the challenge.
func (p *phone) register() error {
	target, auth := "sip:"+p.server.String(), ""
	for seq := 1; seq <= 8; seq++ {
		var b strings.Builder
		fmt.Fprintf(&b, "REGISTER %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKreg%s%d;rport\r\nMax-Forwards: 70\r\nFrom: <sip:%s@kapok>;tag=r%s\r\nTo: <sip:%s@kapok>\r\n"+
			"Call-ID: reg-%s-%s\r\nCSeq: %d REGISTER\r\nContact: <sip:%s@%s>\r\nExpires: 3600\r\n", target, p.own, p.code, seq, p.code, p.code, p.code, p.code, p.own, seq, p.code, p.own)
		var extra []string
		if auth != "" {
			extra = append(extra, auth)
		}
		p.write(finish(&b, "", extra))
		select {
		case m := <-p.replies:
			switch code := m.status(); {
			case code == 200:
				return nil
			case code == 401:
				auth = authorize(&m, p.code, p.password, "REGISTER", target)
			case code >= 300:
				return fmt.Errorf("phone %s was not registered: %s", p.code, m.first)
			}
		case <-time.After(2 * time.Second):
		}
	}
	return fmt.Errorf("phone %s was not registered: no answer", p.code)
}

func (p *phone) hear() {
	defer close(p.done)
	buf := make([]byte, 65536)
	for {
		n, _, err := p.conn.ReadFromUDP(buf)
		if err != nil {
			return
		}
		if m, ok := read(buf[:n]); ok {
			p.take(&m)
		}
	}
}

func (p *phone) take(m *message) {
	if m.status() != 0 {
		if m.method() == "REGISTER" {
			p.replies <- *m
		}
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.calls[m.get("Call-ID")]
	switch m.method() {
	case "INVITE":
		p.invited(m, c)
	case "ACK":
		if c != nil && !c.acked {
			c.acked = true
			if c.again != nil {
				c.again.Stop()
			}
			if p.lifted != nil {
				p.lifted(c.caller)
			}
		}
	case "BYE":
		p.write(respond(m, 200, "OK", "", ""))
		p.forget(m.get("Call-ID"), c)
	case "CANCEL":
		p.write(respond(m, 200, "OK", "p", ""))
		p.forget(m.get("Call-ID"), c)
	case "OPTIONS":
		p.write(respond(m, 200, "OK", "p", ""))
	}
}

func (p *phone) forget(callID string, c *ringing) {
	if c == nil {
		return
	}
	if c.again != nil {
		c.again.Stop()
	}
	if c.media != nil {
		c.media.stop()
	}
	delete(p.calls, callID)
}

// invited rings and lifts the handset at once.
func (p *phone) invited(m *message, c *ringing) {
	if c != nil {
		p.write(c.last)
		return
	}
	p.offers++
	c = &ringing{caller: user(m.get("From")), every: t1}
	port := 9
	if p.ports != nil {
		port, c.media = p.ports()
	}
	if c.media != nil {
		c.media.start(mediaPort(m.body))
	}
	contact := fmt.Sprintf("Contact: <sip:%s@%s>", p.code, p.own)
	p.write(respond(m, 180, "Ringing", "p"+p.code, "", contact))
	c.ok = respond(m, 200, "OK", "p"+p.code, sdp(port), contact)
	c.last = c.ok
	p.calls[m.get("Call-ID")] = c
	p.write(c.ok)
	c.again = time.AfterFunc(c.every, func() { p.repeat(c) })
}

func (p *phone) repeat(c *ringing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.acked || c.every > 16*time.Second {
		return
	}
	p.write(c.ok)
	c.every *= 2
	c.again.Reset(c.every)
}

// media gives the phone something to say and to hear with from now on.
func (p *phone) media(ports func() (int, *stream)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ports = ports
}
