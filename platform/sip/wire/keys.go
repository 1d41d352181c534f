package wire

import (
	"strconv"
	"strings"
	"time"
)

// ParseDTMF reads a key from the body of an INFO: application/dtmf-relay ("Signal=5\r\nDuration=160") or
// application/dtmf (the key alone). Keys are 0–9, *, #, A–D; a missing duration is 160 ms.
func ParseDTMF(contentType string, body []byte) (key byte, d time.Duration, ok bool) {
	ct, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	text := strings.TrimSpace(string(body[:min(len(body), 256)]))
	d = 160 * time.Millisecond
	switch strings.TrimSpace(ct) {
	case "application/dtmf":
		key, ok = dtmfKey(text)
		return key, d, ok
	case "application/dtmf-relay":
	default:
		return 0, 0, false
	}
	for text != "" {
		var l string
		l, text = CutLine(text)
		k, v, _ := strings.Cut(l, "=")
		switch strings.ToLower(strings.TrimSpace(k)) {
		case "signal":
			key, ok = dtmfKey(strings.TrimSpace(v))
		case "duration":
			if n, err := strconv.Atoi(strings.TrimSpace(v)); err == nil && n > 0 && n <= 10000 {
				d = time.Duration(n) * time.Millisecond
			}
		}
	}
	return key, d, ok
}

func dtmfKey(s string) (byte, bool) {
	switch s {
	case "10":
		return '*', true
	case "11":
		return '#', true
	}
	if len(s) != 1 {
		return 0, false
	}
	c := s[0]
	if c >= 'a' && c <= 'd' {
		c -= 'a' - 'A'
	}
	return c, c >= '0' && c <= '9' || c == '*' || c == '#' || c >= 'A' && c <= 'D'
}
