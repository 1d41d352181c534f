package event

import "github.com/kapok-hotline/kapok/core/id"

// AlertRaised says a figure was beyond a rule's limit for long enough; Subject is the alert, Place the rule's site.
// Values of rates are 0–1, of waits seconds, of all else counts.
type AlertRaised struct {
	Rule   string   `json:"rule"`
	Figure string   `json:"figure"`
	Queue  id.Queue `json:"queue,omitempty"`
	Value  float64  `json:"value"`
	Limit  float64  `json:"limit"`
}

// AlertCleared says the figure has been back within the rule's other limit for long enough; Ms is since it was raised.
type AlertCleared struct {
	Rule  string  `json:"rule"`
	Value float64 `json:"value"`
	Ms    int64   `json:"ms"`
	Why   string  `json:"why,omitempty"` // removed: the rule is gone
}

// AlertHandled says a leader has taken care of it.
type AlertHandled struct {
	By id.User `json:"by"`
}

// SurgeStepped says a step of a surge plan was done or undone; Subject is the run. Step counts from 1; 0 is the plan's
// own begin and end.
type SurgeStepped struct {
	Plan   string  `json:"plan"`
	Step   int     `json:"step"`
	What   string  `json:"what,omitempty"` // the kind of step
	Undone bool    `json:"undone,omitempty"`
	By     id.User `json:"by,omitempty"`
	Why    string  `json:"why,omitempty"`
}

// Kinds of the alerts' and the surge plans' facts.
func (AlertRaised) Kind() string  { return "alert.raised" }
func (AlertCleared) Kind() string { return "alert.cleared" }
func (AlertHandled) Kind() string { return "alert.handled" }
func (SurgeStepped) Kind() string { return "surge.stepped" }
