package sip

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// message is one message from outside with the fields that routing needs already read.
type message struct {
	*head
	raw     []byte
	flow    *Flow
	at      time.Time
	callID  string
	fromTag string
	toTag   string
	seq     uint32
	seqName string // method in CSeq
	via     viaHop
}

// viaHop is the topmost Via (RFC 3261 §20.42).
type viaHop struct {
	text   string // as received
	rest   string // other hops on the same line
	host   string
	port   int
	branch string
	rport  bool // asked for, without a value
}

const magic = "z9hG4bK" // RFC 3261 §8.1.1.7

var (
	errNoVia     = errors.New("sip: no usable Via")
	errMandatory = errors.New("sip: a mandatory header is missing, doubled or not well formed")
	errMismatch  = errors.New("sip: CSeq names another method than the request line")
)

// newMessage reads the routing fields. The message is returned with whatever could be read, so that a
// malformed request can be answered.
func newMessage(h *head, raw []byte, f *Flow, at time.Time) (*message, error) {
	m := &message{head: h, raw: raw, flow: f, at: at}
	if !m.readVia(h.get("via")) {
		return m, errNoVia
	}
	m.callID = h.get("call-id")
	from, to := h.get("from"), h.get("to")
	m.fromTag, m.toTag = tagOf(from), tagOf(to)
	okSeq := m.readSeq(h.get("cseq"))
	if m.callID == "" || from == "" || to == "" || !okSeq ||
		strings.Contains(m.via.text, ";;") || !balanced(from) || !balanced(to) || h.count("call-id") > 1 || h.count("from") > 1 || h.count("to") > 1 || h.count("cseq") > 1 {
		return m, errMandatory
	}
	if h.method != "" && m.seqName != h.method {
		return m, errMismatch
	}
	return m, nil
}

// balanced says whether quotes and brackets of an address pair up.
func balanced(v string) bool {
	quoted, open := false, false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<' && open, c == '>' && !open:
			return false
		case c == '<':
			open = true
		case c == '>':
			open = false
		}
	}
	return !quoted && !open
}

func (m *message) readSeq(v string) bool {
	i := strings.IndexAny(v, " \t")
	if i <= 0 {
		return false
	}
	n, err := strconv.ParseUint(v[:i], 10, 32)
	m.seq, m.seqName = uint32(n), strings.Trim(v[i:], " \t")
	return err == nil && n < 1<<31 && isToken(m.seqName)
}

func (m *message) readVia(line string) bool {
	top := line
	if strings.IndexByte(line, ',') >= 0 {
		hops := splitList(line)
		if len(hops) == 0 {
			return false
		}
		top = hops[0]
		m.via.rest = strings.Join(hops[1:], ", ")
	}
	m.via.text = top
	proto, params, _ := strings.Cut(top, ";")
	if !strings.HasPrefix(strings.ToUpper(strings.TrimSpace(proto)), "SIP") || strings.Count(proto, "/") != 2 {
		return false
	}
	words := strings.Fields(proto[strings.LastIndexByte(proto, '/')+1:])
	if len(words) == 3 && words[1] == ":" { // "host : port" is allowed
		words = []string{words[0], words[1] + words[2]}
	}
	if len(words) < 2 {
		return false
	}
	m.via.host, m.via.port = splitHostPort(strings.Join(words[1:], ""))
	m.via.branch, _ = param(params, "branch")
	v, ok := param(params, "rport")
	m.via.rport = ok && v == ""
	return m.via.host != "" && m.via.port >= 0
}

// splitHostPort is lenient: port 0 means none, -1 nonsense.
func splitHostPort(s string) (string, int) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.HasSuffix(s, "]") {
		return strings.Trim(s, "[]"), 0
	}
	port, err := strconv.ParseUint(s[i+1:], 10, 16)
	if err != nil {
		return s[:i], -1
	}
	return strings.Trim(s[:i], "[]"), int(port)
}

// tagOf gives the tag of a From or To value without reading the URI.
func tagOf(v string) string {
	if i := openBracket(v); i >= 0 {
		j := strings.IndexByte(v[i:], '>')
		if j < 0 {
			return ""
		}
		v = v[i+j+1:]
	}
	_, params, ok := strings.Cut(v, ";")
	if !ok {
		return ""
	}
	t, _ := param(params, "tag")
	return t
}

// serverKey matches a request to its transaction (RFC 3261 §17.2.3); asked as INVITE for ACK and CANCEL.
func (m *message) serverKey(method string) string {
	if strings.HasPrefix(m.via.branch, magic) && len(m.via.branch) > len(magic) {
		return m.via.branch + " " + m.via.host + ":" + strconv.Itoa(m.via.port) + " " + method
	}
	// RFC 2543: no branch worth the name
	return m.fromTag + " " + strconv.Itoa(int(m.seq)) + " " + m.via.text + " " + method
}

// replyFlow is where responses go (RFC 3261 §18.2.2, RFC 3581): back on the connection; on UDP to the source, or
// to the port of the Via when rport was not asked and the Via names the true address.
func (m *message) replyFlow() *Flow {
	f := m.flow
	if f.udp == nil || m.via.rport {
		return f
	}
	port := m.via.port
	if port == 0 {
		port = 5060
	}
	a, err := netip.ParseAddr(m.via.host)
	if err != nil || a.Unmap() != f.Remote.Addr() || port == int(f.Remote.Port()) {
		return f
	}
	return &Flow{Transport: f.Transport, Remote: netip.AddrPortFrom(f.Remote.Addr(), uint16(port)), local: f.local, udp: f.udp}
}

// Header is one header line of a message.
type Header struct{ Name, Value string }

// reply is a response to be written.
type reply struct {
	code    int
	reason  string
	tag     string // To tag, when the request has none
	headers []Header
	ctype   string
	body    []byte
}

// response writes the reply to m (RFC 3261 §8.2.6).
func (m *message) response(r reply) []byte {
	var b strings.Builder
	b.Grow(512 + len(r.body))
	b.WriteString("SIP/2.0 ")
	b.WriteString(strconv.Itoa(r.code))
	b.WriteByte(' ')
	if r.reason == "" {
		r.reason = reasonOf(r.code)
	}
	b.WriteString(clean(r.reason))
	b.WriteString("\r\nVia: ")
	m.writeVia(&b)
	first := true
	for _, f := range m.fields {
		switch {
		case f.name == "via" && first:
			first = false
		case f.name == "via":
			line(&b, "Via", f.value)
		case f.name == "record-route" && r.code > 100 && r.code < 300 && m.method == "INVITE":
			line(&b, "Record-Route", f.value)
		}
	}
	for _, h := range [...]Header{{"From", "from"}, {"To", "to"}, {"Call-ID", "call-id"}, {"CSeq", "cseq"}} {
		v := m.get(h.Value)
		if v == "" {
			continue // a malformed request is answered with what it has
		}
		line(&b, h.Name, v)
		if h.Name == "To" && m.toTag == "" && r.tag != "" && r.code > 100 {
			b.WriteString(";tag=")
			b.WriteString(r.tag)
		}
	}
	if ts := m.get("timestamp"); ts != "" && r.code == 100 {
		line(&b, "Timestamp", ts)
	}
	writeTail(&b, r.headers, r.ctype, r.body)
	return []byte(b.String())
}

// writeVia writes the topmost Via back with received and rport filled in (RFC 3261 §18.2.1, RFC 3581 §4).
func (m *message) writeVia(b *strings.Builder) {
	text := m.via.text
	src := m.flow.Remote
	if m.via.rport {
		text = setRport(text, strconv.Itoa(int(src.Port())))
	}
	b.WriteString(text)
	if a, err := netip.ParseAddr(m.via.host); (err != nil || a.Unmap() != src.Addr() || m.via.rport) && src.IsValid() {
		b.WriteString(";received=")
		b.WriteString(src.Addr().String())
	}
	if m.via.rest != "" {
		b.WriteString(", ")
		b.WriteString(m.via.rest)
	}
}

// setRport gives the empty rport parameter its value.
func setRport(via, port string) string {
	head, params, _ := strings.Cut(via, ";")
	var b strings.Builder
	b.WriteString(head)
	for params != "" {
		var one string
		one, params = cutParam(params)
		b.WriteByte(';')
		if name, _, _ := strings.Cut(one, "="); strings.EqualFold(strings.TrimSpace(name), "rport") {
			one = "rport=" + port
		}
		b.WriteString(one)
	}
	return b.String()
}

func line(b *strings.Builder, name, value string) {
	b.WriteString("\r\n")
	b.WriteString(name)
	b.WriteString(": ")
	b.WriteString(value)
}

func writeTail(b *strings.Builder, headers []Header, ctype string, body []byte) {
	for _, h := range headers {
		line(b, clean(h.Name), clean(h.Value))
	}
	if len(body) > 0 {
		if ctype == "" {
			ctype = "application/sdp"
		}
		line(b, "Content-Type", clean(ctype))
	}
	line(b, "Content-Length", strconv.Itoa(len(body)))
	b.WriteString("\r\n\r\n")
	b.Write(body)
}

// request is a request of ours, to be written once per transaction.
type request struct {
	method  string
	uri     string
	from    string // whole value with tag
	to      string
	callID  string
	seq     uint32
	routes  []string
	contact string
	headers []Header
	ctype   string
	body    []byte
}

// text writes the request with the Via given.
func (r *request) text(via, agent string) []byte {
	var b strings.Builder
	b.Grow(640 + len(r.body))
	b.WriteString(r.method)
	b.WriteByte(' ')
	b.WriteString(r.uri)
	b.WriteString(" SIP/2.0")
	line(&b, "Via", via)
	for _, v := range r.routes {
		line(&b, "Route", v)
	}
	line(&b, "Max-Forwards", "70")
	line(&b, "From", r.from)
	line(&b, "To", r.to)
	line(&b, "Call-ID", r.callID)
	b.WriteString("\r\nCSeq: ")
	b.WriteString(strconv.Itoa(int(r.seq)))
	b.WriteByte(' ')
	b.WriteString(r.method)
	if r.contact != "" {
		line(&b, "Contact", r.contact)
	}
	if agent != "" && r.method != "ACK" && r.method != "CANCEL" {
		line(&b, "User-Agent", agent)
	}
	writeTail(&b, r.headers, r.ctype, r.body)
	return []byte(b.String())
}

// token gives n random bytes in hex: tags, branches, Call-IDs (RFC 3261 §19.3 wants 32 bits or more).
func token(n int) string {
	var buf [16]byte
	b := buf[:n]
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// between draws evenly from [lo, hi).
func between(lo, hi time.Duration) time.Duration {
	if hi <= lo {
		return lo
	}
	n, _ := rand.Int(rand.Reader, big.NewInt(int64(hi-lo)))
	return lo + time.Duration(n.Int64())
}

// reasonOf gives the standard phrase (RFC 3261 §21 and the registry).
func reasonOf(code int) string {
	switch code {
	case 100:
		return "Trying"
	case 180:
		return "Ringing"
	case 181:
		return "Call Is Being Forwarded"
	case 182:
		return "Queued"
	case 183:
		return "Session Progress"
	case 200:
		return "OK"
	case 202:
		return "Accepted"
	case 302:
		return "Moved Temporarily"
	case 400:
		return "Bad Request"
	case 401:
		return "Unauthorized"
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 405:
		return "Method Not Allowed"
	case 406:
		return "Not Acceptable"
	case 407:
		return "Proxy Authentication Required"
	case 408:
		return "Request Timeout"
	case 415:
		return "Unsupported Media Type"
	case 416:
		return "Unsupported URI Scheme"
	case 420:
		return "Bad Extension"
	case 422:
		return "Session Interval Too Small"
	case 423:
		return "Interval Too Brief"
	case 429:
		return "Too Many Requests"
	case 480:
		return "Temporarily Unavailable"
	case 481:
		return "Call/Transaction Does Not Exist"
	case 482:
		return "Loop Detected"
	case 486:
		return "Busy Here"
	case 487:
		return "Request Terminated"
	case 488:
		return "Not Acceptable Here"
	case 489:
		return "Bad Event"
	case 491:
		return "Request Pending"
	case 500:
		return "Server Internal Error"
	case 501:
		return "Not Implemented"
	case 503:
		return "Service Unavailable"
	case 504:
		return "Server Time-out"
	case 505:
		return "Version Not Supported"
	case 600:
		return "Busy Everywhere"
	case 603:
		return "Decline"
	}
	switch {
	case code < 200:
		return "Progress"
	case code < 300:
		return "OK"
	}
	return "Failure"
}
