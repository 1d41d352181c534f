package acd

import (
	"math"

	"github.com/kapok-hotline/kapok/core/id"
)

// pace is how fast a queue's line moves, learnt from what happens in it: how many were served in the time somebody stood
// in line, how many gave up of those who stood, and how what was thought of earlier waits compares with what came. The
// line are those who wait and are not ringing. All sums fade, so that a change of staff is learnt within paceMemory
// served. Until paceLeast have been served it is the smoothed time between two leaving the queue, whatever for.
type pace struct {
	last, gap     int64   // moment of the last departure; smoothed gap in ms, 0 = unknown
	seen          int64   // the moment the sums go to
	line          int32   // who stands in line
	learnt        int32   // served of those who stood in it
	served, span  float64 // people; ms somebody stood in line
	left, stood   float64 // people; ms summed over those in line
	hands         float64 // agents who were there, summed over the served
	came, thought float64 // ms waited, and ms thought beforehand, of the served
	off, doubt    float64 // squares of how far that was off, and how far it may be by chance
}

// paceWeight is the share (1/paceWeight) a new gap has in the smoothed one.
const paceWeight = 8

// A pace is believed from paceLeast served on; the older ones fade by 1/paceMemory with each that comes.
const (
	paceLeast  = 8
	paceMemory = 90
)

// pass brings the sums to now; by changes how many stand in line from now on.
func (p *pace) pass(now int64, by int32) {
	if p.line > 0 {
		d := float64(now - p.seen)
		p.span += d
		p.stood += float64(d * float64(p.line))
	}
	p.seen = now
	p.line += by
}

// serve counts somebody served out of the line, who was thought to wait for guess.
func (p *pace) serve(waited int64, g guess, here int) {
	for _, s := range []*float64{&p.served, &p.span, &p.left, &p.stood, &p.hands, &p.came, &p.thought, &p.off, &p.doubt} {
		*s -= *s / paceMemory
	}
	p.served++
	p.hands += float64(here)
	p.learnt++
	if g.mean <= 0 {
		return
	}
	p.came += float64(waited)
	p.thought += float64(g.mean)
	off := float64(waited)/float64(float64(g.mean)*p.bias()) - 1
	p.off += float64(off * off)
	p.doubt += float64(g.doubt)
}

// bias is how much longer waits were than thought: who is let in ahead by priority, agents who leave.
func (p *pace) bias() float64 {
	if p.learnt < 2*paceLeast || p.thought == 0 {
		return 1
	}
	return min(max(p.came/p.thought, 0.5), 3)
}

// spread is the square of how much more waits differ than chance alone would have them.
func (p *pace) spread() float64 {
	const before = 0.5 // what is thought of it before anything is known, in sums of doubt
	return min(max((p.off+before)/(p.doubt+before), 0.3), 6)
}

func (p *pace) step(now int64) {
	if p.last != 0 {
		d := now - p.last
		if p.gap == 0 {
			p.gap = max(d, 1)
		} else {
			p.gap = max(p.gap+(d-p.gap)/paceWeight, 1)
		}
	}
	p.last = now
}

// back takes back that somebody was served: the agent did not answer.
func (p *pace) back() { p.served = max(p.served-1, 0) }

// guess is a wait as it is thought beforehand: its mean in ms, and by chance alone the square of its deviation in means.
type guess struct{ mean, doubt float32 }

// ahead is how the one at a place of the line (1 = next) will come to the head: each place ends by an agent who takes
// the first, or by one of those before who gives up. Ward Whitt, "Predicting Queueing Delays", Management Science 45
// (1999), with both rates as they were of late and as many
// agents as there are now. Sums and quotients only: the same on every machine.
func (p *pace) ahead(place, here int) guess {
	if p.learnt < paceLeast || p.span <= 0 || p.served == 0 {
		return guess{}
	}
	rate, each := p.served/p.span, 0.0
	if usual := p.hands / p.served; usual > 0 {
		rate *= min(max(float64(here)/usual, 0.25), 4)
	}
	if p.stood > 0 {
		each = p.left / p.stood
	}
	mean, square := 0.0, 0.0
	for done := 0; done < place; {
		n := min(1+done/32, place-done) // far back several places at once
		rates := rate + float64(each*(float64(done)+float64(n-1)/2))
		mean += float64(n) / rates
		square += float64(n) / rates / rates
		done += n
	}
	return guess{float32(mean), float32(square / mean / mean)}
}

// waitFor estimates the wait (ms) of somebody at a place of the line (1 = next). Unknown until two have left the queue.
func (b *Brain) waitFor(q *queue, place int) (int64, bool) {
	p := &q.pace
	p.pass(b.now, 0)
	if g := p.ahead(place, b.here(q)); g.mean > 0 {
		return int64(float64(float64(g.mean) * p.bias())), true
	}
	if p.gap == 0 {
		return 0, false
	}
	return int64(place) * max(p.gap, b.now-p.last), true
}

// Wait is what can be thought of the rest of a wait, in ms.
type Wait struct {
	Ahead  int   // who is before, ringing ones too
	Mean   int64 // what is thought; 0: nothing is known yet
	Said   int64 // whole minutes that can be said and believed; 0: none can
	Within int64 // whole minutes in which nine of ten at this place are served; 0: not known
}

// believed is the least chance with which a time that is said must come true: who is just above it is outweighed by those
// far above, so that four of five are right over all (wait_test.go).
const believed = 0.77

// estimateOff and estimateShare say by how much a wait that was said may be off (row B6): a minute, or 35 % of what came.
const estimateOff, estimateShare = float64(Minute), 0.35

// Wait says what can be thought of a contact's wait; false when it is in no queue. A time is to be said only when it
// will be right in the sense of row B6 with a chance that is good enough: with few agents chance alone often forbids that.
func (b *Brain) Wait(c id.Contact) (Wait, bool) {
	pos, inLine, ok := b.places(c)
	if !ok {
		return Wait{}, false
	}
	w := Wait{Ahead: pos - 1}
	q := &b.queues[b.contacts[b.byContact.find(c)].queue]
	w.Mean, _ = b.waitFor(q, inLine)
	g := q.pace.ahead(inLine, b.here(q))
	if g.mean <= 0 || q.pace.learnt < 2*paceLeast {
		return w, true
	}
	mean := float64(g.mean) * q.pace.bias()
	t := turn{mean: mean, shape: 1 / (float64(g.doubt)*q.pace.spread() + 1.0/paceMemory)}
	w.Within = (int64(t.by(0.9)) + Minute - 1) / Minute * Minute
	best := 0.0
	for m := max(int64(mean)/Minute, 1); m <= int64(mean)/Minute+1; m++ {
		if p := t.right(m * Minute); p >= best {
			best, w.Said = p, m*Minute
		}
	}
	if best < believed {
		w.Said = 0
	}
	return w, true
}

// turn is when a turn comes: gamma-distributed, by the approximation of Wilson and Hilferty (1931).
type turn struct{ mean, shape float64 }

// before is the chance that it comes within a span.
func (t turn) before(span float64) float64 {
	if span <= 0 {
		return 0
	}
	z := (math.Cbrt(span/t.mean) - 1 + 1/(9*t.shape)) * 3 * math.Sqrt(t.shape)
	return math.Erfc(-z/math.Sqrt2) / 2
}

// by is the span in which it comes with a chance.
func (t turn) by(chance float64) float64 {
	z := math.Sqrt2 * math.Erfinv(2*chance-1)
	root := 1 - 1/(9*t.shape) + z/(3*math.Sqrt(t.shape))
	return t.mean * root * root * root
}

// right is the chance that a wait that is said turns out right.
func (t turn) right(said int64) float64 {
	m := float64(said)
	return t.before(max(m+estimateOff, m/(1-estimateShare))) - t.before(min(m-estimateOff, m/(1+estimateShare)))
}
