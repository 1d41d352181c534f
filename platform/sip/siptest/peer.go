// Package siptest gives tests a scripted SIP peer on a raw UDP socket: it sends texts and expects texts, does nothing
// by itself and knows no state, so that every awkward case can be played. It imports nothing of the house.
package siptest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// SDP is a session description that will do where nobody looks at it.
const SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"

// Peer is the far end on a UDP socket of its own on 127.0.0.1.
type Peer struct {
	t    testing.TB
	conn *net.UDPConn
	// Addr is our address, To where Send sends.
	Addr, To netip.AddrPort
	// Patience is how long Expect waits; default 5 s.
	Patience time.Duration
	// Auto answers what Expect is not waiting for: when it returns a text, that is sent back at once.
	Auto func(Msg) string

	mu    sync.Mutex
	log   []Msg
	next  int
	given map[string]bool // what Expect has given out: repeats of it are passed over
	wake  chan struct{}
}

// New opens a peer of the server at to. It closes with the test.
func New(t testing.TB, to netip.AddrPort) *Peer {
	t.Helper()
	return NewAt(t, net.IPv4(127, 0, 0, 1), to)
}

// NewAt is New at another address of this machine, for a server that tells peers apart by it.
func NewAt(t testing.TB, ip net.IP, to netip.AddrPort) *Peer {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: ip})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadBuffer(4 << 20)
	p := &Peer{t: t, conn: c, To: to, Patience: 5 * time.Second, given: map[string]bool{}, wake: make(chan struct{}, 1)}
	p.Addr = c.LocalAddr().(*net.UDPAddr).AddrPort()
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.read()
	}()
	t.Cleanup(func() {
		_ = c.Close()
		<-done
	})
	return p
}

func (p *Peer) read() {
	b := make([]byte, 65535)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		m := Parse(string(b[:n]))
		m.From, m.At = from, time.Now()
		p.mu.Lock()
		p.log = append(p.log, m)
		auto := p.Auto
		p.mu.Unlock()
		if auto != nil {
			if s := auto(m); s != "" {
				_, _ = p.conn.WriteToUDPAddrPort([]byte(s), from)
			}
		}
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

// SetAuto sets Auto while messages may arrive.
func (p *Peer) SetAuto(fn func(Msg) string) {
	p.mu.Lock()
	p.Auto = fn
	p.mu.Unlock()
}

// Raw sends bytes as they are.
func (p *Peer) Raw(b []byte) {
	p.t.Helper()
	if _, err := p.conn.WriteToUDPAddrPort(b, p.To); err != nil {
		p.t.Fatal(err)
	}
}

// Send writes a message from a template: line ends may be bare, {addr} is our address, {to} the server's, {branch}
// a new branch, and further pairs are replaced as given. Content-Length is filled in when the template has none.
func (p *Peer) Send(template string, pairs ...string) {
	p.t.Helper()
	p.Raw([]byte(p.Text(template, pairs...)))
}

// Text fills a template without sending it.
func (p *Peer) Text(template string, pairs ...string) string {
	pairs = append([]string{"{addr}", p.Addr.String(), "{to}", p.To.String(), "{branch}", "z9hG4bK" + Token()}, pairs...)
	return Fill(strings.NewReplacer(pairs...).Replace(template))
}

// Fill gives a text CRLF line ends, an end of the header section and a Content-Length.
func Fill(s string) string {
	s = strings.TrimLeft(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	head, body, _ := strings.Cut(s, "\n\n")
	head = strings.ReplaceAll(strings.TrimRight(head, "\n"), "\n", "\r\n")
	body = strings.ReplaceAll(body, "\n", "\r\n")
	if !strings.Contains(strings.ToLower(head), "\r\ncontent-length") && !strings.Contains(head, "\r\nl:") {
		head += "\r\nContent-Length: " + strconv.Itoa(len(body))
	}
	return head + "\r\n\r\n" + body
}

// Expect gives the next unread message whose start line begins with the words ("INVITE", "SIP/2.0 200"), passing
// over others and over repeats of what was given before; it fails the test when none comes.
func (p *Peer) Expect(start string) Msg {
	p.t.Helper()
	m, ok := p.await(start, "", p.Patience)
	if !ok {
		p.t.Fatalf("expected %q within %v; have\n%s", start, p.Patience, p.Story())
	}
	return m
}

// Again waits for a repeat of a message.
func (p *Peer) Again(m Msg) {
	p.t.Helper()
	if _, ok := p.await("", m.Raw, p.Patience); !ok {
		p.t.Fatalf("expected %q again within %v; have\n%s", m.Start, p.Patience, p.Story())
	}
}

// ExpectNone fails when such a message comes within d that is no repeat.
func (p *Peer) ExpectNone(start string, d time.Duration) {
	p.t.Helper()
	if m, ok := p.await(start, "", d); ok {
		p.t.Fatalf("did not expect %q", m.Start)
	}
}

// Await is Expect with a patience of its own and no failure.
func (p *Peer) Await(start string, d time.Duration) (Msg, bool) { return p.await(start, "", d) }

// await finds the next message by its start, or a repeat of the whole text.
func (p *Peer) await(start, repeat string, d time.Duration) (Msg, bool) {
	end := time.NewTimer(d)
	defer end.Stop()
	for {
		p.mu.Lock()
		for p.next < len(p.log) {
			m := p.log[p.next]
			p.next++
			if repeat != "" && m.Raw == repeat || repeat == "" && strings.HasPrefix(m.Start, start) && !p.given[m.Raw] {
				p.given[m.Raw] = true
				p.mu.Unlock()
				return m, true
			}
		}
		p.mu.Unlock()
		select {
		case <-p.wake:
		case <-end.C:
			return Msg{}, false
		}
	}
}

// Seen gives all messages so far whose start line begins with start.
func (p *Peer) Seen(start string) []Msg {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Msg
	for _, m := range p.log {
		if strings.HasPrefix(m.Start, start) {
			out = append(out, m)
		}
	}
	return out
}

// Story lists the start lines received, for failure messages.
func (p *Peer) Story() string {
	var b strings.Builder
	for _, m := range p.Seen("") {
		fmt.Fprintf(&b, "  %s (%s)\n", m.Start, m.Get("CSeq"))
	}
	return b.String()
}

// Msg is a received message, read line by line.
type Msg struct {
	Raw, Start, Body string
	From             netip.AddrPort
	At               time.Time
	fields           [][2]string
}

// Parse reads a message leniently.
func Parse(raw string) Msg {
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	m := Msg{Raw: raw, Start: lines[0], Body: body}
	for _, l := range lines[1:] {
		k, v, _ := strings.Cut(l, ":")
		m.fields = append(m.fields, [2]string{k, strings.TrimSpace(v)})
	}
	return m
}

// Get gives the first value of a header.
func (m Msg) Get(name string) string {
	for _, f := range m.fields {
		if strings.EqualFold(f[0], name) {
			return f[1]
		}
	}
	return ""
}

// All gives every value of a header.
func (m Msg) All(name string) []string {
	var out []string
	for _, f := range m.fields {
		if strings.EqualFold(f[0], name) {
			out = append(out, f[1])
		}
	}
	return out
}

// Method gives the method of a request, "" for a response.
func (m Msg) Method() string {
	if strings.HasPrefix(m.Start, "SIP/") {
		return ""
	}
	w, _, _ := strings.Cut(m.Start, " ")
	return w
}

// URI gives the Request-URI.
func (m Msg) URI() string {
	f := strings.Fields(m.Start)
	if len(f) < 2 {
		return ""
	}
	return f[1]
}

// ContactURI gives what stands between the brackets of Contact.
func (m Msg) ContactURI() string {
	_, v, ok := strings.Cut(m.Get("Contact"), "<")
	if !ok {
		return m.Get("Contact")
	}
	v, _, _ = strings.Cut(v, ">")
	return v
}

// Tag gives the tag of From or To.
func (m Msg) Tag(header string) string {
	_, t, _ := strings.Cut(m.Get(header), ";tag=")
	t, _, _ = strings.Cut(t, ";")
	return t
}

// Reply makes a response to a request: tag goes into To when it has none; extra are whole header lines.
func (p *Peer) Reply(m Msg, code int, reason, tag, body string, extra ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", code, reason)
	for _, v := range m.All("Via") {
		b.WriteString("Via: " + v + "\r\n")
	}
	to := m.Get("To")
	if !strings.Contains(to, ";tag=") && tag != "" {
		to += ";tag=" + tag
	}
	b.WriteString("From: " + m.Get("From") + "\r\nTo: " + to + "\r\nCall-ID: " + m.Get("Call-ID") + "\r\nCSeq: " + m.Get("CSeq") + "\r\n")
	for _, v := range m.All("Record-Route") {
		b.WriteString("Record-Route: " + v + "\r\n")
	}
	if m.Method() == "INVITE" && code > 100 && code < 300 {
		b.WriteString("Contact: <sip:peer@" + p.Addr.String() + ">\r\n")
	}
	for _, x := range extra {
		b.WriteString(x + "\r\n")
	}
	if body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.String()
}

// Respond sends a Reply.
func (p *Peer) Respond(m Msg, code int, reason, tag, body string, extra ...string) {
	p.t.Helper()
	p.Raw([]byte(p.Reply(m, code, reason, tag, body, extra...)))
}

// Call is the caller's side of one scripted call.
type Call struct {
	p               *Peer
	ID, From, To    string // Call-ID, our tag, theirs
	URI, Target     string // Request-URI; then the peer's Contact
	Branch          string // of the INVITE
	Seq             int
	Invite, Answer_ Msg
}

// NewCall prepares a call to a URI.
func (p *Peer) NewCall(uri string) *Call {
	return &Call{p: p, ID: Token(), From: Token(), URI: uri, Target: uri, Branch: "z9hG4bK" + Token(), Seq: 1}
}

// SendInvite sends the INVITE with an offer (or "" for a late offer) and extra header lines.
func (c *Call) SendInvite(body string, extra ...string) {
	c.p.t.Helper()
	c.p.Raw([]byte(c.Text("INVITE", c.Branch, body, extra...)))
}

// Text writes a request of the call with the present Seq.
func (c *Call) Text(method, branch, body string, extra ...string) string {
	to := "<" + c.URI + ">"
	if c.To != "" {
		to += ";tag=" + c.To
	}
	s := method + " " + c.Target + " SIP/2.0\n" +
		"Via: SIP/2.0/UDP " + c.p.Addr.String() + ";branch=" + branch + "\n" +
		"Max-Forwards: 70\nFrom: <sip:peer@" + c.p.Addr.String() + ">;tag=" + c.From + "\nTo: " + to +
		"\nCall-ID: " + c.ID + "\nCSeq: " + strconv.Itoa(c.Seq) + " " + method +
		"\nContact: <sip:peer@" + c.p.Addr.String() + ">\n"
	for _, x := range extra {
		s += x + "\n"
	}
	if body != "" && !strings.Contains(s, "Content-Type:") {
		s += "Content-Type: application/sdp\n"
	}
	return Fill(s + "\n" + body)
}

// Answered takes the 200 of the INVITE: the tag and the Contact.
func (c *Call) Answered(m Msg) {
	c.Answer_, c.To, c.Target = m, m.Tag("To"), m.ContactURI()
}

// Ack acknowledges the 200.
func (c *Call) Ack(body string) {
	c.p.t.Helper()
	c.p.Raw([]byte(c.Text("ACK", "z9hG4bK"+Token(), body)))
}

// Request sends a request of the dialog with the next CSeq and gives its branch.
func (c *Call) Request(method, body string, extra ...string) string {
	c.p.t.Helper()
	c.Seq++
	b := "z9hG4bK" + Token()
	c.p.Raw([]byte(c.Text(method, b, body, extra...)))
	return b
}

// Establish plays INVITE, 200, ACK.
func (c *Call) Establish(body string, extra ...string) {
	c.p.t.Helper()
	c.SendInvite(body, extra...)
	c.Answered(c.p.Expect("SIP/2.0 200"))
	c.Ack("")
}

// Token gives ten random characters.
func Token() string {
	var b [5]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
