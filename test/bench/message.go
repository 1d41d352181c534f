package main

import (
	"crypto/md5" //nolint:gosec // digest of RFC 2617, which every desk phone speaks
	"encoding/hex"
	"fmt"
	"strings"
)

// message is a SIP message as far as a load generator needs to read one. It is on purpose not the product's own
// reader: the figures are taken from outside.
type message struct {
	first string
	lines []string // header lines
	body  string
}

// read takes a datagram apart; ok is false when it is no SIP message (a keep-alive).
func read(datagram []byte) (m message, ok bool) {
	head, body, ok := strings.Cut(string(datagram), "\r\n\r\n")
	if !ok {
		return m, false
	}
	lines := strings.Split(head, "\r\n")
	return message{first: lines[0], lines: lines[1:], body: body}, true
}

// get gives the first value of a header, by its long name.
func (m *message) get(name string) string {
	for _, l := range m.lines {
		if len(l) > len(name) && l[len(name)] == ':' && strings.EqualFold(l[:len(name)], name) {
			return strings.TrimSpace(l[len(name)+1:])
		}
	}
	return ""
}

// status gives the code of a response, 0 for a request.
func (m *message) status() int {
	code := 0
	if strings.HasPrefix(m.first, "SIP/2.0 ") {
		_, _ = fmt.Sscanf(m.first[8:], "%d", &code)
	}
	return code
}

// method gives the request's method, of a response that of its CSeq.
func (m *message) method() string {
	if m.status() == 0 {
		name, _, _ := strings.Cut(m.first, " ")
		return name
	}
	_, name, _ := strings.Cut(m.get("CSeq"), " ")
	return name
}

// uri gives what stands within the angle brackets of a Contact, From or To.
func uri(value string) string {
	_, after, ok := strings.Cut(value, "<")
	if !ok {
		return value
	}
	inner, _, _ := strings.Cut(after, ">")
	return inner
}

// user gives the user part of an address.
func user(value string) string {
	u := strings.TrimPrefix(uri(value), "sip:")
	name, _, _ := strings.Cut(u, "@")
	return name
}

// respond writes the response to a request; tag is ours, extra are whole header lines.
func respond(req *message, code int, reason, tag, body string, extra ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", code, reason)
	for _, l := range req.lines {
		name, _, _ := strings.Cut(l, ":")
		switch strings.ToLower(name) {
		case "via", "from", "call-id", "cseq":
			b.WriteString(l + "\r\n")
		case "to":
			b.WriteString(l)
			if tag != "" && !strings.Contains(l, ";tag=") {
				b.WriteString(";tag=" + tag)
			}
			b.WriteString("\r\n")
		}
	}
	return finish(&b, body, extra)
}

// finish ends a message with further header lines and the body.
func finish(b *strings.Builder, body string, extra []string) string {
	for _, l := range extra {
		b.WriteString(l + "\r\n")
	}
	if body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.String()
}

// sdp is an offer or answer of G.711 A-law with telephone events at a port of this machine.
func sdp(port int) string {
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 8 101\r\n"+
		"a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n", port)
}

// mediaPort gives the audio port of a session description, 0 when there is none.
func mediaPort(body string) int {
	_, after, ok := strings.Cut(body, "m=audio ")
	port := 0
	if ok {
		_, _ = fmt.Sscanf(after, "%d", &port)
	}
	return port
}

// authorize answers the MD5 challenge of a 401.
func authorize(challenge *message, name, password, method, target string) string {
	for _, l := range challenge.lines {
		head, value, _ := strings.Cut(l, ":")
		if !strings.EqualFold(head, "WWW-Authenticate") || strings.Contains(strings.ToUpper(value), "SHA-256") {
			continue
		}
		realm, nonce := param(value, "realm"), param(value, "nonce")
		ha1 := sum(name + ":" + realm + ":" + password)
		ha2 := sum(method + ":" + target)
		response := sum(ha1 + ":" + nonce + ":00000001:bench:auth:" + ha2)
		return fmt.Sprintf(`Authorization: Digest username="%s", realm="%s", nonce="%s", uri="%s", algorithm=MD5, qop=auth, nc=00000001, cnonce="bench", response="%s"`,
			name, realm, nonce, target, response)
	}
	return ""
}

func param(challenge, name string) string {
	_, after, _ := strings.Cut(challenge, name+`="`)
	value, _, _ := strings.Cut(after, `"`)
	return value
}

func sum(s string) string {
	h := md5.Sum([]byte(s)) //nolint:gosec // see above
	return hex.EncodeToString(h[:])
}
