package flow

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// Problem is one reason why a graph is refused at publish. Code is `flow.<thing>.<what>`; its sentence, with
// Params filled in, stands in Texts under `fault.<code>`.
type Problem struct {
	Node   string         `json:"node,omitempty"` // empty: the graph as a whole
	Field  string         `json:"field,omitempty"`
	Code   string         `json:"code"`
	Params map[string]any `json:"params,omitempty"`
}

// String is for logs and tests: "menu1.timeout: flow.field.missing map[…]".
func (p Problem) String() string {
	at := p.Node
	if p.Field != "" {
		at = strings.TrimPrefix(at+"."+p.Field, ".")
	}
	s := p.Code
	if at != "" {
		s = at + ": " + s
	}
	if len(p.Params) > 0 {
		s += fmt.Sprint(" ", p.Params)
	}
	return s
}

// Path gives where in the graph's YAML the problem sits: `nodes[menu1].timeout`.
func (p Problem) Path() string {
	switch {
	case p.Node == "":
		return p.Field
	case p.Field == "":
		return "nodes[" + p.Node + "]"
	}
	return "nodes[" + p.Node + "]." + p.Field
}

//go:embed texts/*.json
var texts embed.FS

// Texts gives zh.json and en.json with the sentence of every problem.
func Texts() fs.FS {
	sub, err := fs.Sub(texts, "texts")
	if err != nil {
		panic(err) // the embedded folder is part of the program
	}
	return sub
}

func index(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }

func caseLabel(c Case) string {
	op := c.Op
	if op == "" {
		op = Is
	}
	return strings.TrimSpace(c.Var + " " + string(op) + " " + strings.Join(c.Values, ", "))
}

// sorted keeps problems in the order of the nodes they concern, the whole graph's first.
func sorted(g *Graph, list []Problem) []Problem {
	place := map[string]int{}
	for i := range g.Nodes {
		if _, seen := place[g.Nodes[i].ID]; !seen {
			place[g.Nodes[i].ID] = i + 1
		}
	}
	slices.SortStableFunc(list, func(a, b Problem) int { return place[a.Node] - place[b.Node] })
	return list
}
