package contact

import "github.com/kapok-hotline/kapok/core/id"

// What a rule about callers does with who asks for an agent.
const (
	LimitMessage = "message" // they hear a prompt in place of the queue, and the call ends
	LimitLast    = "last"    // they stand back: behind others, by LimitPoints at most
	LimitSkill   = "skill"   // only agents with a skill take them
	LimitNotice  = "notice"  // the agent is told, nothing else
)

// By what a caller is limited.
const (
	LimitOften = "often" // spoke with agents too often of late
	LimitMark  = "mark"  // is on the list of those who pester
)

// LimitPoints is the priority of who stands back: ten points of a minute each, as far as the brain lets anybody be
// overtaken, so that their turn comes too.
const LimitPoints = -10

// Limit is what the rules about callers make of one who asks for an agent.
type Limit struct {
	By     string    // often, mark
	Do     string    // message, last, skill, notice
	Mark   string    // code of the mark
	Calls  int       // of often: talks with agents within Within
	Within int       // minutes
	Prompt id.Prompt // of message
	Skill  id.Skill  // of skill
}
