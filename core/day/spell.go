package day

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Minute is a minute of the local day, 0 (00:00) to 1440 (24:00).
type Minute int

// EndOfDay is 24:00.
const EndOfDay Minute = 1440

// String writes it as a clock does: 08:30.
func (m Minute) String() string { return fmt.Sprintf("%02d:%02d", int(m)/60, int(m)%60) }

// ParseMinute reads "08:30", "8:30" or "24:00".
func ParseMinute(s string) (Minute, error) {
	h, m, ok := strings.Cut(s, ":")
	hour, err := strconv.Atoi(h)
	minute, err2 := strconv.Atoi(m)
	at := Minute(hour*60 + minute)
	if !ok || len(m) != 2 || len(h) == 0 || len(h) > 2 || errors.Join(err, err2) != nil || hour < 0 || minute < 0 || minute > 59 || at > EndOfDay {
		return 0, fmt.Errorf("%q is no time of day; write it like 08:30", s)
	}
	return at, nil
}

// Spell is a stretch of a day, From before To; To itself is outside. Nights are two spells.
type Spell struct {
	From, To Minute
}

// String writes "08:30-12:00".
func (s Spell) String() string { return s.From.String() + "-" + s.To.String() }

// MarshalText is encoding.TextMarshaler's.
func (s Spell) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is encoding.TextUnmarshaler's.
func (s *Spell) UnmarshalText(b []byte) error {
	from, to, ok := strings.Cut(strings.NewReplacer(" ", "", "–", "-", "~", "-").Replace(string(b)), "-")
	if !ok {
		return fmt.Errorf("%q are no hours; write them like 08:30-12:00", b)
	}
	f, err := ParseMinute(from)
	if err != nil {
		return err
	}
	t, err := ParseMinute(to)
	if err != nil {
		return err
	}
	if f >= t {
		return fmt.Errorf("%q ends before it begins; write hours over midnight as two, like 20:00-24:00 and 00:00-08:00", b)
	}
	*s = Spell{f, t}
	return nil
}

// Hours are the spells of one day, in order, none overlapping; nil is a day off.
type Hours []Spell

// Sort gives the hours in order, spells that touch or overlap made one.
func (h Hours) Sort() Hours {
	if len(h) == 0 {
		return nil
	}
	h = slices.Clone(h)
	slices.SortFunc(h, func(a, b Spell) int { return int(a.From - b.From) })
	out := h[:1]
	for _, s := range h[1:] {
		last := &out[len(out)-1]
		if s.From > last.To {
			out = append(out, s)
		} else {
			last.To = max(last.To, s.To)
		}
	}
	return out
}

// Minutes is how long the hours last.
func (h Hours) Minutes() int {
	sum := 0
	for _, s := range h {
		sum += int(s.To - s.From)
	}
	return sum
}
