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

// doubled reports whether several ports of an hours, branch or city node lead to the place.
func (n *Node) doubled(to string) bool {
	ways := 0
	if n.Kind == CityKind && n.Next == to {
		ways++
	}
	for _, t := range [...]string{n.Open, n.Closed, n.Lunch, n.Holiday, n.Else, n.Elsewhere, n.Unknown} {
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
