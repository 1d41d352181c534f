package calls

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// bound is how long a scene may take as a whole.
const bound = 2 * time.Minute

// scene is a running house with a team leader who sees everything.
type scene struct {
	t      *testing.T
	ctx    context.Context
	h      *house.House
	leader *house.Client
	agents []*agent
	lines  []*caller
}

// stage starts a house with the demo bureau; pairs are replaced in its file first.
func stage(t *testing.T, agents int, replace ...string) *scene {
	t.Helper()
	s := open(t)
	bureau, err := house.Bureau(agents, replace...)
	must(t, err)
	must(t, s.h.Apply(s.ctx, bureau))
	s.leader, err = s.h.Login(s.ctx, "leader1")
	must(t, err)
	return s
}

// open starts a house on an empty folder.
func open(t *testing.T) *scene {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	dir := t.TempDir()
	program, err := house.Build(ctx, dir)
	must(t, err)
	h, err := house.New(program, filepath.Join(dir, "data"))
	must(t, err)
	must(t, h.Start(ctx))
	t.Cleanup(func() {
		if err := h.Stop(); err != nil {
			t.Errorf("the house does not end well: %v", err)
		}
		if t.Failed() {
			t.Log("the house said:\n" + h.Log())
		}
	})
	return &scene{t: t, ctx: ctx, h: h}
}

// part is the same house for a subtest, which leaves no agent signed in.
func (s *scene) part(t *testing.T) *scene {
	t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, bound)
	p := &scene{t: t, ctx: ctx, h: s.h, leader: s.leader}
	t.Cleanup(func() {
		p.clear()
		cancel()
	})
	return p
}

// clear ends every desk, so that the next scene begins with nobody there.
func (s *scene) clear() {
	for _, c := range s.lines {
		c.Hangup(s.ctx)
	}
	s.lines = nil
	for _, a := range s.agents {
		if c := a.current.Load(); c != nil {
			c.Hangup(s.ctx)
		}
		s.eventually("the desk of "+a.user+" is free", func() bool {
			d := a.desk()
			if d.Wrapup != nil {
				_ = a.WrapUp(s.ctx, d.Wrapup.Contact, "") // seen by the next look
			}
			return d.State.State != "talking" && d.State.State != "wrapup" && d.State.State != "ringing"
		})
		if err := a.Post(s.ctx, "/desk/signout", map[string]string{}, nil); err != nil {
			s.t.Error(err)
		}
		a.phone.Close()
	}
	s.agents = nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits for something to become true.
func (s *scene) eventually(what string, f func() bool) {
	s.t.Helper()
	s.within(10*time.Second, what, f)
}

func (s *scene) within(d time.Duration, what string, f func() bool) {
	s.t.Helper()
	for end := time.Now().Add(d); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("not within %v: %s", d, what)
		}
	}
}

// agent is a person at a desk with a desk phone.
type agent struct {
	*house.Client
	s       *scene
	user    string
	phone   *ua.Phone
	rung    chan *ua.Call // every call that came in
	current atomic.Pointer[ua.Call]
}

// answers is what an agent's phone does when it rings.
type answers func(a *agent, c *ua.Call)

// lift answers at once with a tone.
func lift(tone float64) answers {
	return func(a *agent, c *ua.Call) {
		c.Ring()
		if c.Answer(a.s.ctx, tone) == nil {
			a.current.Store(c)
		}
	}
}

func decline(_ *agent, c *ua.Call) { c.Refuse(486) }

func ignore(_ *agent, c *ua.Call) { c.Ring() }

// agent registers phone 8000+n, signs user 1000+n in there and makes them ready.
func (s *scene) agent(n int, does answers) *agent {
	s.t.Helper()
	a := &agent{s: s, user: fmt.Sprint(1000 + n), rung: make(chan *ua.Call, 16)}
	code := fmt.Sprint(8000 + n)
	var err error
	a.phone, err = ua.Open("127.0.0.1", s.h.SIP, code, house.Password)
	must(s.t, err)
	a.phone.OnCall = func(c *ua.Call) {
		does(a, c)
		a.rung <- c
	}
	must(s.t, a.phone.Register(s.ctx, time.Hour))
	a.Client, err = s.h.Login(s.ctx, a.user)
	must(s.t, err)
	must(s.t, a.Ready(s.ctx, code))
	s.agents = append(s.agents, a)
	s.eventually(a.user+" is ready, or called already", func() bool { return a.state() != "away" })
	return a
}

func (a *agent) desk() house.Desk {
	d, err := a.Desk(a.s.ctx)
	if err != nil {
		a.s.t.Error(err)
	}
	return d
}

func (a *agent) state() string { return a.desk().State.State }

// talks waits until the agent talks and gives the contact.
func (a *agent) talks() string {
	a.s.t.Helper()
	contact := ""
	a.s.eventually(a.user+" talks", func() bool {
		for _, c := range a.desk().Calls {
			if c.Phase == "talking" {
				contact = c.Contact
			}
		}
		return contact != ""
	})
	return contact
}

// verb says something of the phone bar about a contact.
func (a *agent) verb(contact, verb string, in any) {
	a.s.t.Helper()
	if in == nil {
		in = map[string]string{}
	}
	must(a.s.t, a.Post(a.s.ctx, "/desk/contacts/"+contact+"/"+verb, in, nil))
}

var callers atomic.Int64

// caller is somebody with a number of their own.
type caller struct {
	*ua.Call
	s      *scene
	number string
}

// line opens the caller's telephone.
func (s *scene) line() (*ua.Phone, string) {
	s.t.Helper()
	number := fmt.Sprintf("0139%08d", 1000+callers.Add(1))
	p, err := ua.Open("127.0.0.1", s.h.SIP, number, "")
	must(s.t, err)
	s.t.Cleanup(p.Close)
	return p, number
}

// call calls a number of the hotline and returns when the house has answered.
func (s *scene) call(number string, tone float64) *caller {
	s.t.Helper()
	p, from := s.line()
	c, err := p.Dial(s.ctx, ua.Dial{Number: number, Tone: tone})
	must(s.t, err)
	who := &caller{c, s, from}
	s.lines = append(s.lines, who)
	return who
}

// story is what the API knows of a contact.
type story struct {
	Contact struct {
		ID        string `json:"id"`
		Outcome   string `json:"outcome"`
		Queue     string `json:"queue"`
		Agent     string `json:"agent"`
		WaitMs    int64  `json:"wait_ms"`
		TalkMs    int64  `json:"talk_ms"`
		HoldMs    int64  `json:"hold_ms"`
		LengthMs  int64  `json:"length_ms"`
		Topic     string `json:"topic"`
		Recording bool   `json:"recording"`
	} `json:"contact"`
	EndedBy string `json:"ended_by"`
	Cause   string `json:"cause"`
	Visits  []struct {
		Queue   string `json:"queue"`
		Entered int64  `json:"entered"`
		Left    int64  `json:"left"`
		Why     string `json:"why"`
		Rule    string `json:"rule"`
		Agent   string `json:"agent"`
	} `json:"visits"`
	Legs []struct {
		Role     string `json:"role"`
		Agent    string `json:"agent"`
		Started  int64  `json:"started"`
		Answered int64  `json:"answered"`
		Ended    int64  `json:"ended"`
		RingMs   int64  `json:"ring_ms"`
		TalkMs   int64  `json:"talk_ms"`
		HoldMs   int64  `json:"hold_ms"`
		Cause    string `json:"cause"`
	} `json:"legs"`
	Facts []struct {
		At   int64           `json:"at"`
		Kind string          `json:"kind"`
		Body json.RawMessage `json:"body"`
	} `json:"facts"`
	Offers []struct {
		Agent  string          `json:"agent"`
		Result string          `json:"result"`
		Trace  json.RawMessage `json:"trace"`
	} `json:"offers"`
	Recordings []struct {
		ID      string `json:"id"`
		Ms      int64  `json:"ms"`
		LeftDB  int    `json:"left_db"`
		RightDB int    `json:"right_db"`
		Missing string `json:"missing"`
	} `json:"recordings"`
	Ladder []json.RawMessage `json:"ladder"`
	Wrapup *struct {
		Topic  string `json:"topic"`
		Answer string `json:"answer"`
	} `json:"wrapup"`
}

// story waits until a caller's contact is as asked and gives it.
func (s *scene) story(number, what string, ok func(*story) bool) *story {
	s.t.Helper()
	var st *story
	defer func() {
		if s.t.Failed() && st != nil {
			b, _ := json.MarshalIndent(st, "", " ")
			s.t.Logf("the contact:\n%.6000s", b)
		}
	}()
	s.eventually(what, func() bool {
		var list struct {
			Items []struct{ ID string }
		}
		must(s.t, s.leader.Get(s.ctx, "/contacts?number="+url.QueryEscape(number), &list))
		if len(list.Items) == 0 {
			return false
		}
		next := new(story)
		if err := s.leader.Get(s.ctx, "/contacts/"+list.Items[0].ID, next); err != nil {
			s.t.Fatal(err)
		}
		st = next
		return ok(st)
	})
	return st
}

// ended waits for the end of a caller's contact.
func (s *scene) ended(number, outcome string) *story {
	s.t.Helper()
	st := s.story(number, number+" has ended", func(st *story) bool { return st.Contact.Outcome != "open" })
	if st.Contact.Outcome != outcome {
		s.t.Errorf("outcome %q, want %q", st.Contact.Outcome, outcome)
	}
	return st
}

// kinds lists the facts of a story by kind, in order.
func (st *story) kinds() string {
	var all []string
	for _, f := range st.Facts {
		all = append(all, f.Kind)
	}
	return strings.Join(all, " ")
}

// count gives how many facts of a kind there are.
func (st *story) count(kind string) (n int) {
	for _, f := range st.Facts {
		if f.Kind == kind {
			n++
		}
	}
	return n
}

// results lists how the offers went: "1001 refused, 1002 answered".
func (st *story) results() string {
	var all []string
	for _, o := range st.Offers {
		all = append(all, o.Agent+" "+o.Result)
	}
	return strings.Join(all, ", ")
}

// doctor fails the test when an invariant is broken.
func (s *scene) doctor() {
	s.t.Helper()
	if err := s.h.Doctor(s.ctx); err != nil {
		s.t.Error(err)
	}
}

// sipp runs the foreign peer to its end; args come after what every run has.
func (s *scene) sipp(args ...string) error {
	s.t.Helper()
	port, err := house.FreePort("udp")
	must(s.t, err)
	return s.sippAt("127.0.0.1", port, args...)
}

// sippAt is sipp at an address and a port.
func (s *scene) sippAt(ip string, port int, args ...string) error {
	ctx, cancel := context.WithTimeout(s.ctx, 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sipp", append([]string{"-i", ip, "-p", fmt.Sprint(port), "-nostdin", "-m", "1", "-trace_err"}, args...)...)
	cmd.Dir = s.t.TempDir()
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	if logs, _ := filepath.Glob(filepath.Join(cmd.Dir, "*_errors.log")); len(logs) > 0 {
		if why, err := os.ReadFile(logs[0]); err == nil {
			out = append(out, why...)
		}
	}
	return errors.Join(err, errors.New(tail(string(out), 60)))
}

func tail(text string, n int) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
