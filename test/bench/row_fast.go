package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Row fast-path: bridged calls that the kernel relays, in a world of two namespaces and a wire. The media plane stands
// on core 0 together with all the kernel does for it: receive, relay, send. The telephones are on core 1.
const (
	fastGoal  = 4000
	fastDelay = 20 * time.Millisecond
	fastSpan  = 5 * time.Second

	// Calls begin a few at a time, 100 a second: four times as fast as where 4,000 talk for three minutes each.
	fastWidth = 5
	fastTick  = 50 * time.Millisecond
)

// fastRig is that world.
type fastRig struct {
	server, phones *place
	mouth          *mouth
	ear            *ear
	spin           *spinner
}

func newFastRig(dir string) (r *fastRig, err error) {
	r = &fastRig{}
	if r.server, err = newPlace(); err == nil {
		if r.phones, err = newPlace(); err == nil {
			err = wire(r.server, r.phones)
		}
	}
	if err == nil {
		r.mouth, err = newMouth(r.phones)
	}
	if err == nil {
		r.ear, err = newEar(r.phones, "phone0")
	}
	if err == nil {
		r.spin, err = startSpinner(dir)
	}
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *fastRig) close() {
	if r.spin != nil {
		r.spin.stop()
	}
	if r.mouth != nil {
		_ = r.mouth.close() // what went wrong at the end of a measured run is no figure
	}
	if r.ear != nil {
		_ = r.ear.close() // likewise
	}
	for _, p := range []*place{r.phones, r.server} {
		if p != nil {
			p.close()
		}
	}
}

// idle gives how fast the idle loop counts while the telephones speak to nobody: their core's work slows it too.
func (r *fastRig) idle(calls int) float64 {
	ports := make([]int, 2*calls)
	for i := range ports {
		ports[i] = 10000 + 2*i
	}
	r.mouth.speak(ports, fastNobody)
	time.Sleep(time.Second)
	defer r.mouth.speak(nil, "")
	return r.spin.rate(fastSpan)
}

// fastStep is what a number of calls was like.
type fastStep struct {
	calls       int
	share       float64 // of core 0
	own         float64 // of core 0: the media plane's process
	loss        float64
	p50, p99    time.Duration
	timely      float64 // share of its packets the load could send
	byTheKernel float64
	settled     time.Duration // from the beginning of the last call until the kernel had all
	stale, lost uint64        // packets left out, and not come, since the first call
}

// fastRun is a media plane on which calls begin one after another.
type fastRun struct {
	*fastRig
	relay *relay
	calls int // under way
	fast  bool
	idle  float64
}

// open starts the media plane, for a number of calls at most.
func (r *fastRig) open(calls int, fast bool, idle float64) (*fastRun, error) {
	relay, err := startRelay(r.server, calls, fast, r.mouth.port)
	return &fastRun{fastRig: r, relay: relay, fast: fast, idle: idle}, err
}

func (r *fastRun) end() {
	r.mouth.speak(nil, "")
	r.relay.stop()
}

// grow has calls begin, at a bureau's rate, until there are so many.
func (r *fastRun) grow(ctx context.Context, calls int) error {
	tick := time.NewTicker(fastTick)
	defer tick.Stop()
	for ; r.calls < calls; r.calls += fastWidth {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		r.mouth.speak(r.relay.ports[2*r.calls:2*min(r.calls+fastWidth, calls)], fastServer)
	}
	r.calls = calls
	return nil
}

// step measures a number of calls.
func (r *fastRun) step(ctx context.Context, calls int) (s fastStep, err error) {
	if err := r.grow(ctx, calls); err != nil {
		return s, err
	}
	if s.settled, err = r.settle(ctx); err != nil {
		return s, err
	}
	was, err := r.relay.state()
	if err != nil {
		return s, err
	}
	pid := r.relay.cmd.Process.Pid
	own, err := used(pid)
	if err != nil {
		return s, err
	}
	sent, heard := r.mouth.sent.Load(), r.ear.counts()
	s.calls, s.share = calls, 1-r.spin.rate(fastSpan)/r.idle
	n := r.mouth.sent.Load() - sent
	time.Sleep(20 * time.Millisecond) // those under way
	extra := r.mouth.sent.Load() - sent - n
	var got uint64
	got, s.p50, s.p99 = r.ear.since(heard)
	s.loss = max(0, 1-float64(got)/float64(n+extra))
	s.timely = float64(n) / (float64(calls) * 100 * fastSpan.Seconds())
	after, err := used(pid)
	s.own = (after - own).Seconds() / fastSpan.Seconds()
	if err != nil {
		return s, err
	}
	is, err := r.relay.state()
	if all := is.received - was.received; all > 0 {
		s.byTheKernel = float64(is.carried-was.carried) / float64(all)
	}
	s.stale, s.lost = is.stale, is.lost
	return s, err
}

// settle waits until the kernel has every leg, where it takes part, and gives how long that took.
func (r *fastRun) settle(ctx context.Context) (time.Duration, error) {
	for began := time.Now(); ; time.Sleep(250 * time.Millisecond) {
		s, err := r.relay.state()
		switch {
		case err != nil:
			return 0, err
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case !r.fast || s.fast == 2*r.calls:
			took := time.Since(began)
			time.Sleep(time.Second)
			return took, nil
		case time.Since(began) > 30*time.Second:
			return 0, fmt.Errorf("the kernel has only %d of %d directions, %d packets were left out, %d did not come", s.fast, 2*r.calls, s.stale, s.lost)
		}
	}
}

func measureFast(ctx context.Context, b *bench, r *row) error {
	rig, err := newFastRig(b.dir)
	if err != nil {
		return err
	}
	defer rig.close()
	steps := []int{1000, 2000, 3000, 4000}
	if b.quick {
		steps = []int{1000, 4000}
	}
	idle := rig.idle(steps[len(steps)-1] / 2)
	sockets, err := rig.sockets(ctx, idle)
	if err != nil {
		return fmt.Errorf("by sockets: %w", err)
	}
	r.notef("by sockets, all of the core counted: %s", sockets)
	run, err := rig.open(steps[len(steps)-1], true, idle)
	if err != nil {
		return err
	}
	defer run.end()
	var each []float64
	best := 0
	for _, n := range steps {
		s, err := run.step(ctx, n)
		if err != nil {
			r.notef("%d calls: %v", n, err)
			break
		}
		r.notef("by the kernel: %s", s)
		if s.timely < 0.97 {
			r.Doubt = "the load could not send its packets in time on its core"
		}
		if s.loss < 0.01 {
			each = append(each, s.share/float64(n))
		}
		if s.loss >= maxLoss || s.p99 >= fastDelay {
			continue // the figures of the next are worth seeing all the same
		}
		best = n
	}
	if len(each) == 0 {
		return errors.New("no step came through without loss")
	}
	cost, low, high := median(each)
	r.Value, r.Low, r.High = float64(best), float64(best), float64(best)
	r.Measured = fmt.Sprintf("%d calls at once within loss and delay; by the work of the whole core it is full at %.0f (%.0f … %.0f); by sockets %.0f",
		best, 1/cost, 1/high, 1/low, 400/sockets.share)
	r.Met = best >= fastGoal
	return nil
}

// sockets measures 400 calls that the kernel has no part in.
func (r *fastRig) sockets(ctx context.Context, idle float64) (s fastStep, err error) {
	run, err := r.open(400, false, idle)
	if err != nil {
		return s, err
	}
	defer run.end()
	return run.step(ctx, 400)
}

func (s fastStep) String() string {
	return fmt.Sprintf("%d calls: %.0f %% of the core (%.2f µs a packet; the process itself %.1f %%), loss %.4f %%, delay p50 %v, p99 %v; %.1f %% relayed by the kernel, which had all %.1f s after the last began; load sent %.1f %% in time; since the first call %d packets were too old to be passed on and %d did not come",
		s.calls, s.share*100, s.share*1e6/float64(s.calls*100), s.own*100, s.loss*100, s.p50, s.p99, s.byTheKernel*100, s.settled.Seconds(), s.timely*100, s.stale, s.lost)
}
