package event

import "github.com/kapok-hotline/kapok/core/id"

// Force is what a leader does to an agent's work.
type Force string

// The verbs. Recall asks who is away to come back; Skills gives other skills at once.
const (
	ForceReady    Force = "ready"
	ForceAway     Force = "away"
	ForceSignOut  Force = "sign_out"
	ForceRelease  Force = "release"
	ForceSkills   Force = "skills"
	ForceListen   Force = "listen"
	ForceWhisper  Force = "whisper"
	ForceBarge    Force = "barge"
	ForceTakeOver Force = "take_over"
	Recall        Force = "recall"
)

// AgentForced says a leader acted on an agent's work; Subject is the agent, Actor the leader. The agent sees who and
// why until they have acknowledged the note.
type AgentForced struct {
	Note    string           `json:"note"` // told of one deed twice it is one note
	Verb    Force            `json:"verb"`
	By      id.User          `json:"by"`
	Why     string           `json:"why"`
	Reason  string           `json:"reason,omitempty"` // of away: its code
	Contact id.Contact       `json:"contact,omitempty"`
	Skills  map[id.Skill]int `json:"skills,omitempty"` // level 0–4, those the agent has from now on
}

// AgentNoted says the agent acknowledged a note, or, with Withdrawn, that it is no longer asked for.
type AgentNoted struct {
	Note      string `json:"note"`
	Withdrawn bool   `json:"withdrawn,omitempty"`
}

// ContactSupervised says a leader began to take part in a contact or changed how; Ms is how long the way before lasted.
type ContactSupervised struct {
	Leg   id.Leg  `json:"leg"`
	By    id.User `json:"by"`
	Agent id.User `json:"agent"` // who serves the contact
	Mode  Force   `json:"mode"`
	Was   Force   `json:"was,omitempty"`
	Ms    int64   `json:"ms,omitempty"`
}

// Kinds of the leaders' facts.
func (AgentForced) Kind() string       { return "agent.forced" }
func (AgentNoted) Kind() string        { return "agent.noted" }
func (ContactSupervised) Kind() string { return "contact.supervised" }
