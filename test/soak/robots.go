package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// robots are the agents: each at a desk phone, with a desk in the API.
type robots struct {
	p    *plan
	all  []*robot
	ctx  context.Context //nolint:containedctx // the run's
	stop context.CancelFunc

	rung, answered, declined, missed, hungUp, transferred, signIns atomic.Int64
}

func (r *robots) String() string {
	return fmt.Sprintf("rung %d, answered %d, declined %d, missed %d, hung up %d, transferred %d, sign-ins %d",
		r.rung.Load(), r.answered.Load(), r.declined.Load(), r.missed.Load(), r.hungUp.Load(), r.transferred.Load(), r.signIns.Load())
}

// robot is one agent.
type robot struct {
	r     *robots
	code  string
	user  string
	phone *ua.Phone
	desk  *house.Client
}

// hire registers the phones, signs everybody in and has each look at their desk now and then, as people do.
func hire(ctx context.Context, p *plan) (*robots, error) {
	r := &robots{p: p}
	r.ctx, r.stop = context.WithCancel(ctx)
	for i := range p.agents {
		r.all = append(r.all, &robot{r: r, code: fmt.Sprint(8001 + i), user: fmt.Sprint(1001 + i)})
	}
	for _, b := range r.all { // one after the other: a password costs a fifth of a second
		if err := b.begin(ctx); err != nil {
			return nil, err
		}
	}
	for _, b := range r.all {
		go b.work()
	}
	return r, nil
}

func (r *robots) dismiss() {
	r.stop()
	for _, b := range r.all {
		b.phone.Close()
	}
}

// back is what people and phones do after a power cut: their sessions are still good.
func (r *robots) back(ctx context.Context) {
	err := all(r.all, func(b *robot) error { return b.phone.Register(ctx, time.Hour) })
	if err != nil {
		r.p.say("a phone could not register: %v", err)
	}
}

func (b *robot) begin(ctx context.Context) (err error) {
	if b.phone, err = ua.Open("127.0.0.1", b.r.p.h.SIP, b.code, house.Password); err != nil {
		return err
	}
	b.phone.OnCall = b.ring
	if err := b.phone.Register(ctx, time.Hour); err != nil {
		return fmt.Errorf("phone %s: %w", b.code, err)
	}
	b.desk, err = b.r.p.h.Login(ctx, b.user)
	if err != nil {
		return err
	}
	b.r.signIns.Add(1)
	return b.desk.Ready(ctx, b.code)
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
		switch {
		case err != nil: // the house is down
		case !d.SignedIn:
			b.r.signIns.Add(1)
			_ = b.desk.Ready(b.r.ctx, b.code) // tried again at the next look
		case d.State.State == "away":
			_ = b.desk.Ready(b.r.ctx, b.code) // as above
		}
	}
}

// ring answers most calls; one in ten is declined, one in ten not answered.
func (b *robot) ring(c *ua.Call) {
	b.r.rung.Add(1)
	switch n := rand.IntN(10); n {
	case 0:
		b.r.declined.Add(1)
		c.Refuse(486)
	case 1:
		b.r.missed.Add(1)
		c.Ring()
	default:
		c.Ring()
		time.Sleep(rand.N(400 * time.Millisecond))
		if c.Answer(b.r.ctx, 0) != nil {
			return
		}
		b.r.answered.Add(1)
		b.talk(c, n)
	}
}

// talk lasts up to two seconds; then the agent hangs up, transfers, or leaves it to the caller.
func (b *robot) talk(c *ua.Call, n int) {
	select {
	case <-c.Done():
		return
	case <-time.After(200*time.Millisecond + rand.N(1800*time.Millisecond)):
	}
	switch n {
	case 2:
		b.transfer(c, map[string]string{"kind": "queue", "code": "etax"})
	case 3:
		b.transfer(c, map[string]string{"kind": "agent", "code": fmt.Sprint(1001 + rand.IntN(b.r.p.agents))})
	case 4, 5: // the caller's word
		select {
		case <-c.Done():
		case <-time.After(10 * time.Second):
			c.Hangup(b.r.ctx)
		}
	default:
		b.r.hungUp.Add(1)
		c.Hangup(b.r.ctx)
	}
}

func (b *robot) transfer(c *ua.Call, to map[string]string) {
	contact := c.Invite.Get("X-Kapok-Contact")
	if b.desk.Post(b.r.ctx, "/desk/contacts/"+contact+"/transfer", to, nil) == nil {
		b.r.transferred.Add(1)
		return
	}
	c.Hangup(b.r.ctx) // the caller was faster
}
