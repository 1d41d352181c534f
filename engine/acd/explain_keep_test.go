package acd

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// What keep leaves of a list is what sorting and cutting it would.
func TestKeep(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		all, most := make([]int, r.IntN(40)), r.IntN(12)
		var got []int
		for i := range all {
			all[i] = r.IntN(30)
			got = keep(got, all[i], most, cmp.Compare[int])
		}
		slices.Sort(all)
		if want := all[:min(len(all), most)]; !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}
