package calls

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/test/house"
	"github.com/kapok-hotline/kapok/test/ua"
)

// street is where the house's calls out arrive: everybody's telephone does what the test says.
type street struct {
	s    *scene
	line *ua.Phone
	mu   sync.Mutex
	does map[string]string // by number: answer, busy; ring otherwise
	rang map[string][]*ua.Call
}

func (x *street) came(c *ua.Call) {
	_, number, _ := strings.Cut(c.Invite.Start, "sip:")
	number, _, _ = strings.Cut(number, "@")
	x.mu.Lock()
	x.rang[number] = append(x.rang[number], c)
	does := x.does[number]
	x.mu.Unlock()
	switch does {
	case "answer":
		c.Ring()
		_ = c.Answer(x.s.ctx, 700) // the test sees that nobody talks
	case "busy":
		c.Refuse(486)
	default:
		c.Ring()
	}
}

func (x *street) calls(number string) []*ua.Call {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.rang[number]
}

// once gives the only call to a number, when it has come.
func (x *street) once(number string) *ua.Call {
	x.s.t.Helper()
	x.s.eventually(number+" rings", func() bool { x.s.tidy(); return len(x.calls(number)) > 0 })
	if n := len(x.calls(number)); n != 1 {
		x.s.t.Errorf("%s was called %d times", number, n)
	}
	return x.calls(number)[0]
}

// outboundStage is a house with a way out, a progressive and a preview list.
func outboundStage(t *testing.T, does map[string]string) (*scene, *street) {
	t.Helper()
	s := open(t)
	x := &street{s: s, does: does, rang: map[string][]*ua.Call{}}
	var err error
	x.line, err = ua.Open("127.0.0.1", s.h.SIP, "carrier", "")
	must(t, err)
	t.Cleanup(x.line.Close)
	x.line.OnCall = x.came
	const list = "name: 回访, site: gz, queue: social, tries: 2, gap_min: 30, ring_s: 40, from: \"00:00\", to: \"23:59\", idle_s: 0}\n"
	bureau, err := house.Bureau(2, "wrapup_s: 30", "wrapup_s: 1", "trunks:\n",
		"trunks:\n  - {code: out, name: 外线, site: gz, kind: ip, caller_id: \"02012366\", peers: [\""+x.line.Addr()+"\"], accept: [\"127.9.9.9/32\"]}\n",
		"rules: {", "outbound_lists:\n  - {code: auto, mode: progressive, kind: visit, "+list+"  - {code: look, mode: preview, kind: correction, script: 您好, "+list+"\nrules: {")
	must(t, err)
	must(t, s.h.Apply(s.ctx, bureau))
	s.leader, err = s.h.Login(s.ctx, "leader1")
	must(t, err)
	return s, x
}

// brings puts people on a list and starts it.
func (s *scene) brings(list string, numbers ...string) {
	s.t.Helper()
	_, err := s.leader.Raw(s.ctx, "POST", "/outbound/lists/"+list+"/import", strings.NewReader("电话,姓名,事项\n"+strings.Join(numbers, ",某,回访\n")+",某,回访\n"))
	must(s.t, err)
	must(s.t, s.leader.Post(s.ctx, "/outbound/lists/"+list+"/start", nil, nil))
}

// listed is a person of a list.
type listed struct {
	ID, State, How string
	Tries          int
}

// person waits until somebody of a list stands as asked; numbers are shown masked.
func (s *scene) person(list, masked, what string, ok func(listed) bool) (p listed) {
	s.t.Helper()
	s.eventually(masked+" "+what, func() bool {
		s.tidy()
		var page struct {
			Rows []struct {
				listed
				Number string
			}
		}
		must(s.t, s.leader.Get(s.ctx, "/outbound/lists/"+list+"/people", &page))
		for _, x := range page.Rows {
			if x.Number == masked {
				p = x.listed
			}
		}
		return ok(p)
	})
	return p
}

type mine struct {
	Cards []struct {
		ID, State, Name, Script, Number string
		Contact                         string
	}
}

func (a *agent) outbound(path string, in any) (m mine) {
	a.s.t.Helper()
	if path == "" {
		must(a.s.t, a.Get(a.s.ctx, "/outbound/mine", &m))
		return m
	}
	if in == nil {
		in = map[string]string{}
	}
	must(a.s.t, a.Post(a.s.ctx, "/outbound/mine"+path, in, &m))
	return m
}

// card waits until the agent's card stands as asked.
func (a *agent) card(state string) (id string) {
	a.s.t.Helper()
	a.s.eventually(a.user+" has a card that is "+state, func() bool {
		for _, c := range a.outbound("", nil).Cards {
			if c.State == state {
				id = c.ID
			}
		}
		return id != ""
	})
	return id
}

// TestOutboundHouse: lists against real telephones. Progressive: agents on the line first, then the person; busy is
// another day's try; a number not to be called never rings; who calls in while being rung is rung no more. Preview: next,
// dial, result, and "never again" holds at once. The report is what the telephones saw, and every law holds.
func TestOutboundHouse(t *testing.T) {
	t.Parallel()
	s, x := outboundStage(t, map[string]string{"013700000001": "answer", "013700000002": "busy", "013700000005": "answer"})
	must(t, s.leader.Post(s.ctx, "/outbound/never", map[string]string{"number": "13700000003", "reason": "来电要求"}, nil))
	s.brings("auto", "13700000001", "13700000002", "13700000003", "13700000004")
	a := s.agent(1, lift(440))

	c := x.once("013700000001")
	if from := c.Invite.Get("From"); !strings.Contains(from, "sip:02012366@") {
		t.Errorf("the person sees %s", from)
	}
	a.talks()
	s.hears(c.Media, 440, "the person hears the agent")
	c.Hangup(s.ctx)
	a.outbound("/"+a.card("reached")+"/result", map[string]string{"result": "done"})
	x.once("013700000002")
	s.person("auto", "137****0002", "was busy", func(p listed) bool { return p.State == "pending" && p.How == "busy" && p.Tries == 1 })

	ringing := x.once("013700000004")
	in, err := ua.Open("127.0.0.1", s.h.SIP, "013700000004", "")
	must(t, err)
	t.Cleanup(in.Close)
	back, err := in.Dial(s.ctx, ua.Dial{Number: "12366", Tone: 500})
	must(t, err)
	select {
	case <-ringing.Cancelled():
	case <-time.After(10 * time.Second):
		t.Error("who calls in is rung all the same")
	}
	back.Hangup(s.ctx)
	s.person("auto", "137****0004", "called in", func(p listed) bool { return p.State == "pending" && p.How == "called_in" })
	s.person("auto", "137****0003", "is never called", func(p listed) bool { return p.State == "closed" && p.How == "never" || p.ID == "" })
	must(t, s.leader.Post(s.ctx, "/outbound/lists/auto/pause", nil, nil))

	s.brings("look", "13700000005", "13700000006")
	shown := a.outbound("/next", nil).Cards[0]
	if shown.State != "shown" || shown.Number != "137****0005" || shown.Script != "您好" {
		t.Errorf("shown %+v", shown)
	}
	a.outbound("/"+shown.ID+"/dial", nil)
	c = x.once("013700000005")
	a.talks()
	c.Hangup(s.ctx)
	a.outbound("/"+a.card("reached")+"/result", map[string]string{"result": "never", "note": "不要再打"})
	skipped := a.outbound("/next", nil).Cards[0]
	a.outbound("/"+skipped.ID+"/skip", map[string]string{"why": "资料不全"})
	s.brings("auto", "13700000005")
	s.person("auto", "137****0005", "is left out", func(p listed) bool { return p.ID == "" })
	if n := len(x.calls("013700000005")); n != 1 {
		t.Errorf("who wants never to be called again was called %d times", n)
	}

	var report struct {
		Total struct{ Dialled, Reached, Done, Refused int }
	}
	day := time.Now().In(time.FixedZone("CST", 8*3600)).Format(time.DateOnly)
	must(t, s.leader.Get(s.ctx, "/outbound/figures?by=agent&from="+day+"&to="+day, &report))
	if r := report.Total; r.Dialled != 4 || r.Reached != 2 || r.Done != 1 || r.Refused != 1 {
		t.Errorf("the report says %+v", r)
	}
	var list struct {
		Items []struct{ Direction, Outcome string }
	}
	must(t, s.leader.Get(s.ctx, "/contacts?number="+url.QueryEscape("013700000001"), &list))
	if len(list.Items) != 1 || list.Items[0].Direction != "out" || list.Items[0].Outcome != "answered" {
		t.Errorf("the contact: %+v", list.Items)
	}
	s.doctor()
}

// tidy ends every wrap-up, so that the next call can come at any time.
func (s *scene) tidy() {
	for _, a := range s.agents {
		if d := a.desk(); d.Wrapup != nil {
			_ = a.WrapUp(s.ctx, d.Wrapup.Contact, "") // over already, or seen by the next look
		}
	}
}

// TestOutboundKill ends the process while one person talks and another's telephone rings, and starts it again: the one is
// not called again, the other not at once, and nobody is lost. Then the agent's telephone is lost in the middle.
func TestOutboundKill(t *testing.T) {
	t.Parallel()
	s, x := outboundStage(t, map[string]string{"013700000011": "answer", "013700000013": "answer"})
	s.brings("auto", "13700000011", "13700000012", "13700000013")
	a := s.agent(1, lift(440))
	b := s.agent(2, lift(880))
	x.once("013700000011")
	x.once("013700000012")
	a.s.eventually("one of them talks", func() bool {
		return len(a.outbound("", nil).Cards)+len(b.outbound("", nil).Cards) == 2 && (a.state() == "talking" || b.state() == "talking")
	})
	s.person("auto", "137****0011", "talks", func(p listed) bool { return p.State == "reached" })
	s.person("auto", "137****0012", "rings", func(p listed) bool { return p.State == "dialled" })
	must(t, s.leader.Post(s.ctx, "/outbound/lists/auto/pause", nil, nil))
	s.h.Kill()
	must(t, s.h.Start(s.ctx))
	s.person("auto", "137****0012", "is called later", func(p listed) bool { return p.State == "pending" && p.How == "lost" && p.Tries == 1 })
	s.person("auto", "137****0011", "has talked", func(p listed) bool { return p.State == "reached" })
	must(t, s.leader.Post(s.ctx, "/outbound/lists/auto/start", nil, nil))
	for i, who := range []*agent{a, b} {
		must(t, who.phone.Register(s.ctx, time.Hour))
		must(t, who.Ready(s.ctx, fmt.Sprint(8001+i)))
	}
	last := x.once("013700000013")
	for _, n := range []string{"013700000011", "013700000012"} {
		if got := len(x.calls(n)); got != 1 {
			t.Errorf("%s was called %d times", n, got)
		}
	}
	s.person("auto", "137****0013", "talks", func(p listed) bool { return p.State == "reached" })
	if (a.state() == "talking") == (b.state() == "talking") {
		t.Errorf("the agents are %s and %s", a.state(), b.state())
	}
	last.Hangup(s.ctx)
	s.eventually("nobody talks", func() bool { return a.state() != "talking" && b.state() != "talking" })
	s.doctor()
}
