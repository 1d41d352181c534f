package event

import (
	"github.com/kapok-hotline/kapok/core/id"
)

// ContactParked says that an agent left the person in a numbered slot, with music: whoever may takes them back by the
// number. At Until (unix ms) the agent is rung again.
type ContactParked struct {
	Agent id.User  `json:"agent"`
	Slot  int      `json:"slot"`
	Queue id.Queue `json:"queue,omitempty"` // the call came from
	Until int64    `json:"until"`
}

// ContactUnparked closes a stay in a slot: exactly one per ContactParked, unless the contact is lost. Agent has the
// person now, if How is taken or recalled.
type ContactUnparked struct {
	Slot  int     `json:"slot"`
	Agent id.User `json:"agent,omitempty"`
	How   string  `json:"how"` // taken, recalled, queue, left
	Ms    int64   `json:"ms"`  // in the slot
}

// The ways out of a slot.
const (
	ParkTaken    = "taken"    // somebody took the person back
	ParkRecalled = "recalled" // who parked was rung at the limit, and answered
	ParkQueue    = "queue"    // who parked had no time: back in the queue the call came from, at the old place
	ParkLeft     = "left"     // the person hung up, or the call was ended
)

// Kinds of the parking facts.
func (ContactParked) Kind() string   { return "contact.parked" }
func (ContactUnparked) Kind() string { return "contact.unparked" }
