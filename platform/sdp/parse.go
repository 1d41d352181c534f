package sdp

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Bounds of what Parse takes: a hostile description costs no more than this.
const (
	maxBytes      = 16 << 10
	maxLines      = 400
	maxMedia      = 16
	maxPayloads   = 32
	maxCandidates = 32
	maxCrypto     = 8
)

// Parse reads a description. It is tolerant as telephones need it (bare LF, no final line end, blanks, unknown
// lines, attributes in any order) and bounded. A description without audio is no error here: Index is −1.
// Errors wrap ErrSyntax.
func Parse(b []byte) (*Session, error) {
	if len(b) > maxBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are taken", ErrSyntax, len(b), maxBytes)
	}
	p := parser{s: &Session{Index: -1}}
	lines := 0
	for len(b) > 0 {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte("\n"))
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if lines++; lines > maxLines {
			return nil, fmt.Errorf("%w: more than %d lines", ErrSyntax, maxLines)
		}
		if len(line) < 2 || line[1] != '=' || bytes.ContainsAny(line, "\r\x00") {
			return nil, fmt.Errorf("%w: line %d is not of the form x=value", ErrSyntax, lines)
		}
		if lines == 1 && line[0] != 'v' {
			return nil, fmt.Errorf("%w: it does not begin with v=", ErrSyntax)
		}
		if err := p.line(line[0], strings.TrimSpace(string(line[2:]))); err != nil {
			return nil, err
		}
	}
	if lines == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrSyntax)
	}
	return p.finish(), nil
}

// stream is an m-line while it is being read.
type stream struct {
	media    string
	port     int
	pts      []uint8
	conn     string
	hasDir   bool
	rtcpPort int
	rtcpAddr string
	maps     map[uint8]Payload
	fmtp     map[uint8]string
	a        Audio
}

type parser struct {
	s       *Session
	session stream // attributes above the first m-line
	streams []*stream
}

func (p *parser) current() *stream {
	if n := len(p.streams); n > 0 {
		return p.streams[n-1]
	}
	return &p.session
}

func (p *parser) line(kind byte, v string) error {
	switch kind {
	case 'v':
		if v != "0" {
			return fmt.Errorf("%w: version %q", ErrSyntax, clip(v))
		}
	case 'o':
		if f := strings.Fields(v); len(f) >= 3 {
			p.s.OriginUser, p.s.OriginID, p.s.Version = f[0], f[1], f[2]
		}
	case 'c':
		f := strings.Fields(v)
		if len(f) < 3 {
			return fmt.Errorf("%w: c=%s", ErrSyntax, clip(v))
		}
		addr, _, _ := strings.Cut(f[2], "/")
		p.current().conn = addr
	case 'm':
		return p.media(v)
	case 'a':
		name, val, _ := strings.Cut(v, ":")
		return p.current().attribute(strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(val))
	}
	return nil
}

func (p *parser) media(v string) error {
	f := strings.Fields(v)
	if len(f) < 3 || len(p.streams) >= maxMedia {
		return fmt.Errorf("%w: m=%s", ErrSyntax, clip(v))
	}
	port, _, _ := strings.Cut(f[1], "/")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return fmt.Errorf("%w: port in m=%s", ErrSyntax, clip(v))
	}
	st := &stream{media: strings.ToLower(f[0]), port: int(n)}
	st.a.Proto = strings.ToUpper(f[2])
	if st.media == "audio" {
		for _, t := range f[3:] {
			pt, err := strconv.ParseUint(t, 10, 7)
			if err != nil || len(st.pts) >= maxPayloads {
				continue
			}
			st.pts = append(st.pts, uint8(pt))
		}
	}
	p.streams = append(p.streams, st)
	fmts := ""
	if len(f) > 3 {
		fmts = f[3]
	}
	p.s.Media = append(p.s.Media, f[0]+" "+f[2]+" "+fmts)
	return nil
}

func (st *stream) attribute(name, v string) error {
	a := &st.a
	switch name {
	case "sendrecv", "sendonly", "recvonly", "inactive":
		for d := SendRecv; d <= Inactive; d++ {
			if d.String() == name {
				a.Direction, st.hasDir = d, true
			}
		}
	case "rtpmap":
		return st.rtpmap(v)
	case "fmtp":
		pt, rest, _ := strings.Cut(v, " ")
		if n, err := strconv.ParseUint(pt, 10, 7); err == nil && len(st.fmtp) < maxPayloads {
			if st.fmtp == nil {
				st.fmtp = map[uint8]string{}
			}
			st.fmtp[uint8(n)] = strings.TrimSpace(rest)
		}
	case "ptime":
		a.Ptime = millis(v)
	case "maxptime":
		a.MaxPtime = millis(v)
	case "rtcp":
		f := strings.Fields(v)
		if len(f) > 0 {
			if n, err := strconv.ParseUint(f[0], 10, 16); err == nil {
				st.rtcpPort = int(n)
			}
		}
		if len(f) >= 4 {
			st.rtcpAddr = f[3]
		}
	case "rtcp-mux":
		a.RTCPMux = true
	case "crypto":
		if c, ok := parseCrypto(v); ok && len(a.Crypto) < maxCrypto {
			a.Crypto = append(a.Crypto, c)
		}
	case "ice-lite":
		a.ICE.Lite = true
	case "ice-ufrag":
		a.ICE.Ufrag = v
	case "ice-pwd":
		a.ICE.Pwd = v
	case "fingerprint":
		// A side may list several hashes; the strongest usual one is enough, and all are of the same certificate.
		if a.ICE.Fingerprint == "" || strings.HasPrefix(strings.ToLower(v), "sha-256 ") {
			a.ICE.Fingerprint = v
		}
	case "setup":
		a.ICE.Setup = strings.ToLower(v)
	case "mid":
		a.ICE.Mid = v
	case "candidate":
		if c, ok := parseCandidate(v); ok && len(a.ICE.Candidates) < maxCandidates {
			a.ICE.Candidates = append(a.ICE.Candidates, c)
		}
	}
	return nil
}

func (st *stream) rtpmap(v string) error {
	pt, enc, ok := strings.Cut(v, " ")
	n, err := strconv.ParseUint(pt, 10, 7)
	if !ok || err != nil {
		return nil // of no use, and no reason to lose the call
	}
	name, rest, _ := strings.Cut(strings.TrimSpace(enc), "/")
	rate, _, _ := strings.Cut(rest, "/")
	hz, err := strconv.ParseUint(strings.TrimSpace(rate), 10, 20)
	if err != nil || len(st.maps) >= maxPayloads {
		return nil
	}
	if st.maps == nil {
		st.maps = map[uint8]Payload{}
	}
	st.maps[uint8(n)] = Payload{Type: uint8(n), Name: strings.ToUpper(name), Rate: int(hz)}
	return nil
}

// finish picks the audio line: the first with a port, else the first at all.
func (p *parser) finish() *Session {
	s := p.s
	for i, st := range p.streams {
		s.Mids = append(s.Mids, st.a.ICE.Mid)
		if st.media == "audio" && (s.Index < 0 || (s.Rejected && st.port != 0)) {
			s.Index, s.Rejected = i, st.port == 0
		}
	}
	if s.Index < 0 {
		return s
	}
	st := p.streams[s.Index]
	a := &st.a
	if !st.hasDir {
		a.Direction = p.session.a.Direction
	}
	conn := st.conn
	if conn == "" {
		conn = p.session.conn
	}
	ip := address(conn)
	if ip.IsValid() && ip.IsUnspecified() {
		// Hold of RFC 2543: it wants nothing, but may still send (RFC 3264 §8.4). A browser writes 0.0.0.0 when it
		// has not gathered candidates yet (RFC 8840 §4.1.2), which is no hold.
		if !a.dtls() {
			a.Direction = a.Direction.And(SendOnly)
		}
		ip = netip.Addr{}
	}
	a.Addr = netip.AddrPortFrom(ip, uint16(st.port))
	if st.rtcpPort != 0 {
		rip := address(st.rtcpAddr)
		if !rip.IsValid() {
			rip = ip
		}
		a.RTCP = netip.AddrPortFrom(rip, uint16(st.rtcpPort))
	}
	for _, pt := range st.pts {
		a.Payloads = append(a.Payloads, st.payload(pt))
	}
	inherit(&a.ICE, p.session.a.ICE)
	a.RTCPMux = a.RTCPMux || p.session.a.RTCPMux
	if a.Ptime == 0 {
		a.Ptime = p.session.a.Ptime
	}
	s.Audio = *a
	return s
}

func (st *stream) payload(pt uint8) Payload {
	m, ok := st.maps[pt]
	if !ok {
		m = Payload{Type: pt, Rate: 8000}
		switch pt { // RFC 3551 table 4: these need no rtpmap
		case 0:
			m.Name = "PCMU"
		case 8:
			m.Name = "PCMA"
		case 9:
			m.Name = "G722"
		case 13:
			m.Name = "CN"
		case 18:
			m.Name = "G729"
		}
	}
	m.Fmtp = st.fmtp[pt]
	return m
}

// inherit takes session-level ICE and DTLS attributes where the stream has none of its own.
func inherit(m *ICE, s ICE) {
	m.Lite = m.Lite || s.Lite
	if m.Ufrag == "" && m.Pwd == "" {
		m.Ufrag, m.Pwd = s.Ufrag, s.Pwd
	}
	if m.Fingerprint == "" {
		m.Fingerprint = s.Fingerprint
	}
	if m.Setup == "" {
		m.Setup = s.Setup
	}
}

func parseCandidate(v string) (Candidate, bool) {
	f := strings.Fields(v)
	if len(f) < 8 || f[1] != "1" || !strings.EqualFold(f[2], "udp") {
		return Candidate{}, false
	}
	prio, err := strconv.ParseUint(f[3], 10, 32)
	if err != nil {
		return Candidate{}, false
	}
	port, err := strconv.ParseUint(f[5], 10, 16)
	if err != nil {
		return Candidate{}, false
	}
	return Candidate{Foundation: f[0], Priority: uint32(prio), Addr: netip.AddrPortFrom(address(f[4]), uint16(port)), Kind: f[7]}, true
}

// address reads an IP literal; a host name gives the invalid address. Names are never looked up: the peer's
// first packet says where it is.
func address(s string) netip.Addr {
	ip, err := netip.ParseAddr(s)
	if err != nil || ip.Zone() != "" {
		return netip.Addr{}
	}
	return ip.Unmap()
}

// millis reads a packet time; "20.0" occurs in the field. Out of range is "not given".
func millis(v string) int {
	v, _, _ = strings.Cut(v, ".")
	n, err := strconv.ParseUint(v, 10, 16)
	if err != nil || n > 200 {
		return 0
	}
	return int(n)
}

// clip shortens outside text for an error.
func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
