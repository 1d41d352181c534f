package screen_test

import (
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

// Row A6 asks for 85 % of 500 labelled calls right first time. The 500 are synthetic and made by the rules of package
// corpus; the share is taken over the families held out.
func TestRowA6(t *testing.T) {
	held := corpus.HeldOut(corpus.Generate(corpus.Seed, corpus.Count))
	t.Logf("the key alone: %.1f %% of %d right first time; the bar is %.0f %%", 100*corpus.Right(held, byKey), len(held), 100*corpus.Bar)
}
