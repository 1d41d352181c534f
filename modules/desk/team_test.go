package desk

import (
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// room is a desk whose facts are folded at once.
type room struct {
	*Module
	t *testing.T
}

func (r *room) Post(at time.Time, place id.Site, subject, actor string, body event.Body) {
	r.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		r.t.Fatal(err)
	}
	f := ledger.Fact{At: at.UnixMilli(), Kind: body.Kind(), Subject: subject, Actor: actor, Place: string(place), Body: raw}
	_, asked, _ := r.floor.asking(id.User(subject))
	r.floor.apply(f)
	r.tell(f, asked)
}

func (r *room) User(u id.User) (string, id.Site, bool)         { return "name of " + string(u), "gz", true }
func (r *room) Queue(q id.Queue) (name, nameEn string)         { return string(q), string(q) }
func (r *room) Queues() []id.Queue                             { return nil }
func (r *room) Districts(id.Site) []Place                      { return nil }
func (r *room) Quality(id.Contact) (mos, loss float64, _ bool) { return 0, 0, false }

// newRoom signs 1001 in at Guangzhou and 1002 at Shenzhen.
func newRoom(t *testing.T) (*room, *webtest.Bench) {
	r := &room{t: t}
	r.Module = New(Deps{
		Clock: clock.System(), Facts: r, Names: r, Log: slog.New(slog.DiscardHandler),
		Within: func(site, root id.Site) bool { return root == "" || site == root },
	})
	r.lists.Store(&lists{reasons: []Reason{{Code: "REST", Name: "小休", NameEn: "Break", MaxMinutes: 15}}})
	b := webtest.New(t, r.Module)
	r.deps.Hub = b.Server.Hub()
	for user, site := range map[string]id.Site{"1001": "gz", "1002": "sz"} {
		r.Post(at(0), site, user, user, event.AgentSignedIn{Endpoint: contact.Endpoint{Agent: id.User(user), Phone: "8001"}})
		r.Post(at(0), site, user, user, event.AgentChanged{State: event.Away, Reason: "REST", Was: event.Away})
	}
	return r, b
}

func at(ms int64) time.Time { return time.UnixMilli(1_000_000 + ms) }

func TestTeam(t *testing.T) {
	r, b := newRoom(t)
	leader := b.As("leader", webtest.At("gz"), webtest.User("2001"))
	list := func() (users []id.User, first TeamAgent) {
		t.Helper()
		var out struct{ Agents []TeamAgent }
		leader.Get("/api/v1/desk/team").OK().Into(&out)
		for _, a := range out.Agents {
			users = append(users, a.User)
		}
		if len(out.Agents) > 0 {
			first = out.Agents[0]
		}
		return users, first
	}
	users, first := list()
	if d := cmp.Diff([]id.User{"1001"}, users); d != "" {
		t.Errorf("a leader of gz sees the agents of gz (-want +got):\n%s", d)
	}
	if first.LimitMs != 15*60_000 || first.Label != "小休" || first.Help != nil {
		t.Errorf("an away agent carries its reason and the reason's limit: %+v", first)
	}

	s := leader.Socket("help")
	r.Post(at(10), "gz", "1001", "1001", event.AgentAskedHelp{Contact: "c1", Note: "angry"})
	if m := s.Next(); m.Topic != "help" {
		t.Errorf("the leader's page heard %q", m.Topic)
	}
	if _, first = list(); first.Help == nil || *first.Help != (TeamHelp{Contact: "c1", Note: "angry", At: at(10).UnixMilli()}) {
		t.Errorf("the call for help is %+v", first.Help)
	}
	leader.Post("/api/v1/desk/team/1002/helped", nil).Fails(404, "desk.agent.not_here")
	b.As("agent", webtest.At("gz"), webtest.User("1001")).Post("/api/v1/desk/team/1001/helped", nil).Fails(403, "web.right.missing")
	leader.Post("/api/v1/desk/team/1001/helped", nil).OK()
	if _, first = list(); first.Help != nil {
		t.Errorf("taken care of, it still stands: %+v", first.Help)
	}
	leader.Post("/api/v1/desk/team/1001/helped", nil).OK() // of two leaders the second changes nothing
}

// An away that may last only so long is told to the leaders when it begins and when it ends, others are not.
func TestLimitedAwayIsTold(t *testing.T) {
	r, b := newRoom(t)
	s := b.As("leader", webtest.At("gz"), webtest.User("2001")).Socket("help")
	for i, c := range []event.AgentChanged{
		{State: event.Ready, Was: event.Away, WasReason: "REST"},
		{State: event.Talking, Was: event.Ready},
		{State: event.Away, Reason: "REST", Was: event.Talking},
	} {
		r.Post(at(int64(10+i)), "gz", "1001", "1001", c)
	}
	for _, want := range []int64{at(10).UnixMilli(), at(12).UnixMilli()} {
		if m := s.Next(); m.Topic != "help" || !strings.Contains(string(m.Data), strconv.FormatInt(want, 10)) {
			t.Errorf("the leader's page heard %s %s, not of %d", m.Topic, m.Data, want)
		}
	}
}

func TestHelpStaysUntilTakenCareOf(t *testing.T) {
	r, _ := newRoom(t)
	r.Post(at(10), "gz", "1001", "1001", event.AgentAskedHelp{Contact: "c1"})
	r.Post(at(20), "gz", "c2", "1001", event.ContactAnswered{Agent: "1001", Queue: "vat"})
	if _, asked, _ := r.floor.asking("1001"); !asked {
		t.Error("the next contact ended the call for help")
	}
	r.Post(at(30), "gz", "1001", "1001", event.AgentSignedOut{})
	if _, asked, here := r.floor.asking("1001"); asked || here {
		t.Error("it outlived the agent's sign-out")
	}
}

func TestWhyOf(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want *WhyView
	}{
		"the contact came, the agent was idle": {
			`{"agent":"1001","trace":{"cause":"contact","candidates":[{"agent":"1002","idle_since":1},{"agent":"1001","idle_since":908000}]}}`,
			&WhyView{Cause: "contact", IdleMs: 92_000},
		},
		"levels and rings given way":  {`{"agent":"1001","relax":2,"ring":1,"trace":{"cause":"agent","best_skill":true}}`, &WhyView{Cause: "agent", Relax: 2, Ring: 1, BestSkill: true}},
		"a clock that went back":      {`{"agent":"1001","trace":{"cause":"agent","candidates":[{"agent":"1001","idle_since":2000000}]}}`, &WhyView{Cause: "agent"}},
		"no trace":                    {`{"agent":"1001"}`, nil},
		"a trace of another shape":    {`{"agent":"1001","trace":"x"}`, nil},
		"a trace that names no cause": {`{"agent":"1001","trace":{"order":1}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := whyOf(ledger.Fact{At: 1_000_000, Body: json.RawMessage(c.body)})
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestHolders(t *testing.T) {
	var h holders
	if was := h.set("1001", "s1"); was != "" || h.get("1001") != "s1" {
		t.Errorf("first sign-in: was %q, is %q", was, h.get("1001"))
	}
	if was := h.set("1001", "s2"); was != "s1" || h.get("1001") != "s2" {
		t.Errorf("take-over: was %q, is %q", was, h.get("1001"))
	}
	if h.set("1001", ""); h.get("1001") != "" || len(h.of) != 0 {
		t.Error("signed out, it is still held")
	}
}
