package flow

import (
	"fmt"
	"slices"
	"testing"
)

func TestDiff(t *testing.T) {
	a := Graph{Code: "f", Name: "old", Start: "hello", Nodes: []Node{
		{ID: "hello", Kind: PlayKind, Prompts: []string{"welcome"}, Next: "menu"},
		{ID: "menu", Kind: MenuKind, Keys: []Key{{Key: "1", To: "end"}}, Timeout: "end", Invalid: "end"},
		{ID: "gone", Kind: PlayKind},
		{ID: "end", Kind: HangupKind},
	}}
	b := Graph{Code: "f", Name: "new", Start: "hello", Nodes: []Node{
		{ID: "end", Kind: HangupKind},
		{ID: "hello", Kind: PlayKind, Prompts: []string{"welcome", "news"}, Next: "menu"},
		{ID: "menu", Kind: MenuKind, Keys: []Key{{Key: "1", To: "new"}}, Timeout: "end", Invalid: "end", Bypass: "new"},
		{ID: "new", Kind: QueueKind, Queue: "vat"},
	}}
	var got []string
	for _, c := range Diff(&a, &b) {
		got = append(got, fmt.Sprintf("%s %s %s: %v -> %v", c.What, c.Node, c.Field, c.Before, c.After))
	}
	want := []string{
		"changed  name: old -> new",
		"changed hello prompts: [welcome] -> [welcome news]",
		"changed menu bypass: <nil> -> new",
		"changed menu keys: [map[key:1 to:end]] -> [map[key:1 to:new]]",
		"added new : <nil> -> <nil>",
		"removed gone : <nil> -> <nil>",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if again := Diff(&a, &a); len(again) != 0 {
		t.Errorf("a graph differs from itself: %v", again)
	}
}
