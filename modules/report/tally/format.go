package tally

import (
	"fmt"
	"strconv"
)

// Format writes the value of a measure as every screen and export shows it: 91.4%, 0:42, 12:07, 1:02:03, 1204;
// "–" when there is none. A duration is rounded half up to the second.
func (m *Measure) Format(v float64, ok bool) string {
	if !ok {
		return "–"
	}
	switch m.Unit {
	case Rate:
		return strconv.FormatFloat(v*100, 'f', 1, 64) + "%"
	case Ms:
		return Duration(int64(v))
	case Count:
	}
	return strconv.FormatInt(int64(v), 10)
}

// Duration writes milliseconds as 0:42, 12:07 or 1:02:03.
func Duration(ms int64) string {
	s := Seconds(ms)
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// Seconds rounds milliseconds half up to seconds.
func Seconds(ms int64) int64 { return (ms + 500) / 1000 }
