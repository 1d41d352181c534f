package flow

import (
	"slices"
	"strings"
)

// unreachable refuses the nodes no way leads to: what cannot be heard is a mistake of the drawer.
func (c *compiler) unreachable() {
	seen := map[string]bool{c.g.Start: true}
	todo := []string{c.g.Start}
	for len(todo) > 0 {
		n := c.nodes[todo[len(todo)-1]]
		todo = todo[:len(todo)-1]
		for _, e := range n.Edges() {
			if !seen[e.To] {
				seen[e.To] = true
				todo = append(todo, e.To)
			}
		}
	}
	for i := range c.g.Nodes {
		if id := c.g.Nodes[i].ID; !seen[id] {
			c.refuse(id, "", "node.unreachable", "node", id)
		}
	}
}

// loops refuses every circle a contact could run without a person's choice: the ways not taken by hand must
// form no circle. Then a silent person comes to an end, and a person who goes on choosing is bounded by
// MaxSteps. Asking again is the business of a menu's retries, which are counted.
func (c *compiler) loops() {
	const (
		fresh = iota
		open
		shut
	)
	state := map[string]int{}
	var stack []string
	var walk func(id string)
	walk = func(id string) { // at most MaxNodes deep
		state[id] = open
		stack = append(stack, id)
		for _, e := range c.nodes[id].Edges() {
			switch {
			case e.ByHand:
			case state[e.To] == open:
				circle := stack[slices.Index(stack, e.To):]
				c.refuse(e.From, e.Field, "loop.endless", "nodes", strings.Join(append(slices.Clone(circle), e.To), " → "))
			case state[e.To] == fresh:
				walk(e.To)
			}
		}
		stack = stack[:len(stack)-1]
		state[id] = shut
	}
	for i := range c.g.Nodes {
		if state[c.g.Nodes[i].ID] == fresh {
			walk(c.g.Nodes[i].ID)
		}
	}
}
