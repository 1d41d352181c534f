package outbound

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// However many lists of whatever weights, and whichever of them has nobody for a while: over many dials each has its share.
func TestTurnsAreSharedByWeight(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(12366, seed))
		lists := make([]List, 2+r.IntN(5))
		sum := 0
		for i := range lists {
			lists[i] = List{Code: fmt.Sprint(i), Weight: 1 + r.IntN(9)}
			sum += lists[i].Weight
		}
		var k turns
		for range r.IntN(500) { // the first is alone, or rests
			rest := lists[1:]
			k.took(rest[k.next(rest)])
			k.pass(lists[0])
		}
		got := map[string]int{}
		const dials = 5000
		for range dials {
			l := lists[k.next(lists)]
			k.took(l)
			got[l.Code]++
		}
		for _, l := range lists {
			want := float64(dials*l.Weight) / float64(sum)
			if d := math.Abs(float64(got[l.Code]) - want); d > 20 {
				t.Fatalf("seed %d: %d dials of weight %d of %d, want %.0f", seed, got[l.Code], l.Weight, sum, want)
			}
		}
	}
	// from the beginning, without a history, it is exact to a dial or two
	var k turns
	lists, got := []List{{Code: "a", Weight: 3}, {Code: "b"}, {Code: "c", Weight: 2}}, map[string]int{}
	for range 600 {
		l := lists[k.next(lists)]
		k.took(l)
		got[l.Code]++
	}
	if math.Abs(float64(got["a"]-300)) > 2 || math.Abs(float64(got["b"]-100)) > 2 || math.Abs(float64(got["c"]-200)) > 2 {
		t.Errorf("3:1:2 came to %v", got)
	}
}

// A higher priority comes before any weight; a list that rested has saved up nothing.
func TestTurnsByPriority(t *testing.T) {
	var k turns
	lists := []List{{Code: "urgent", Priority: 1, Weight: 1}, {Code: "big", Weight: 100}}
	for range 50 {
		if i := k.next(lists); i != 0 {
			t.Fatal("a weight came before a priority")
		}
		k.took(lists[0])
	}
	var j turns
	a, b := List{Code: "a"}, List{Code: "b"}
	j.took(b)
	for range 1000 {
		j.pass(b)
		j.took(a)
	}
	in := 0
	for range 10 {
		l := []List{a, b}[j.next([]List{a, b})]
		j.took(l)
		if l.Code == "b" {
			in++
		}
	}
	if in > 6 {
		t.Errorf("%d of ten turns after a rest", in)
	}
}
