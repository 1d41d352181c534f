package contact

import "github.com/kapok-hotline/kapok/core/id"

// Machine says what is done where an answering machine takes a call out: the agent is let go and, with a prompt, a message
// is left; without, the machine is hung up on. Whoever cannot be told to be a machine is put through.
type Machine struct {
	Prompt    id.Prompt `json:"prompt,omitempty"`
	GreetingS int       `json:"greeting_s,omitempty"` // longest greeting of a person, in seconds; 0: the usual one
}
