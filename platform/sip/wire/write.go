package wire

import (
	"net/netip"
	"strconv"
	"strings"
)

// Header is one header line of a message.
type Header struct{ Name, Value string }

// Reply is a response to be written.
type Reply struct {
	Code    int
	Reason  string
	Tag     string // To tag, when the request has none
	Headers []Header
	Type    string
	Body    []byte
}

// Answer writes the reply to m, which came from src (RFC 3261 §8.2.6).
func (m *Message) Answer(r Reply, src netip.AddrPort) []byte {
	var b strings.Builder
	b.Grow(512 + len(r.Body))
	b.WriteString("SIP/2.0 ")
	b.WriteString(strconv.Itoa(r.Code))
	b.WriteByte(' ')
	if r.Reason == "" {
		r.Reason = ReasonOf(r.Code)
	}
	b.WriteString(Clean(r.Reason))
	b.WriteString("\r\nVia: ")
	m.writeVia(&b, src)
	first := true
	for _, f := range m.Fields {
		switch {
		case f.Name == "via" && first:
			first = false
		case f.Name == "via":
			line(&b, "Via", f.Value)
		case f.Name == "record-route" && r.Code > 100 && r.Code < 300 && m.Method == "INVITE":
			line(&b, "Record-Route", f.Value)
		}
	}
	for _, h := range [...]Header{{"From", "from"}, {"To", "to"}, {"Call-ID", "call-id"}, {"CSeq", "cseq"}} {
		v := m.Get(h.Value)
		if v == "" {
			continue // a malformed request is answered with what it has
		}
		line(&b, h.Name, v)
		if h.Name == "To" && m.ToTag == "" && r.Tag != "" && r.Code > 100 {
			b.WriteString(";tag=")
			b.WriteString(r.Tag)
		}
	}
	if ts := m.Get("timestamp"); ts != "" && r.Code == 100 {
		line(&b, "Timestamp", ts)
	}
	writeTail(&b, r.Headers, r.Type, r.Body)
	return []byte(b.String())
}

// writeVia writes the topmost Via back with received and rport filled in (RFC 3261 §18.2.1, RFC 3581 §4).
func (m *Message) writeVia(b *strings.Builder, src netip.AddrPort) {
	text := m.Via.text
	if m.Via.RPort {
		text = setRport(text, strconv.Itoa(int(src.Port())))
	}
	b.WriteString(text)
	if a, err := netip.ParseAddr(m.Via.Host); (err != nil || a.Unmap() != src.Addr() || m.Via.RPort) && src.IsValid() {
		b.WriteString(";received=")
		b.WriteString(src.Addr().String())
	}
	if m.Via.Rest != "" {
		b.WriteString(", ")
		b.WriteString(m.Via.Rest)
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
		line(b, Clean(h.Name), Clean(h.Value))
	}
	if len(body) > 0 {
		if ctype == "" {
			ctype = "application/sdp"
		}
		line(b, "Content-Type", Clean(ctype))
	}
	line(b, "Content-Length", strconv.Itoa(len(body)))
	b.WriteString("\r\n\r\n")
	b.Write(body)
}

// Request is a request of ours, to be written once per transaction.
type Request struct {
	Method  string
	URI     string
	From    string // whole value with tag
	To      string
	CallID  string
	Seq     uint32
	Routes  []string
	Contact string
	Headers []Header
	Type    string
	Body    []byte
}

// Text writes the request with the Via given.
func (r *Request) Text(via, agent string) []byte {
	var b strings.Builder
	b.Grow(640 + len(r.Body))
	b.WriteString(r.Method)
	b.WriteByte(' ')
	b.WriteString(r.URI)
	b.WriteString(" SIP/2.0")
	line(&b, "Via", via)
	for _, v := range r.Routes {
		line(&b, "Route", v)
	}
	line(&b, "Max-Forwards", "70")
	line(&b, "From", r.From)
	line(&b, "To", r.To)
	line(&b, "Call-ID", r.CallID)
	b.WriteString("\r\nCSeq: ")
	b.WriteString(strconv.Itoa(int(r.Seq)))
	b.WriteByte(' ')
	b.WriteString(r.Method)
	if r.Contact != "" {
		line(&b, "Contact", r.Contact)
	}
	if agent != "" && r.Method != "ACK" && r.Method != "CANCEL" {
		line(&b, "User-Agent", agent)
	}
	writeTail(&b, r.Headers, r.Type, r.Body)
	return []byte(b.String())
}
