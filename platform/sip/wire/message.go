package wire

import (
	"errors"
	"strconv"
	"strings"
)

// Message is one message from outside with the fields that routing needs already read.
type Message struct {
	*Head
	CallID  string
	FromTag string
	ToTag   string
	Seq     uint32
	SeqName string // method in CSeq
	Via     Hop
}

// Hop is the topmost Via (RFC 3261 §20.42).
type Hop struct {
	text   string // as received
	Rest   string // other hops on the same line
	Host   string
	Port   int
	Branch string
	RPort  bool // asked for, without a value
}

// Magic is what every branch made by RFC 3261 begins with (§8.1.1.7).
const Magic = "z9hG4bK"

// ErrNoVia says that a message cannot even be answered. The others are answered with 400.
var (
	ErrNoVia     = errors.New("sip: no usable Via")
	errMandatory = errors.New("sip: a mandatory header is missing, doubled or not well formed")
	errMismatch  = errors.New("sip: CSeq names another method than the request line")
)

// Read reads the routing fields. The message is returned with whatever could be read, so that a
// malformed request can be answered.
func Read(h *Head) (*Message, error) {
	m := &Message{Head: h}
	if !m.readVia(h.Get("via")) {
		return m, ErrNoVia
	}
	m.CallID = h.Get("call-id")
	from, to := h.Get("from"), h.Get("to")
	m.FromTag, m.ToTag = tagOf(from), tagOf(to)
	okSeq := m.readSeq(h.Get("cseq"))
	if m.CallID == "" || from == "" || to == "" || !okSeq ||
		strings.Contains(m.Via.text, ";;") || !balanced(from) || !balanced(to) || h.Count("call-id") > 1 || h.Count("from") > 1 || h.Count("to") > 1 || h.Count("cseq") > 1 {
		return m, errMandatory
	}
	if h.Method != "" && m.SeqName != h.Method {
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

func (m *Message) readSeq(v string) bool {
	i := strings.IndexAny(v, " \t")
	if i <= 0 {
		return false
	}
	n, err := strconv.ParseUint(v[:i], 10, 32)
	m.Seq, m.SeqName = uint32(n), strings.Trim(v[i:], " \t")
	return err == nil && n < 1<<31 && isToken(m.SeqName)
}

func (m *Message) readVia(line string) bool {
	top := line
	if strings.IndexByte(line, ',') >= 0 {
		hops := SplitList(line)
		if len(hops) == 0 {
			return false
		}
		top = hops[0]
		m.Via.Rest = strings.Join(hops[1:], ", ")
	}
	m.Via.text = top
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
	m.Via.Host, m.Via.Port = splitHostPort(strings.Join(words[1:], ""))
	m.Via.Branch, _ = Param(params, "branch")
	v, ok := Param(params, "rport")
	m.Via.RPort = ok && v == ""
	return m.Via.Host != "" && m.Via.Port >= 0
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
	t, _ := Param(params, "tag")
	return t
}

// ServerKey matches a request to its transaction (RFC 3261 §17.2.3); asked as INVITE for ACK and CANCEL.
func (m *Message) ServerKey(method string) string {
	if strings.HasPrefix(m.Via.Branch, Magic) && len(m.Via.Branch) > len(Magic) {
		return m.Via.Branch + " " + m.Via.Host + ":" + strconv.Itoa(m.Via.Port) + " " + method
	}
	// RFC 2543: no branch worth the name
	return m.FromTag + " " + strconv.Itoa(int(m.Seq)) + " " + m.Via.text + " " + method
}
