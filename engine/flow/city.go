package flow

import (
	"strings"

	"github.com/kapok-hotline/kapok/core/contact"
)

// AskCity asks the channel which city of the province the contact belongs to: by the caller's number and what is
// known of it or, where Keyed, by the area code in Code that the person keyed in. The channel says what the city
// says (a greeting, where to call instead) and answers Located. One node serves any number of cities: what differs
// from city to city (queue, hours, greeting) the channel keeps, not the graph.
type AskCity struct {
	Keyed bool   `json:"keyed"`
	Code  string `json:"code,omitempty"` // "20" and "020" are the same
}

// Located answers AskCity: Input.City names the city the contact is served for, Input.Away says that it belongs
// elsewhere; neither: nobody knows.
const Located InputKind = "city"

// CityVar is the variable that holds the city's code.
const CityVar = "city"

// askCity makes the question of a city node.
func (r *run) askCity(n *Node) (Cursor, Action) {
	q := &AskCity{Keyed: n.Var != ""}
	if q.Keyed && r.c.Vars[n.Var] != "" {
		q.Code = "0" + strings.TrimPrefix(r.c.Vars[n.Var], "0")
	}
	return r.act(Action{City: q})
}

// located keeps the city and gives the way to take. Whoever belongs elsewhere is turned away by the house, unless a
// later city node brings them in after all.
func (r *run) located(n *Node, in Input) string {
	switch {
	case in.Kind == Located && in.Away:
		r.c.put(CityVar, "")
		r.c.Turned = true
		return r.by(n, "elsewhere", n.Elsewhere)
	case in.Kind == Located && in.City != "":
		r.c.put(CityVar, in.City)
		r.c.Turned = false
		return r.by(n, "next", n.Next)
	}
	return r.by(n, "unknown", n.Unknown)
}

// cityNode checks the variable of a city node, and that a text channel has no such node: nobody there has a number
// with an area.
func (c *compiler) cityNode(n *Node) {
	if !varName(n.Var) && n.Var != "" {
		c.refuse(n.ID, "var", "var.form", "var", n.Var)
	}
	if c.g.Medium != "" && c.g.Medium != contact.Phone {
		c.refuse(n.ID, "kind", "city.medium", "medium", string(c.g.Medium))
	}
}

// UsesCity reports whether the graph asks for the contact's city: then the channel can find it out as it meets the
// contact, so that all its facts are the city's.
func (f *Flow) UsesCity() bool {
	for i := range f.graph.Nodes {
		if f.graph.Nodes[i].Kind == CityKind {
			return true
		}
	}
	return false
}
