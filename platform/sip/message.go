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
