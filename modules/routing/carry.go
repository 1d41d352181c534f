package routing

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/acd"
)

// apply feeds one event of the house's own making and carries out what the brain says.
func (t *thinker) apply(ev acd.Event) { t.applyBy(ev, "brain") }

// applyBy feeds one event and carries the commands out, in order. The brain reuses the slice of commands, and a
// command's carrying out never feeds the brain, so nothing is overwritten under our feet.
func (t *thinker) applyBy(ev acd.Event, by string) {
	for _, c := range t.brain.Apply(&ev, t.now()) {
		t.carry(c, by)
	}
	clear(t.decisions)
	if t.feeding == nil {
		t.letGo()
	}
}

func (t *thinker) carry(c acd.Command, by string) {
	switch c.Kind {
	case acd.Offer:
		t.offer(c)
	case acd.Withdraw:
		t.m.offers.cancel(c.Offer)
		t.missed(c.Contact, c.Why)
	case acd.Connect:
		t.connect(c)
	case acd.Void:
		t.granted = false
	case acd.Exit:
		t.exit(c)
	case acd.AgentState:
		t.agentState(c, by)
	case acd.Rejected:
		t.refused = fault.New(fault.Conflict, "routing.rejected."+whyCode(c.Why), "agent", string(c.Agent), "queue", string(c.Queue))
	case acd.Check:
		t.m.deps.Log.Warn("a state has lasted long", "agent", c.Agent, "contact", c.Contact, "since", time.UnixMilli(c.Since))
	case acd.Requeued:
		t.missed(c.Contact, c.Why)
	case acd.Queued:
		if w := t.contacts[c.Contact]; w != nil {
			t.rewarded(w, c)
		}
	}
}

// connect notes the winner of an offer: the one place an answer of a queue becomes a fact.
func (t *thinker) connect(c acd.Command) {
	t.granted = true
	w, p := t.contacts[c.Contact], t.agents[c.Agent]
	if w == nil || p == nil {
		return
	}
	now := t.m.deps.Clock.Now()
	p.took = c.Offer
	p.last[c.Contact] = work{queue: w.queue, enteredAt: w.enteredAt}
	t.granting(p)
	t.say(p, now, w.Site, string(c.Contact), event.ContactAnswered{
		Offer: c.Offer.ID(), Queue: w.queue, Agent: c.Agent, EnteredAt: w.enteredAt, WaitMs: now.UnixMilli() - w.enteredAt,
	})
	t.letTo(w, c.Agent)
	t.touch(c.Agent)
	delete(t.contacts, c.Contact)
}

// missed notes that the offer a contact was ringing with came to nothing, once.
func (t *thinker) missed(c id.Contact, why acd.Why) {
	w := t.contacts[c]
	if w == nil || w.offer == 0 {
		return
	}
	code := whyCode(why)
	if why != acd.WhyMissed && why != acd.WhyRefused && why != acd.WhyFailed {
		code = "withdrawn"
	}
	t.m.deps.Facts.Post(t.m.deps.Clock.Now(), w.Site, string(c), string(w.agent), event.ContactMissed{
		Offer: w.offer.ID(), Queue: w.queue, Agent: w.agent, Why: code,
	})
	w.offer, w.agent = 0, ""
}

// exit hands a contact whose rule has come to the flow of that rule.
func (t *thinker) exit(c acd.Command) {
	w := t.contacts[c.Contact]
	if w == nil {
		return
	}
	t.missed(c.Contact, c.Why)
	t.let(w)
	delete(t.contacts, c.Contact)
	now := t.m.deps.Clock.Now()
	if !w.Quiet {
		t.m.deps.Facts.Post(now, w.Site, string(c.Contact), "", event.ContactExited{
			Queue: w.queue, EnteredAt: w.enteredAt, WaitMs: now.UnixMilli() - w.enteredAt, Why: whyCode(c.Why), Rule: string(c.Rule),
		})
	}
	ch := t.m.channel(w)
	t.m.offers.run(func(ctx context.Context) {
		to := contact.Target{Kind: contact.ToFlow, Code: string(c.Rule)}
		if err := ch.Move(ctx, w.Contact, "", to); err != nil {
			t.m.deps.Log.Error("a contact could not be brought to its rule", "contact", w.Contact, "rule", c.Rule, "err", err)
			_ = ch.End(ctx, w.Contact, contact.BySystem) // nothing better can be done for it; End logs its own failure
		}
	})
}

// gone notes that a person left while waiting; what rang for them has been told before.
func (t *thinker) gone(c id.Contact, promised bool) {
	w := t.contacts[c]
	if w == nil || w.Quiet {
		return
	}
	now := t.m.deps.Clock.Now()
	if promised {
		t.m.deps.Facts.Post(now, w.Site, string(c), "", event.ContactExited{
			Queue: w.queue, EnteredAt: w.enteredAt, WaitMs: now.UnixMilli() - w.enteredAt, Why: "callback", Rule: "callback",
		})
		return
	}
	t.m.deps.Facts.Post(now, w.Site, string(c), "", event.ContactAbandoned{
		Queue: w.queue, EnteredAt: w.enteredAt, WaitMs: now.UnixMilli() - w.enteredAt,
	})
}

func stateWord(s acd.State) event.AgentState {
	switch s {
	case acd.Ready:
		return event.Ready
	case acd.Reserved:
		return event.Ringing
	case acd.Talking:
		return event.Talking
	case acd.WrapUp:
		return event.Wrapup
	case acd.Away:
		return event.Away
	case acd.SignedOut:
		return event.SignedOut
	}
	return event.SignedOut
}

// whyCode is the brain's reason as facts and texts write it.
func whyCode(w acd.Why) string {
	switch w {
	case acd.WhyNone:
		return ""
	case acd.WhyLeft:
		return "left"
	case acd.WhyMoved:
		return "moved"
	case acd.WhyMissed:
		return "missed"
	case acd.WhyRefused:
		return "refused"
	case acd.WhyFailed:
		return "failed"
	case acd.WhySignedOut:
		return "signed_out"
	case acd.WhyTook:
		return "took"
	case acd.WhyFull:
		return "full"
	case acd.WhyMaxWait:
		return "max_wait"
	case acd.WhyClosed, acd.WhyClosing:
		return "closing"
	case acd.WhyNoAgent:
		return "no_agents"
	case acd.WhyRemoved:
		return "removed"
	case acd.WhyNoQueue:
		return "no_queue"
	case acd.WhyNoChannel:
		return "no_channel"
	case acd.WhyNoAgentID:
		return "no_agent"
	case acd.WhyCapacity:
		return "no_room"
	case acd.WhyInvalid:
		return "invalid"
	}
	return "unknown"
}
