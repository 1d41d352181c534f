package flow

import (
	"slices"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/kapok-hotline/kapok/core/day"
)

func dayState(s string) day.State { return day.State(s) }

// problems gives what Compile says about nodes written in YAML, the first being the start.
func problems(t *testing.T, nodes string, env Env) []string {
	t.Helper()
	var g Graph
	if err := yaml.UnmarshalWithOptions([]byte("code: x\nname: x\nstart: a\nnodes:\n"+nodes), &g, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	f, list := Compile(g, env)
	if (f == nil) != (len(list) > 0) {
		t.Fatalf("flow %v with problems %v", f, list)
	}
	var out []string
	for _, p := range list {
		out = append(out, p.Path()+" "+p.Code)
	}
	return out
}

func TestCompileRefuses(t *testing.T) {
	const end = "\n  - {id: z, kind: hangup}"
	env := Env{Prompts: []string{"hi"}, Queues: []string{"vat"}, Skills: []string{"vat"}, Calendars: []string{"gz"}, Flows: []string{}, Users: []string{"1001"}}
	for _, c := range []struct {
		name, nodes string
		want        []string
	}{
		{"sound", `  - {id: a, kind: play, prompts: [hi], next: z}` + end, nil},
		{"unreachable node", `  - {id: a, kind: hangup}` + end, []string{"nodes[z] flow.node.unreachable"}},
		{
			"a circle apart is unreachable, every node of it", `
  - {id: a, kind: hangup}
  - {id: b, kind: play, prompts: [hi], next: c}
  - {id: c, kind: play, prompts: [hi], next: b}`,
			[]string{"nodes[b] flow.node.unreachable", "nodes[c] flow.node.unreachable", "nodes[c].next flow.loop.endless"},
		},
		{"missing target", `  - {id: a, kind: play, prompts: [hi], next: nowhere}`, []string{"nodes[a].next flow.target.missing"}},
		{"no target", `  - {id: a, kind: play, prompts: [hi]}`, []string{"nodes[a].next flow.field.missing"}},
		{"no prompt", `  - {id: a, kind: play, next: z}` + end, []string{"nodes[a].prompts flow.prompt.none"}},
		{"unknown prompt", `  - {id: a, kind: play, prompts: [hi, ho], next: z}` + end, []string{"nodes[a].prompts[1] flow.prompt.unknown"}},
		{"double id", `  - {id: a, kind: hangup}` + "\n" + `  - {id: a, kind: hangup}`, []string{"nodes[a].id flow.id.double"}},
		{"bad id", `  - {id: a, kind: hangup}` + "\n" + `  - {id: "@entry", kind: hangup}`, []string{"nodes[@entry].id flow.id.form"}},
		{"unknown kind", `  - {id: a, kind: fax}`, []string{"nodes[a].kind flow.field.value"}},
		{"field of another kind", `  - {id: a, kind: hangup, queue: vat}`, []string{"nodes[a].queue flow.field.foreign"}},
		{
			"menu without exits", `  - {id: a, kind: menu, prompts: [hi], keys: [{key: "1", to: z}]}` + end,
			[]string{"nodes[a].timeout flow.field.missing", "nodes[a].invalid flow.field.missing"},
		},
		{
			"double key", `  - {id: a, kind: menu, prompts: [hi], timeout: z, invalid: z, keys: [{key: "1", to: z}, {key: "1", to: z}]}` + end,
			[]string{"nodes[a].keys[1] flow.key.double"},
		},
		{
			"a word that is another's key", `  - {id: a, kind: menu, prompts: [hi], timeout: z, invalid: z, keys: [{key: "1", to: z}, {key: "2", words: ["１"], to: z}]}` + end,
			[]string{"nodes[a].keys[1] flow.key.double"},
		},
		{
			"bad key", `  - {id: a, kind: menu, prompts: [hi], timeout: z, invalid: z, keys: [{key: "12", to: z}]}` + end,
			[]string{"nodes[a].keys[0].key flow.key.form"},
		},
		{
			"times out of bounds", `  - {id: a, kind: menu, prompts: [hi], timeout: z, invalid: z, first: 5m, retries: 9, keys: [{key: "1", to: z}]}` + end,
			[]string{"nodes[a].first flow.field.range", "nodes[a].retries flow.field.range"},
		},
		{"two notices that call each other", `
  - {id: a, kind: play, prompts: [hi], next: b}
  - {id: b, kind: play, prompts: [hi], next: a}`, []string{"nodes[b].next flow.loop.endless"}},
		{"branches that spin", `
  - {id: a, kind: branch, cases: [{var: x, values: [y], to: z}], else: b}
  - {id: b, kind: set, set: {x: n}, next: a}` + end, []string{"nodes[b].next flow.loop.endless"}},
		{
			"silence leads back to the same menu", `  - {id: a, kind: menu, prompts: [hi], timeout: a, invalid: z, keys: [{key: "1", to: z}]}` + end,
			[]string{"nodes[a].timeout flow.loop.endless"},
		},
		{
			"a full queue leads back to itself", `  - {id: a, kind: queue, queue: vat, failed: b}` + "\n" + `  - {id: b, kind: play, prompts: [hi], next: a}`,
			[]string{"nodes[b].next flow.loop.endless"},
		},
		{"the person may choose to wait on", `
  - {id: a, kind: queue, queue: vat, failed: b}
  - {id: b, kind: menu, prompts: [hi], timeout: z, invalid: z, keys: [{key: "1", to: a}, {key: "*", to: b}]}` + end, nil},
		{"bypass into a circle", `
  - {id: a, kind: menu, prompts: [hi], timeout: z, invalid: z, bypass: b, keys: [{key: "1", to: z}]}
  - {id: b, kind: play, prompts: [hi], next: a}` + end, []string{"nodes[b].next flow.loop.endless"}},
		{
			"unknown names", `
  - {id: a, kind: hours, calendar: sz, open: b, closed: c}
  - {id: b, kind: queue, queue: vta, needs: [{skill: english, level: 5}], failed: d}
  - {id: c, kind: transfer, to: {kind: flow, code: other}}
  - {id: d, kind: transfer, to: {kind: number, code: "call me"}}`,
			[]string{
				"nodes[a].calendar flow.calendar.unknown", "nodes[b].queue flow.queue.unknown",
				"nodes[b].needs[0].skill flow.skill.unknown", "nodes[b].needs[0].level flow.field.range",
				"nodes[c].to.code flow.flow.unknown", "nodes[d].to.code flow.field.value",
			},
		},
		{
			"branch on a number that is none", `  - {id: a, kind: branch, cases: [{var: x, op: above, values: [many], to: z}], else: z}` + end,
			[]string{"nodes[a].cases[0].values flow.case.number"},
		},
		{
			"variables and bounds of a gather", `  - {id: a, kind: gather, prompts: [hi], var: Tax-ID, min: 9, max: 4, check: iban, stop: x, next: z, timeout: z, invalid: z}` + end,
			[]string{"nodes[a].var flow.var.form", "nodes[a].max flow.field.range", "nodes[a].stop flow.key.form", "nodes[a].check flow.field.value"},
		},
		{"nothing", "  []", []string{"nodes flow.graph.size"}},
	} {
		if got := problems(t, c.nodes, env); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestStartMustExist(t *testing.T) {
	_, list := Compile(Graph{Start: "b", Nodes: []Node{{ID: "a", Kind: HangupKind}}}, Env{})
	if len(list) != 1 || list[0].Path() != "start" || list[0].Code != "flow.target.missing" {
		t.Errorf("got %v", list)
	}
}
