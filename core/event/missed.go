package event

import "github.com/kapok-hotline/kapok/core/id"

// MissedOwned says whose a missed caller is now; its subject, as that of all facts of a missed caller, is the contact
// the row was opened by. Was is whose it was before: where that does not hold any more, somebody else was first and
// the fact changes nothing.
type MissedOwned struct {
	Owner id.User `json:"owner,omitempty"` // empty: nobody's again
	Was   id.User `json:"was,omitempty"`
}

// MissedTried says what came of calling a missed caller back. Actor is who called.
type MissedTried struct {
	Result  string     `json:"result"`            // reached, no_answer, not_wanted, wrong_number
	Again   int64      `json:"again,omitempty"`   // of no_answer: to be tried again at, unix ms
	Last    bool       `json:"last,omitempty"`    // of no_answer: it was tried often enough
	Note    string     `json:"note,omitempty"`    // the agent's own words
	Contact id.Contact `json:"contact,omitempty"` // the call-out, where the house placed it
}

// MissedLapsed closes a missed caller nobody reached in the days the house keeps them.
type MissedLapsed struct {
	Days int `json:"days"`
}

// VoicemailLeft says that the contact, which is the fact's subject, left a spoken message.
type VoicemailLeft struct {
	Recording string   `json:"recording"`
	Queue     id.Queue `json:"queue,omitempty"` // the last one they waited in
	Ms        int64    `json:"ms"`
	Ended     string   `json:"ended"` // key, silence, limit, hangup
}

// What comes of calling a missed caller back.
const (
	TriedReached  = "reached"
	TriedNoAnswer = "no_answer"
	TriedUnwanted = "not_wanted"
	TriedWrong    = "wrong_number"
)

// Kinds of the facts of missed callers.
func (MissedOwned) Kind() string   { return "missed.owned" }
func (MissedTried) Kind() string   { return "missed.tried" }
func (MissedLapsed) Kind() string  { return "missed.lapsed" }
func (VoicemailLeft) Kind() string { return "voicemail.left" }
