package alert

import (
	"github.com/kapok-hotline/kapok/core/id"
)

// Figure is what a rule looks at.
type Figure string

// The figures. Low ones alert when they fall, the others when they rise.
const (
	Waiting Figure = "waiting" // callers in queues
	Longest Figure = "longest" // the longest wait of those waiting, seconds
	Rate    Figure = "rate"    // agent answer rate of the last half-hour, 0–1
	Away    Figure = "away"    // agents away
	Staffed Figure = "staffed" // agents at work: ready, ringing, talking or in wrap-up
)

func (f Figure) low() bool { return f == Rate || f == Staffed }

// Rule says when leaders are alerted. There are two limits and two spans, so that a figure that swings about one of
// them does not ring each time.
type Rule struct {
	Code   string   `json:"code" minLength:"1" maxLength:"32"`
	Name   string   `json:"name" minLength:"1"`
	NameEn string   `json:"name_en,omitempty"`
	Site   id.Site  `json:"site" ref:"sites" doc:"with all below it"`
	Queue  id.Queue `json:"queue,omitempty" ref:"queues" doc:"empty: the whole site"`
	Figure Figure   `json:"figure" enum:"waiting,longest,rate,away,staffed" doc:"rate and staffed alert when they fall, the others when they rise; waits are seconds, the rate is 0–1"`
	Raise  float64  `json:"raise" minimum:"0" doc:"beyond this the alert comes"`
	ForS   int      `json:"for_s" minimum:"0" maximum:"3600" doc:"after so many seconds beyond it"`
	Clear  float64  `json:"clear" minimum:"0" doc:"within this it goes"`
	CalmS  int      `json:"calm_s" minimum:"0" maximum:"3600" doc:"after so many seconds within it"`
	Plan   string   `json:"plan,omitempty" ref:"surge_plans" doc:"the surge plan proposed with it"`
	Off    bool     `json:"off,omitempty"`
}

// beyond says whether a value calls for the alert; within whether it lets it go.
func (r *Rule) beyond(v float64) bool {
	if r.Figure.low() {
		return v < r.Raise
	}
	return v > r.Raise
}

func (r *Rule) within(v float64) bool {
	if r.Figure.low() {
		return v >= r.Clear
	}
	return v <= r.Clear
}

// State is the figures of a site or queue at one moment. Rate is nil when nobody came.
type State struct {
	Waiting   int
	LongestMs int64
	Rate      *float64
	Away      int
	Staffed   int
}

// of gives a figure's value; false where there is none.
func (s *State) of(f Figure) (float64, bool) {
	switch f {
	case Waiting:
		return float64(s.Waiting), true
	case Longest:
		return float64(s.LongestMs) / 1000, true
	case Rate:
		if s.Rate == nil {
			return 0, false
		}
		return *s.Rate, true
	case Away:
		return float64(s.Away), true
	case Staffed:
		return float64(s.Staffed), true
	}
	return 0, false
}

// watched is where a rule stands: since when the figure is beyond, or within, in unix ms; 0: it is not.
type watched struct {
	open   string // the alert that stands, "" when none does
	raised int64
	since  int64
}

// step takes the figure of now and says whether the alert is to be raised or cleared. A figure that is not known
// raises nothing, and lets go.
func (w *watched) step(r *Rule, v float64, known bool, now int64) (raise, clear bool) {
	met, span := known && r.beyond(v), int64(r.ForS)*1000
	if w.open != "" {
		met, span = !known || r.within(v), int64(r.CalmS)*1000
	}
	if !met {
		w.since = 0
		return false, false
	}
	if w.since == 0 {
		w.since = now
	}
	if now-w.since < span {
		return false, false
	}
	w.since = 0
	return w.open == "", w.open != ""
}
