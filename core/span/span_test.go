package span

import (
	"encoding/json"
	"testing"
	"time"
)

func TestSpanIsWrittenAsItIsRead(t *testing.T) {
	for text, d := range map[string]time.Duration{
		"6s": 6 * time.Second, "1m30s": 90 * time.Second, "10m": 10 * time.Minute, "2h": 2 * time.Hour,
		"1h5m": 65 * time.Minute, "0s": 0, "250ms": 250 * time.Millisecond, "1h0m5s": time.Hour + 5*time.Second,
	} {
		var s Span
		if err := json.Unmarshal([]byte(`"`+text+`"`), &s); err != nil {
			t.Fatal(err)
		}
		if s.D() != d || s.String() != text || s.Ms() != d.Milliseconds() {
			t.Errorf("%s: read %v, written %s", text, s.D(), s)
		}
	}
	var s Span
	for _, bad := range []string{`"30"`, `""`, `"soon"`} {
		if err := json.Unmarshal([]byte(bad), &s); err == nil {
			t.Errorf("%s was taken for a length of time", bad)
		}
	}
}
