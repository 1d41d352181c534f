package tally

import (
	"math"

	"github.com/kapok-hotline/kapok/core/event"
)

// Sums are the figures of one row of a report, from which its measures are made.
type Sums struct {
	Counts
	Spent [spentCount]int64
}

// Spending is a kind of agents' time in Sums, in milliseconds.
type Spending int

// The kinds. AwayWork is the part of Away whose reason counts as work (training, meeting).
const (
	ReadyMs Spending = iota
	RingingMs
	TalkingMs
	WrapupMs
	AwayMs
	AwayWorkMs
	spentCount
)

// Spend adds time in a state.
func (s *Sums) Spend(state event.AgentState, work bool, ms int64) {
	switch state {
	case event.Ready:
		s.Spent[ReadyMs] += ms
	case event.Ringing:
		s.Spent[RingingMs] += ms
	case event.Talking:
		s.Spent[TalkingMs] += ms
	case event.Wrapup:
		s.Spent[WrapupMs] += ms
	case event.Away:
		s.Spent[AwayMs] += ms
		if work {
			s.Spent[AwayWorkMs] += ms
		}
	case event.SignedOut:
	}
}

// Add adds o.
func (s *Sums) Add(o *Sums) {
	s.Counts.Add(&o.Counts)
	for i := range s.Spent {
		s.Spent[i] += o.Spent[i]
	}
}

// SignedInMs is the time signed in: the sum of all states.
func (s *Sums) SignedInMs() int64 {
	return s.Spent[ReadyMs] + s.Spent[RingingMs] + s.Spent[TalkingMs] + s.Spent[WrapupMs] + s.Spent[AwayMs]
}

// Unit says what a measure's number is.
type Unit string

// The units: a share 0..1, milliseconds, a number of things, points.
const (
	Rate  Unit = "rate"
	Ms    Unit = "ms"
	Count Unit = "count"
)

// Measure is a figure with a name: a numerator, and a denominator for rates and means. Every measure of a row is
// made of the row's sums alone, so measures of totals are those of the summed rows. Names and formulas are texts
// report.measure.<id> and report.formula.<id>.
type Measure struct {
	ID     string
	Unit   Unit
	Target float64 // 0: none
	Below  bool    // the target is an upper bound
	Num    func(*Sums) int64
	Den    func(*Sums) int64 // nil: the numerator is the value
	By     string            // module that computes it, when not this one
}

// Value gives the measure of s, false when it has none (nothing to divide by). Rates have three decimals, so a
// percentage shows one; means are whole milliseconds. Both are rounded half up.
func (m *Measure) Value(s *Sums) (float64, bool) {
	if m.Num == nil {
		return 0, false
	}
	num := m.Num(s)
	if m.Den == nil {
		return float64(num), true
	}
	den := m.Den(s)
	if den == 0 {
		return 0, false
	}
	if m.Unit == Rate {
		return float64((2000*num+den)/(2*den)) / 1000, true
	}
	return float64((2*num + den) / (2 * den)), true
}

// Round gives v with the decimals a rate shows.
func Round(v float64) float64 { return math.Round(v*1000) / 1000 }

func of(c Column) func(*Sums) int64 { return func(s *Sums) int64 { return s.Counts[c] } }

func talked(s *Sums) int64 { return s.Counts.Talked() }

func decided(s *Sums) int64 { return s.Counts.Decided() }

func spent(c Spending) func(*Sums) int64 { return func(s *Sums) int64 { return s.Spent[c] } }

func handled(s *Sums) int64 { return s.Counts[TalkMs] + s.Counts[HoldMs] + s.Counts[WrapMs] }

func busy(s *Sums) int64 { return s.Spent[TalkingMs] + s.Spent[WrapupMs] }

// Measures gives the dictionary: the 28 of the hotline standards, those of other modules by name and formula
// alone, then the plain counts and sums.
func Measures() []Measure {
	return append(indicators(), plain()...)
}

func indicators() []Measure {
	return []Measure{
		{ID: "JTL", Unit: Rate, Target: 0.95, Num: of(Answered), Den: decided},
		{ID: "JTL2", Unit: Rate, Target: 0.85, Num: func(s *Sums) int64 { return s.Counts[Served] + s.Counts[Reached] }, Den: of(Started)},
		{ID: "JTLU", Unit: Rate, Target: 0.97, Num: of(CallersAnswered), Den: of(Callers)},
		{ID: "SL15", Unit: Rate, Target: 0.80, Num: of(Within15), Den: talked},
		{ID: "SL20", Unit: Rate, Target: 0.80, Num: of(Within20), Den: func(s *Sums) int64 { return talked(s) + s.Counts[AbandonedLate] }},
		{
			ID: "SL2", Unit: Rate,
			Num: func(s *Sums) int64 { return s.Counts[Within20] + s.Counts[Abandoned] - s.Counts[AbandonedLate] },
			Den: func(s *Sums) int64 { return talked(s) + s.Counts[Abandoned] },
		},
		{ID: "ABN", Unit: Rate, Target: 0.05, Below: true, Num: of(Abandoned), Den: decided},
		{ID: "ASA", Unit: Ms, Target: 15_000, Below: true, Num: of(WaitMs), Den: talked},
		{ID: "AHT", Unit: Ms, Target: 270_000, Below: true, Num: handled, Den: talked},
		{ID: "ACW", Unit: Ms, Target: 60_000, Below: true, Num: of(WrapMs), Den: talked},
		{ID: "OCC", Unit: Rate, Target: 0.88, Below: true, Num: busy, Den: func(s *Sums) int64 { return busy(s) + s.Spent[ReadyMs] }},
		{
			ID: "GSL", Unit: Rate, Target: 0.85, Den: (*Sums).SignedInMs,
			Num: func(s *Sums) int64 {
				return busy(s) + s.Spent[ReadyMs] + s.Spent[RingingMs] + s.Spent[AwayWorkMs]
			},
		},
		{ID: "ADH", Unit: Rate, Target: 0.92, By: "planning"},
		{ID: "FCR", Unit: Rate, Target: 0.85, By: "customer"},
		{ID: "CSAT", Unit: Rate, Target: 0.95, By: "survey"},
		{ID: "PJL", Unit: Rate, Target: 0.40, By: "survey"},
		{ID: "QAP", Unit: Rate, Target: 0.90, By: "quality"},
		{ID: "ZQL", Unit: Rate, Target: 0.98, By: "quality"},
		{ID: "BJL", Unit: Rate, Target: 0.99, By: "ticket"},
		{ID: "HFL", Unit: Rate, Target: 1, By: "ticket"},
		{ID: "TDL", Unit: Rate, Target: 0.05, Below: true, By: "ticket"},
		{ID: "CBL", Unit: Rate, Target: 0.03, Below: true, By: "ticket"},
		{ID: "HBL", Unit: Rate, Target: 0.95, By: "voice"},
		{ID: "DXF", Unit: Rate, By: "sms"},
		{ID: "DFL", Unit: Rate, By: "selfservice"},
		{ID: "YLR", Unit: Rate, Target: 0.70, By: "twin"},
		{ID: "GZL", Unit: Rate, Target: 0.02, Below: true, By: "ticket"},
		{ID: "ZDL", Unit: Rate, Target: 0.0001, Below: true, By: "voice"},
	}
}

func plain() []Measure {
	out := []Measure{
		{ID: "ACC", Unit: Rate, Num: talked, Den: of(Offered)},
		{ID: "TALK", Unit: Ms, Num: of(TalkMs), Den: talked},
		{ID: "exited", Unit: Count, Num: func(s *Sums) int64 { return s.Exits() }},
		{ID: "ready_ms", Unit: Ms, Num: spent(ReadyMs)},
		{ID: "ringing_ms", Unit: Ms, Num: spent(RingingMs)},
		{ID: "talking_ms", Unit: Ms, Num: spent(TalkingMs)},
		{ID: "wrapup_ms", Unit: Ms, Num: spent(WrapupMs)},
		{ID: "away_ms", Unit: Ms, Num: spent(AwayMs)},
		{ID: "signed_in_ms", Unit: Ms, Num: (*Sums).SignedInMs},
	}
	for c := range columnCount {
		unit := Count
		switch c {
		case WaitMs, LostWaitMs, MaxWaitMs, TalkMs, HoldMs, WrapMs, DirectMs, LengthMs:
			unit = Ms
		}
		out = append(out, Measure{ID: c.String(), Unit: unit, Num: of(c)})
	}
	return out
}
