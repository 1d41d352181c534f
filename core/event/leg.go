package event

import (
	"github.com/kapok-hotline/kapok/core/id"
)

// LegStarted opens a leg of the contact that is the fact's subject.
type LegStarted struct {
	Leg   id.Leg   `json:"leg"`
	Role  string   `json:"role"` // caller, agent, party (an outside number)
	Agent id.User  `json:"agent,omitempty"`
	Queue id.Queue `json:"queue,omitempty"`
	Peer  string   `json:"peer,omitempty"` // the endpoint or number rung
	Own   bool     `json:"own,omitempty"`  // the agent asked to be rung: for a call out, or a parked person
}

// LegAnswered says the leg's far end accepted and media flows.
type LegAnswered struct {
	Leg id.Leg `json:"leg"`
}

// LegHeld says the leg was put on hold.
type LegHeld struct {
	Leg id.Leg `json:"leg"`
}

// LegResumed says the leg came back from hold.
type LegResumed struct {
	Leg    id.Leg `json:"leg"`
	HeldMs int64  `json:"held_ms"`
}

// LegEnded closes a leg. TalkMs + HoldMs + RingMs = its length; talk time stops here whatever the contact does
// afterwards. EnteredAt and Queue repeat the queue visit an agent's leg answers, for the interval report.
type LegEnded struct {
	Leg       id.Leg   `json:"leg"`
	Role      string   `json:"role"`
	Agent     id.User  `json:"agent,omitempty"`
	Queue     id.Queue `json:"queue,omitempty"`
	EnteredAt int64    `json:"entered_at,omitempty"`
	RingMs    int64    `json:"ring_ms"`
	TalkMs    int64    `json:"talk_ms"`
	HoldMs    int64    `json:"hold_ms"`
	Cause     string   `json:"cause,omitempty"`
	MOS       float64  `json:"mos,omitempty"` // estimated by ITU-T G.107, 1.0–4.5
}

// RecordingStored says a recording of the contact is on disk.
type RecordingStored struct {
	Recording string `json:"recording"`
	Ms        int64  `json:"ms"`
	LeftDB    int    `json:"left_db"`  // mean level of the caller's channel, dBov; -127 = silent
	RightDB   int    `json:"right_db"` // of the agent's
	Missing   string `json:"missing,omitempty"`
}

// RecordingFailed says why there is none.
type RecordingFailed struct {
	Why string `json:"why"`
}

// WrapupSaved is what the agent wrote about the contact; the newest one holds.
type WrapupSaved struct {
	Agent     id.User  `json:"agent"`
	Queue     id.Queue `json:"queue,omitempty"`
	Topic     string   `json:"topic,omitempty"` // code of the two-level topic, "0101"
	TaxID     string   `json:"tax_id,omitempty"`
	TaxIDWhy  string   `json:"tax_id_why,omitempty"` // why one whose check digit is wrong was kept
	TaxType   string   `json:"tax_type,omitempty"`
	District  string   `json:"district,omitempty"`
	Name      string   `json:"name,omitempty"`
	Question  string   `json:"question,omitempty"`
	Answer    string   `json:"answer,omitempty"`
	Note      string   `json:"note,omitempty"`
	Refer     string   `json:"refer,omitempty"`     // who is to go on with it
	Satisfied string   `json:"satisfied,omitempty"` // as the person said: 5 very … 1 not at all
	Final     bool     `json:"final"`               // false: autosaved
}

// Kinds of the leg, recording and wrap-up facts.
func (LegStarted) Kind() string      { return "leg.started" }
func (LegAnswered) Kind() string     { return "leg.answered" }
func (LegHeld) Kind() string         { return "leg.held" }
func (LegResumed) Kind() string      { return "leg.resumed" }
func (LegEnded) Kind() string        { return "leg.ended" }
func (RecordingStored) Kind() string { return "recording.stored" }
func (RecordingFailed) Kind() string { return "recording.failed" }
func (WrapupSaved) Kind() string     { return "wrapup.saved" }
