package screen

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Call is what is known of a call before an agent has it. Everything may be missing.
type Call struct {
	Text    string // what the caller said or wrote
	Menu    Kind   // the key pressed
	History []Past // earlier contacts, the newest first; the first three count
}

// Past is an earlier contact of the same caller.
type Past struct {
	Kind Kind   // where it ended up; empty: not known, the text is judged
	Text string // the question as the agent wrote it
	Days int    // ago
}

// Reason is one thing that spoke for or against a kind.
type Reason struct {
	From   string  `json:"from" enum:"word,pairs,menu,history" doc:"a word, the pairs of characters as a whole, the key pressed, an earlier contact"`
	Word   string  `json:"word,omitempty"`
	Kind   Kind    `json:"kind" doc:"what it speaks for"`
	Points float64 `json:"points"`
	Waved  bool    `json:"waved,omitempty" doc:"the speaker put it aside: it counts for nothing"`
}

// Result is what a call is taken for.
type Result struct {
	Kind    Kind     // what it is about; Operation when nothing is known
	Share   float64  // how likely that is by the model, 1/3–1
	Reasons []Reason // the heaviest first, at most eight
}

// points holds what speaks for each kind, in the order of Kinds.
type points [3]float64

// Screener judges calls. It is not changed after New, so any number of goroutines may use it.
type Screener struct {
	words []Word
	model Model
}

// New makes a screener that knows the words of the house beside those of Words; where both have a word the house's
// holds.
func New(house []Word) *Screener { return with(weights(), house) }

func with(m Model, house []Word) *Screener {
	own := map[string]bool{}
	s := &Screener{model: m}
	for _, w := range house {
		if w.Text = strings.ToLower(strings.TrimSpace(w.Text)); w.Text == "" || !w.Kind.Known() {
			continue
		}
		if w.Points == 0 {
			w.Points = 2
		}
		own[w.Text] = true
		s.words = append(s.words, w)
	}
	for _, w := range Words() {
		if !own[w.Text] {
			s.words = append(s.words, w)
		}
	}
	// the longest first: a word inside a longer one that was found is not counted again
	slices.SortStableFunc(s.words, func(a, b Word) int { return cmp.Compare(len(b.Text), len(a.Text)) })
	return s
}

// maxText is how much of a text is read, in bytes: a caller says what they want in the first minute.
const maxText = 4096

// Screen judges a call.
func (s *Screener) Screen(c Call) Result {
	p, why := s.text(c.Text)
	if i := index(c.Menu); i >= 0 {
		p = p.plus(s.model.Menu[i], 1)
		why = append(why, Reason{From: "menu", Kind: c.Menu, Points: s.model.Menu[i][i]})
	}
	for n, past := range c.History {
		if n == 3 {
			break
		}
		kind := past.Kind
		if !kind.Known() {
			if t, r := s.text(past.Text); len(r) > 0 {
				kind = Kinds()[t.best()]
			}
		}
		if i := index(kind); i >= 0 {
			fade := math.Pow(0.5, float64(max(past.Days, 0))/30) / float64(n+1)
			p = p.plus(s.model.History[i], fade)
			why = append(why, Reason{From: "history", Kind: kind, Points: s.model.History[i][i] * fade})
		}
	}
	best := p.best()
	return Result{Kind: Kinds()[best], Share: p.share(best), Reasons: heaviest(why)}
}

// text gives what a text speaks for.
func (s *Screener) text(text string) (p points, why []Reason) {
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	var pairs points
	for _, c := range clauses(text) {
		rest := c.text
		for _, w := range s.words {
			if !strings.Contains(rest, w.Text) {
				continue
			}
			rest = strings.ReplaceAll(rest, w.Text, " ")
			why = append(why, Reason{From: "word", Word: w.Text, Kind: w.Kind, Points: w.Points * s.model.Words, Waved: c.waved})
			if !c.waved {
				p[index(w.Kind)] += w.Points * s.model.Words
			}
		}
		if !c.waved {
			pairs = pairs.plus(s.model.pairs(c.text), s.model.Scale)
		}
	}
	if best := pairs.best(); pairs[best] > 0 {
		why = append(why, Reason{From: "pairs", Kind: Kinds()[best], Points: pairs[best]})
	}
	return p.plus(pairs, 1), why
}

// heaviest keeps what counted most; what was waved off stands after it.
func heaviest(why []Reason) []Reason {
	slices.SortStableFunc(why, func(a, b Reason) int {
		if a.Waved != b.Waved {
			if a.Waved {
				return 1
			}
			return -1
		}
		return cmp.Compare(b.Points, a.Points)
	})
	for i := range why {
		why[i].Points = math.Round(why[i].Points*100) / 100
	}
	return why[:min(len(why), 8)]
}

func index(k Kind) int { return slices.Index(Kinds(), k) }

func (p points) plus(q points, scale float64) points {
	for i := range p {
		p[i] += q[i] * scale
	}
	return p
}

// best is the index of the most; of several the first.
func (p points) best() int {
	best := 0
	for i := range p {
		if p[i] > p[best] {
			best = i
		}
	}
	return best
}

// share is how likely a kind is among the three.
func (p points) share(of int) float64 {
	sum := 0.0
	for i := range p {
		sum += math.Exp(p[i] - p[of])
	}
	return 1 / sum
}
