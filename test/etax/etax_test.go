// Package etax proves the dedicated line on a whole house with real telephones.
package etax

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// line is the e-tax line: a number, a menu of three keys, a queue of its own and one for each kind.
const line = `
skills:
  - {code: etax-fault, name: 电子税务局故障}
  - {code: etax-law, name: 电子税务局政策}
queues:
  - {code: etax, name: 电子税务局专线, site: gz, ring_s: 15, wrapup_s: 300, needs: [{skill: etax-fault, level: 1}]}
  - {code: etax-fault, name: 系统故障, site: gz, ring_s: 15, wrapup_s: 300, needs: [{skill: etax-fault, level: 1}]}
  - {code: etax-operation, name: 操作, site: gz, ring_s: 15, wrapup_s: 300, needs: [{skill: etax-fault, level: 1}]}
  - {code: etax-policy, name: 政策, site: gz, ring_s: 15, wrapup_s: 300, needs: [{skill: etax-law, level: 1}]}
flows:
  - code: etax
    name: 电子税务局专线
    start: menu
    nodes:
      - {id: menu, kind: menu, prompts: [beep], first: 2s, retries: 0, timeout: queue, invalid: queue, keys: [{key: "1", to: fault}, {key: "2", to: operation}, {key: "3", to: policy}]}
      - {id: fault, kind: set, set: {screen: fault}, next: queue}
      - {id: operation, kind: set, set: {screen: operation}, next: queue}
      - {id: policy, kind: set, set: {screen: policy}, next: queue}
      - {id: queue, kind: queue, queue: etax}
numbers:
  - {code: "12368", name: 电子税务局专线, site: gz, flow: etax, no_notice: true}
screenings:
  - {queue: etax, fault: etax-fault, operation: etax-operation, policy: etax-policy}
agents:
  - {user: "1001", skills: {etax-fault: 2}}
  - {user: "1002", skills: {etax-law: 2}}
`

type stage struct {
	*testing.T
	ctx context.Context //nolint:containedctx // the test's
	h   *house.House
}

func (s *stage) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *stage) wait(what string, f func() bool) {
	s.Helper()
	for end := time.Now().Add(30 * time.Second); !f(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatal("never: " + what)
		}
	}
}

// desk is what the test looks at.
type desk struct {
	Calls []struct {
		Contact  string `json:"contact"`
		Queue    string `json:"queue"`
		Phase    string `json:"phase"`
		Screened *struct {
			As      string `json:"as"`
			Sure    bool   `json:"sure"`
			Reasons []struct {
				From string `json:"from"`
			} `json:"reasons"`
			Moves []struct {
				Queue string `json:"queue"`
			} `json:"moves"`
		} `json:"screened"`
	} `json:"calls"`
}

type agent struct {
	*house.Client
	s     *stage
	phone *ua.Phone
}

// agent has a phone that lifts by itself.
func (s *stage) agent(user, code string) *agent {
	s.Helper()
	p, err := ua.Open("127.0.0.1", s.h.SIP, code, house.Password)
	s.must(err)
	s.Cleanup(p.Close)
	p.OnCall = func(c *ua.Call) {
		c.Ring()
		_ = c.Answer(s.ctx, 900) // the desk shows whether it came about
	}
	s.must(p.Register(s.ctx, time.Hour))
	c, err := s.h.Login(s.ctx, user)
	s.must(err)
	s.must(c.Post(s.ctx, "/desk/signin", map[string]string{"endpoint": code}, nil))
	return &agent{c, s, p}
}

func (a *agent) ready() {
	a.s.Helper()
	a.s.must(a.Post(a.s.ctx, "/desk/state", map[string]string{"state": "ready"}, nil))
}

// talks waits until the agent talks and gives the desk.
func (a *agent) talks() (d desk) {
	a.s.Helper()
	a.s.wait(a.User+" talks", func() bool {
		d = desk{}
		a.s.must(a.Get(a.s.ctx, "/desk", &d))
		return len(d.Calls) == 1 && d.Calls[0].Phase == "talking"
	})
	return d
}

// waiting gives how many wait in a queue.
func (a *agent) waiting(queue string) int {
	var all []struct {
		Code    string `json:"code"`
		Waiting int    `json:"waiting"`
	}
	a.s.must(a.Get(a.s.ctx, "/desk/directory", &all))
	for _, e := range all {
		if e.Code == queue {
			return e.Waiting
		}
	}
	return 0
}

func (a *agent) wraps(question string) {
	a.s.Helper()
	var contact string
	a.s.wait(a.User+" wraps up", func() bool {
		d, err := a.Desk(a.s.ctx)
		a.s.must(err)
		if d.Wrapup != nil {
			contact = d.Wrapup.Contact
		}
		return contact != ""
	})
	a.s.must(a.Post(a.s.ctx, "/desk/contacts/"+contact+"/wrapup/done",
		map[string]any{"state": "ready", "wrapup": map[string]string{"question": question}}, nil))
}

// call calls the line and presses a key, "" for none.
func (s *stage) call(from, key string) *ua.Call {
	s.Helper()
	p, err := ua.Open("127.0.0.1", s.h.SIP, from, "")
	s.must(err)
	s.Cleanup(p.Close)
	c, err := p.Dial(s.ctx, ua.Dial{Number: "12368", Tone: 440})
	s.must(err)
	if key != "" {
		c.Media.Press(key)
	}
	return c
}

// Row A6: the line has its own number and queues; a caller is sorted by the key; who was sorted wrongly is moved by one
// action and served before those who came later; next time without a key they are sorted by what they came for.
func TestRowA6(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	dir := t.TempDir()
	s := &stage{T: t, ctx: ctx}
	program, err := house.Build(ctx, dir)
	s.must(err)
	s.h, err = house.New(program, filepath.Join(dir, "data"))
	s.must(err)
	s.must(s.h.Start(ctx))
	defer func() {
		if err := s.h.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(s.h.Log())
		}
	}()
	bureau, err := house.Bureau(2)
	s.must(err)
	s.must(s.h.Apply(ctx, bureau))
	s.must(s.h.Apply(ctx, line))
	fault, law := s.agent("1001", "8001"), s.agent("1002", "8002")
	fault.ready()

	wrong := s.call("013800008001", "1")
	d := fault.talks()
	if c := d.Calls[0]; c.Queue != "etax-fault" || c.Screened == nil || c.Screened.As != "fault" || !c.Screened.Sure || len(c.Screened.Moves) != 2 ||
		len(c.Screened.Reasons) == 0 || c.Screened.Reasons[0].From != "menu" {
		t.Fatalf("%+v", d)
	}
	moved := d.Calls[0].Contact
	var later []*ua.Call
	for i, from := range []string{"013800008002", "013800008003"} {
		later = append(later, s.call(from, "3"))
		s.wait("they wait for somebody who knows the law", func() bool { return law.waiting("etax-policy") == i+1 })
	}
	s.must(fault.Post(ctx, "/desk/contacts/"+moved+"/transfer", map[string]string{"kind": "line", "code": "etax-policy"}, nil))
	fault.wraps("转政策")
	law.ready()
	if d := law.talks(); d.Calls[0].Contact != moved || d.Calls[0].Queue != "etax-policy" {
		t.Errorf("the first served is %+v, not the one moved (%s)", d.Calls[0], moved)
	}
	wrong.Hangup(ctx)
	law.wraps("小规模纳税人增值税税率是多少")
	for _, c := range later {
		law.talks()
		c.Hangup(ctx)
		law.wraps("征期到几号")
	}

	again := s.call("013800008001", "")
	d = law.talks()
	if c := d.Calls[0]; c.Queue != "etax-policy" || c.Screened == nil || len(c.Screened.Reasons) == 0 || c.Screened.Reasons[0].From != "history" {
		t.Errorf("called again without a key: %+v", d)
	}
	again.Hangup(ctx)
	law.wraps("同上")
	s.wait("the doctor finds nothing", func() bool { err = s.h.Doctor(ctx); return err == nil })
}
