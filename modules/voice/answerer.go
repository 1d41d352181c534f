package voice

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/audio"
)

// leaving: a machine has answered a call of ours, the agent has been let go, and a message is left.
const leaving phase = "leaving"

const (
	heardBound    = 7 * time.Second  // for who has answered, should no sound come; the listening has a limit of its own
	greetingBound = 30 * time.Second // for the end of a machine's greeting
)

// Answerer listens to who answers a call out, on the media goroutine; it tells by the config's Said and Over. The house has
// one of its own (audio.Greeting); another can be put in its place.
type Answerer func(audio.GreetingConfig) audio.Sink

func ownAnswerer(cfg audio.GreetingConfig) audio.Sink { return audio.NewGreeting(cfg) }

// hearWho listens to who has answered before the agent is put through: a second or two for a person.
func (c *call) hearWho(person *side, rule *contact.Machine) {
	listen := c.m.deps.Answerer
	if listen == nil {
		listen = ownAnswerer
	}
	told := false
	say := func(a audio.Answer) {
		if !told && !c.over && c.phase == dialing && c.agent != nil {
			told = true
			c.heardWho(person, rule, a)
		}
	}
	person.leg.SetSink(listen(audio.GreetingConfig{
		Longest: time.Duration(rule.GreetingS) * time.Second,
		Said:    func(a audio.Answer) { c.post(func() { say(a) }) },
		Over:    func() { c.post(func() { c.leaveMessage(rule) }) },
	}))
	c.after(heardBound, func() { say(audio.Answer{Who: audio.ByUnknown, Why: "limit", After: heardBound}) })
}

// heardWho puts a person through, and whoever is not known; a machine is left a message, or hung up on.
func (c *call) heardWho(person *side, rule *contact.Machine, a audio.Answer) {
	o := c.owed.out
	c.noDeadline()
	c.fact(o.Agent, event.CalloutHeard{
		Agent: o.Agent, Purpose: o.Purpose, Ref: o.Ref, Who: string(a.Who), Why: a.Why, Ms: a.After.Milliseconds(),
		Message: a.Who == audio.ByMachine && rule.Prompt != "",
	})
	if a.Who != audio.ByMachine {
		person.leg.SetSink(nil)
		c.through(person, c.m.now())
		return
	}
	o.result = event.OutMachine
	if rule.Prompt == "" {
		c.end(contact.BySystem, "callout machine")
		return
	}
	c.owed.ear.Stop()
	ctx, cancel := context.WithTimeout(c.ctx, goodbye)
	defer cancel()
	c.dropAgent(ctx, "machine")
	c.phase = leaving
	c.after(greetingBound, func() { c.leaveMessage(rule) })
}

// leaveMessage says the list's prompt to a machine whose greeting is over, and hangs up.
func (c *call) leaveMessage(rule *contact.Machine) {
	if c.over || c.phase != leaving || c.owed.told {
		return
	}
	c.owed.told = true
	c.noDeadline()
	c.caller.leg.SetSink(nil)
	c.say(c.lang(), []string{string(rule.Prompt)}, func() { c.end(contact.BySystem, "callout machine") })
}
