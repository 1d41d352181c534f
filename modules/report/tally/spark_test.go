package tally

import (
	"math/rand/v2"
	"testing"
)

// Every point of the lines is what a look at each millisecond-exact edge gives.
func TestSparkEqualsAPlainLook(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	now := int64(1_780_000_123_456)
	start := now - now%SparkStep - (SparkPieces-1)*SparkStep
	for range 50 {
		var visits []Stay
		for range rng.IntN(60) {
			v := Stay{Entered: start - 1_200_000 + rng.Int64N(now-start+1_200_000)}
			switch rng.IntN(3) {
			case 0:
				v.How, v.Left = Taken, v.Entered+rng.Int64N(900_000)
			case 1:
				v.How, v.Left = HungUp, v.Entered+rng.Int64N(900_000)
			}
			if v.Left > now {
				v.How, v.Left = Waiting, 0
			}
			visits = append(visits, v)
		}
		got := Spark(visits, now)
		for p := range int64(SparkPieces) {
			from, to := start+p*SparkStep, min(start+(p+1)*SparkStep, now)
			most, longest, came, won := int64(0), int64(0), int64(0), int64(0)
			at := func(ms int64) (n int64) {
				for _, v := range visits {
					if v.Entered <= ms && (v.Left == 0 || v.Left > ms) {
						n++
					}
				}
				return n
			}
			most = at(from)
			for _, v := range visits {
				left := v.Left
				if left == 0 {
					left = now
				}
				if v.Entered >= from && v.Entered < to {
					most = max(most, at(v.Entered))
					came += count(v.Left != 0) // who still waits is in no rate yet
					won += count(v.How == Taken)
				}
				if v.Entered <= to && left >= from {
					longest = max(longest, min(left, to)-v.Entered)
				}
			}
			if got.Waiting[p] != most || got.Longest[p] != longest {
				t.Fatalf("piece %d: waiting %d longest %d, want %d %d", p, got.Waiting[p], got.Longest[p], most, longest)
			}
			if (got.Rate[p] == nil) != (came == 0) || came > 0 && *got.Rate[p] != Round(float64(won)/float64(came)) {
				t.Fatalf("piece %d: rate %v, want %d of %d", p, got.Rate[p], won, came)
			}
		}
	}
}
