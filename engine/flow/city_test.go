package flow

import (
	"testing"

	"github.com/kapok-hotline/kapok/core/contact"
)

// cityGraph asks once by number and, where nobody knows, by a keyed code: two nodes for any number of cities.
func cityGraph() Graph {
	return Graph{Code: "c", Start: "city", Nodes: []Node{
		{ID: "city", Kind: CityKind, Next: "hours", Elsewhere: "away", Unknown: "ask"},
		{ID: "ask", Kind: GatherKind, Prompts: []string{"which"}, Var: "code", Min: 2, Max: 4, Check: AreaCode, Next: "keyed", Timeout: "hours", Invalid: "hours"},
		{ID: "keyed", Kind: CityKind, Var: "code", Next: "hours", Elsewhere: "away", Unknown: "hours"},
		{ID: "hours", Kind: HoursKind, Open: "queue", Closed: "away"},
		{ID: "queue", Kind: QueueKind, Queue: "general", ByCity: true},
		{ID: "away", Kind: HangupKind},
	}}
}

func TestCityNode(t *testing.T) {
	f := compiled(t, cityGraph())
	if !f.UsesCity() {
		t.Error("a graph with city nodes says that it uses none")
	}
	c, a := f.Start(Entry{})
	if a.City == nil || a.City.Keyed || a.City.Code != "" {
		t.Fatalf("first: %+v", a)
	}
	t.Run("a city of ours", func(t *testing.T) {
		c, a := f.Next(c, Input{Kind: Located, City: "shaoguan"})
		if a.Hours == nil || c.Vars[CityVar] != "shaoguan" || c.Turned {
			t.Fatalf("%+v %+v", c, a)
		}
		c, a = f.Next(c, Input{Kind: Hours, State: "open"})
		if a.Queue == nil || !a.Queue.ByCity || a.Queue.Queue != "general" || c.Vars[CityVar] != "shaoguan" {
			t.Errorf("%+v", a.Queue)
		}
	})
	t.Run("elsewhere", func(t *testing.T) {
		_, a := f.Next(c, Input{Kind: Located, Away: true, City: "shenzhen"})
		if a.Hangup == nil || a.Hangup.Outcome != contact.Turned {
			t.Errorf("%+v", a)
		}
	})
	t.Run("unknown, and keyed", func(t *testing.T) {
		c, a := f.Next(c, Input{Kind: Located})
		if a.Gather == nil {
			t.Fatalf("%+v", a)
		}
		c, a = f.Next(c, Input{Kind: Pressed, Digits: "751"})
		if a.City == nil || !a.City.Keyed || a.City.Code != "0751" {
			t.Fatalf("%+v", a.City)
		}
		c, a = f.Next(c, Input{Kind: Located, City: "shaoguan"})
		if a.Hours == nil || c.Vars[CityVar] != "shaoguan" {
			t.Errorf("%+v %+v", c, a)
		}
	})
	t.Run("an answer that does not fit counts as unknown", func(t *testing.T) {
		for _, in := range []Input{{Kind: Failed}, {Kind: Done}, {Kind: Pressed, Digits: "1"}} {
			if _, a := f.Next(c, in); a.Gather == nil {
				t.Errorf("%+v leads to %+v", in, a)
			}
		}
	})
	t.Run("two ports to one place are told apart", func(t *testing.T) {
		c, _ := f.Next(c, Input{Kind: Located})
		c, _ = f.Next(c, Input{Kind: Pressed, Digits: "0751"})
		_, a := f.Next(c, Input{Kind: Located})
		if last := a.Steps[len(a.Steps)-1]; last.Node != "hours" || last.Via != "unknown" {
			t.Errorf("%+v", last)
		}
	})
}

func TestCityNodeIsChecked(t *testing.T) {
	g := cityGraph()
	g.Nodes[0].Unknown = ""
	g.Nodes[2].Var = "Bad Name"
	g.Nodes[5].ByCity = true
	want := map[string]bool{"city.unknown: flow.field.missing": true, "keyed.var: flow.var.form": true, "away.by_city: flow.field.foreign": true}
	_, problems := Compile(g, Env{})
	for _, p := range problems {
		p.Params = nil
		if !want[p.String()] {
			t.Errorf("refused too: %s", p)
		}
		delete(want, p.String())
	}
	for w := range want {
		t.Errorf("not refused: %s", w)
	}
	g = cityGraph()
	g.Medium = contact.Chat
	for i := range g.Nodes {
		if g.Nodes[i].Kind == GatherKind {
			g.Nodes[i].Text = "which"
		}
	}
	if _, problems := Compile(g, Env{}); len(problems) != 2 || problems[0].Code != "flow.city.medium" {
		t.Errorf("in a chat: %v", problems)
	}
	loop := cityGraph()
	loop.Nodes[1].Timeout = "city"
	if _, problems := Compile(loop, Env{}); len(problems) != 1 || problems[0].Code != "flow.loop.endless" {
		t.Errorf("a silent person of no city goes round: %v", problems)
	}
}
