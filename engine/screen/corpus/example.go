package corpus

import "github.com/kapok-hotline/kapok/engine/screen"

// What the weights are learnt of: other calls of the same rules than those a classifier is judged by, the training
// families alone.
const (
	Learn      = 20180615
	LearnCount = 2400
)

// Known gives a call as a screener sees it.
func (c Call) Known() screen.Call {
	k := screen.Call{Text: c.Text, Menu: c.Menu}
	for _, e := range c.History {
		k.History = append(k.History, screen.Past{Kind: e.Kind, Text: e.Text, Days: e.Days})
	}
	return k
}

// Examples gives calls to learn of.
func Examples(calls []Call) []screen.Example {
	out := make([]screen.Example, 0, len(calls))
	for _, c := range calls {
		out = append(out, screen.Example{Family: c.Family, Call: c.Known(), Kind: c.Label})
	}
	return out
}
