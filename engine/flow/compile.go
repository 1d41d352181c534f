package flow

import (
	"slices"
	"strings"

	"github.com/kapok-hotline/kapok/core/contact"
)

// Env says what a graph may point to. A nil list is not checked; an empty one refuses every name.
type Env struct {
	Prompts   []string
	Queues    []string
	Skills    []string
	Calendars []string
	Flows     []string
	Users     []string
}

// Flow is a graph that passed Compile. It is never changed and may be used by many contacts at once.
type Flow struct {
	graph Graph
	nodes map[string]*Node
}

// Graph gives the graph the flow was made of; it must not be changed.
func (f *Flow) Graph() *Graph { return &f.graph }

// Compile checks the graph and makes it runnable. It is refused, with every reason at once and the node each
// concerns, when a node is unreachable, a target or a prompt is missing, a name is double, a menu lacks an
// exit, or a person who does nothing would go round for ever. A compiled flow therefore brings a silent
// person to an end within as many steps as it has nodes.
func Compile(g Graph, env Env) (*Flow, []Problem) {
	c := &compiler{g: &g, env: env, nodes: map[string]*Node{}}
	c.names()
	if len(c.problems) == 0 { // with double or missing ids the rest would only confuse
		for i := range g.Nodes {
			c.node(&g.Nodes[i])
		}
		c.targets()
	}
	if len(c.problems) == 0 { // the ways can be walked only where all lead somewhere
		c.unreachable()
		c.loops()
	}
	if len(c.problems) > 0 {
		return nil, sorted(&g, c.problems)
	}
	return assemble(g), nil
}

// assemble makes a flow without asking whether the graph is sound; the interpreter withstands any.
func assemble(g Graph) *Flow {
	g.Nodes = slices.Clone(g.Nodes)
	f := &Flow{graph: g, nodes: map[string]*Node{}}
	for i := range g.Nodes {
		f.nodes[g.Nodes[i].ID] = &g.Nodes[i]
	}
	return f
}

type compiler struct {
	g        *Graph
	env      Env
	nodes    map[string]*Node
	problems []Problem
}

func (c *compiler) refuse(node, field, code string, params ...any) {
	p := Problem{Node: node, Field: field, Code: "flow." + code}
	for i := 0; i+1 < len(params); i += 2 {
		if p.Params == nil {
			p.Params = map[string]any{}
		}
		p.Params[params[i].(string)] = params[i+1]
	}
	c.problems = append(c.problems, p)
}

const (
	letters = "abcdefghijklmnopqrstuvwxyz"
	inName  = letters + "0123456789_"
)

func nodeID(s string) bool { return named(s, inName+"-") }

func varName(s string) bool { return named(s, inName) }

// named reports whether s is 1 to 32 of the characters, the first a letter.
func named(s, chars string) bool {
	return s != "" && len(s) <= 32 && strings.IndexByte(letters, s[0]) >= 0 && strings.Trim(s, chars) == ""
}

// names checks what the rest stands on: the graph's size, its start and the ids of its nodes.
func (c *compiler) names() {
	if n := len(c.g.Nodes); n == 0 || n > MaxNodes {
		c.refuse("", "nodes", "graph.size", "count", n, "most", MaxNodes)
		return
	}
	switch c.g.Medium {
	case "", contact.Phone, contact.Chat, contact.WeChat, contact.Weibo, contact.SMS:
	default:
		c.refuse("", "medium", "field.value", "value", string(c.g.Medium))
	}
	for i := range c.g.Nodes {
		n := &c.g.Nodes[i]
		switch {
		case !nodeID(n.ID):
			c.refuse(n.ID, "id", "id.form", "id", n.ID, "place", i+1)
		case c.nodes[n.ID] != nil:
			c.refuse(n.ID, "id", "id.double", "id", n.ID)
		}
		c.nodes[n.ID] = n
	}
	if c.nodes[c.g.Start] == nil {
		c.refuse("", "start", "target.missing", "target", c.g.Start)
	}
}

func (c *compiler) targets() {
	for i := range c.g.Nodes {
		for _, e := range c.g.Nodes[i].Edges() {
			if e.To != "" && c.nodes[e.To] == nil { // an empty one is refused as a missing field
				c.refuse(e.From, e.Field, "target.missing", "target", e.To)
			}
		}
	}
}
