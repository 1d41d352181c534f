// Package cluster proves one house of several processes: the built program three times on one PostgreSQL, telephones
// at any of them, and a process that ends as in a power cut.
package cluster

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

const bound = 5 * time.Minute // far more than a loaded machine needs

// town is two processes that do everything, and a witness or a third.
type town struct {
	t      *testing.T
	ctx    context.Context
	one    *house.House // decides first
	two    *house.House
	three  *house.House  // nil: a witness
	leader *house.Client // at two
}

// found starts two and a witness; parts are what each of the two does, everything where it is not said.
func found(t *testing.T, parts ...string) *town {
	t.Helper()
	return raise(t, 2, parts...)
}

// raise starts two processes and a witness, or three.
func raise(t *testing.T, n int, parts ...string) *town {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	t.Cleanup(cancel)
	dir := t.TempDir()
	program, err := house.Build(ctx, dir)
	must(t, err)
	db := storetest.PostgresAddress(t)
	var at [3]string
	for i := range at {
		port, err := house.FreePort("tcp")
		must(t, err)
		at[i] = fmt.Sprintf("127.0.0.1:%d", port)
	}
	env := []string{"KAPOK_CLUSTER_SECRET=a-secret-of-these-three"}
	flags := func(i int) []string {
		join := append(append([]string{}, at[:i]...), at[i+1:]...)
		return []string{"--node", fmt.Sprintf("n%d", i+1), "--cluster", at[i], "--join", strings.Join(join, ",")}
	}
	y := &town{t: t, ctx: ctx}
	y.one, y.two = open(t, program, filepath.Join(dir, "one")), open(t, program, filepath.Join(dir, "two"))
	all := []*house.House{y.one, y.two}
	if n > 2 {
		y.three = open(t, program, filepath.Join(dir, "three"))
		all = append(all, y.three)
	}
	for i, h := range all {
		h.RTP = []string{"20000-21999", "22000-23999", "24000-25999"}[i]
		h.More, h.Env = append(flags(i), "--db", db), env
		if i < len(parts) {
			h.More = append(h.More, "--part", parts[i])
		}
	}
	if n == 2 {
		witness := exec.Command(program, append([]string{"serve", "--part", "witness", "--data", filepath.Join(dir, "witness")}, flags(2)...)...)
		witness.Env, witness.Stderr = append(os.Environ(), env...), t.Output()
		must(t, witness.Start())
		t.Cleanup(func() {
			_ = witness.Process.Kill() // it keeps nothing
			_ = witness.Wait()
		})
	}
	started := make(chan error, n) // together: a new house needs all of them once
	for _, h := range all {
		go func() { started <- h.Start(ctx) }()
		t.Cleanup(h.Kill)
	}
	for range all {
		must(t, <-started)
	}
	decides := func(h *house.House) bool { return h != nil && strings.Contains(h.Log(), "this process decides now") }
	y.eventually("one process decides", func() bool { return decides(y.one) || decides(y.two) || decides(y.three) })
	switch {
	case decides(y.two):
		y.one, y.two = y.two, y.one
	case decides(y.three):
		y.one, y.three = y.three, y.one
	}
	bureau, err := house.Bureau(3)
	must(t, err)
	must(t, y.two.Apply(ctx, bureau))
	y.leader, err = y.two.Login(ctx, "leader1")
	must(t, err)
	return y
}

func open(t *testing.T, program, data string) *house.House {
	t.Helper()
	h, err := house.New(program, data)
	must(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(filepath.Base(data) + " said:\n" + h.Log())
		}
	})
	return h
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (y *town) eventually(what string, f func() bool) {
	y.t.Helper()
	y.within(20*time.Second, what, f)
}

func (y *town) within(d time.Duration, what string, f func() bool) {
	y.t.Helper()
	for end := time.Now().Add(d); !f(); time.Sleep(25 * time.Millisecond) {
		if time.Now().After(end) {
			y.t.Fatalf("not within %v: %s", d, what)
		}
	}
}

// agent is a person whose desk is at one process and whose phone is at one, perhaps another.
type agent struct {
	*house.Client
	y     *town
	phone *ua.Phone
	calls chan *ua.Call
}

func (y *town) agent(n int, desk, phone *house.House) *agent {
	y.t.Helper()
	a := &agent{y: y, calls: make(chan *ua.Call, 16)}
	code := fmt.Sprint(8000 + n)
	var err error
	a.phone, err = ua.Open("127.0.0.1", phone.SIP, code, house.Password)
	must(y.t, err)
	y.t.Cleanup(a.phone.Close)
	a.phone.OnCall = func(c *ua.Call) {
		c.Ring()
		if c.Answer(y.ctx, 880) == nil {
			a.calls <- c
		}
	}
	must(y.t, a.phone.Register(y.ctx, time.Hour))
	a.Client, err = desk.Login(y.ctx, fmt.Sprint(1000+n))
	must(y.t, err)
	y.eventually("the desk sees the phone of another process", func() bool {
		var all []struct {
			Code       string
			Registered bool
		}
		must(y.t, a.Get(y.ctx, "/desk/phones", &all))
		for _, p := range all {
			if p.Code == code && p.Registered {
				return true
			}
		}
		return false
	})
	must(y.t, a.Ready(y.ctx, code))
	y.eventually("the agent is ready", func() bool { return a.state() == "ready" })
	return a
}

func (a *agent) state() string {
	d, err := a.Desk(a.y.ctx)
	must(a.y.t, err)
	return d.State.State
}

// talks waits until the agent talks and gives the contact.
func (a *agent) talks() string {
	a.y.t.Helper()
	contact := ""
	a.y.eventually("the agent talks", func() bool {
		d, err := a.Desk(a.y.ctx)
		must(a.y.t, err)
		for _, c := range d.Calls {
			if c.Phase == "talking" {
				contact = c.Contact
			}
		}
		return contact != ""
	})
	return contact
}

// caller is somebody on the line of one process.
type caller struct {
	*ua.Call
	number string
}

func (y *town) call(h *house.House, n int) *caller {
	y.t.Helper()
	return y.dial(h, n, "12367")
}

func (y *town) dial(h *house.House, n int, to string) *caller {
	y.t.Helper()
	number := fmt.Sprintf("0139%08d", n)
	p, err := ua.Open("127.0.0.1", h.SIP, number, "")
	must(y.t, err)
	y.t.Cleanup(p.Close)
	c, err := p.Dial(y.ctx, ua.Dial{Number: to, Tone: 440})
	must(y.t, err)
	return &caller{c, number}
}

// story is what the reports know of a caller's contact.
type story struct {
	Contact struct {
		ID      string `json:"id"`
		Outcome string `json:"outcome"`
		WaitMs  int64  `json:"wait_ms"`
	} `json:"contact"`
	Facts []struct {
		Kind string `json:"kind"`
		Node string `json:"node"`
	} `json:"facts"`
	Recordings []struct {
		ID     string `json:"id"`
		Erased int64  `json:"erased_at"`
	} `json:"recordings"`
}

func (s *story) count(kind string) (n int) {
	for _, f := range s.Facts {
		if f.Kind == kind {
			n++
		}
	}
	return n
}

func (s *story) kinds() string {
	var all []string
	for _, f := range s.Facts {
		all = append(all, f.Kind)
	}
	return strings.Join(all, " ")
}

// story reads a caller's contact from a process.
func (y *town) story(number string) *story {
	y.t.Helper()
	var page struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	must(y.t, y.leader.Get(y.ctx, "/contacts?number="+url.QueryEscape(number), &page))
	var s story
	if len(page.Items) > 0 {
		must(y.t, y.leader.Get(y.ctx, "/contacts/"+page.Items[0].ID, &s))
	}
	return &s
}

func (y *town) waiting() int {
	y.t.Helper()
	var w struct{ Waiting int }
	must(y.t, y.leader.Get(y.ctx, "/wallboard?site=gz", &w))
	return w.Waiting
}

// The process that decides ends as in a power cut. Callers at the other process keep their places and are answered in
// their order, those of the dead one are lost at the moment they were last heard of, and every figure is true.
func TestTheProcessThatDecidesDies(t *testing.T) {
	y := found(t)
	a := y.agent(1, y.two, y.two)

	// A desk at one process, the call at the other.
	first := y.call(y.one, 1)
	contact := a.talks()
	for _, verb := range []string{"hold", "resume"} {
		must(t, a.Post(y.ctx, "/desk/contacts/"+contact+"/"+verb, map[string]string{}, nil))
	}
	first.Hangup(y.ctx)
	y.eventually("the first call is over", func() bool { return y.story(first.number).Contact.Outcome == "answered" })
	if s := y.story(first.number); s.count("leg.held") != 1 || s.count("contact.answered") != 1 {
		t.Errorf("the first call: %s", s.kinds())
	}
	y.eventually("the agent wraps up", func() bool { return a.state() == "wrapup" })

	// A phone at one process, its agent's desk at the other.
	b := y.agent(2, y.one, y.two)
	second := y.call(y.one, 2)
	contact = b.talks()
	must(t, b.Post(y.ctx, "/desk/contacts/"+contact+"/hangup", map[string]string{}, nil))
	<-second.Done()
	must(t, b.WrapUp(y.ctx, contact, "0101"))
	must(t, b.Post(y.ctx, "/desk/signout", map[string]string{}, nil))
	y.eventually("the second agent has gone", func() bool { return b.state() == "signed_out" })

	one := y.call(y.two, 11)
	y.eventually("one waits", func() bool { return y.waiting() == 1 })
	lost := y.call(y.one, 12)
	y.eventually("two wait", func() bool { return y.waiting() == 2 })
	two := y.call(y.two, 13)
	y.eventually("three wait", func() bool { return y.waiting() == 3 })
	time.Sleep(1500 * time.Millisecond) // all are told of

	died := time.Now()
	y.one.Kill()
	y.eventually("the other process decides", func() bool { return strings.Contains(y.two.Log(), "this process decides now") })
	t.Logf("the other process decides after %v", time.Since(died))
	d, err := a.Desk(y.ctx)
	must(t, err)
	if d.State.State != "wrapup" || d.Wrapup == nil {
		t.Fatalf("the agent, who wrapped up, is %+v", d.State)
	}
	must(t, a.WrapUp(y.ctx, d.Wrapup.Contact, "0101"))
	answered := func(c *caller) {
		t.Helper()
		contact := a.talks()
		if s := y.story(c.number); s.Contact.ID != contact {
			t.Errorf("%s is answered before %s", contact, c.number)
		}
		c.Hangup(y.ctx)
		y.eventually("the call is over", func() bool { return y.story(c.number).Contact.Outcome == "answered" })
		y.eventually("the agent wraps up", func() bool { return a.state() == "wrapup" })
		must(t, a.WrapUp(y.ctx, contact, "0101"))
		if s := y.story(c.number); s.count("contact.queued") != 1 || s.count("contact.answered") != 1 || s.Contact.WaitMs < 1500 {
			t.Errorf("%s: waited %d ms: %s", c.number, s.Contact.WaitMs, s.kinds())
		}
	}
	if done(one) || done(two) {
		t.Error("a caller of the living process was cut off")
	}
	answered(one)
	y.within(30*time.Second, "the caller of the dead process is lost", func() bool { return y.story(lost.number).count("contact.lost") == 1 })
	t.Logf("lost after %v", time.Since(died))
	lost.Media.Forget()
	if a.state() == "talking" { // the lost one was never brought to anybody
		answered(two)
	} else {
		y.eventually("the last is answered", func() bool { return a.state() == "talking" })
		answered(two)
	}
	if s := y.story(lost.number); s.Contact.Outcome != "failed" || s.count("contact.abandoned") != 0 {
		t.Errorf("the lost contact: %s, %s", s.Contact.Outcome, s.kinds())
	}
	must(t, y.two.Doctor(y.ctx))

	// The dead process comes back and takes calls for the agents of the other.
	must(t, y.one.Start(y.ctx))
	last := y.call(y.one, 21)
	contact = a.talks()
	last.Hangup(y.ctx)
	y.eventually("the last call is over", func() bool { return y.story(last.number).Contact.Outcome == "answered" })
	must(t, a.WrapUp(y.ctx, contact, "0101"))
	must(t, y.two.Doctor(y.ctx))
	must(t, y.one.Doctor(y.ctx))
}

// One process has the pages and decides, another has the telephones.
func TestParts(t *testing.T) {
	y := found(t, "control,channel", "voice")
	pages, phones := y.one, y.two // the one that decides is the one with the pages
	if decided := strings.Contains(y.two.Log(), "this process decides now"); decided {
		t.Fatal("the process without control decides")
	}
	a := y.agent(1, pages, phones)
	c := y.call(phones, 31)
	contact := a.talks()
	must(t, a.Post(y.ctx, "/desk/contacts/"+contact+"/hold", map[string]string{}, nil))
	must(t, a.Post(y.ctx, "/desk/contacts/"+contact+"/hangup", map[string]string{}, nil))
	<-c.Done()
	y.eventually("the call is over", func() bool { return y.story(c.number).Contact.Outcome == "answered" })
	y.eventually("the agent wraps up", func() bool { return a.state() == "wrapup" })
	must(t, a.WrapUp(y.ctx, contact, "0101"))
	must(t, pages.Doctor(y.ctx))
}

func done(c *caller) bool {
	select {
	case <-c.Done():
		return true
	default:
		return false
	}
}
