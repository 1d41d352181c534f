package sip

import (
	"math"
	"time"
)

const (
	overloadWindow = 100 * time.Millisecond
	standing       = 5    // windows a pressure must last to be no burst (CoDel's interval, RFC 8289 §4.2)
	brief          = 2    // the same for strain
	effect         = 8    // windows until the effect of a cut can be seen: calls let in before leave work for a while
	calm           = 10   // windows without a refusal after which the limit goes
	lowered        = 0.7  // of the rate, when too many came
	leastLimit     = 5.0  // calls/s; below it telling by calls makes no sense
	deepest        = 0.1  // of the rate that was too much: who is starved by others must not shut for good
	tooMuch        = 0.75 // pressure at which a limit is lowered: below 1, so that limiting begins late and then works
	knee           = 0.8  // of the rate that was too much at the last cut: from there on the limit grows slowly
)

// window is what was seen in one span of about overloadWindow.
type window struct {
	span           time.Duration
	delay          float64 // wait for a processor, 90th percentile, in shares of what is borne
	strain         float64 // what the house has put off, in shares of what is borne
	busy           float64 // of the processors we may use, 0…1
	admitted, shed int     // calls
}

// governor is the control law: multiplicative decrease on a standing pressure, increase the faster the more idle the
// process is. It is a pure function of the windows.
//
//   - The pressure is the larger of delay and strain: the delay at its least in the last five windows, so that bursts,
//     collections and commits pass; the strain, which has no such noise, in two. At 1 it is too much.
//   - Then the rate is cut to 70 % of what came in, to half at a strain of 2, and so on with its root; again while the
//     pressure stays above 0.75 and does not fall. After each cut 0.8 s are waited for its effect.
//     How large the delay is says less of how many calls are too many: it is others' doing as often as ours.
//   - Below, the limit grows: fast while it is far from the rate that was too much and the processor idles, slower the
//     nearer to both. A busy processor alone is no reason to hold: much of the work waits for idle moments (commits).
//   - A second without a refusal: the limit is not needed, and goes.
type governor struct {
	limit float64 // calls/s, 0 = none
	first float64 // rate that was too much, when the limit came
	over  float64 // and at the last cut
	last  [standing]window
	n     int     // windows seen since the last cut
	cutAt float64 // pressure at the last cut; 0 when it has been relieved since
	quiet int
}

// judge takes the next window and gives the limit in calls/s, 0 = none.
func (g *governor) judge(w window) float64 {
	g.last[g.n%standing] = w
	g.n++
	if g.quiet++; w.shed > 0 {
		g.quiet = 0
	}
	pressure, strain, rate, busy := g.look()
	switch {
	case g.n < effect && g.limit > 0, g.n < brief:
	case pressure >= 1 && g.limit == 0:
		g.first = rate
		g.cut(rate, pressure, strain)
	case pressure >= tooMuch && g.limit > 0:
		if pressure >= g.cutAt*0.9 {
			g.cut(min(g.limit, rate), pressure, strain)
		}
		return g.limit
	case g.limit > 0:
		g.cutAt = 0
		g.limit *= growth(pressure, busy, g.limit >= g.over*knee)
	}
	if g.quiet >= calm && g.n >= standing || g.limit > 4*max(g.first, leastLimit) {
		g.limit = 0
	}
	return g.limit
}

// cut lowers the limit from a rate that is too much.
func (g *governor) cut(rate, pressure, strain float64) {
	g.limit, g.over = max(rate*lowered/math.Sqrt(max(strain, 1)), g.first*deepest, leastLimit), rate
	g.cutAt, g.n, g.quiet = pressure, 0, 0
}

// look gives the standing pressure and the strain in it, the rate of admission and the processor's use over the last windows.
func (g *governor) look() (pressure, strain, rate, busy float64) {
	var span time.Duration
	delay, seen := math.Inf(1), min(g.n, standing)
	strain = math.Inf(1)
	for back := range seen {
		w := g.last[(g.n-1-back)%standing]
		delay = min(delay, w.delay)
		if back < brief {
			strain = min(strain, w.strain)
		}
		span += w.span
		rate += float64(w.admitted)
		busy += w.busy * w.span.Seconds()
	}
	if seen < standing {
		delay = 0
	}
	if span <= 0 || seen < brief {
		return 0, 0, 0, 0
	}
	return max(delay, strain), strain, rate / span.Seconds(), busy / span.Seconds()
}

// growth is what the limit is multiplied with in one window; near says that it is near the rate that was too much.
func growth(pressure, busy float64, near bool) float64 {
	step := func(careful, bold float64) float64 {
		if near {
			return careful
		}
		return bold
	}
	switch {
	case pressure >= tooMuch*3/4:
		return 1
	case pressure >= tooMuch/2:
		return 1.01
	case busy >= 0.7:
		return step(1.01, 1.05)
	case busy >= 0.5:
		return step(1.02, 1.10)
	}
	return step(1.10, 1.25)
}
