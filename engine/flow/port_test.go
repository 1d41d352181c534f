package flow

import (
	"testing"

	"github.com/kapok-hotline/kapok/core/day"
)

// Where two ports of a node lead to one place, the step says which was taken; elsewhere the fact stays short.
func TestStepsSayThePortWhereNodesDoNot(t *testing.T) {
	f := compiled(t, Graph{Code: "f", Start: "hours", Nodes: []Node{
		{ID: "hours", Kind: HoursKind, Open: "which", Closed: "sorry", Holiday: "sorry", Lunch: "lunch"},
		{ID: "which", Kind: BranchKind, Cases: []Case{{Var: "lang", Values: []string{"en"}, To: "end"}, {Var: "lang", Values: []string{"yue"}, To: "end"}}, Else: "sorry"},
		{ID: "sorry", Kind: PlayKind, Prompts: []string{"p"}, Next: "end"},
		{ID: "lunch", Kind: PlayKind, Prompts: []string{"p"}, Next: "end"},
		{ID: "end", Kind: HangupKind},
	}})
	for _, c := range []struct {
		state      day.State
		lang       string
		node, via  string
		port, from string
	}{
		{day.Closed, "", "sorry", "closed", "closed", "hours"},
		{day.Holiday, "", "sorry", "holiday", "holiday", "hours"},
		{day.Lunch, "", "lunch", "", "lunch", "hours"},
		{day.Open, "zh", "sorry", "", "else", "which"},
		{day.Open, "yue", "end", "cases[1]", "cases[1]", "which"},
	} {
		cursor, _ := f.Start(Entry{Vars: map[string]string{"lang": c.lang}})
		_, a := f.Next(cursor, Input{Kind: Hours, State: c.state})
		s := a.Steps[len(a.Steps)-1]
		if s.Node != c.node || s.Via != c.via {
			t.Errorf("%s, %s: came to %s by %q, want %s by %q", c.state, c.lang, s.Node, s.Via, c.node, c.via)
		}
		if port := f.nodes[c.from].Port(s.Node, "", "", s.Via); port != c.port {
			t.Errorf("%s, %s: port %q, want %q", c.state, c.lang, port, c.port)
		}
	}
}

func TestPortOfAMenu(t *testing.T) {
	menu := &Node{ID: "menu", Kind: MenuKind, Keys: []Key{{Key: "1", To: "agent"}, {Key: "2", To: "self"}}, Timeout: "agent", Invalid: "agent", Bypass: "agent"}
	for _, c := range []struct{ to, key, why, want string }{
		{"agent", "1", "", "keys[0]"},
		{"self", "2", "", "keys[1]"},
		{"agent", "", "timeout", "timeout"},
		{"agent", "", "invalid", "invalid"},
		{"other", "", "", ""},
	} {
		if got := menu.Port(c.to, c.key, c.why, ""); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
	only := &Node{ID: "menu", Kind: MenuKind, Keys: []Key{{Key: "1", To: "self"}}, Timeout: "end", Invalid: "end", Bypass: "agent"}
	if got := only.Port("agent", "", "", ""); got != "bypass" {
		t.Errorf("a menu passed over: %q", got)
	}
}
