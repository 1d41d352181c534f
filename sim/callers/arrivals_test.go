package callers

import (
	"testing"
	"time"
)

func TestCrowd(t *testing.T) {
	for after, want := range map[time.Duration]float64{0: 1, 239 * time.Second: 1, 4 * time.Minute: 1.7, 6*time.Minute + 59*time.Second: 1.7, 7 * time.Minute: 1, 24 * time.Minute: 1.7, 60 * time.Minute: 1} {
		if got := crowd(after); got != want {
			t.Errorf("after %v: %v, want %v", after, got, want)
		}
	}
}
