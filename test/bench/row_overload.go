package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Row overload: the clean rate is looked for, then twice as much is offered. Whoever is answered must be served, the
// rest must be told when to come again, and afterwards everything must be as before.
const (
	overloadAgents = 300
	overloadHold   = 100 * time.Millisecond
	firstRate      = 60.0
	growth         = 1.4
	recovery       = 5 * time.Second
)

func measureOverload(ctx context.Context, b *bench, r *row) error {
	g, err := newRig(ctx, b, staffing{people: overloadAgents})
	if err != nil {
		return err
	}
	defer g.close() //nolint:errcheck // what went wrong at the end of a measured run is no figure
	if err := g.work(ctx, overloadAgents); err != nil {
		return err
	}
	if _, err := g.offer(ctx, firstRate/2, 3*time.Second, overloadHold); err != nil { // warm
		return err
	}
	clean, err := g.cleanRate(ctx, b, r)
	if err != nil {
		return err
	}
	span := 30 * time.Second
	if b.quick {
		span = 10 * time.Second
	}
	begin, self, waited := time.Now(), watchSelf(), held(g.pid())
	during, err := g.storm(ctx, 2*clean, span)
	if err != nil {
		return err
	}
	end := begin.Add(span)
	own, taken := self.since(), float64(held(g.pid())-waited)/float64(span)
	after, err := g.offer(ctx, clean/2, recovery+3*time.Second, overloadHold)
	if err != nil {
		return err
	}
	if err := settle(ctx, during); err != nil {
		return err
	}
	r.overload(clean, span, end, during, after)
	if !r.Met || float64(len(during)) < 1.9*clean*span.Seconds() {
		r.Doubt = own.doubt()
		if taken > mostTaken {
			r.Doubt = "others held the server's core"
		}
	}
	r.notef("the load itself: %s; the server's threads were ready and waited for the core %.0f %% of the time", own, taken*100)
	return nil
}

// mostTaken is how long, as a share of the time, the server's threads may have waited for their core; on a quiet
// machine they do so for a few per cent, for each other.
const mostTaken = 0.2

// What makes an answered call a good one.
const (
	answerWithin = 2 * time.Second // from INVITE to 200
	agentWithin  = 5 * time.Second // from INVITE to the agent's voice
)

// overload reckons with the calls of the storm and those after it.
func (r *row) overload(clean float64, span time.Duration, end time.Time, during, after []*call) {
	served, told, untold, slow := 0, 0, 0, 0
	var broken []*call
	var toAgent, refused []time.Duration
	for _, c := range during {
		switch {
		case c.fault == "":
			served++
			toAgent = append(toAgent, c.bridged.Sub(c.placed))
			if c.answered.Sub(c.placed) > answerWithin || c.bridged.Sub(c.placed) > agentWithin {
				slow++
			}
		case c.code == 503 && c.retryAfter:
			told++
			refused = append(refused, c.ended.Sub(c.placed))
		case c.code != 0:
			untold++
		default:
			broken = append(broken, c)
		}
	}
	again := time.Duration(0)
	for _, c := range after {
		if c.fault != "" {
			again = max(again, c.placed.Sub(end))
		}
	}
	n, rate := float64(len(during)), float64(served)/span.Seconds()
	r.Value = again.Seconds()
	r.Measured = fmt.Sprintf("clean %.0f/s; of %d calls at %.0f/s %.0f %% served (%.0f/s, %.0f %% of the clean rate), %.0f %% 503 with Retry-After, %.2f %% failed otherwise; clean again after %.1f s",
		clean, len(during), n/span.Seconds(), float64(served)/n*100, rate, rate/clean*100, float64(told)/n*100, float64(untold+len(broken))/n*100, again.Seconds())
	r.Met = len(broken)+untold == 0 && slow == 0 && again < recovery
	_, what := faults(broken)
	r.notef("%d served after more than %v to the 200 or %v to the agent, %d refused without Retry-After, %d broken (commonest: %s)", slow, answerWithin, agentWithin, untold, len(broken), what)
	r.notef("served: agent after %s; refused after %s", spread(toAgent), spread(refused))
	unwell, why := faults(after)
	r.notef("afterwards at %.0f/s for %.0f s: %d of %d failed (commonest: %s)", clean/2, (recovery + 3*time.Second).Seconds(), unwell, len(after), why)
}

// spread gives the middle and the tail of some spans.
func spread(d []time.Duration) string {
	if len(d) == 0 {
		return "–"
	}
	slices.Sort(d)
	at := func(p int) time.Duration { return d[min(len(d)*p/100, len(d)-1)].Round(time.Millisecond) }
	return fmt.Sprintf("%v (p99 %v)", at(50), at(99))
}

// cleanRate raises the rate until a call fails and gives the last one without a failure.
func (r *rig) cleanRate(ctx context.Context, b *bench, out *row) (float64, error) {
	span, proof := 8*time.Second, 60*time.Second
	if b.quick {
		span, proof = 4*time.Second, 8*time.Second
	}
	clean, bad := 0.0, 0.0
	for rate := firstRate; ; {
		cost, fine, err := r.try(ctx, rate, span)
		if err != nil {
			return 0, err
		}
		out.notef("%.0f/s: %s", rate, cost)
		if fine {
			clean, rate = rate, rate*growth
			if bad > 0 {
				break
			}
			continue
		}
		if clean == 0 && rate < 10 {
			return 0, errors.New("calls fail at every rate")
		}
		if bad > 0 {
			break
		}
		bad = rate
		if rate = rate / 1.2; clean == 0 {
			rate, bad = rate/2, 0
		}
	}
	for range 4 {
		_, fine, err := r.try(ctx, clean, proof)
		if fine || err != nil {
			return clean, err
		}
		clean *= 0.85
	}
	return clean, nil
}

// try offers calls for a time and says whether all were served.
func (r *rig) try(ctx context.Context, rate float64, span time.Duration) (cost string, fine bool, err error) {
	before, err := used(r.pid())
	if err != nil {
		return "", false, err
	}
	self := watchSelf()
	calls, err := r.offer(ctx, rate, span, overloadHold)
	if err != nil {
		return "", false, err
	}
	own := self.since().doubt()
	after, err := used(r.pid())
	if err != nil {
		return "", false, err
	}
	n, what := faults(calls)
	cost = fmt.Sprintf("%.2f ms of processor a call", float64((after-before).Microseconds())/1000/float64(len(calls)))
	if n > 0 {
		cost += fmt.Sprintf(", %d of %d failed: %s", n, len(calls), what)
		if own != "" {
			cost += "; " + own
		}
		time.Sleep(3 * time.Second) // what is left of it must not burden the next step
	}
	return cost, n == 0, nil
}

// storm offers calls at a rate, served or not, and does not wait for their ends.
func (r *rig) storm(ctx context.Context, rate float64, span time.Duration) ([]*call, error) {
	var calls []*call
	for begin := time.Now(); ; {
		t := time.Since(begin)
		if t >= span {
			return calls, ctx.Err()
		}
		for due := int(rate * t.Seconds()); len(calls) < due; {
			calls = append(calls, r.x.place(direct, overloadHold, r.sink.port, nil))
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// settle waits for the calls' ends.
func settle(ctx context.Context, calls []*call) error {
	for _, c := range calls {
		select {
		case <-c.over:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
