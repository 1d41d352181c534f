package wire

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
)

// Bounds of a message from outside: RFC 3261 sets none, so these are ours.
const (
	MaxMessage = 65535 // bytes of one message on any transport
	maxHeaders = 256   // header lines
	maxValue   = 8192  // bytes of one header value
)

// ErrTooLarge, ErrBadLength and the others say which rule bytes break that are no SIP message.
var (
	errNotSIP    = errors.New("sip: not a SIP message")
	ErrTooLarge  = errors.New("sip: message too large")
	errNoEnd     = errors.New("sip: header section has no end")
	errBadLine   = errors.New("sip: header line without a name")
	ErrBadLength = errors.New("sip: Content-Length is no number or longer than the message")
)

// Field is one header line, unfolded: the name in full lower-case form and the value as written.
type Field struct{ Name, Value string }

// Head is the cheap reading of a message: the start line and the header lines, nothing interpreted but
// what routing needs. It is made on the reading goroutine, so it must stay a single pass.
type Head struct {
	Method  string // of a request; empty for a response
	URI     string
	Version string
	Code    int // of a response
	Reason  string
	Fields  []Field
	Body    []byte
	length  int // Content-Length, -1 when absent
}

// Scan reads the header section of one whole message. On error the head holds what could be read, so that
// a 400 can still be addressed.
func Scan(raw []byte) (*Head, error) {
	h := &Head{length: -1}
	if len(raw) > MaxMessage {
		return h, ErrTooLarge
	}
	end, bodyAt := endOfHead(raw)
	if end < 0 {
		end, bodyAt = len(raw), len(raw)
	}
	text := string(raw[:end])
	line, rest := CutLine(text)
	if !h.startLine(line) {
		return h, errNotSIP
	}
	var bad error
	h.Fields = make([]Field, 0, 16)
	for rest != "" {
		line, rest = CutLine(rest)
		for rest != "" && (rest[0] == ' ' || rest[0] == '\t') { // folded (RFC 3261 §7.3.1)
			var more string
			more, rest = CutLine(rest)
			line = strings.TrimRight(line, " \t") + " " + strings.TrimLeft(more, " \t")
		}
		name, value, ok := strings.Cut(line, ":")
		name = strings.TrimRight(name, " \t")
		if !ok || name == "" || strings.ContainsAny(name, " \t") || len(value) > maxValue || len(h.Fields) == maxHeaders {
			bad = errBadLine
			continue
		}
		h.Fields = append(h.Fields, Field{fullName(name), strings.Trim(value, " \t")})
	}
	if bodyAt > len(raw) || end == bodyAt {
		return h, errNoEnd
	}
	if err := h.takeBody(raw[bodyAt:]); err != nil {
		return h, err
	}
	return h, bad
}

// takeBody cuts the body to Content-Length (RFC 3261 §18.3).
func (h *Head) takeBody(b []byte) error {
	for _, f := range h.Fields {
		if f.Name != "content-length" {
			continue
		}
		n, err := strconv.ParseUint(f.Value, 10, 31)
		if err != nil || (h.length >= 0 && h.length != int(n)) {
			return ErrBadLength
		}
		h.length = int(n)
	}
	switch {
	case h.length > len(b):
		return ErrBadLength
	case h.length >= 0:
		b = b[:h.length]
	}
	if len(b) > 0 {
		h.Body = b
	}
	return nil
}

func (h *Head) startLine(line string) bool {
	if rest, ok := strings.CutPrefix(line, "SIP/2.0 "); ok {
		code, reason, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(code)
		if err != nil || len(code) != 3 || n < 100 || n > 699 {
			return false
		}
		h.Code, h.Reason = n, reason
		return true
	}
	line = strings.TrimRight(line, " ") // lenient: RFC 4475 §3.1.2.10
	first := strings.IndexByte(line, ' ')
	last := strings.LastIndexByte(line, ' ')
	if first <= 0 || last <= first || !strings.HasPrefix(line[last+1:], "SIP/") || !isToken(line[:first]) {
		return false
	}
	h.Method, h.URI, h.Version = line[:first], line[first+1:last], line[last+1:]
	return true
}

// Get gives the first value of a header (full lower-case name) or "".
func (h *Head) Get(name string) string {
	for i := range h.Fields {
		if h.Fields[i].Name == name {
			return h.Fields[i].Value
		}
	}
	return ""
}

// Count says how many lines carry the header.
func (h *Head) Count(name string) int {
	n := 0
	for i := range h.Fields {
		if h.Fields[i].Name == name {
			n++
		}
	}
	return n
}

// List gives all values of a header, comma-separated ones split.
func (h *Head) List(name string) []string {
	var out []string
	for i := range h.Fields {
		if h.Fields[i].Name == name {
			out = append(out, SplitList(h.Fields[i].Value)...)
		}
	}
	return out
}

// Has says whether a list header (Supported, Require, Allow) holds the token.
func (h *Head) Has(name, token string) bool {
	for i := range h.Fields {
		if h.Fields[i].Name == name && ContainsToken(h.Fields[i].Value, token) {
			return true
		}
	}
	return false
}

// ContainsToken says whether a comma-separated list holds the token, in whatever case.
func ContainsToken(list, token string) bool {
	for list != "" {
		var one string
		one, list, _ = strings.Cut(list, ",")
		if strings.EqualFold(strings.TrimSpace(one), token) {
			return true
		}
	}
	return false
}

// endOfHead finds the empty line: where the header lines end and where the body begins, or -1.
func endOfHead(raw []byte) (end, body int) {
	if i := bytes.Index(raw, []byte("\r\n\r\n")); i >= 0 {
		return i + 2, i + 4
	}
	return -1, -1
}

// CutLine cuts the first line off; its end may be CRLF or LF.
func CutLine(s string) (line, rest string) {
	i := strings.IndexByte(s, '\n')
	if i < 0 {
		return strings.TrimSuffix(s, "\r"), ""
	}
	return strings.TrimSuffix(s[:i], "\r"), s[i+1:]
}

// isToken is the token rule of RFC 3261 §25.1.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("-.!%*_+`'~", c) >= 0 {
			continue
		}
		return false
	}
	return s != ""
}

// fullName gives the lower-case long form of a header name (compact forms: RFC 3261 §7.3.3 and the registry).
func fullName(name string) string {
	switch name { // the spellings that nearly all messages use, without an allocation
	case "Via":
		return "via"
	case "From":
		return "from"
	case "To":
		return "to"
	case "Call-ID":
		return "call-id"
	case "CSeq":
		return "cseq"
	case "Contact":
		return "contact"
	case "Max-Forwards":
		return "max-forwards"
	case "Content-Length":
		return "content-length"
	case "Content-Type":
		return "content-type"
	case "Allow":
		return "allow"
	case "Supported":
		return "supported"
	case "User-Agent":
		return "user-agent"
	}
	if len(name) == 1 {
		if long := compact(name[0] | 0x20); long != "" {
			return long
		}
	}
	return strings.ToLower(name)
}

func compact(c byte) string {
	switch c {
	case 'v':
		return "via"
	case 'f':
		return "from"
	case 't':
		return "to"
	case 'i':
		return "call-id"
	case 'm':
		return "contact"
	case 'l':
		return "content-length"
	case 'c':
		return "content-type"
	case 'e':
		return "content-encoding"
	case 'k':
		return "supported"
	case 'r':
		return "refer-to"
	case 'b':
		return "referred-by"
	case 'o':
		return "event"
	case 'u':
		return "allow-events"
	case 's':
		return "subject"
	case 'x':
		return "session-expires"
	}
	return ""
}
