package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// leading is what leaders do; the weights add up to 100.
var leading = []struct {
	what   string
	weight int
	do     func(*leader) string
}{
	{"leader listens", 18, func(l *leader) string { return l.joins("listen") }},
	{"leader whispers", 14, func(l *leader) string { return l.joins("whisper") }},
	{"leader barges in", 14, func(l *leader) string { return l.joins("barge") }},
	{"leader takes over", 12, (*leader).takesOver},
	{"leader releases: back in line", 8, func(l *leader) string { return l.releases(true) }},
	{"leader releases: hung up", 6, func(l *leader) string { return l.releases(false) }},
	{"leader forces away", 8, func(l *leader) string { return l.forces("away") }},
	{"leader forces ready", 6, func(l *leader) string { return l.forces("ready") }},
	{"leader signs somebody out", 6, (*leader).signsOut},
	{"leader changes skills", 8, (*leader).skills},
}

// leader looks after the agents: one by the phone beside them, the others from a desk.
type leader struct {
	r     *robots
	user  string
	code  string // of the phone
	seat  bool   // signed in there
	desk  *house.Client
	phone *ua.Phone
	mu    sync.Mutex
	on    *ua.Call // the call they take part in
}

// lead brings the leaders in.
func (r *robots) lead(ctx context.Context) error {
	for i := range 3 {
		l := &leader{r: r, user: fmt.Sprintf("leader%d", i+1), code: fmt.Sprint(8031 + i), seat: i > 0}
		var err error
		if l.phone, err = ua.Open("127.0.0.1", r.p.h.SIP, l.code, house.Password); err != nil {
			return err
		}
		l.phone.OnCall = func(c *ua.Call) {
			c.Ring()
			if c.Answer(r.ctx, 0) == nil {
				l.mu.Lock()
				l.on = c
				l.mu.Unlock()
			}
		}
		if err := l.phone.Register(ctx, time.Hour); err != nil {
			return err
		}
		if l.desk, err = r.p.h.Login(ctx, l.user); err != nil {
			return err
		}
		r.leaders = append(r.leaders, l)
		r.work.Go(l.work)
	}
	return nil
}

// work does one thing after the other, about one a second.
func (l *leader) work() {
	defer l.phone.Close()
	for {
		select {
		case <-l.r.ctx.Done():
			return
		case <-time.After(400*time.Millisecond + rand.N(1200*time.Millisecond)):
		}
		if l.seat {
			l.sits()
		}
		n := rand.IntN(100)
		for _, a := range leading {
			if n -= a.weight; n < 0 {
				l.r.p.tally.note(a.what, a.do(l))
				break
			}
		}
	}
}

// sits keeps the leader's own desk: signed in, and away, so that nobody is offered to them.
func (l *leader) sits() {
	d, err := l.desk.Desk(l.r.ctx)
	if err == nil && !d.SignedIn {
		_ = l.desk.Post(l.r.ctx, "/desk/signin", map[string]string{"endpoint": l.code}, nil) // at the next look again
	}
}

// member is an agent as the team's page shows them.
type member struct {
	User  string `json:"user"`
	State string `json:"state"`
	Calls []struct {
		Contact string `json:"contact"`
		Phase   string `json:"phase"`
		Queue   string `json:"queue"`
	} `json:"calls"`
}

// pick gives somebody of the team at random: with talk, somebody who talks now.
func (l *leader) pick(talk bool) (m member, contact, why string) {
	var team struct {
		Agents []member `json:"agents"`
	}
	if err := l.desk.Get(l.r.ctx, "/desk/team", &team); err != nil {
		return m, "", reason(err)
	}
	for _, i := range rand.Perm(len(team.Agents)) {
		a := team.Agents[i]
		if len(a.User) != 4 { // a leader
			continue
		}
		if !talk {
			return a, "", ""
		}
		for _, c := range a.Calls {
			if c.Phase == "talking" && c.Queue != "" {
				return a, c.Contact, ""
			}
		}
	}
	return m, "", "nobody talks"
}

func (l *leader) body(contact string, more ...string) map[string]any {
	in := map[string]any{"why": "soak: as a leader would"}
	if contact != "" {
		in["contact"] = contact
	}
	if !l.seat && contact != "" {
		in["phone"] = l.code
	}
	for i := 0; i+1 < len(more); i += 2 {
		in[more[i]] = more[i+1]
	}
	return in
}

// joins takes part in a talk for a while, in one mode and perhaps another.
func (l *leader) joins(mode string) string {
	m, contact, why := l.pick(true)
	if why != "" {
		return why
	}
	if err := l.desk.Post(l.r.ctx, "/desk/team/"+m.User+"/"+mode, l.body(contact), nil); err != nil {
		return reason(err)
	}
	time.Sleep(300*time.Millisecond + rand.N(700*time.Millisecond))
	if rand.IntN(2) == 0 {
		_ = l.desk.Post(l.r.ctx, "/desk/team/supervision/end", map[string]string{"contact": contact}, nil) // the call may be over
	}
	l.hangUp()
	return ""
}

func (l *leader) hangUp() {
	l.mu.Lock()
	c := l.on
	l.on = nil
	l.mu.Unlock()
	if c != nil {
		c.Hangup(l.r.ctx)
	}
}

// takesOver has the caller from then on, and talks with them.
func (l *leader) takesOver() string {
	m, contact, why := l.pick(true)
	if why != "" {
		return why
	}
	if err := l.desk.Post(l.r.ctx, "/desk/team/"+m.User+"/take_over", l.body(contact), nil); err != nil {
		return reason(err)
	}
	time.Sleep(time.Second)
	l.hangUp()
	return ""
}

func (l *leader) releases(requeue bool) string {
	m, contact, why := l.pick(true)
	if why != "" {
		return why
	}
	in := l.body(contact)
	delete(in, "phone")
	if requeue {
		in["requeue"] = true
	}
	return reason(l.desk.Post(l.r.ctx, "/desk/team/"+m.User+"/release", in, nil))
}

func (l *leader) forces(state string) string {
	m, _, why := l.pick(false)
	if why != "" {
		return why
	}
	in := l.body("", "state", state)
	if state == "away" {
		in["reason"] = "MEET"
	}
	return reason(l.desk.Post(l.r.ctx, "/desk/team/"+m.User+"/state", in, nil))
}

func (l *leader) signsOut() string {
	m, _, why := l.pick(false)
	if why != "" {
		return why
	}
	return reason(l.desk.Post(l.r.ctx, "/desk/team/"+m.User+"/signout", l.body(""), nil))
}

// skills gives somebody a language, or takes it.
func (l *leader) skills() string {
	m, _, why := l.pick(false)
	if why != "" {
		return why
	}
	var had struct {
		Skills map[string]int `json:"skills"`
	}
	if err := l.desk.Get(l.r.ctx, "/desk/team/"+m.User+"/skills", &had); err != nil {
		return reason(err)
	}
	if had.Skills["cit"] > 0 {
		delete(had.Skills, "cit")
	} else {
		had.Skills["cit"] = 2
	}
	in := l.body("")
	in["skills"] = had.Skills
	return reason(l.desk.Post(l.r.ctx, "/desk/team/"+m.User+"/skills", in, nil))
}
