package desk

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// lead notes what a leader has done, and does it at once.
type lead struct {
	r    *room
	said []string
}

func (l *lead) Force(_ context.Context, u id.User, ready bool, reason string) error {
	l.said = append(l.said, fmt.Sprintf("force %s %v %s", u, ready, reason))
	return nil
}

func (l *lead) ForceOut(_ context.Context, u id.User) error {
	l.said = append(l.said, "out "+string(u))
	l.r.Post(at(99), "gz", string(u), string(u), event.AgentSignedOut{})
	return nil
}

func (l *lead) Skills(id.User) (map[id.Skill]int, []SkillView) {
	return map[id.Skill]int{"vat": 1}, []SkillView{{Skill: "vat", Name: "增值税"}}
}

func (l *lead) SetSkills(_ context.Context, u id.User, s map[id.Skill]int) error {
	l.said = append(l.said, fmt.Sprint("skills ", u, s))
	return nil
}

func (l *lead) Supervise(_ context.Context, c id.Contact, agent id.User, by Leader, mode event.Force) error {
	l.said = append(l.said, fmt.Sprintf("%s %s %s by %s at %s %v", mode, c, agent, by.User, by.Endpoint.Phone, by.SignedIn))
	l.r.Post(at(50), "gz", string(c), string(by.User), event.ContactSupervised{Leg: "l9", By: by.User, Agent: agent, Mode: mode})
	return nil
}

func (l *lead) Unsupervise(_ context.Context, c id.Contact, by id.User) error {
	l.said = append(l.said, fmt.Sprintf("end %s %s", c, by))
	l.r.Post(at(60), "gz", string(c), string(by), event.LegEnded{Leg: "l9", Role: "supervisor", Agent: by})
	return nil
}

func (l *lead) Release(_ context.Context, c id.Contact, agent id.User, requeue bool) error {
	l.said = append(l.said, fmt.Sprintf("release %s %s %v", c, agent, requeue))
	return nil
}

func (l *lead) Outside(at contact.Endpoint) bool             { return at.Phone == "m1" }
func (l *lead) Registered(contact.Endpoint) bool             { return true }
func (l *lead) Browser(id.User) (name, secret, realm string) { return "", "", "" }
func (l *lead) Phones(context.Context) (map[id.Phone]id.Site, error) {
	return map[id.Phone]id.Site{"8001": "gz", "8003": "gz"}, nil
}

// quiet are calls whose lines nobody measures.
type quiet struct{ Calls }

func (quiet) Quality(id.Contact) (mos, loss float64, ok bool) { return 0, 0, false }

// newLead has 1001 of Guangzhou talk with c1, a call of the number 12366, where tip-offs come to 12399.
func newLead(t *testing.T) (*lead, *webtest.Bench) {
	r, b := newRoom(t)
	l := &lead{r: r}
	r.deps.Forces, r.deps.Skills, r.deps.Supervision, r.deps.Endpoints = l, l, l, l
	r.deps.Calls = quiet{}
	r.deps.Secret = func(n id.Number, _ id.Queue) bool { return n == "12399" }
	l.talk("c1", "12366")
	return l, b
}

func (l *lead) talk(c, number string) {
	l.r.Post(at(1), "gz", c, "", event.ContactStarted{From: "013900000137", Number: id.Number(number)})
	l.r.Post(at(2), "gz", "1001", "1001", event.AgentChanged{State: event.Talking, With: id.Contact(c)})
	l.r.Post(at(3), "gz", c, "1001", event.LegStarted{Leg: id.Leg("leg" + c), Role: "agent", Agent: "1001"})
	l.r.Post(at(4), "gz", c, "1001", event.LegAnswered{Leg: id.Leg("leg" + c)})
}

// G3: one click with a reason; the agent sees who and why, until they have said that they know; it is audited, within
// the leader's sites, by a right for each verb.
func TestRowG3(t *testing.T) {
	l, b := newLead(t)
	leader := b.As("leader", webtest.At("gz"), webtest.User("2001"))
	agent := b.As("agent", webtest.At("gz"), webtest.User("1001"))
	const team = "/api/v1/desk/team/"
	deeds := []struct {
		verb, body, said string
		right            right.Right
	}{
		{"state", `{"state":"ready","why":"高峰"}`, "force 1001 true ", ForceState},
		{"state", `{"state":"away","reason":"REST","why":"该休息了"}`, "force 1001 false REST", ForceState},
		{"skills", `{"skills":{"vat":3},"why":"支援增值税"}`, "skills 1001map[vat:3]", SetSkills},
		{"release", `{"contact":"c1","requeue":true,"why":"线路不好"}`, "release c1 1001 true", ReleaseCall},
		{"signout", `{"why":"人已离开"}`, "out 1001", ForceOut},
	}
	for _, d := range deeds {
		url := team + "1001/" + d.verb
		b.Run(
			webtest.Scenario{Name: "an agent", By: agent, Method: "POST", URL: url, Body: d.body, Status: 403, Code: "web.right.missing"},
			webtest.Scenario{Name: "a leader elsewhere", By: b.As("leader", webtest.At("sz"), webtest.User("2002")), Method: "POST", URL: url, Body: d.body, Status: 404, Code: "desk.agent.not_here"},
			webtest.Scenario{Name: "without a reason", By: leader, Method: "POST", URL: url, Body: strings.Replace(d.body, `"why":`, `"what":`, 1), Status: 422},
			webtest.Scenario{Name: d.verb, By: leader, Method: "POST", URL: url, Body: d.body, Status: 200},
		)
		if got := l.said[len(l.said)-1]; got != d.said {
			t.Errorf("%s came out as %q, want %q", d.verb, got, d.said)
		}
		last := b.Audit()[len(b.Audit())-1]
		if last.Caller.User != "2001" || last.Subject["user"] != "1001" || last.Detail["why"] == "" || last.Outcome != "ok" {
			t.Errorf("the audit of %s says %+v", d.verb, last)
		}
	}
	var got []string
	for _, n := range l.r.view("1001").Notes { // signed out by now, and it says by whom
		got = append(got, string(n.Verb)+" "+n.By+" "+n.Why)
	}
	if d := cmp.Diff([]string{"ready name of 2001 高峰", "away name of 2001 该休息了", "skills name of 2001 支援增值税", "release name of 2001 线路不好", "sign_out name of 2001 人已离开"}, got); d != "" {
		t.Errorf("the agent sees (-want +got):\n%s", d)
	}
	for _, n := range l.r.view("1001").Notes {
		b.As("agent", webtest.User("1002")).Post("/api/v1/desk/notes/"+n.ID+"/seen", nil).OK() // another's is not theirs to take away
		agent.Post("/api/v1/desk/notes/"+n.ID+"/seen", nil).OK()
	}
	if left := l.r.view("1001").Notes; len(left) != 0 {
		t.Errorf("acknowledged, these stay: %+v", left)
	}
	b.Run(webtest.Scenario{Name: "no such away reason", By: leader, Method: "POST", URL: team + "1002/state", Body: `{"state":"away","reason":"X","why":"xx"}`, Status: 404, Code: "desk.agent.not_here"})
}

// G2 at the desk: each way to take part has a right of its own, the agent sees who and why, and looking is written down
// before it happens; a tip-off's number is not even shown.
func TestRowG2Desk(t *testing.T) {
	l, b := newLead(t)
	const one = "/api/v1/desk/team/1001/"
	for mode, r := range map[event.Force]right.Right{event.ForceListen: Listen, event.ForceWhisper: Whisper, event.ForceBarge: Barge, event.ForceTakeOver: TakeOver} {
		only := b.As("none", webtest.At("gz"), webtest.User("2001"), webtest.With(r))
		for _, m := range []event.Force{event.ForceListen, event.ForceWhisper, event.ForceBarge, event.ForceTakeOver} {
			a := only.Post(one+string(m), map[string]any{"contact": "c1", "phone": "8003", "why": "核对答复"})
			if m == mode {
				a.OK()
			} else {
				a.Fails(403, "web.right.missing")
			}
		}
	}
	leader := b.As("leader", webtest.At("gz"), webtest.User("2001"))
	body := func(phone string) map[string]any {
		return map[string]any{"contact": "c1", "phone": phone, "why": "核对答复"}
	}
	leader.Post(one+"listen", body("")).Fails(422, "desk.supervise.where")
	leader.Post(one+"listen", body("9")).Fails(422, "desk.phone.unknown")
	leader.Post(one+"listen", body("8001")).Fails(409, "desk.phone.taken")
	before := len(b.Audit())
	leader.Post(one+"listen", body("8003")).OK()
	if got := l.said[len(l.said)-1]; got != "listen c1 1001 by 2001 at 8003 false" {
		t.Errorf("came out as %s", got)
	}
	if n := len(b.Audit()) - before; n != 2 { // before it happens, and how it went
		t.Errorf("%d lines of audit", n)
	}
	v := l.r.view("1001")
	if c := v.Calls[0]; len(c.Leaders) != 1 || c.Leaders[0].Name != "name of 2001" || c.Leaders[0].Mode != event.ForceListen {
		t.Errorf("the agent sees %+v in the call", c.Leaders)
	}
	if n := v.Notes[len(v.Notes)-1]; n.Verb != event.ForceListen || n.Why != "核对答复" {
		t.Errorf("the agent's note is %+v", n)
	}
	leader.Post("/api/v1/desk/team/supervision/end", map[string]any{"contact": "c1"}).OK()
	if c := l.r.view("1001").Calls[0]; len(c.Leaders) != 0 {
		t.Errorf("it has ended, and shows %+v", c.Leaders)
	}
	// Signed in at a desk, the leader is rung there.
	l.r.Post(at(70), "gz", "2001", "2001", event.AgentSignedIn{Endpoint: contact.Endpoint{Agent: "2001"}})
	leader.Post(one+"barge", body("")).OK()
	if got := l.said[len(l.said)-1]; got != "barge c1 1001 by 2001 at  true" {
		t.Errorf("came out as %s", got)
	}
	l.talk("c2", "12399")
	var out struct{ Agents []TeamAgent }
	leader.Get("/api/v1/desk/team").OK().Into(&out)
	for _, a := range out.Agents {
		for _, c := range a.Calls {
			if (c.Contact == "c2") != c.Secret || c.Secret != (c.Number == "") {
				t.Errorf("the team's page shows %+v", c)
			}
		}
	}
}

// Who is asked back from a break acknowledges that before being ready; asked twice is asked once; what is taken back
// is gone.
func TestRecall(t *testing.T) {
	l, b := newLead(t)
	l.r.Post(at(5), "gz", "1003", "1003", event.AgentSignedIn{Endpoint: contact.Endpoint{Agent: "1003"}})
	l.r.Post(at(6), "gz", "1003", "1003", event.AgentChanged{State: event.Away, Reason: "REST"})
	for range 2 {
		if d := cmp.Diff([]id.User{"1003"}, l.r.Recall(t.Context(), "run1", "gz", []string{"REST"}, "2001", "排队太长")); d != "" {
			t.Errorf("asked back (-want +got):\n%s", d)
		}
	}
	if got := l.r.Recall(t.Context(), "run2", "gz", []string{"LUNCH"}, "2001", "x"); len(got) != 0 {
		t.Errorf("of another reason: %v", got)
	}
	if n := l.r.view("1003").Notes; len(n) != 1 || l.r.Recalled("run1") != 1 {
		t.Errorf("the notes are %+v", n)
	}
	agent := b.As("agent", webtest.At("gz"), webtest.User("1003"))
	agent.Post("/api/v1/desk/state", map[string]any{"state": "ready"}).Fails(409, "desk.note.unread")
	agent.Post("/api/v1/desk/notes/run1.1003/seen", nil).OK()
	if l.r.Recalled("run1") != 0 {
		t.Error("acknowledged, it is still open")
	}
	l.r.Recall(t.Context(), "run3", "gz", nil, "2001", "again")
	l.r.EndRecall(t.Context(), "run3", "2001")
	if n := l.r.view("1003").Notes; len(n) != 0 {
		t.Errorf("taken back, it stays: %+v", n)
	}
}
