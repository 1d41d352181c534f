package flow

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Pain 14 of docs/pains.md: time conditions led the wrong way, or nowhere where a state had no way of its own
// (FreePBX#314, #648). Each state of the calendar takes its own way, and closed is the way of those without one.
func TestPain14HoursLeadTheirOwnWay(t *testing.T) {
	ways := map[string]string{}
	full := Graph{Start: "hours", Nodes: []Node{
		{ID: "hours", Kind: "hours", Calendar: "c", Open: "o", Closed: "x", Lunch: "l", Holiday: "h"},
		{ID: "o", Kind: "queue", Queue: "q"},
		{ID: "x", Kind: "play", Prompts: []string{"closed"}, Next: "end"},
		{ID: "l", Kind: "play", Prompts: []string{"lunch"}, Next: "end"},
		{ID: "h", Kind: "play", Prompts: []string{"holiday"}, Next: "end"},
		{ID: "end", Kind: "hangup"},
	}}
	for _, state := range []string{"open", "closed", "lunch", "holiday"} {
		ways[state] = script(compiled(t, full), Entry{}, state)[1]
	}
	if d := cmp.Diff(map[string]string{"open": "queue q zh", "closed": "play closed", "lunch": "play lunch", "holiday": "play holiday"}, ways); d != "" {
		t.Errorf("with a way for each (-want +got):\n%s", d)
	}
	full.Nodes[0].Lunch, full.Nodes[0].Holiday = "", ""
	full.Nodes = append(full.Nodes[:3:3], full.Nodes[5])
	for _, state := range []string{"open", "closed", "lunch", "holiday"} {
		ways[state] = script(compiled(t, full), Entry{}, state)[1]
	}
	if d := cmp.Diff(map[string]string{"open": "queue q zh", "closed": "play closed", "lunch": "play closed", "holiday": "play closed"}, ways); d != "" {
		t.Errorf("with two ways (-want +got):\n%s", d)
	}
}
