package event

import "github.com/kapok-hotline/kapok/core/id"

// ContactLimited says that a rule about callers held when the contact asked for an agent. Those turned away (do is
// message) never come to the queue: they are in no rate of it, and the contact ends as turned.
type ContactLimited struct {
	By        string    `json:"by"` // often, mark
	Do        string    `json:"do"` // message, last, skill, notice
	Queue     id.Queue  `json:"queue"`
	Mark      string    `json:"mark,omitempty"`       // which mark of the list
	Calls     int       `json:"calls,omitempty"`      // of often: talks with agents
	WithinMin int       `json:"within_min,omitempty"` // of often: within so many minutes
	Skill     id.Skill  `json:"skill,omitempty"`
	Prompt    id.Prompt `json:"prompt,omitempty"`
}

// Kind of the fact.
func (ContactLimited) Kind() string { return "contact.limited" }
