package contact

import "github.com/kapok-hotline/kapok/core/id"

// Outcall asks for a call of an agent to a person outside: the agent's own phone or browser is rung first, then the
// person, by the trunks of the agent's site. Purpose and Ref are the asker's: what it is for (desk, missed, outbound …)
// and which entry of a list; every fact of the call-out carries them.
type Outcall struct {
	Contact id.Contact `json:"contact,omitempty"` // empty: a new one is made
	Agent   id.User    `json:"agent"`
	Number  string     `json:"number"` // as dialled or in national form
	Purpose string     `json:"purpose,omitempty"`
	Ref     string     `json:"ref,omitempty"`
	Machine *Machine   `json:"machine,omitempty"` // who answers is listened to first; nil: whoever it is talks with the agent
	RingS   int        `json:"ring_s,omitempty"`  // how long the person's phone rings; 0: as long as the house lets it
}
