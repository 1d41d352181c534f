package ua

import (
	"math"
	"testing"
)

func TestALawKeepsATone(t *testing.T) {
	var s []int16
	for i := range 8000 {
		s = append(s, fromALaw(toALaw(int16(8000*math.Sin(2*math.Pi*440*float64(i)/rate)))))
	}
	if share, level := Share(s, 440); share < 0.99 || level < -16 || level > -14 {
		t.Errorf("440 Hz has %.3f of the energy at %.1f dB", share, level)
	}
	if share, _ := Share(s, 880); share > 0.01 {
		t.Errorf("880 Hz has %.3f of the energy of a tone of 440", share)
	}
}

func TestShareOfSilence(t *testing.T) {
	if share, level := Share(make([]int16, 800), 440); share != 0 || level != -127 {
		t.Errorf("silence has %v at %v", share, level)
	}
}
