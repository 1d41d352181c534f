package rtp

import "time"

// mos estimates the quality of G.711 as a mean opinion score from 1 to 4.5 by the E-model (ITU-T G.107), reduced
// to what a relay can see: R = 93.2 − Id − Ie,eff, with
//
//	Ie,eff = Ie + (95 − Ie)·Ppl/(Ppl + Bpl)     G.107 §3.5; G.711 with loss concealment: Ie = 0, Bpl = 25.1 (G.113 I)
//	Id     = 0.024·d + 0.11·(d − 177.3)⁺         the usual linear fit of G.107's delay impairment, d in ms one way
//
// and the score of G.107 annex B. loss is a share from 0 to 1. The delay is half the round trip, a frame, and a
// playout buffer of twice the jitter, as receivers keep it; loss is taken as random (BurstR = 1).
func mos(loss float64, jitter, rtt time.Duration) float64 {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	d := ms(rtt)/2 + 20 + 2*ms(jitter)
	ppl := 100 * min(max(loss, 0), 1)
	r := 93.2 - 0.024*d - 0.11*max(d-177.3, 0) - 95*ppl/(ppl+25.1)
	switch {
	case r <= 0:
		return 1
	case r >= 100:
		return 4.5
	}
	return max(1, 1+0.035*r+r*(r-60)*(100-r)*7e-6)
}
