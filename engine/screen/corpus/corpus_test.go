package corpus

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kapok-hotline/kapok/engine/screen"
)

// The calls are the same each time, as many of each half, and every slot is filled.
func TestCalls(t *testing.T) {
	calls := Generate(Seed, Count)
	if diff := cmp.Diff(calls, Generate(Seed, Count)); diff != "" {
		t.Fatal(diff)
	}
	if n, held := len(Training(calls)), len(HeldOut(calls)); n+held != Count || n < 240 || held < 240 {
		t.Errorf("%d to train on and %d held out", n, held)
	}
	for _, c := range calls {
		if c.Text == "" || strings.ContainsAny(c.Text, "{}") || !c.Label.Known() {
			t.Errorf("%s made %q", c.Family, c.Text)
		}
	}
}

// No sentence of a held-out family stands in one to train on, and each kind has as many of both.
func TestFamiliesAreApart(t *testing.T) {
	seen, count := map[string]string{}, map[screen.Kind][2]int{}
	for _, f := range Families() {
		n := count[f.Kind]
		if f.HeldOut {
			n[1]++
		} else {
			n[0]++
		}
		count[f.Kind] = n
		for _, s := range f.Sentences {
			if before, twice := seen[s]; twice {
				t.Errorf("%q is of %s and of %s", s, before, f.Name)
			}
			seen[s] = f.Name
		}
	}
	for _, k := range screen.Kinds() {
		if count[k] != [2]int{4, 4} {
			t.Errorf("%s has %v families", k, count[k])
		}
	}
}
