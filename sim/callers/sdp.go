package callers

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// describe gives what we offer or answer: G.711 A-law and telephone-events (RFC 4733) under the peer's number.
func (s *stream) describe() []byte {
	port := s.media.port()
	return fmt.Appendf(nil, "v=0\r\no=- %d 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 8 %d\r\n"+
		"a=rtpmap:8 PCMA/8000\r\na=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\na=ptime:20\r\na=sendrecv\r\n",
		s.ssrc, port, s.event, s.event, s.event)
}

var errSDP = errors.New("callers: no audio in the session description")

// connect reads where the peer wants to be sent audio. The bytes may be anything.
func (s *stream) connect(body []byte) error {
	var ip netip.Addr
	port, event := 0, 0
	for _, line := range strings.Split(string(body), "\n") {
		line = strings.TrimRight(line, "\r")
		switch {
		case strings.HasPrefix(line, "c=IN IP4 "):
			if a, err := netip.ParseAddr(strings.TrimPrefix(line, "c=IN IP4 ")); err == nil {
				ip = a
			}
		case strings.HasPrefix(line, "m=audio ") && port == 0:
			if f := strings.Fields(line); len(f) > 1 {
				port, _ = strconv.Atoi(f[1])
			}
		case strings.HasPrefix(line, "a=rtpmap:") && strings.HasSuffix(strings.ToLower(line), "telephone-event/8000"):
			n, _, _ := strings.Cut(strings.TrimPrefix(line, "a=rtpmap:"), " ")
			if v, err := strconv.Atoi(n); err == nil && v >= 96 && v < 128 {
				event = v
			}
		}
	}
	if !ip.Is4() || port <= 0 || port > 65535 {
		return errSDP
	}
	s.to(netip.AddrPortFrom(ip, uint16(port)), uint8(event))
	return nil
}
