package corpus

import "github.com/kapok-hotline/kapok/engine/screen"

// Call is one labelled call.
type Call struct {
	Family  string      // the rule family it was made by
	HeldOut bool        // of a family no classifier may be trained on
	Label   screen.Kind // what it is about
	Text    string      // what the caller says, as heard
	Menu    screen.Kind // the key pressed; empty: none
	History []Earlier   // the newest first
}

// Earlier is an earlier contact of the same caller.
type Earlier struct {
	Kind screen.Kind // of the queue where it was wrapped up
	Text string      // the question as the agent wrote it
	Days int         // ago
}

// How the calls are made. The shares are set, not measured: of real lines no such figures are known.
const (
	Seed  = 20150106 // of the calls a classifier is judged by
	Count = 500

	Missing = 0.25 // of the callers press no key
	Wrong   = 0.20 // press the key of another kind
	Before  = 0.40 // have called within the last 30 days
	Same    = 0.70 // of those were after the same kind
	Misled  = 0.20 // say a word that belongs to another kind
	Misread = 0.15 // have a word heard wrong
)

// Bar is the share of the held-out calls that must be right first time.
const Bar = 0.85

// Training keeps the calls a classifier may learn from.
func Training(calls []Call) []Call { return half(calls, false) }

// HeldOut keeps the calls a classifier is judged by.
func HeldOut(calls []Call) []Call { return half(calls, true) }

func half(calls []Call, held bool) []Call {
	var out []Call
	for _, c := range calls {
		if c.HeldOut == held {
			out = append(out, c)
		}
	}
	return out
}

// Right is the metric: the share of the calls for which judge gives the label at its first and only word.
func Right(calls []Call, judge func(Call) screen.Kind) float64 {
	if len(calls) == 0 {
		return 0
	}
	right := 0
	for _, c := range calls {
		if judge(c) == c.Label {
			right++
		}
	}
	return float64(right) / float64(len(calls))
}
