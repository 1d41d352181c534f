package flow

import (
	"slices"
	"strings"
)

// ask makes the question of a menu or gather node; lead is a prompt played before it at a further try.
func (r *run) ask(n *Node, lead string) (Cursor, Action) {
	g := &Gather{
		Prompts: append(present(lead), n.Prompts...), Text: r.text(n.Text, n.TextEn),
		Min: max(n.Min, 1), Max: max(n.Max, 1), Stop: n.Stop, First: n.First, Inter: n.Inter, Try: r.c.Try,
	}
	if g.First == 0 {
		g.First = DefaultFirst
	}
	if g.Inter == 0 {
		g.Inter = DefaultInter
	}
	if n.Kind == ListenKind {
		g.Speech = n.speech(r.c.Keys)
		if r.c.Keys && n.KeysPrompt != "" {
			g.Prompts, g.Text = append(present(lead), n.KeysPrompt), ""
		}
	}
	if n.Kind == MenuKind || n.Kind == ListenKind {
		g.Choices = n.Keys
		for _, k := range n.Keys {
			g.Keys += k.Key
		}
		return r.act(Action{Gather: g})
	}
	if g.Stop == "" {
		g.Stop = "#"
	}
	g.Ahead, r.c.Ahead = r.c.Ahead, ""
	return r.act(Action{Gather: g})
}

// Why a try of a menu or gather node came to nothing: Step.Why, and the ports taken at the last try.
const (
	Silent   = "timeout"
	Mistaken = "invalid"
)

// again counts a try without a usable answer; after the last it takes the exit.
func (r *run) again(n *Node, why, exit, lead string) (Cursor, Action) {
	r.steps = append(r.steps, Step{Node: n.ID, Kind: n.Kind, Why: why})
	retries := DefaultRetries
	if n.Retries != nil {
		retries = *n.Retries
	}
	r.c.Ahead = ""
	if r.c.Try++; r.c.Try > retries || r.c.Try > 5 {
		return r.enter(exit)
	}
	return r.ask(n, lead)
}

// chosen takes the answer to a menu.
func (r *run) chosen(n *Node, in Input) (Cursor, Action) {
	if in.Kind != Pressed || in.Digits == "" {
		return r.again(n, Silent, n.Timeout, n.TimeoutPrompt)
	}
	i := choice(n.Keys, in.Digits)
	if i < 0 {
		return r.again(n, Mistaken, n.Invalid, n.InvalidPrompt)
	}
	k := n.Keys[i]
	if in.Digits[:1] == k.Key { // further keys answer what comes next
		r.c.Ahead = digitsOnly(in.Digits[1:] + r.c.Ahead)
	}
	r.steps = append(r.steps, Step{Node: n.ID, Kind: n.Kind, Key: k.Key})
	return r.enter(k.To)
}

// choice finds the key the person meant: what was written as a whole, else the first key pressed; -1: none.
func choice(keys []Key, answer string) int {
	said := plain(answer)
	for i, k := range keys {
		if said == k.Key || slices.ContainsFunc(k.Words, func(w string) bool { return plain(w) == said }) {
			return i
		}
	}
	if digitsOnly(said) != said || said == "" {
		return -1
	}
	return slices.IndexFunc(keys, func(k Key) bool { return k.Key == said[:1] })
}

// gathered takes the answer to a gather node.
func (r *run) gathered(n *Node, in Input) (Cursor, Action) {
	if in.Kind != Pressed || in.Digits == "" {
		return r.again(n, Silent, n.Timeout, n.TimeoutPrompt)
	}
	stop := n.Stop
	if stop == "" {
		stop = "#"
	}
	digits := strings.TrimSuffix(plain(in.Digits), stop)
	if len(digits) < max(n.Min, 1) || len(digits) > max(n.Max, 1) || digitsOnly(digits) != digits || !n.Check.holds(digits) {
		return r.again(n, Mistaken, n.Invalid, n.InvalidPrompt)
	}
	r.c.put(n.Var, digits)
	return r.enter(n.Next)
}
