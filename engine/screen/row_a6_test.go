package screen_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/engine/screen"
	"github.com/kapok-hotline/kapok/engine/screen/corpus"
)

// The key alone, and operation where no key was pressed: what a line without screening has.
func byKey(c corpus.Call) screen.Kind {
	if c.Menu != "" {
		return c.Menu
	}
	return screen.Operation
}

// unlearnt makes the words that stand in no text learnt of count for next to nothing. The list of words was written by
// those who wrote the rules of the corpus, so it may know words of the held-out families; without them the figure is
// one of rules nobody's list was made for.
func unlearnt(learnt []corpus.Call) []screen.Word {
	var out []screen.Word
	for _, w := range screen.Words() {
		if !slices.ContainsFunc(learnt, func(c corpus.Call) bool { return strings.Contains(c.Text, w.Text) }) {
			w.Points = 1e-9
			out = append(out, w)
		}
	}
	return out
}

// Row A6 asks for 85 % of 500 labelled calls right first time. The 500 are synthetic and made by the rules of package
// corpus; the share is taken over the families held out.
func TestRowA6(t *testing.T) {
	s := screen.New(nil)
	calls := corpus.Generate(corpus.Seed, corpus.Count)
	held := corpus.HeldOut(calls)
	show := func(what string, of []corpus.Call, judge func(corpus.Call) screen.Kind) float64 {
		right := corpus.Right(of, judge)
		t.Logf("%-40s %5.1f %% of %d right first time", what, 100*right, len(of))
		return right
	}
	show("the key alone", held, byKey)
	show("key and history, nothing said", held, func(c corpus.Call) screen.Kind {
		k := c.Known()
		k.Text = ""
		return s.Screen(k).Kind
	})
	show("the text alone", held, func(c corpus.Call) screen.Kind { return s.Screen(screen.Call{Text: c.Text}).Kind })
	show("the families learnt of", corpus.Training(calls), func(c corpus.Call) screen.Kind { return s.Screen(c.Known()).Kind })
	clean := screen.New(unlearnt(corpus.Training(calls)))
	right := show("held out, words of the learnt families", held, func(c corpus.Call) screen.Kind { return clean.Screen(c.Known()).Kind })
	if right < corpus.Bar {
		t.Errorf("%.1f %% right first time without the words of the held-out families; the bar is %.0f %%", 100*right, 100*corpus.Bar)
	}
	right = show("held out: text, key and history", held, func(c corpus.Call) screen.Kind { return s.Screen(c.Known()).Kind })
	if right < corpus.Bar {
		t.Errorf("%.1f %% right first time; the bar is %.0f %%", 100*right, 100*corpus.Bar)
	}
}
