package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// robots are the agents: each with a desk in the API, at a desk phone, and some at a browser.
type robots struct {
	p    *plan
	all  []*robot
	tabs []*tabber

	leaders []*leader
	ctx     context.Context //nolint:containedctx // the run's
	stop    context.CancelFunc
	work    sync.WaitGroup
}

// robot is one agent at a desk phone.
type robot struct {
	r      *robots
	n      int
	code   string
	user   string
	mu     sync.Mutex
	phone  *ua.Phone
	desk   *house.Client
	broken bool // the phone is away just now
}

// hire registers the phones, signs everybody in and has each look at their desk now and then, as people do.
func hire(ctx context.Context, p *plan) (*robots, error) {
	r := &robots{p: p}
	r.ctx, r.stop = context.WithCancel(ctx)
	for i := range serving + experts {
		r.all = append(r.all, &robot{r: r, n: i, code: fmt.Sprint(8001 + i), user: fmt.Sprint(1001 + i)})
	}
	for _, b := range r.all { // one after the other: a password costs a fifth of a second
		if err := b.begin(ctx); err != nil {
			return nil, err
		}
	}
	for i := range browsing {
		t := &tabber{r: r, user: fmt.Sprint(1001 + serving + experts + i), n: i}
		if err := t.begin(ctx); err != nil {
			return nil, err
		}
		r.tabs = append(r.tabs, t)
		r.work.Go(t.work)
	}
	for _, b := range r.all {
		r.work.Go(b.work)
	}
	r.work.Go(r.mishaps)
	return r, nil
}

// dismiss sends everybody home: who talks hangs up first.
func (r *robots) dismiss() {
	r.stop()
	r.work.Wait()
	for _, b := range r.all {
		b.mu.Lock()
		b.phone.Close()
		b.mu.Unlock()
	}
}

// leave signs everybody out.
func (r *robots) leave(ctx context.Context) error {
	var desks []*house.Client
	for _, b := range r.all {
		desks = append(desks, b.desk)
	}
	for _, t := range r.tabs {
		desks = append(desks, t.desk)
	}
	for _, l := range r.leaders {
		if l.seat {
			desks = append(desks, l.desk)
		}
	}
	still := ""
	if eventually(ctx, 30*time.Second, func() bool {
		still = ""
		for _, c := range desks {
			if d, err := c.Desk(ctx); err != nil || d.SignedIn {
				still += fmt.Sprintf(" %s is %s", c.User, d.State.State)
				_ = c.Post(ctx, "/desk/signout", map[string]string{}, nil) // seen by the next look
			}
		}
		return still == ""
	}) {
		return nil
	}
	return fmt.Errorf("somebody cannot sign out:%s", still)
}

// back is what phones do after a power cut; the desks find out by themselves.
func (r *robots) back(ctx context.Context) {
	err := all(r.all, func(b *robot) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.broken {
			return nil // registers when it is mended
		}
		return b.phone.Register(ctx, time.Hour)
	})
	for _, l := range r.leaders {
		err = errors.Join(err, l.phone.Register(ctx, time.Hour))
	}
	if err != nil {
		r.p.say("a phone could not register: %v", err)
	}
}

func (b *robot) begin(ctx context.Context) (err error) {
	if err := b.plug(ctx); err != nil {
		return fmt.Errorf("phone %s: %w", b.code, err)
	}
	if b.desk, err = b.r.p.h.Login(ctx, b.user); err != nil {
		return err
	}
	return b.desk.Ready(ctx, b.code)
}

// plug brings a new phone up.
func (b *robot) plug(ctx context.Context) error {
	phone, err := ua.Open("127.0.0.1", b.r.p.h.SIP, b.code, house.Password)
	if err != nil {
		return err
	}
	phone.OnCall = b.ring
	if err := phone.Register(ctx, time.Hour); err != nil {
		phone.Close()
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.phone, b.broken = phone, false
	return nil
}

// work looks at the desk once a second or so: whoever is away says ready, whoever was signed out signs in.
func (b *robot) work() {
	for {
		select {
		case <-b.r.ctx.Done():
			return
		case <-time.After(time.Second + rand.N(time.Second)):
		}
		d, err := b.desk.Desk(b.r.ctx)
		if err == nil && (!d.SignedIn || d.State.State == "away") {
			_ = b.desk.Ready(b.r.ctx, b.code) // tried again at the next look
		}
	}
}

// expert says that a robot serves nobody by itself: it is asked and given calls.
func (b *robot) expert() bool { return b.n >= serving }

// ring answers most calls.
func (b *robot) ring(c *ua.Call) {
	t := b.r.p.tally
	t.note("offer", "")
	switch n := rand.IntN(100); {
	case n < declining:
		t.note("offer declined", "")
		c.Refuse(486)
		return
	case n < declining+missing:
		t.note("offer not answered", "")
		c.Ring()
		return
	}
	c.Ring()
	time.Sleep(rand.N(400 * time.Millisecond))
	err := c.Answer(b.r.ctx, 0)
	t.tried("offer answered", err)
	if err != nil {
		return
	}
	if b.expert() || c.Invite.Get("X-Kapok-Kind") != "offer" {
		b.stays(c, time.Second+rand.N(2*time.Second))
		return
	}
	b.talks(c)
}

// stays talks until somebody hangs up: this phone after so long.
func (b *robot) stays(c *ua.Call, d time.Duration) {
	select {
	case <-c.Done():
	case <-b.r.ctx.Done():
		c.Hangup(context.WithoutCancel(b.r.ctx))
	case <-time.After(d):
		c.Hangup(b.r.ctx)
	}
}

// talk is a call an agent has answered.
type talk struct {
	call    *ua.Call
	contact string
}

// talks does one of the things of the mix with a call.
func (b *robot) talks(c *ua.Call) {
	x := &talk{c, c.Invite.Get("X-Kapok-Contact")}
	n := rand.IntN(100)
	for _, t := range talks {
		if n -= t.weight; n >= 0 {
			continue
		}
		select {
		case <-c.Done():
			b.r.p.tally.note(t.what, "the caller was gone")
			return
		case <-time.After(200*time.Millisecond + rand.N(800*time.Millisecond)):
		}
		why := t.do(b, x)
		if why != "" && gone(c) {
			why = "the caller was gone"
		}
		b.r.p.tally.note(t.what, why)
		b.stays(c, 10*time.Second)
		return
	}
}

func gone(c *ua.Call) bool {
	select {
	case <-c.Done():
		return true
	default:
		return false
	}
}
