package sip

import (
	"net/netip"
	"strconv"
	"strings"
)

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
