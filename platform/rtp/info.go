package rtp

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// ErrInfo means that the body of a SIP INFO holds no digit that is understood.
var ErrInfo = errors.New("rtp: the INFO body holds no telephone key")

// ParseInfo reads a digit out of a SIP INFO body: application/dtmf-relay ("Signal=5" and "Duration=160" lines) or
// application/dtmf (the digit alone). The length is 0 when the body gives none or an absurd one.
func ParseInfo(contentType string, body []byte) (digit byte, length time.Duration, err error) {
	if len(body) > 256 {
		return 0, 0, ErrInfo
	}
	kind, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	text := string(body)
	switch strings.TrimSpace(kind) {
	case "application/dtmf":
		if !strings.Contains(text, "=") {
			digit = key(strings.TrimSpace(text))
			break
		}
		fallthrough // some phones send the lines under this name
	case "application/dtmf-relay":
		for line := range strings.Lines(text) {
			name, v, _ := strings.Cut(line, "=")
			switch v = strings.TrimSpace(v); strings.ToLower(strings.TrimSpace(name)) {
			case "signal":
				digit = key(v)
			case "duration":
				if ms, err := strconv.ParseUint(v, 10, 16); err == nil && ms <= 10_000 {
					length = time.Duration(ms) * time.Millisecond
				}
			}
		}
	}
	if digit == 0 {
		return 0, 0, ErrInfo
	}
	return digit, length, nil
}

// key gives the digit a signal stands for, 0 for none; 10 to 16 are events by number.
func key(s string) byte {
	s = strings.ToUpper(s)
	if len(s) == 1 && strings.Contains(digitNames, s) {
		return s[0]
	}
	if n, err := strconv.ParseUint(s, 10, 8); err == nil && n >= 10 && int(n) < len(digitNames) {
		return digitNames[n]
	}
	return 0
}
