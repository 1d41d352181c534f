package app

import (
	"math"
	"testing"
)

// Callers who wait never take the ports that are needed to ring an agent for them.
func TestPortStrain(t *testing.T) {
	for _, c := range []struct {
		calls, first, last int
		want               float64
	}{
		{0, 20000, 29999, 0},
		{2500, 20000, 29999, 0},
		{2750, 20000, 29999, 0.5},
		{3000, 20000, 29999, 1},
		{3500, 20000, 29999, 2},
		{10, 20000, 20019, 5},
		{9999, 0, 0, 0},
	} {
		if got := portStrain(c.calls, c.first, c.last); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%d calls on ports %d–%d: strain %v, want %v", c.calls, c.first, c.last, got, c.want)
		}
	}
}
