package corpus

import (
	"math/rand/v2"
	"strings"

	"github.com/kapok-hotline/kapok/engine/screen"
)

// Generate makes n calls; the same seed gives the same calls. The families take turns, so each has n/len(Families)
// calls, give or take one.
func Generate(seed uint64, n int) []Call {
	g := &generator{
		rand:     rand.New(rand.NewPCG(seed, 12366)), //nolint:gosec // to be the same each time is what it is for
		families: Families(), slots: Slots(),
	}
	g.slots["city"] = cities()
	out := make([]Call, 0, n)
	for i := range n {
		out = append(out, g.call(g.families[i%len(g.families)]))
	}
	return out
}

type generator struct {
	rand     *rand.Rand
	families []Family
	slots    map[string][]string
}

func (g *generator) call(f Family) Call {
	c := Call{Family: f.Name, HeldOut: f.HeldOut, Label: f.Kind}
	text := g.one(openings()) + g.one(f.Sentences)
	if g.rand.Float64() < Misled {
		text += g.one(misleading()[string(f.Kind)])
	}
	c.Text = g.heard(g.fill(text + g.one(circumstances())))
	switch p := g.rand.Float64(); {
	case p < Missing:
	case p < Missing+Wrong:
		c.Menu = g.other(f.Kind)
	default:
		c.Menu = f.Kind
	}
	if g.rand.Float64() < Before {
		c.History = append(c.History, g.earlier(f))
	}
	return c
}

// earlier is what an agent wrote of an earlier contact: a sentence of the same half of the families without the noise.
func (g *generator) earlier(f Family) Earlier {
	kind := f.Kind
	if g.rand.Float64() >= Same {
		kind = g.other(kind)
	}
	var fit []Family
	for _, other := range g.families {
		if other.Kind == kind && other.HeldOut == f.HeldOut {
			fit = append(fit, other)
		}
	}
	from := fit[g.rand.IntN(len(fit))]
	return Earlier{Kind: kind, Text: g.fill(g.one(from.Sentences)), Days: g.rand.IntN(30)}
}

func (g *generator) other(not screen.Kind) screen.Kind {
	for {
		if k := screen.Kinds()[g.rand.IntN(3)]; k != not {
			return k
		}
	}
}

func (g *generator) one(of []string) string { return of[g.rand.IntN(len(of))] }

// fill puts words into the slots.
func (g *generator) fill(s string) string {
	for {
		before, rest, ok := strings.Cut(s, "{")
		if !ok {
			return s
		}
		slot, after, _ := strings.Cut(rest, "}")
		s = before + g.one(g.slots[slot]) + after
	}
}

// heard makes one mistake of hearing in some of the texts.
func (g *generator) heard(s string) string {
	if g.rand.Float64() >= Misread {
		return s
	}
	all := heardWrong()
	from := g.rand.IntN(len(all))
	for i := range all {
		pair := all[(from+i)%len(all)]
		if strings.Contains(s, pair[0]) {
			return strings.Replace(s, pair[0], pair[1], 1)
		}
	}
	return s
}
