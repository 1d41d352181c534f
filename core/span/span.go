// Package span holds a length of time that people write and read: "20s", "1m30s", "2h" in YAML, JSON and
// pages alike. In Go it is a time.Duration by another name.
package span

import (
	"fmt"
	"strings"
	"time"
)

// Span is a length of time written as time.ParseDuration reads it.
type Span time.Duration

// D gives the span as a time.Duration.
func (s Span) D() time.Duration { return time.Duration(s) }

// Ms gives the span in milliseconds.
func (s Span) Ms() int64 { return time.Duration(s).Milliseconds() }

// String gives the shortest form: "6s", "1m30s", "10m", "0s".
func (s Span) String() string {
	t := time.Duration(s).String()
	if strings.HasSuffix(t, "m0s") {
		t = strings.TrimSuffix(t, "0s")
	}
	if strings.HasSuffix(t, "h0m") {
		t = strings.TrimSuffix(t, "0m")
	}
	return t
}

// MarshalText is encoding.TextMarshaler's; JSON and YAML use it.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is encoding.TextUnmarshaler's. A number without a unit is refused: nobody should have to
// guess whether 30 meant seconds or minutes.
func (s *Span) UnmarshalText(b []byte) error {
	d, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is no length of time; write it with units, like 20s, 1m30s or 2h", b)
	}
	*s = Span(d)
	return nil
}
