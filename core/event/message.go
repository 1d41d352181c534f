package event

import (
	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
)

// MessageReceived says the person wrote. What they wrote is with the inbox, not in the ledger.
type MessageReceived struct {
	Message id.Message     `json:"message"`
	Medium  contact.Medium `json:"medium"`
	What    string         `json:"what"` // conversation.Kind
}

// MessageSent says something went to the person: by an agent, or by the house (Agent empty). WaitMs is how long the
// person had been waiting for it since their first message not yet answered; 0: they were not waiting.
type MessageSent struct {
	Message id.Message     `json:"message"`
	Medium  contact.Medium `json:"medium"`
	What    string         `json:"what"`
	Agent   id.User        `json:"agent,omitempty"`
	WaitMs  int64          `json:"wait_ms,omitempty"`
	Ref     string         `json:"ref,omitempty"` // the article it came from
}

// MessageFailed says a message did not reach the person.
type MessageFailed struct {
	Message id.Message `json:"message"`
	Why     string     `json:"why"`
}

// MessageWithdrawn says one was taken back, by the person or the agent.
type MessageWithdrawn struct {
	Message id.Message    `json:"message"`
	By      contact.Party `json:"by"`
}

// Kinds of the message facts; their subject is the contact.
func (MessageReceived) Kind() string  { return "message.received" }
func (MessageSent) Kind() string      { return "message.sent" }
func (MessageFailed) Kind() string    { return "message.failed" }
func (MessageWithdrawn) Kind() string { return "message.withdrawn" }
