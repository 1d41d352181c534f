package flow

import (
	"encoding/json"
	"maps"
	"slices"
)

// What a Change says of a node.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
)

// Change is one difference between two graphs: a node that came or went, or one field of a node (of the graph, where
// Node is empty) that is not what it was.
type Change struct {
	Node   string `json:"node"`
	Name   string `json:"name,omitempty"` // of the node, in the newer graph where it is in both
	Kind   Kind   `json:"kind,omitempty"`
	What   string `json:"what" enum:"added,removed,changed"`
	Field  string `json:"field,omitempty"` // of Changed
	Before any    `json:"before,omitempty"`
	After  any    `json:"after,omitempty"`
}

// Diff lists what makes b out of a: the graph's own fields first, then the nodes in the order of b, those that went
// last. The order of the nodes is no difference; that of keys and cases is.
func Diff(a, b *Graph) []Change {
	out := []Change{}
	for _, f := range []struct {
		name    string
		was, is any
	}{
		{"name", a.Name, b.Name}, {"name_en", a.NameEn, b.NameEn}, {"medium", string(a.Medium), string(b.Medium)}, {"start", a.Start, b.Start},
	} {
		if f.was != f.is {
			out = append(out, Change{What: Changed, Field: f.name, Before: f.was, After: f.is})
		}
	}
	old := map[string]*Node{}
	for i := range a.Nodes {
		old[a.Nodes[i].ID] = &a.Nodes[i]
	}
	for i := range b.Nodes {
		n := &b.Nodes[i]
		was := old[n.ID]
		delete(old, n.ID)
		if was == nil {
			out = append(out, Change{Node: n.ID, Name: n.Name, Kind: n.Kind, What: Added})
			continue
		}
		out = append(out, n.since(was)...)
	}
	for _, id := range slices.Sorted(maps.Keys(old)) {
		out = append(out, Change{Node: id, Name: old[id].Name, Kind: old[id].Kind, What: Removed})
	}
	return out
}

// since lists the fields of the node that are not what they were.
func (n *Node) since(was *Node) []Change {
	before, after := was.members(), n.members()
	names := slices.Sorted(maps.Keys(after))
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, still := after[name]; !still {
			names = append(names, name)
		}
	}
	var out []Change
	for _, name := range names {
		if x, y := before[name], after[name]; string(x) != string(y) {
			out = append(out, Change{Node: n.ID, Name: n.Name, Kind: n.Kind, What: Changed, Field: name, Before: value(x), After: value(y)})
		}
	}
	return out
}

func (n *Node) members() map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	body, err := json.Marshal(n)
	if err == nil {
		err = json.Unmarshal(body, &out)
	}
	if err != nil {
		return nil // a node is plain values: it can always be written
	}
	return out
}

// value gives what JSON says; nil for a field that is not given.
func value(body json.RawMessage) any {
	var v any
	if body != nil && json.Unmarshal(body, &v) != nil {
		return nil
	}
	return v
}
