package event

import "github.com/kapok-hotline/kapok/core/id"

// AgentHelped says somebody took care of an agent's call for help; Subject is the agent who asked.
type AgentHelped struct {
	By id.User `json:"by"`
}

// Kind is agent.helped.
func (AgentHelped) Kind() string { return "agent.helped" }
