// Package kill ends the process that decides as a power cut does, with callers waiting, and watches what becomes of
// them: a house of three processes on PostgreSQL, of which one has the telephones and the others the pages; each of these
// can decide.
package kill

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// Town is the house, with one agent who is away until the callers need them.
type Town struct {
	voice   *house.House
	pages   [2]*house.House
	desks   [2]*house.Client // the agent's, at each
	leaders [2]*house.Client
	Callers int // who wait in each try
	brain   int // which of the pages' processes decides
	decided [2]int
	phone   *ua.Phone
	rings   chan ring
	n       int    // callers so far
	refused error  // why the agent may not be ready
	desk    string // how the agent's desk stood last
}

type ring struct {
	at     time.Time
	call   *ua.Call
	number string
}

// Try is what became of the callers when the brain was killed.
type Try struct {
	Waiting int           // callers who waited at that moment
	Kept    int           // of these, answered in the order in which they came
	Cut     int           // of these, cut off
	Offer   time.Duration // from the kill until an agent was rung again
	Gap     time.Duration // the longest anybody heard no music meanwhile
}

const (
	waits = 8 // callers in each try, where Callers is not set
	bound = 60 * time.Second
)

// Open starts the three processes on folders under dir and a database of their own.
func Open(ctx context.Context, program, dir, db string) (t *Town, err error) {
	t = &Town{Callers: waits, rings: make(chan ring, 16)}
	defer func() {
		if err != nil {
			t.Close()
		}
	}()
	var at [3]string
	for i := range at {
		port, err := house.FreePort("tcp")
		if err != nil {
			return nil, err
		}
		at[i] = fmt.Sprintf("127.0.0.1:%d", port)
	}
	started := make(chan error, len(at))
	for i, part := range []string{"voice", "control,channel", "control,channel"} {
		h, err := house.New(program, filepath.Join(dir, fmt.Sprintf("node%d", i)))
		if err != nil {
			return nil, err
		}
		join := slices.Delete(slices.Clone(at[:]), i, i+1)
		h.More = []string{"--part", part, "--node", fmt.Sprintf("n%d", i), "--cluster", at[i], "--join", strings.Join(join, ","), "--db", db}
		h.RTP = "26000-28999" // not where other houses of this machine begin
		h.Env = []string{"KAPOK_CLUSTER_SECRET=a-secret-of-these-three"}
		if i == 0 {
			t.voice = h
		} else {
			t.pages[i-1] = h
		}
		go func() { started <- h.Start(ctx) }() // together: a new house needs all of them once
	}
	for range at {
		err = errors.Join(err, <-started)
	}
	if err != nil {
		return t, err
	}
	return t, t.staff(ctx)
}

// staff brings the bureau in and the agent to the desk.
func (t *Town) staff(ctx context.Context) error {
	bureau, err := house.Bureau(1)
	if err != nil {
		return err
	}
	if err := t.pages[0].Apply(ctx, bureau); err != nil {
		return err
	}
	for i, h := range t.pages {
		if t.desks[i], err = h.Login(ctx, "1001"); err != nil {
			return err
		}
		if t.leaders[i], err = h.Login(ctx, "leader1"); err != nil {
			return err
		}
	}
	if t.phone, err = ua.Open("127.0.0.1", t.voice.SIP, "8001", house.Password); err != nil {
		return err
	}
	t.phone.OnCall = t.lift
	if err := t.phone.Register(ctx, time.Hour); err != nil {
		return err
	}
	if err := t.until(ctx, "the agent signs in", func() bool {
		return t.desks[0].Post(ctx, "/desk/signin", map[string]string{"endpoint": "8001"}, nil) == nil
	}); err != nil {
		return err
	}
	return t.until(ctx, "one process decides", func() bool {
		t.brain = t.decides()
		return t.brain >= 0
	})
}

// decides names the process that has begun to decide since it was last asked, -1 when none has.
func (t *Town) decides() int {
	for i, h := range t.pages {
		if n := strings.Count(h.Log(), "this process decides now"); n > t.decided[i] {
			t.decided[i] = n
			return i
		}
	}
	return -1
}

// until asks again and again; an error names what never came.
func (t *Town) until(ctx context.Context, what string, f func() bool) error {
	for end := time.Now().Add(bound); !f(); {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		if time.Now().After(end) {
			return fmt.Errorf("not within %v: %s", bound, what)
		}
	}
	return nil
}

var from = regexp.MustCompile(`sip:([0-9]+)@`)

func (t *Town) lift(c *ua.Call) {
	r := ring{at: time.Now(), call: c}
	if m := from.FindStringSubmatch(c.Invite.Get("From")); m != nil {
		r.number = m[1]
	}
	c.Ring()
	if c.Answer(context.Background(), 880) == nil {
		t.rings <- r
	}
}

// caller is somebody who waits.
type caller struct {
	number string
	phone  *ua.Phone
	call   *ua.Call
}

// Kill lets callers wait, kills the process that decides, has the agent ready at the desk of the other one, and serves
// all. Afterwards the dead process is brought back.
func (t *Town) Kill(ctx context.Context) (try Try, err error) {
	dead, lives := t.pages[t.brain], 1-t.brain
	all, err := t.wait(ctx, lives)
	defer func() {
		for _, c := range all {
			c.call.Hangup(ctx)
			c.phone.Close()
		}
	}()
	if err != nil {
		return try, err
	}
	time.Sleep(1500 * time.Millisecond) // all processes are told of the last caller
	for _, c := range all {
		c.call.Media.Forget()
	}
	time.Sleep(500 * time.Millisecond)
	try.Waiting = len(all)
	died := time.Now()
	dead.Kill()
	if err := t.until(ctx, "the agent may be ready", func() bool { return t.ready(ctx, lives) }); err != nil {
		return try, fmt.Errorf("%w: %w", err, t.refused)
	}
	for i := range all {
		r, err := t.next(ctx)
		if err != nil {
			return try, fmt.Errorf("after %d of %d callers: %w", i, len(all), err)
		}
		if i == 0 {
			try.Offer = r.at.Sub(died)
			for _, c := range all {
				try.Gap = max(try.Gap, c.call.Media.Gap())
			}
		}
		if r.number == all[i].number {
			try.Kept++
		}
		// Who hangs up before the two are joined has refused the call.
		if err := t.until(ctx, "the agent talks", func() bool { return t.talks(ctx, lives) }); err != nil {
			return try, fmt.Errorf("after %d of %d callers: %w: %s; %w", i+1, len(all), err, t.desk, t.refused)
		}
		r.call.Hangup(ctx)
		if err := t.until(ctx, "the agent is free again", func() bool { return t.free(ctx, lives, i == len(all)-1) }); err != nil {
			return try, fmt.Errorf("after %d of %d callers, of whom this one's call ended by %q and the agent's by %q: %w: %s; %w",
				i+1, len(all), all[i].call.How(), r.call.How(), err, t.desk, t.refused)
		}
	}
	for _, c := range all {
		if h := c.call.How(); h != "" && h != "remote" {
			try.Cut++
		}
	}
	if err := dead.Start(ctx); err != nil {
		return try, err
	}
	t.decides()
	t.brain = lives
	return try, nil
}

// wait brings the callers in, one after the other, and returns when all wait.
func (t *Town) wait(ctx context.Context, at int) (all []caller, err error) {
	if err := t.until(ctx, "the agent is away", func() bool {
		d, err := t.desks[at].Desk(ctx)
		if err != nil || !d.SignedIn {
			_ = t.desks[at].Post(ctx, "/desk/signin", map[string]string{"endpoint": "8001"}, nil) // at the next look again
			return false
		}
		return d.State.State == "away" || t.desks[at].Post(ctx, "/desk/state", map[string]string{"state": "away", "reason": "MEET"}, nil) == nil
	}); err != nil {
		return nil, err
	}
	for n := range t.Callers {
		t.n++
		c := caller{number: fmt.Sprintf("0139%08d", t.n)}
		if c.phone, err = ua.Open("127.0.0.1", t.voice.SIP, c.number, ""); err != nil {
			return all, err
		}
		if c.call, err = c.phone.Dial(ctx, ua.Dial{Number: "12367"}); err != nil {
			c.phone.Close()
			return all, err
		}
		all = append(all, c)
		if err := t.until(ctx, fmt.Sprintf("%d wait", n+1), func() bool {
			var w struct{ Waiting int }
			return t.leaders[at].Get(ctx, "/wallboard?site=gz", &w) == nil && w.Waiting == n+1
		}); err != nil {
			return all, err
		}
	}
	return all, nil
}

// ready says that the agent is, or is rung already.
func (t *Town) ready(ctx context.Context, at int) bool {
	ask, end := context.WithTimeout(ctx, 2*time.Second)
	defer end()
	t.refused = t.desks[at].Post(ask, "/desk/state", map[string]string{"state": "ready"}, nil)
	if t.refused != nil && strings.Contains(t.refused.Error(), "desk.signed_out") {
		// Of who works without a page and asked for nothing for 15 s nothing is known: they are signed out, and come again.
		_ = t.desks[at].Post(ask, "/desk/signin", map[string]string{"endpoint": "8001"}, nil) // at the next look again
	}
	return t.refused == nil || len(t.rings) > 0
}

// talks says that the agent does.
func (t *Town) talks(ctx context.Context, at int) bool {
	d, err := t.desks[at].Desk(ctx)
	t.refused, t.desk = err, fmt.Sprintf("%+v", d)
	return err == nil && d.State.State == "talking"
}

// free ends the wrap-up; after the last call the agent stays away.
func (t *Town) free(ctx context.Context, at int, last bool) bool {
	d, err := t.desks[at].Desk(ctx)
	t.refused, t.desk = err, fmt.Sprintf("%+v", d)
	switch {
	case err != nil:
		return false
	case d.Wrapup != nil:
		next := "ready"
		if last {
			next = "away"
		}
		in := map[string]any{"state": next, "wrapup": map[string]string{"topic": "0101"}}
		if last {
			in["reason"] = "MEET"
		}
		t.refused = t.desks[at].Post(ctx, "/desk/contacts/"+d.Wrapup.Contact+"/wrapup/done", in, nil)
		return t.refused == nil
	default:
		return len(t.rings) > 0
	}
}

// next is the next ring of the agent's phone.
func (t *Town) next(ctx context.Context) (ring, error) {
	select {
	case r := <-t.rings:
		return r, nil
	case <-time.After(bound):
		return ring{}, fmt.Errorf("nobody was offered within %v", bound)
	case <-ctx.Done():
		return ring{}, ctx.Err()
	}
}

// Doctor asks both processes with pages for broken laws.
func (t *Town) Doctor(ctx context.Context) error {
	return errors.Join(t.pages[0].Doctor(ctx), t.pages[1].Doctor(ctx))
}

// Log is what all have printed, for the one who looks for a fault.
func (t *Town) Log() (all string) {
	for _, h := range []*house.House{t.voice, t.pages[0], t.pages[1]} {
		if h != nil {
			all += "—— " + filepath.Base(h.Data) + "\n" + h.Log() + "\n"
		}
	}
	return all
}

// Close ends everything.
func (t *Town) Close() {
	if t.phone != nil {
		t.phone.Close()
	}
	for _, h := range []*house.House{t.voice, t.pages[0], t.pages[1]} {
		if h != nil && h.Running() {
			h.Kill()
		}
	}
}
