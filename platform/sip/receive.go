package sip

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/kapok-hotline/kapok/platform/sip/wire"
)

// Methods we serve; what a peer is told in Allow.
const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY, REGISTER"

// datagram is one UDP packet; b is only lent.
func (s *Server) datagram(p *packetPipe, from netip.AddrPort, b []byte) {
	if len(b) < 16 || b[0] <= ' ' || b[0] >= 0x7f { // keep-alives, STUN, noise
		s.counts.dropped.Add(1)
		return
	}
	f := &Flow{Transport: "udp", Remote: from, local: p.local, udp: p.conn}
	s.arrived(f, append([]byte(nil), b...))
}

// arrived takes one whole message in order of arrival. It runs on the reading goroutine and must not block: what
// needs no memory of a call is answered here, the rest goes to the lane of its Call-ID.
func (s *Server) arrived(f *Flow, raw []byte) {
	s.counts.received.Add(1)
	known := s.knows(f)
	if !known && !s.flood.allow(f.Remote.Addr(), s.cfg.Now()) {
		s.counts.dropped.Add(1)
		return
	}
	h, bad := wire.Scan(raw)
	if h.Method == "" && h.Code == 0 {
		s.counts.malformed.Add(1)
		return
	}
	if !known && s.flood.scanner(h.Get("user-agent")) {
		s.counts.dropped.Add(1)
		return
	}
	m, err := newMessage(h, raw, f, s.cfg.Now())
	if bad == nil {
		bad = err
	}
	if h.Code != 0 {
		s.response(m, bad)
		return
	}
	if bad != nil {
		s.counts.malformed.Add(1)
		if !errors.Is(err, wire.ErrNoVia) && h.Method != "ACK" {
			s.answerFlat(m, 400, bad.Error())
		}
		return
	}
	if s.refuse(m) {
		return
	}
	s.request(m)
}

func (s *Server) response(m *message, bad error) {
	// A response must match one of our requests, and only our Via may be on it (RFC 3261 §8.1.3.3).
	if bad != nil || m.Count("via") != 1 || m.Via.Rest != "" {
		s.counts.malformed.Add(1)
		return
	}
	if !s.deliver(m.CallID, false, func(l *lane) { l.response(m) }) {
		s.counts.dropped.Add(1)
	}
}

// refuse answers what no dialog or transaction is needed for; true means done.
func (s *Server) refuse(m *message) bool {
	switch {
	case m.Version != "SIP/2.0":
		s.answerFlat(m, 505, "")
	case strings.ContainsAny(m.URI, " \t<>\""),
		strings.Contains(m.URI[strings.LastIndexByte(m.URI, '@')+1:], "?"): // no headers here: RFC 3261 §19.1.1, table 1
		s.answerFlat(m, 400, "the Request-URI is not well formed")
	case m.Method == "ACK", m.Method == "CANCEL":
		return false
	case !servedScheme(m.URI):
		s.answerFlat(m, 416, "")
	default:
		return s.refuseBody(m) || s.refuseMethod(m)
	}
	return true
}

func servedScheme(uri string) bool {
	scheme, _, _ := strings.Cut(uri, ":")
	return strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "sips") || strings.EqualFold(scheme, "tel")
}

// refuseBody refuses extensions and bodies we cannot read (RFC 3261 §8.2.2.3, §8.2.3).
func (s *Server) refuseBody(m *message) bool {
	var unknown []string
	for _, t := range m.List("require") {
		switch strings.ToLower(t) {
		case "100rel", "timer", "replaces", "norefersub", "from-change", "histinfo":
		default:
			unknown = append(unknown, t)
		}
	}
	if len(unknown) > 0 {
		s.answerFlat(m, 420, "", Header{Name: "Unsupported", Value: strings.Join(unknown, ", ")})
		return true
	}
	if enc := m.Get("content-encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		s.answerFlat(m, 415, "", Header{Name: "Accept-Encoding", Value: "identity"})
		return true
	}
	if m.Method == "INVITE" && m.Count("accept") > 0 && !acceptsSDP(m) {
		s.answerFlat(m, 406, "")
		return true
	}
	if m.Method == "INVITE" && len(m.Body) > 0 {
		ct := strings.ToLower(m.Get("content-type"))
		if ct != "" && !strings.HasPrefix(ct, "application/sdp") && !strings.HasPrefix(ct, "multipart/") {
			s.answerFlat(m, 415, "", Header{Name: "Accept", Value: "application/sdp"})
			return true
		}
	}
	return false
}

// acceptsSDP says whether the peer takes a session description in the answer (RFC 3261 §20.1).
func acceptsSDP(m *message) bool {
	for _, v := range m.List("accept") {
		t, _, _ := strings.Cut(strings.ToLower(v), ";")
		switch strings.TrimSpace(t) {
		case "application/sdp", "application/*", "*/*":
			return true
		}
	}
	return false
}

// refuseMethod answers OPTIONS outside a dialog and methods we do not serve, without a transaction: the answer to a
// repeat is the same, and a flood leaves nothing behind.
func (s *Server) refuseMethod(m *message) bool {
	switch m.Method {
	case "INVITE", "BYE", "INFO", "UPDATE", "PRACK", "REFER", "NOTIFY", "REGISTER":
		return false
	case "OPTIONS":
		if m.ToTag != "" {
			return false
		}
		s.answerFlat(m, 200, "", capabilities()...)
	case "SUBSCRIBE", "PUBLISH", "MESSAGE":
		s.answerFlat(m, 405, "", Header{Name: "Allow", Value: allow})
	default:
		s.answerFlat(m, 501, "", Header{Name: "Allow", Value: allow})
	}
	return true
}

func capabilities() []Header {
	return []Header{
		{Name: "Allow", Value: allow},
		{Name: "Accept", Value: "application/sdp, application/dtmf-relay, application/dtmf"},
		{Name: "Supported", Value: "100rel, timer, replaces"},
	}
}

// answerFlat answers without a transaction.
func (s *Server) answerFlat(m *message, code int, reason string, headers ...Header) {
	if m.Method == "ACK" {
		return
	}
	reason = strings.TrimPrefix(reason, "sip: ")
	headers = append(headers, Header{Name: "Server", Value: s.cfg.Name})
	b := m.response(wire.Reply{Code: code, Reason: reason, Tag: flatTag(m), Headers: headers})
	if err := m.replyFlow().write(b); err != nil {
		s.log.Debug("sip: write", "peer", m.flow.Key(), "err", err)
	}
}

// flatTag makes the same To tag for every repeat of a request (RFC 3261 §8.2.7).
func flatTag(m *message) string {
	const hexdigits = "0123456789abcdef"
	var h uint64 = 14695981039346656037 // FNV-1a
	for _, s := range [...]string{m.CallID, m.FromTag, m.Via.Branch} {
		for i := 0; i < len(s); i++ {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
	}
	var b [12]byte
	for i := range b {
		b[i] = hexdigits[h&15]
		h >>= 4
	}
	return string(b[:])
}

// request sends a sound request to its lane.
func (s *Server) request(m *message) {
	fresh := m.ToTag == "" && (m.Method == "INVITE" || m.Method == "REGISTER")
	if fresh && m.Method == "INVITE" && !s.overload.admit(m.at) {
		if !s.deliver(m.CallID, false, func(l *lane) { l.repeatOrShed(m) }) {
			s.shed(m)
		}
		return
	}
	if fresh && m.Method == "REGISTER" && s.registrar.flat(m) {
		return
	}
	if s.deliver(m.CallID, fresh, func(l *lane) { l.request(m) }) || m.Method == "ACK" {
		return
	}
	s.answerFlat(m, 481, "")
}

// repeatOrShed lets repeats of a call we already have pass, and sheds the rest.
func (l *lane) repeatOrShed(m *message) {
	if l.server[m.ServerKey(m.Method)] != nil {
		l.request(m)
		return
	}
	l.srv.shed(m)
}

// shed refuses a new call cheaply (RFC 3261 §21.5.4).
func (s *Server) shed(m *message) {
	s.counts.shed.Add(1)
	s.answerFlat(m, 503, "", Header{Name: "Retry-After", Value: retryAfter()})
}

// response finds the transaction; a 2xx to INVITE may come when it is gone already.
func (l *lane) response(m *message) {
	l.trace.add(entryOf(m))
	if t := l.client[m.Via.Branch+" "+m.SeqName]; t != nil {
		t.receive(m)
		return
	}
	l.srv.counts.dropped.Add(1)
}

// request runs in the lane.
func (l *lane) request(m *message) {
	l.trace.add(entryOf(m))
	switch m.Method {
	case "ACK":
		l.ack(m)
		return
	case "CANCEL":
		l.cancel(m)
		return
	}
	if t := l.server[m.ServerKey(m.Method)]; t != nil {
		t.repeated()
		return
	}
	if m.ToTag == "" && l.merged(m) {
		l.srv.answerFlat(m, 482, "")
		return
	}
	if m.ToTag == "" {
		switch m.Method {
		case "INVITE":
			l.srv.incoming(l, m)
		case "REGISTER":
			l.srv.registrar.request(l.newServerTx(m))
		default:
			l.newServerTx(m).respond(wire.Reply{Code: 481})
		}
		return
	}
	if d := l.dialogFor(m.ToTag, m.FromTag); d != nil {
		d.request(l.newServerTx(m))
		return
	}
	l.newServerTx(m).respond(wire.Reply{Code: 481})
}

// merged says whether the same request came another way (RFC 3261 §8.2.2.2).
func (l *lane) merged(m *message) bool {
	for _, t := range l.server {
		r := t.req
		if r.Method == m.Method && r.ToTag == "" && r.FromTag == m.FromTag && r.Seq == m.Seq && r.Via.Branch != m.Via.Branch {
			return true
		}
	}
	return false
}

func (l *lane) ack(m *message) {
	if t := l.server[m.ServerKey("INVITE")]; t != nil && t.state == txCompleted {
		t.acked()
		return
	}
	if d := l.dialogFor(m.ToTag, m.FromTag); d != nil {
		d.acked(m)
	}
}

func (l *lane) cancel(m *message) {
	t := l.server[m.ServerKey("INVITE")]
	if t == nil {
		l.srv.answerFlat(m, 481, "")
		return
	}
	// flat: the same answer for every repeat, with the tag of the INVITE (RFC 3261 §9.2)
	b := m.response(wire.Reply{Code: 200, Tag: t.tag, Headers: []Header{{Name: "Server", Value: l.srv.cfg.Name}}})
	_ = l.write(m.replyFlow(), b)
	if t.state <= txProceeding && t.canceled != nil {
		t.canceled()
	}
}

// dialogFor finds the dialog by our tag and the peer's.
func (l *lane) dialogFor(local, remote string) *Dialog {
	for _, d := range l.dialogs {
		if d.localTag == local && (d.remoteTag == remote || remote == "" && d.remoteTag == "") {
			return d
		}
	}
	return nil
}
