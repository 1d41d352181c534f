package flow

// by notes the port a contact takes when two ports of the node lead to the same place: then the next step says
// which it was (Step.Via). Where one port leads there the nodes tell it, and the fact stays short.
func (r *run) by(n *Node, port, to string) string {
	r.via = ""
	if n.doubled(to) {
		r.via = port
	}
	return to
}

// doubled reports whether several ports of an hours or branch node lead to the place.
func (n *Node) doubled(to string) bool {
	ways := 0
	for _, t := range [...]string{n.Open, n.Closed, n.Lunch, n.Holiday, n.Else} {
		if t == to {
			ways++
		}
	}
	for i := range n.Cases {
		if n.Cases[i].To == to {
			ways++
		}
	}
	return ways > 1
}

// Port finds the port of the node by which a contact went on to the place: what it chose, why it was sent on, or
// what the step said, before the only way there is. "" when the node has no such way: it was changed since, or the
// contact went to another flow. Facts of calls before Step.Why and Step.Via were kept are read the same way; of
// several ways the first is taken then.
func (n *Node) Port(to, key, why, via string) string {
	for _, e := range n.Edges() {
		if e.To == to && (via == e.Field || key != "" && e.Label == key && e.ByHand && n.Kind == MenuKind || why != "" && e.Field == why) {
			return e.Field
		}
	}
	for _, e := range n.Edges() {
		if e.To == to && !(n.Kind == MenuKind && e.ByHand) {
			return e.Field
		}
	}
	for _, e := range n.Edges() {
		if e.To == to {
			return e.Field
		}
	}
	return ""
}
