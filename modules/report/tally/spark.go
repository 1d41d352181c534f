package tally

import "slices"

// Sparks is the last two hours in pieces of five minutes, oldest first; the last piece is still running.
type Sparks struct {
	Waiting []int64    // most who waited at once
	Longest []int64    // longest wait reached, ms
	Rate    []*float64 // agent answer rate of those who came in the piece; nil: nobody came
}

// SparkStep and SparkPieces are the length of a piece in milliseconds and their number.
const (
	SparkStep   = 5 * 60 * 1000
	SparkPieces = 24
)

// Spark draws the visits; now is the end of the last piece. Visits that ended before the first piece may be
// left out by the caller.
func Spark(visits []Stay, now int64) Sparks {
	start := now - mod(now, SparkStep) - (SparkPieces-1)*SparkStep
	s := Sparks{Waiting: make([]int64, SparkPieces), Longest: make([]int64, SparkPieces), Rate: make([]*float64, SparkPieces)}
	entered, answered := make([]int64, SparkPieces), make([]int64, SparkPieces)
	type edge struct {
		at   int64
		step int64
	}
	edges := make([]edge, 0, 2*len(visits))
	for i := range visits {
		v := &visits[i]
		left := now
		if v.Left != 0 {
			left = min(v.Left, now)
		}
		if v.Entered > now || left < start {
			continue
		}
		edges = append(edges, edge{max(v.Entered, start), 1}, edge{left, -1})
		first := max((v.Entered-start)/SparkStep, 0)
		for p := first; p < SparkPieces && start+p*SparkStep <= left; p++ {
			s.Longest[p] = max(s.Longest[p], min(left, start+(p+1)*SparkStep)-v.Entered)
		}
		if v.Entered >= start && !v.Undecided() {
			entered[first]++
			answered[first] += count(v.How == Taken)
		}
	}
	slices.SortFunc(edges, func(a, b edge) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return int(b.step - a.step) // who comes and leaves in the same millisecond was there
	})
	waiting, piece := int64(0), int64(0)
	for _, e := range edges {
		for p := (e.at - start) / SparkStep; piece < p && piece < SparkPieces-1; {
			piece++
			s.Waiting[piece] = waiting // carried over the border
		}
		waiting += e.step
		s.Waiting[piece] = max(s.Waiting[piece], waiting)
	}
	for p := range s.Rate {
		if entered[p] > 0 {
			r := Round(float64(answered[p]) / float64(entered[p]))
			s.Rate[p] = &r
		}
	}
	return s
}
