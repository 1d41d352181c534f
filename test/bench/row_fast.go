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
	fastWidth = 25 // calls that begin together, every 100 ms: the process carries each until the kernel has it
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
	loss        float64
	p50, p99    time.Duration
	timely      float64 // share of its packets the load could send
	byTheKernel float64
}

// step measures a number of calls.
func (r *fastRig) step(ctx context.Context, calls int, fast bool, idle float64) (s fastStep, err error) {
	s.calls = calls
	relay, err := startRelay(r.server, calls, fast, r.mouth.port)
	if err != nil {
		return s, err
	}
	defer relay.stop()
	defer r.mouth.speak(nil, "")
	for at := 0; at < len(relay.ports); at += 2 * fastWidth { // calls come one after another
		r.mouth.speak(relay.ports[at:min(at+2*fastWidth, len(relay.ports))], fastServer)
		time.Sleep(100 * time.Millisecond)
	}
	if err := r.settled(ctx, relay, calls, fast); err != nil {
		return s, err
	}
	was, err := relay.state()
	if err != nil {
		return s, err
	}
	sent, heard := r.mouth.sent.Load(), r.ear.counts()
	s.share = 1 - r.spin.rate(fastSpan)/idle
	n := r.mouth.sent.Load() - sent
	time.Sleep(20 * time.Millisecond) // those under way
	extra := r.mouth.sent.Load() - sent - n
	var got uint64
	got, s.p50, s.p99 = r.ear.since(heard)
	s.loss = max(0, 1-float64(got)/float64(n+extra))
	s.timely = float64(n) / (float64(calls) * 100 * fastSpan.Seconds())
	is, err := relay.state()
	if all := is.received - was.received; all > 0 {
		s.byTheKernel = float64(is.carried-was.carried) / float64(all)
	}
	return s, err
}

// settled waits until the kernel has every leg, where it takes part.
func (r *fastRig) settled(ctx context.Context, relay *relay, calls int, fast bool) error {
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(250 * time.Millisecond) {
		s, err := relay.state()
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case !fast || s.fast == 2*calls:
			time.Sleep(time.Second)
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("the kernel has only %d of %d directions", s.fast, 2*calls)
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
		steps = []int{1000}
	}
	idle := rig.idle(steps[len(steps)-1] / 2)
	plain, err := rig.step(ctx, 400, false, idle)
	if err != nil {
		return fmt.Errorf("by sockets: %w", err)
	}
	r.notef("by sockets, all of the core counted: %s", plain)
	var each []float64
	best := 0
	for _, n := range steps {
		s, err := rig.step(ctx, n, true, idle)
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
			break
		}
		best = n
	}
	if len(each) == 0 {
		return errors.New("no step came through without loss")
	}
	cost, low, high := median(each)
	r.Value, r.Low, r.High = 1/cost, 1/high, 1/low
	r.Measured = fmt.Sprintf("by the work of the whole core it is full at %.0f calls (%.0f … %.0f); tried up to %d within loss and delay; by sockets %.0f",
		r.Value, r.Low, r.High, best, 400/plain.share)
	r.Met = r.Value >= fastGoal && best > 0
	return nil
}

func (s fastStep) String() string {
	return fmt.Sprintf("%d calls: %.0f %% of the core (%.2f µs a packet), loss %.4f %%, delay p50 %v, p99 %v; %.1f %% relayed by the kernel, load sent %.1f %% in time",
		s.calls, s.share*100, s.share*1e6/float64(s.calls*100), s.loss*100, s.p50, s.p99, s.byTheKernel*100, s.timely*100)
}
