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
		state     day.State
		lang      string
		node, via string
	}{
		{day.Closed, "", "sorry", "closed"},
		{day.Holiday, "", "sorry", "holiday"},
		{day.Lunch, "", "lunch", ""},
		{day.Open, "zh", "sorry", ""},
		{day.Open, "yue", "end", "cases[1]"},
	} {
		cursor, _ := f.Start(Entry{Vars: map[string]string{"lang": c.lang}})
		_, a := f.Next(cursor, Input{Kind: Hours, State: c.state})
		s := a.Steps[len(a.Steps)-1]
		if s.Node != c.node || s.Via != c.via {
			t.Errorf("%s, %s: came to %s by %q, want %s by %q", c.state, c.lang, s.Node, s.Via, c.node, c.via)
		}
	}
}
