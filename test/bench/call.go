package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Times of the load generator's own transactions.
const (
	t1        = 500 * time.Millisecond // RFC 3261 §17.1.1.1
	patience  = 12 * time.Second       // a call that has not come to its end by then beyond its hold time has failed
	bufferSIP = 8 << 20
)

// exchange is one SIP peer: callers behind a trunk, all on one socket.
type exchange struct {
	conn   *net.UDPConn
	server *net.UDPAddr
	own    string // host:port

	mu      sync.Mutex
	calls   map[string]*call // by Call-ID
	numbers map[string]*call // by the last ten digits of the caller
	next    int
	caller  func(n int) string // the number of the nth caller
	done    chan struct{}
}

// call is one caller.
type call struct {
	x       *exchange
	number  string
	id, tag string
	branch  string
	media   *stream // nil: the caller is silent
	port    int     // where the caller hears
	hold    time.Duration

	toTag, target string // of the dialog
	placed        time.Time
	answered      time.Time
	bridged       time.Time
	ended         time.Time
	code          int    // of a refusal
	retryAfter    bool   // the refusal said when to come again
	fault         string // why it failed
	pending       string // request to repeat until it is answered
	every         time.Duration
	again         *time.Timer
	limit         *time.Timer
	over          chan struct{}
}

func newExchange(server *net.UDPAddr) (*exchange, error) {
	conn, err := listen()
	if err != nil {
		return nil, err
	}
	x := &exchange{
		conn: conn, server: server, own: conn.LocalAddr().String(), calls: map[string]*call{}, numbers: map[string]*call{},
		caller: func(n int) string { return fmt.Sprintf("138%08d", n) },
		done:   make(chan struct{}),
	}
	go x.hear()
	return x, nil
}

// listen opens a loopback socket with a large buffer.
func listen() (*net.UDPConn, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(bufferSIP)  // what the system grants has to do
	_ = conn.SetWriteBuffer(bufferSIP) // likewise
	return conn, nil
}

func (x *exchange) close() {
	_ = x.conn.Close() // ends hear
	<-x.done
}

// place makes a call to a number of the server. It stays for hold after the agent's phone has been connected; with
// a negative hold until hangUp.
func (x *exchange) place(dialled string, hold time.Duration, port int, media *stream) *call {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.next++
	n := x.next
	c := &call{
		x: x, number: x.caller(n), id: fmt.Sprintf("bench-%d-%s", n, strings.ReplaceAll(x.own, ":", "-")), tag: "c" + strconv.Itoa(n),
		branch: fmt.Sprintf("z9hG4bKbench%di", n), hold: hold, port: port, media: media, placed: time.Now(), over: make(chan struct{}),
	}
	x.calls[c.id] = c
	x.numbers[lastTen(c.number)] = c
	c.target = "sip:" + dialled + "@" + x.server.String()
	c.send("INVITE", 1, sdp(port), true)
	c.expire(patience)
	return c
}

func lastTen(number string) string { return number[max(0, len(number)-10):] }

// send writes a request of the call; x.mu is held.
func (c *call) send(method string, seq int, body string, repeat bool) {
	to := ""
	if c.toTag != "" {
		to = ";tag=" + c.toTag
	}
	branch := c.branch + strconv.Itoa(seq)
	if method == "ACK" && c.code < 300 {
		branch += "a"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s;rport\r\nMax-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=%s\r\nTo: <%s>%s\r\n"+
		"Call-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:%s@%s>\r\n", method, c.target, c.x.own, branch, c.number, c.x.own, c.tag, c.target, to, c.id, seq, method, c.number, c.x.own)
	text := finish(&b, body, nil)
	c.x.write(text)
	if repeat {
		c.pending, c.every = text, t1
		c.again = time.AfterFunc(c.every, c.repeat)
	}
}

func (x *exchange) write(text string) { _, _ = x.conn.WriteToUDP([]byte(text), x.server) } // lost: it is repeated

// repeat sends what has had no answer again.
func (c *call) repeat() {
	c.x.mu.Lock()
	defer c.x.mu.Unlock()
	if c.pending == "" {
		return
	}
	c.x.write(c.pending)
	c.every *= 2
	c.again.Reset(c.every)
}

func (c *call) settled() {
	c.pending = ""
	if c.again != nil {
		c.again.Stop()
	}
}

func (c *call) expire(d time.Duration) {
	if c.limit != nil {
		c.limit.Stop()
	}
	c.limit = time.AfterFunc(d, func() {
		c.x.mu.Lock()
		defer c.x.mu.Unlock()
		switch {
		case c.answered.IsZero():
			c.finish("no final response")
		case c.bridged.IsZero():
			c.finish("no agent")
		default:
			c.finish("no answer to BYE")
		}
	})
}

// finish ends the call on our side; x.mu is held.
func (c *call) finish(fault string) {
	if !c.ended.IsZero() {
		return
	}
	c.ended, c.fault = time.Now(), fault
	c.settled()
	c.limit.Stop()
	if c.media != nil {
		c.media.stop()
	}
	delete(c.x.numbers, lastTen(c.number))
	delete(c.x.calls, c.id)
	close(c.over)
}

// hear serves the socket.
func (x *exchange) hear() {
	defer close(x.done)
	buf := make([]byte, 65536)
	for {
		n, _, err := x.conn.ReadFromUDP(buf)
		if err != nil {
			return
		}
		if m, ok := read(buf[:n]); ok {
			x.mu.Lock()
			x.take(&m)
			x.mu.Unlock()
		}
	}
}

func (x *exchange) take(m *message) {
	c := x.calls[m.get("Call-ID")]
	code := m.status()
	switch {
	case code == 0 && m.method() == "BYE":
		x.write(respond(m, 200, "OK", "", ""))
		if c != nil {
			c.finish(cause(c))
		}
	case code == 0 && m.method() != "ACK":
		x.write(respond(m, 405, "Method Not Allowed", "x", ""))
	case c == nil || code == 0:
	case m.method() == "INVITE" && code < 200:
		c.settled()
	case m.method() == "INVITE" && code < 300:
		c.accepted(m)
	case m.method() == "INVITE":
		c.code, c.retryAfter = code, m.get("Retry-After") != ""
		_, c.toTag, _ = strings.Cut(m.get("To"), ";tag=")
		c.send("ACK", 1, "", false)
		c.finish("refused " + strconv.Itoa(code))
	case m.method() == "BYE" && code >= 200:
		c.finish("")
	}
}

// cause says what it means that the server hung up: a fault, unless the call had been served.
func cause(c *call) string {
	if c.bridged.IsZero() {
		return "hung up before an agent came"
	}
	return "hung up by the server"
}

// accepted takes the 200, also a repeated one.
func (c *call) accepted(m *message) {
	c.settled()
	if c.answered.IsZero() {
		c.answered = time.Now()
		_, c.toTag, _ = strings.Cut(m.get("To"), ";tag=")
		c.target = uri(m.get("Contact"))
		if c.media != nil {
			c.media.start(mediaPort(m.body))
		}
		if c.hold < 0 {
			c.limit.Stop()
		}
	}
	c.send("ACK", 1, "", false)
}

// connected is told when the agent's phone has been acknowledged for the caller with the number.
func (x *exchange) connected(number string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c := x.numbers[lastTen(number)]
	if c == nil || !c.bridged.IsZero() {
		return
	}
	c.bridged = time.Now()
	if c.hold >= 0 {
		c.expire(c.hold + patience)
		time.AfterFunc(c.hold, c.hangUp)
	}
}

// hangUp ends a call that was answered.
func (c *call) hangUp() {
	c.x.mu.Lock()
	defer c.x.mu.Unlock()
	if c.ended.IsZero() && c.pending == "" && !c.answered.IsZero() {
		c.expire(patience)
		c.send("BYE", 2, "", true)
	}
}
