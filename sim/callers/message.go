package callers

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// message is a SIP request or response (RFC 3261 §7), as much of it as a phone needs.
type message struct {
	method, uri string // of a request
	code        int    // of a response
	reason      string
	headers     []header
	body        []byte
}

type header struct{ name, value string }

const (
	maxMessage = 65536
	maxHeaders = 100
)

var errMessage = errors.New("callers: no SIP message")

// compact are the short forms of header names (RFC 3261 §7.3.3). Never written to.
var compact = map[string]string{"v": "Via", "f": "From", "t": "To", "i": "Call-ID", "m": "Contact", "l": "Content-Length", "c": "Content-Type", "k": "Supported"}

// parse reads a message. The bytes may be anything.
func parse(b []byte) (*message, error) {
	if len(b) > maxMessage {
		return nil, errMessage
	}
	head, body, _ := bytes.Cut(b, []byte("\r\n\r\n"))
	lines := strings.Split(string(head), "\r\n")
	m := &message{body: body}
	if err := m.start(lines[0]); err != nil {
		return nil, err
	}
	for _, line := range lines[1:] {
		if line == "" {
			continue
		}
		if (line[0] == ' ' || line[0] == '\t') && len(m.headers) > 0 {
			m.headers[len(m.headers)-1].value += " " + strings.TrimSpace(line)
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || len(m.headers) == maxHeaders {
			return nil, errMessage
		}
		name = strings.TrimSpace(name)
		if long, ok := compact[strings.ToLower(name)]; ok {
			name = long
		}
		m.headers = append(m.headers, header{name, strings.TrimSpace(value)})
	}
	if m.get("Call-ID") == "" || m.get("CSeq") == "" {
		return nil, errMessage
	}
	return m, nil
}

func (m *message) start(line string) error {
	parts := strings.SplitN(line, " ", 3)
	switch {
	case len(parts) == 3 && parts[0] == "SIP/2.0":
		code, err := strconv.Atoi(parts[1])
		if err != nil || code < 100 || code > 699 {
			return errMessage
		}
		m.code, m.reason = code, parts[2]
	case len(parts) == 3 && parts[2] == "SIP/2.0" && parts[0] != "":
		m.method, m.uri = parts[0], parts[1]
	default:
		return errMessage
	}
	return nil
}

// get gives the first header of the name, "" when there is none.
func (m *message) get(name string) string {
	for _, h := range m.headers {
		if strings.EqualFold(h.name, name) {
			return h.value
		}
	}
	return ""
}

// all gives every header of the name.
func (m *message) all(name string) []string {
	var out []string
	for _, h := range m.headers {
		if strings.EqualFold(h.name, name) {
			out = append(out, h.value)
		}
	}
	return out
}

func (m *message) add(name, value string) { m.headers = append(m.headers, header{name, value}) }

// cseq gives number and method of CSeq.
func (m *message) cseq() (int, string) {
	n, method, _ := strings.Cut(m.get("CSeq"), " ")
	i, err := strconv.Atoi(n)
	if err != nil {
		return 0, ""
	}
	return i, strings.TrimSpace(method)
}

// bytes writes the message.
func (m *message) bytes() []byte {
	var b bytes.Buffer
	if m.code != 0 {
		fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", m.code, m.reason)
	} else {
		fmt.Fprintf(&b, "%s %s SIP/2.0\r\n", m.method, m.uri)
	}
	for _, h := range m.headers {
		b.WriteString(h.name + ": " + h.value + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(m.body))
	b.Write(m.body)
	return b.Bytes()
}

// reply makes the response to a request; tag goes into a To that has none.
func (m *message) reply(code int, reason, tag string) *message {
	r := &message{code: code, reason: reason}
	for _, h := range m.headers {
		switch strings.ToLower(h.name) {
		case "via", "from", "call-id", "cseq", "record-route":
			r.headers = append(r.headers, h)
		case "to":
			if tag != "" && param(h.value, "tag") == "" {
				h.value += ";tag=" + tag
			}
			r.headers = append(r.headers, h)
		}
	}
	return r
}

// param gives a parameter behind the address of a header.
func param(value, name string) string {
	if i := strings.LastIndexByte(value, '>'); i >= 0 {
		value = value[i:]
	}
	for _, p := range strings.Split(value, ";")[1:] {
		if k, v, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// address gives the URI of a From, To or Contact.
func address(value string) string {
	if _, rest, ok := strings.Cut(value, "<"); ok {
		uri, _, _ := strings.Cut(rest, ">")
		return uri
	}
	uri, _, _ := strings.Cut(value, ";")
	return strings.TrimSpace(uri)
}

// userOf gives the user part of a URI.
func userOf(uri string) string {
	_, rest, _ := strings.Cut(uri, ":")
	user, _, ok := strings.Cut(rest, "@")
	if !ok {
		return ""
	}
	user, _, _ = strings.Cut(user, ";")
	return user
}
