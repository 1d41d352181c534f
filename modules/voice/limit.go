package voice

import (
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
)

// Manners says what the rules about callers make of a number that asks for an agent; false: nothing. It is asked on
// the call's own goroutine and answers out of memory.
type Manners interface {
	Judge(caller string, number id.Number, queue id.Queue, at time.Time) (contact.Limit, bool)
}

// promptLimit is said to who is turned away where the rule names no prompt.
const promptLimit = id.Prompt("caller_limit")

// limited asks the rules about callers, once they first hold, when a flow wants an agent: menus and self-service are
// open to everybody, and whoever spoke with an agent in this call is not turned away by it. True when the person is
// turned away: the prompt is being said.
func (c *call) limited(to id.Queue, lang string) bool {
	rules := c.m.deps.Manners
	if rules == nil || c.from == "" || c.leaveTrunk == nil || c.limit != nil || c.spoken || c.trial != nil || c.seeking() {
		return false
	}
	l, ok := rules.Judge(c.from, c.number, to, c.m.now())
	if !ok || c.tipOff || c.m.snap.Load().numbers[c.number].Secret || c.m.deps.Queues.Sound(to).Secret {
		return false
	}
	c.limit = &l
	c.fact("", event.ContactLimited{By: l.By, Do: l.Do, Queue: to, Mark: l.Mark, Calls: l.Calls, WithinMin: l.Within, Skill: l.Skill, Prompt: l.Prompt})
	if l.Do != contact.LimitMessage {
		return false
	}
	c.phase, c.gather, c.outcome = guided, nil, contact.Turned
	if l.Prompt == "" {
		l.Prompt = promptLimit
	}
	c.sayWords(lang, []string{string(l.Prompt)}, "", nil, func() { c.end(contact.BySystem, "limited") })
	return true
}

// standBack brings what a rule about callers says into how the call waits.
func (c *call) standBack(w *Waiting) {
	switch {
	case c.limit == nil:
	case c.limit.Do == contact.LimitLast:
		w.Priority += contact.LimitPoints
	case c.limit.Do == contact.LimitSkill:
		w.Needs = append(w.Needs[:len(w.Needs):len(w.Needs)], flow.Need{Skill: c.limit.Skill})
	}
}
