// Package ua is a telephone for tests: SIP over UDP and RTP on sockets of its own, knowing nothing of the house it
// calls. It rings, answers, refuses, holds, presses keys, sends a tone and measures what it hears.
package ua

import (
	"fmt"
	"strings"
)

// Message is a SIP message as it stands on the wire (RFC 3261 §7), read leniently.
type Message struct {
	Start  string
	Body   string
	fields [][2]string
}

// parse reads a message; what is not one has an empty Start.
func parse(raw string) *Message {
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	m := &Message{Start: lines[0], Body: body}
	for _, l := range lines[1:] {
		if k, v, ok := strings.Cut(l, ":"); ok {
			m.fields = append(m.fields, [2]string{strings.TrimSpace(k), strings.TrimSpace(v)})
		}
	}
	return m
}

// Get gives the first value of a header, "" when there is none.
func (m *Message) Get(name string) string {
	for _, f := range m.fields {
		if strings.EqualFold(f[0], name) {
			return f[1]
		}
	}
	return ""
}

// All gives every value of a header, in order.
func (m *Message) All(name string) (out []string) {
	for _, f := range m.fields {
		if strings.EqualFold(f[0], name) {
			out = append(out, f[1])
		}
	}
	return out
}

// Method gives a request's method, "" of a response.
func (m *Message) Method() string {
	if strings.HasPrefix(m.Start, "SIP/") {
		return ""
	}
	w, _, _ := strings.Cut(m.Start, " ")
	return w
}

// Code gives a response's status, 0 of a request.
func (m *Message) Code() (code int) {
	_, _ = fmt.Sscanf(m.Start, "SIP/2.0 %d", &code)
	return code
}

// branch names the transaction: RFC 3261 §8.1.1.7.
func (m *Message) branch() string { return parameter(m.Get("Via"), "branch") }

// contact gives the URI of Contact.
func (m *Message) contact() string {
	_, v, ok := strings.Cut(m.Get("Contact"), "<")
	if !ok {
		v, _, _ = strings.Cut(m.Get("Contact"), ";")
		return v
	}
	v, _, _ = strings.Cut(v, ">")
	return v
}

func parameter(value, name string) string {
	_, v, ok := strings.Cut(value, ";"+name+"=")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(v, ";,> "); i >= 0 {
		v = v[:i]
	}
	return v
}

// reply writes a response to a request, with further header lines and a body.
func (m *Message) reply(code int, reason, tag, body string, extra ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", code, reason)
	for _, v := range m.All("Via") {
		b.WriteString("Via: " + v + "\r\n")
	}
	for _, v := range m.All("Record-Route") {
		b.WriteString("Record-Route: " + v + "\r\n")
	}
	to := m.Get("To")
	if !strings.Contains(to, ";tag=") && tag != "" {
		to += ";tag=" + tag
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n", m.Get("From"), to, m.Get("Call-ID"), m.Get("CSeq"))
	for _, x := range extra {
		b.WriteString(x + "\r\n")
	}
	if body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.String()
}
