package day

// State is what a calendar says about a moment. Flows, queues, chat and deadlines ask it the same way.
type State string

// The states.
const (
	Open    State = "open"
	Closed  State = "closed"  // outside the hours of a working day, or a weekly rest day
	Lunch   State = "lunch"   // between two spells of the same working day
	Holiday State = "holiday" // a day the holiday table or a special day shuts
)

// Valid reports whether s is one of the four.
func (s State) Valid() bool { return s == Open || s == Closed || s == Lunch || s == Holiday }
