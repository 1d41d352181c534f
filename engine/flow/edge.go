package flow

// Edge is one way from a node to another.
type Edge struct {
	From   string `json:"from"`
	Field  string `json:"field"` // next, timeout, "keys[1]", "cases[0]" …
	Label  string `json:"label"` // the key, the state of the calendar, the field's name
	To     string `json:"to"`
	ByHand bool   `json:"by_hand"` // only a person's input leads this way
}

// Edges lists the ways out of the node in the order of its fields; targets may not exist.
func (n *Node) Edges() []Edge {
	var out []Edge
	add := func(field, to string, byHand bool) {
		if to != "" {
			out = append(out, Edge{From: n.ID, Field: field, Label: field, To: to, ByHand: byHand})
		}
	}
	for i, k := range n.Keys {
		out = append(out, Edge{From: n.ID, Field: index("keys", i), Label: k.Key, To: k.To, ByHand: true})
	}
	for i, c := range n.Cases {
		out = append(out, Edge{From: n.ID, Field: index("cases", i), Label: caseLabel(c), To: c.To})
	}
	add("next", n.Next, n.Kind == GatherKind)
	add("timeout", n.Timeout, false)
	add("invalid", n.Invalid, false) // a wrong key is no choice: a stuck key must not go round for ever
	add("heard", n.Heard, false)     // a television says something too
	add("bypass", n.Bypass, false)
	add("open", n.Open, false)
	add("closed", n.Closed, false)
	add("lunch", n.Lunch, false)
	add("holiday", n.Holiday, false)
	add("else", n.Else, false)
	add("elsewhere", n.Elsewhere, false)
	add("unknown", n.Unknown, false)
	add("failed", n.Failed, false)
	return out
}

// Ends reports whether the contact may leave the flow at the node.
func (n *Node) Ends() bool {
	return n.Kind == HangupKind || n.Kind == QueueKind || n.Kind == TransferKind
}
