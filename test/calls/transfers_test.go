package calls

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

const (
	transfers = 200
	atOnce    = 16
	serving   = 16 // 1001… answer the hotline
	experts   = 16 // those after them are asked and given calls, and answer the queue of complaints
	slack     = time.Second
)

// rung is a telephone that was lifted: an agent's, or the outside one.
type rung struct {
	user     string // "" outside
	call     *ua.Call
	lo, hi   time.Time // answered between the two
	ended    time.Time // when its BYE came; after done
	done     chan struct{}
	min, max time.Duration // on hold, by the requests' own times
	on0, on1 time.Time
}

func (r *rung) hold(t0, t1 time.Time) { r.on0, r.on1 = t0, t1 }

func (r *rung) resume(t0, t1 time.Time) {
	if !r.on0.IsZero() {
		r.min, r.max = r.min+max(0, t0.Sub(r.on1)), r.max+t1.Sub(r.on0)
		r.on0, r.on1 = time.Time{}, time.Time{}
	}
}

// transferring is the whole of TestRowD4.
type transferring struct {
	*scene
	people map[string]*house.Client
	mu     sync.Mutex
	rings  map[string]chan *rung // by the caller's number
}

// lifts answers a telephone and tells the script of the caller.
func (x *transferring) lifts(user string) func(*ua.Call) {
	return func(c *ua.Call) {
		r := &rung{user: user, call: c, lo: time.Now(), done: make(chan struct{})}
		from := regexp.MustCompile(`sip:([0-9]+)@`).FindStringSubmatch(c.Invite.Get("From"))
		if len(from) < 2 || c.Answer(x.ctx, 700) != nil {
			return
		}
		r.hi = time.Now()
		go func() {
			<-c.Done()
			r.ended = time.Now()
			close(r.done)
		}()
		x.mu.Lock()
		to := x.rings[from[1]]
		x.mu.Unlock()
		if to != nil {
			to <- r
		}
	}
}

// says posts a verb of somebody's desk as soon as the desk knows the call, and gives between which moments it was done.
func (x *transferring) says(user, contact, verb string, in any) (t0, t1 time.Time, err error) {
	if in == nil {
		in = map[string]string{}
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		t0 = time.Now()
		err = x.people[user].Post(x.ctx, "/desk/contacts/"+contact+"/"+verb, in, nil)
		p, ok := errors.AsType[*house.Problem](err)
		if !ok || p.Code != "desk.contact.phase" && p.Code != "desk.contact.not_yours" || time.Now().After(end) {
			return t0, time.Now(), err
		}
	}
}

// toExpert says a verb to one expert after the other until one is free.
func (x *transferring) toExpert(user, contact, verb string) (t0, t1 time.Time, err error) {
	for range 40 {
		for _, n := range rand.Perm(experts) {
			to := map[string]string{"kind": "agent", "code": fmt.Sprint(1001 + serving + n)}
			t0, t1, err = x.says(user, contact, verb, to)
			if p, busy := errors.AsType[*house.Problem](err); !busy || !strings.HasPrefix(p.Code, "routing.rejected.") {
				return t0, t1, err
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return t0, t1, err
}

// toQueue asks for a free agent of the experts' queue until there is one.
func (x *transferring) toQueue(user, contact, verb string) (t0, t1 time.Time, err error) {
	for range 100 {
		t0, t1, err = x.says(user, contact, verb, map[string]string{"kind": "queue", "code": "complaint"})
		if p, busy := errors.AsType[*house.Problem](err); !busy || p.Code != "routing.queue.nobody" {
			return t0, t1, err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return t0, t1, err
}

func (x *transferring) outside(user, contact, verb string) (t0, t1 time.Time, err error) {
	return x.says(user, contact, verb, map[string]string{"kind": "number", "code": "02083330000"})
}

// talked is one call: who was on it, as the telephones saw it.
type talked struct {
	number string
	parts  []*rung
}

// script plays one call with one transfer; n says which kind.
func (x *transferring) script(n int, rnd *rand.Rand) (*talked, error) {
	pause := func() { time.Sleep(time.Duration(100+rnd.IntN(400)) * time.Millisecond) }
	long := func() { time.Sleep(slack + time.Duration(100+rnd.IntN(300))*time.Millisecond) } // what must not go unnoticed
	number := fmt.Sprintf("0138%08d", 1000+n)
	rings := make(chan *rung, 4)
	x.mu.Lock()
	x.rings[number] = rings
	x.mu.Unlock()
	next := func() (*rung, error) {
		select {
		case r := <-rings:
			return r, nil
		case <-time.After(30 * time.Second):
			return nil, fmt.Errorf("call %d: nobody was rung", n)
		}
	}
	phone, err := ua.Open("127.0.0.1", x.h.SIP, number, "")
	if err != nil {
		return nil, err
	}
	defer phone.Close()
	c, err := phone.Dial(x.ctx, ua.Dial{Number: "12367", Tone: 440})
	if err != nil {
		return nil, err
	}
	defer c.Hangup(context.WithoutCancel(x.ctx))
	a, err := next()
	if err != nil {
		return nil, err
	}
	contact := a.call.Invite.Get("X-Kapok-Contact")
	say := func(verb string, in any) (t0, t1 time.Time) {
		var e error
		t0, t1, e = x.says(a.user, contact, verb, in)
		if e != nil && err == nil {
			err = fmt.Errorf("call %d: %s: %w", n, verb, e)
		}
		return t0, t1
	}
	pause()
	if n%3 == 0 {
		a.hold(say("hold", nil))
		long()
		a.resume(say("resume", nil))
		pause()
	}
	to := []func(string, string, string) (time.Time, time.Time, error){x.toExpert, x.toQueue, x.outside}[n%3]
	var b *rung
	if n%2 == 0 { // blind
		if _, _, err = to(a.user, contact, "transfer"); err != nil {
			return nil, fmt.Errorf("call %d: %w", n, err)
		}
		if b, err = next(); err != nil {
			return nil, err
		}
	} else {
		t0, t1, e := to(a.user, contact, "consult")
		if e != nil {
			return nil, fmt.Errorf("call %d: %w", n, e)
		}
		a.hold(t0, t1)
		if b, err = next(); err != nil {
			return nil, err
		}
		// The desk may only turn when the house has joined them.
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			_, _, e = x.says(a.user, contact, "consult/turn", map[string]string{"with": "asked"})
			if p, early := errors.AsType[*house.Problem](e); !early || p.Code != "voice.consult.rings" {
				break
			}
		}
		if e != nil {
			return nil, fmt.Errorf("call %d: %w", n, e)
		}
		long()
		if n%4 == 1 { // back to the caller while the other waits, and again
			t0, t1 = say("consult/turn", map[string]string{"with": "caller"})
			a.resume(t0, t1)
			b.hold(t0, t1)
			long()
			t0, t1 = say("consult/turn", map[string]string{"with": "asked"})
			a.hold(t0, t1)
			b.resume(t0, t1)
			pause()
		}
		if n%5 == 1 { // three talk
			a.resume(say("consult/turn", map[string]string{"with": "both"}))
			pause()
		}
		a.resume(say("consult/complete", nil))
	}
	if err != nil {
		return nil, err
	}
	long()
	c.Hangup(x.ctx)
	for _, r := range []*rung{a, b} {
		select {
		case <-r.done:
		case <-time.After(10 * time.Second):
			return nil, fmt.Errorf("call %d: the telephone of %q was not hung up", n, r.user)
		}
		if r.user != "" {
			x.ready(r.user, contact)
		}
	}
	return &talked{number, []*rung{a, b}}, nil
}

// ready ends somebody's wrap-up of a call.
func (x *transferring) ready(user, contact string) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		d, err := x.people[user].Desk(x.ctx)
		if err == nil && d.Wrapup != nil && d.Wrapup.Contact == contact {
			_ = x.people[user].WrapUp(x.ctx, contact, "") // seen by the next look
		}
		if err == nil && d.Wrapup == nil && (d.State.State == "ready" || d.State.State == "ringing" || d.State.State == "talking") {
			return
		}
	}
}

// TestRowD4: 200 scripted transfers, blind and attended, to agents, queues and an outside number; every part's talk and
// hold is what its telephone and the requests saw, to a second, and every law of the figures holds. Also pain 8 of the
// studies: who has handed over is not billed with the later talk.
func TestRowD4(t *testing.T) {
	t.Parallel()
	s := open(t)
	x := &transferring{scene: s, people: map[string]*house.Client{}, rings: map[string]chan *rung{}}
	outside, err := ua.Open("127.0.0.1", s.h.SIP, "02083330000", "")
	must(t, err)
	t.Cleanup(outside.Close)
	outside.OnCall = x.lifts("")
	bureau, err := house.Bureau(serving+experts,
		"trunks:\n", fmt.Sprintf("trunks:\n  - {code: aout, name: 外线, site: gz, kind: ip, peers: [%q], accept: [\"127.9.9.9/32\"]}\n", outside.Addr()))
	must(t, err)
	for n := range serving + experts {
		skills := "{general: 2}"
		if n >= serving {
			skills = "{complaint: 2}"
		}
		bureau = regexp.MustCompile(fmt.Sprintf(`(- \{user: "%d", skills: )\{[^}]*\}`, 1001+n)).ReplaceAllString(bureau, "${1}"+skills)
	}
	must(t, s.h.Apply(s.ctx, bureau))
	s.leader, err = s.h.Login(s.ctx, "leader1")
	must(t, err)
	for n := range serving + experts {
		user, code := fmt.Sprint(1001+n), fmt.Sprint(8001+n)
		p, err := ua.Open("127.0.0.1", s.h.SIP, code, house.Password)
		must(t, err)
		t.Cleanup(p.Close)
		p.OnCall = x.lifts(user)
		must(t, p.Register(s.ctx, time.Hour))
		x.people[user], err = s.h.Login(s.ctx, user)
		must(t, err)
		must(t, x.people[user].Ready(s.ctx, code))
	}
	begun := time.Now()
	all := make([]*talked, transfers)
	var work sync.WaitGroup
	turn := make(chan int)
	for range atOnce {
		work.Go(func() {
			for n := range turn {
				c, err := x.script(n, rand.New(rand.NewPCG(4, uint64(n))))
				if err != nil {
					t.Error(err)
					continue
				}
				all[n] = c
			}
		})
	}
	for n := range transfers {
		turn <- n
	}
	close(turn)
	work.Wait()
	t.Logf("%d transfers in %v", transfers, time.Since(begun).Round(time.Second))
	worst := time.Duration(0)
	for n, c := range all {
		if c != nil {
			worst = max(worst, x.reckon(n, c))
		}
	}
	t.Logf("the largest difference is %v", worst)
	s.doctor()
}

// reckon compares what the record says of each part's time with what its telephone saw.
func (x *transferring) reckon(n int, c *talked) (worst time.Duration) {
	var list struct{ Items []struct{ ID string } }
	must(x.t, x.leader.Get(x.ctx, "/contacts?number="+url.QueryEscape(c.number), &list))
	if len(list.Items) != 1 {
		x.t.Errorf("call %d: %d contacts", n, len(list.Items))
		return 0
	}
	st := x.story(c.number, c.number+" is told whole", func(st *story) bool { return st.Contact.Outcome != "open" && len(st.Recordings) > 0 })
	legsAddUp(x.scene, st)
	for _, r := range c.parts {
		var talk, hold time.Duration
		for _, l := range st.Legs {
			if l.Role != "caller" && l.Agent == r.user {
				talk += time.Duration(l.TalkMs) * time.Millisecond
				hold += time.Duration(l.HoldMs) * time.Millisecond
			}
		}
		off := max(beyond(hold, r.min, r.max), beyond(talk+hold, r.ended.Sub(r.hi), r.ended.Sub(r.lo)))
		worst = max(worst, off)
		if off > slack {
			x.t.Errorf("call %d, %q: talk %v and hold %v; the telephone was up %v, of it on hold %v to %v\n%s", n, r.user, talk, hold,
				r.ended.Sub(r.hi), r.min, r.max, st.kinds())
		}
	}
	return worst
}

// beyond is how far a time lies outside of bounds.
func beyond(d, lo, hi time.Duration) time.Duration { return max(lo-d, d-hi, 0) }
