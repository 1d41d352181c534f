package screen

import (
	"math"
	"slices"
)

// Model is what is learnt of examples. Points are natural logarithms, in the order of Kinds.
type Model struct {
	Pairs   map[string][3]float64 // of a pair of characters: how much likelier it is in each kind than over all
	Scale   float64               // of the pairs, which are not independent of each other
	Words   float64               // of the words' points
	Menu    [3][3]float64         // [key pressed][kind]
	History [3][3]float64         // [kind of the earlier contact][kind]
}

// Example is a call whose kind is known. Family tells which examples are alike: the scales are chosen so that what is
// learnt of the other families helps most with each.
type Example struct {
	Family string
	Call   Call
	Kind   Kind
}

// pairs gives what the pairs of characters of a clause speak for.
func (m *Model) pairs(s string) points {
	var p points
	for _, b := range bigrams(s) {
		if w, ok := m.Pairs[b]; ok {
			p = p.plus(w, 1)
		}
	}
	return p
}

// bigrams are the different pairs of characters of a clause, with its begin and end.
func bigrams(s string) []string {
	r := []rune("^" + s + "$")
	out := make([]string, 0, len(r))
	for i := range len(r) - 1 {
		out = append(out, string(r[i:i+2]))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Train learns of examples: the same examples give the same model. The scales are those that do best when each family
// is judged by what is learnt of the others.
func Train(examples []Example) Model {
	likely := map[[2]float64]float64{}
	for _, family := range families(examples) {
		var rest, judged []Example
		for _, e := range examples {
			if e.Family == family {
				judged = append(judged, e)
			} else {
				rest = append(rest, e)
			}
		}
		s := with(learn(rest), nil)
		for _, scales := range tried() {
			s.model.Words, s.model.Scale = scales[0], scales[1]
			for _, e := range judged {
				p, _ := s.text(e.Call.Text)
				likely[scales] += math.Log(p.share(index(e.Kind)))
			}
		}
	}
	m, best := learn(examples), math.Inf(-1)
	for _, scales := range tried() {
		if likely[scales] > best {
			best, m.Words, m.Scale = likely[scales], scales[0], scales[1]
		}
	}
	return m
}

// tried are the scales of words and pairs to choose from.
func tried() [][2]float64 {
	var out [][2]float64
	for _, words := range []float64{0.4, 0.6, 0.8, 1, 1.2} {
		for _, pairs := range []float64{0, 0.1, 0.2, 0.3, 0.4, 0.6} {
			out = append(out, [2]float64{words, pairs})
		}
	}
	return out
}

func families(examples []Example) []string {
	var out []string
	for _, e := range examples {
		if !slices.Contains(out, e.Family) {
			out = append(out, e.Family)
		}
	}
	return out
}

// learn counts.
func learn(examples []Example) Model {
	m := Model{Pairs: map[string][3]float64{}}
	var total points
	seen, in := map[string]points{}, map[string]map[string]bool{}
	var menu, history [3]points
	for _, e := range examples {
		k := index(e.Kind)
		total[k]++
		for _, b := range all(e.Call.Text) {
			p := seen[b]
			p[k]++
			seen[b] = p
			if in[b] == nil {
				in[b] = map[string]bool{}
			}
			in[b][e.Family] = true
		}
		if i := index(e.Call.Menu); i >= 0 {
			menu[i][k]++
		}
		for _, past := range e.Call.History {
			if i := index(past.Kind); i >= 0 {
				history[i][k]++
			}
		}
	}
	for b, n := range seen {
		if len(in[b]) < 2 || n[0]+n[1]+n[2] < 4 {
			continue // of one family only, or rare: it tells the sentence, not the kind
		}
		if w := odds(n, total); math.Abs(w[0])+math.Abs(w[1])+math.Abs(w[2]) > 0.6 {
			m.Pairs[b] = w
		}
	}
	for i := range 3 {
		m.Menu[i], m.History[i] = odds(menu[i], total), odds(history[i], total)
	}
	return m
}

// all are the pairs of the clauses that are not waved off.
func all(text string) []string {
	var out []string
	for _, c := range clauses(text) {
		if !c.waved {
			out = append(out, bigrams(c.text)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// odds gives how much likelier something seen n times in the total of each kind makes it, less the mean; to a
// hundredth, so that it can be written down.
func odds(n, total points) (w [3]float64) {
	mean := 0.0
	for i := range w {
		w[i] = math.Log((n[i] + 1) / (total[i] + 3))
		mean += w[i] / 3
	}
	for i := range w {
		w[i] = math.Round((w[i]-mean)*100)/100 + 0 // no -0
	}
	return w
}
