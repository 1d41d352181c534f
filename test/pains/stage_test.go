package pains

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// patience bounds every wait: it is long, so that a busy machine fails nothing.
const patience = 30 * time.Second

// stage is what one test needs of the house: who works, who calls, and a leader who reads everything.
type stage struct {
	*testing.T
	ctx    context.Context //nolint:containedctx // the test's
	leader *house.Client
	days   string // from today to tomorrow, as a query: midnight may pass
}

// begin opens the stage. When everybody has gone the doctor must find nothing.
func begin(t *testing.T) *stage {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	now := time.Now().In(time.FixedZone("Asia/Shanghai", 8*3600))
	s := &stage{T: t, ctx: ctx, days: "from=" + now.Format(time.DateOnly) + "&to=" + now.AddDate(0, 0, 1).Format(time.DateOnly)}
	t.Cleanup(func() {
		s.must(open.Doctor(ctx))
		cancel()
	})
	var err error
	s.leader, err = open.Login(ctx, "leader1")
	s.must(err)
	return s
}

func (s *stage) must(err error) {
	s.Helper()
	if err != nil {
		s.Error(err)
	}
}

// wait waits until something is true.
func (s *stage) wait(what string, f func() bool) {
	s.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatal("never: " + what)
		}
	}
}

// agent is a person with a desk and a desk phone that does what the test says.
type agent struct {
	*house.Client
	s     *stage
	phone *ua.Phone
	rings chan *ua.Call // calls that ring
	now   atomic.Pointer[ua.Call]
}

// agent signs user 1000+n in at phone 8000+n and makes them ready. With a tone the phone is lifted by itself,
// without one the test does it.
func (s *stage) agent(n int, tone float64) *agent {
	s.Helper()
	a := &agent{s: s, rings: make(chan *ua.Call, 16)}
	code := fmt.Sprint(8000 + n)
	var err error
	a.phone, err = ua.Open("127.0.0.1", open.SIP, code, house.Password)
	if err != nil {
		s.Fatal(err)
	}
	a.phone.OnCall = func(c *ua.Call) {
		c.Ring()
		if tone > 0 {
			a.lift(c, tone)
		}
		a.rings <- c
	}
	s.must(a.phone.Register(s.ctx, time.Hour))
	if a.Client, err = open.Login(s.ctx, fmt.Sprint(1000+n)); err != nil {
		s.Fatal(err)
	}
	s.must(a.Ready(s.ctx, code))
	s.Cleanup(a.goHome)
	return a
}

func (a *agent) lift(c *ua.Call, tone float64) {
	if c.Answer(a.s.ctx, tone) == nil {
		a.now.Store(c)
	}
}

// ring gives the next call that rings.
func (a *agent) ring() *ua.Call {
	a.s.Helper()
	select {
	case c := <-a.rings:
		return c
	case <-time.After(patience):
		a.s.Fatalf("the phone of %s never rings", a.User)
		return nil
	}
}

func (a *agent) desk() (d house.Desk) {
	a.s.must(a.Get(a.s.ctx, "/desk", &d))
	return d
}

func (a *agent) is(state string) {
	a.s.Helper()
	a.s.wait(a.User+" is "+state, func() bool { return a.desk().State.State == state })
}

// talks waits until the agent talks and gives the contact.
func (a *agent) talks() (contact string) {
	a.s.Helper()
	a.s.wait(a.User+" talks", func() bool {
		for _, c := range a.desk().Calls {
			if c.Phase == "talking" {
				contact = c.Contact
			}
		}
		return contact != ""
	})
	return contact
}

func (a *agent) transfer(contact, kind, code string) {
	a.s.Helper()
	a.s.must(a.Post(a.s.ctx, "/desk/contacts/"+contact+"/transfer", map[string]string{"kind": kind, "code": code}, nil))
}

// written ends the wrap-up, ready again.
func (a *agent) written() {
	a.s.Helper()
	a.is("wrapup")
	a.s.must(a.WrapUp(a.s.ctx, a.desk().Wrapup.Contact, ""))
}

// goHome ends what is open and signs the agent out.
func (a *agent) goHome() {
	if c := a.now.Load(); c != nil {
		c.Hangup(a.s.ctx)
	}
	a.s.wait(a.User+" has nothing open", func() bool {
		d := a.desk()
		if d.Wrapup != nil {
			_ = a.WrapUp(a.s.ctx, d.Wrapup.Contact, "") // seen by the next look
		}
		return d.State.State != "talking" && d.State.State != "ringing" && d.State.State != "wrapup"
	})
	a.s.must(a.Post(a.s.ctx, "/desk/signout", map[string]string{}, nil))
	a.phone.Close()
}

// caller is somebody with a number of their own.
type caller struct {
	*ua.Call
	number string
}

var callers atomic.Int64

func newNumber() string { return fmt.Sprintf("0138%08d", 5000+callers.Add(1)) }

// call calls a number of the hotline from a number and returns when the house has answered. The tone is the voice.
func (s *stage) call(from, to string, tone float64) *caller {
	s.Helper()
	p, err := ua.Open("127.0.0.1", open.SIP, from, "")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(p.Close)
	c, err := p.Dial(s.ctx, ua.Dial{Number: to, Tone: tone})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { c.Hangup(s.ctx) })
	return &caller{c, from}
}

// person calls straight to an agent from a new number.
func (s *stage) person() *caller {
	s.Helper()
	return s.call(newNumber(), "12367", 440)
}

// hears waits until a tone is what is heard.
func (s *stage) hears(m *ua.Media, hz float64, whom string) {
	s.Helper()
	m.Forget()
	s.wait(whom+" is heard", func() bool {
		heard := m.Heard(400 * time.Millisecond)
		share, level := ua.Share(heard, hz)
		return len(heard) >= 3200 && share > 0.9 && level > -30
	})
}

// row is a contact in the list.
type row struct {
	ID      string
	From    string
	Outcome string
	Queue   string
	Agent   string
	WaitMs  int64 `json:"wait_ms"`
	TalkMs  int64 `json:"talk_ms"`
	HoldMs  int64 `json:"hold_ms"`
}

func (s *stage) contacts(query url.Values) (rows []row) {
	s.Helper()
	var list struct{ Items []row }
	s.must(s.leader.Get(s.ctx, "/contacts?"+query.Encode(), &list))
	return list.Items
}

// leg is a leg of a contact.
type leg struct {
	Role, Agent              string
	Started, Answered, Ended int64
	RingMs                   int64 `json:"ring_ms"`
	TalkMs                   int64 `json:"talk_ms"`
	HoldMs                   int64 `json:"hold_ms"`
}

// story is everything known of a contact.
type story struct {
	Contact row
	Legs    []leg
	Facts   []struct {
		At   int64
		Kind string
		Body json.RawMessage
	}
	Offers     []struct{ Agent, Result string }
	Recordings []struct {
		ID      string
		Missing string
	}
}

func (st *story) count(kind string) (n int) {
	for _, f := range st.Facts {
		if f.Kind == kind {
			n++
		}
	}
	return n
}

// agents gives the agents' legs.
func (st *story) agents() (out []leg) {
	for _, l := range st.Legs {
		if l.Role == "agent" {
			out = append(out, l)
		}
	}
	return out
}

// story waits until a caller's only contact is as asked.
func (s *stage) story(c *caller, what string, ok func(*story) bool) (st *story) {
	s.Helper()
	s.wait(what, func() bool {
		rows := s.contacts(url.Values{"number": {c.number}})
		if len(rows) == 0 {
			return false
		}
		st = new(story)
		s.must(s.leader.Get(s.ctx, "/contacts/"+rows[0].ID, st))
		return ok(st)
	})
	return st
}

// over hangs the caller up and waits for the end of the contact.
func (s *stage) over(c *caller, outcome string) *story {
	s.Helper()
	c.Hangup(s.ctx)
	st := s.story(c, c.number+" has ended", func(st *story) bool { return st.Contact.Outcome != "open" })
	if st.Contact.Outcome != outcome {
		s.Errorf("the outcome is %q, want %q", st.Contact.Outcome, outcome)
	}
	return st
}

// figures are counts and times of the report: by "queue iit", "agent 1001" and the measure.
type figures map[string]map[string]float64

func (s *stage) figures() figures {
	s.Helper()
	out := figures{}
	for _, by := range []string{"queue", "agent"} {
		var report struct {
			Rows []struct {
				Key      string
				Measures map[string]*float64
			}
		}
		s.must(s.leader.Get(s.ctx, "/reports/interval?step=day&by="+by+"&"+s.days, &report))
		for _, r := range report.Rows {
			m := out[by+" "+r.Key]
			if m == nil {
				m = map[string]float64{}
				out[by+" "+r.Key] = m
			}
			for name, v := range r.Measures {
				if v != nil {
					m[name] += *v
				}
			}
		}
	}
	return out
}

// grown fails unless a figure has grown by so much since before.
func (s *stage) grown(before, now figures, of, measure string, by float64) {
	s.Helper()
	if got := now[of][measure] - before[of][measure]; got != by {
		s.Errorf("%s: %s grew by %v, want %v", of, measure, got, by)
	}
}
