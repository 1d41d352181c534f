package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/test/ua"
)

// people are the callers who do more than wait: those who would rather be called back, and those who call again.
type people struct {
	p       *plan
	ctx     context.Context //nolint:containedctx // the run's
	n       atomic.Int64
	carrier *ua.Phone // where the house's calls out arrive
	mu      sync.Mutex
	rings   map[string]chan *ua.Call // of those who expect a call
	extra   atomic.Int64             // calls out that nobody expected
}

// invite opens the carrier's end; it answers for everybody.
func invite(ctx context.Context, p *plan) (*people, error) {
	w := &people{p: p, ctx: ctx, rings: map[string]chan *ua.Call{}}
	var err error
	if w.carrier, err = ua.Open("127.0.0.1", "127.0.0.1:1", "carrier", ""); err != nil {
		return nil, err
	}
	w.carrier.Still = true
	w.carrier.OnCall = w.ring
	return w, nil
}

var calledNumber = regexp.MustCompile(`sip:\+?(?:86)?0*([0-9]+)@`)

// ring answers a call out: whoever expects one gets it, any other number is somebody an agent called.
func (w *people) ring(c *ua.Call) {
	c.Ring()
	number := ""
	if m := calledNumber.FindStringSubmatch(c.Invite.Start); m != nil {
		number = m[1]
	}
	w.mu.Lock()
	to := w.rings[number]
	w.mu.Unlock()
	switch {
	case to != nil:
		select {
		case to <- c:
		default:
			w.extra.Add(1) // they are being called already
			w.p.say("%s is called twice at once", number)
			c.Refuse(486)
		}
	case number == outside:
		if c.Answer(w.ctx, 0) == nil {
			w.stays(c, 3*time.Second)
		}
	default:
		c.Refuse(480) // who was promised a call before the power cut and is not at home now: tried again, then given up
	}
}

// stays talks for so long, if the other side lets them.
func (w *people) stays(c *ua.Call, d time.Duration) {
	select {
	case <-c.Done():
	case <-time.After(d):
		c.Hangup(w.ctx)
	}
}

// outside is the expert who sits elsewhere.
const outside = "2083330000"

// stroll has them call at their share of the rate until so many calls have been made, and returns when the last is over.
func (w *people) stroll(calls, rate int) {
	var all sync.WaitGroup
	for _, s := range stories {
		share := calls * s.share / 100 / s.calls
		pause := time.Duration(float64(time.Second) * 100 * float64(s.calls) / float64(s.share*rate))
		all.Go(func() {
			for range share {
				select {
				case <-w.ctx.Done():
					return
				case <-time.After(pause/2 + rand.N(pause)):
				}
				all.Go(func() {
					number := fmt.Sprintf("139%08d", w.n.Add(1))
					w.p.tally.note(s.what, s.play(w, number))
				})
			}
		})
	}
	all.Wait()
}

// dial calls a number of the hotline from a line of the trunk. The phone is the caller's to close.
func (w *people) dial(number, to string) (*ua.Phone, *ua.Call, string) {
	p, err := ua.Open("127.0.0.1", w.p.h.SIP, "0"+number, "")
	if err != nil {
		return nil, nil, reason(err)
	}
	p.Still = true
	ctx, stop := context.WithTimeout(w.ctx, 15*time.Second)
	defer stop()
	c, err := p.Dial(ctx, ua.Dial{Number: to})
	if err != nil {
		p.Close()
		return nil, nil, reason(err)
	}
	return p, c, ""
}

// expects lets a number be called.
func (w *people) expects(number string) (rings chan *ua.Call, never func()) {
	rings = make(chan *ua.Call, 1)
	w.mu.Lock()
	w.rings[number] = rings
	w.mu.Unlock()
	return rings, func() {
		w.mu.Lock()
		delete(w.rings, number)
		w.mu.Unlock()
	}
}

// Bounds of what people wait for.
const (
	offerBound = 30 * time.Second  // until a callback is noted
	backBound  = 150 * time.Second // until it is made
)

// asks has a person call the queue that calls back and ask for it: 1 for a call, 1 again for this number. The house says
// goodbye. Whoever is put through to an agent before has what they wanted.
func (w *people) asks(number string) string {
	p, c, why := w.dial(number, "12368")
	if why != "" {
		return why
	}
	defer p.Close()
	began := time.Now()
	for time.Since(began) < offerBound {
		select {
		case <-c.Done():
			switch {
			case c.How() == "remote" && w.p.promised(w.ctx, number):
				return ""
			case w.p.answered(w.ctx, number):
				return "was answered before"
			default:
				return "hung up on: " + c.How()
			}
		case <-time.After(1200 * time.Millisecond):
			if w.p.cut.Load() > began.UnixMilli() { // the line is dead; what was promised by then holds
				c.Hangup(w.ctx)
				if w.p.promised(w.ctx, number) {
					return ""
				}
				return "met the power cut"
			}
			_ = c.Info(w.ctx, '1') // the house may hang up just now
		}
	}
	c.Hangup(w.ctx)
	if w.p.answered(w.ctx, number) {
		return "was answered before"
	}
	return "the offer never came"
}

// calledBack asks for a call and is called: once, by an agent who is there.
func (w *people) calledBack(number string) string {
	rings, never := w.expects(number)
	defer never()
	if why := w.asks(number); why != "" {
		return why
	}
	select {
	case c := <-rings:
		if err := c.Answer(w.ctx, 0); err != nil {
			return "the call back was taken away: " + reason(err)
		}
		w.stays(c, 500*time.Millisecond+rand.N(2*time.Second))
		return ""
	case <-time.After(backBound):
		return "not called within 150 s"
	case <-w.ctx.Done():
		return "the run was over"
	}
}

// callsIn asks for a call and calls again before it comes: the promise ends, its place is theirs.
func (w *people) callsIn(number string) string {
	rings, never := w.expects(number)
	defer never()
	over := make(chan struct{})
	defer close(over)
	go func() { // called in the same moment: they are on the other line
		for {
			select {
			case c := <-rings:
				c.Refuse(486)
			case <-over:
				return
			}
		}
	}()
	if why := w.asks(number); why != "" {
		return why
	}
	p, c, why := w.dial(number, "12367")
	if why != "" {
		return why
	}
	defer p.Close()
	w.stays(c, 20*time.Second)
	return w.p.ended(w.ctx, number)
}

// redials hangs up in the queue twice and waits the third time: then they are before the others.
func (w *people) redials(number string) string {
	for range 2 {
		p, c, why := w.dial(number, "12367")
		if why != "" {
			return why
		}
		w.stays(c, 700*time.Millisecond+rand.N(600*time.Millisecond))
		p.Close()
		time.Sleep(300*time.Millisecond + rand.N(500*time.Millisecond))
	}
	p, c, why := w.dial(number, "12367")
	if why != "" {
		return why
	}
	defer p.Close()
	w.stays(c, 25*time.Second)
	return w.p.third(w.ctx, number)
}
