package voice

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/rtp"
)

// dialing is the phase of a call of ours whose agent has answered while the person is being called.
const dialing phase = "dialing"

// callbackRing is how long the person's phone may ring.
const callbackRing = 45 * time.Second

// owed is what a call has that calls a person: an agent is found first, by the queue for who is called back, and for a
// call out it is the one who asked for it. Then the person is called.
type owed struct {
	number  string   // to be called
	promise *promise // nil: nobody was promised a call
	out     *outcall // nil: an agent did not ask for it
	agent   id.User
	ear     *audio.Player // what the agent hears until the person answers
	dialled bool
	reached bool
	told    bool   // a machine is being told the list's message
	why     string // the person was not reached
}

// nobody is the media of a person not called yet.
type nobody struct{ rtp.Leg }

func (nobody) Write(*audio.Frame) error { return nil }
func (nobody) SetSink(audio.Sink)       {}
func (nobody) Stats() rtp.Stats         { return rtp.Stats{} }
func (nobody) Close() error             { return nil }

// callBack makes the call of a try and brings it to its queue, at the place the person had.
func (m *Module) callBack(p *promise, now time.Time) *call {
	c := &call{
		m: m, id: id.Contact(id.New(now)), site: p.site, number: p.line, startedAt: now, from: string(p.line),
		inbox: make(chan func(), inboxLength), done: make(chan struct{}), timer: time.NewTimer(time.Hour), phase: guided,
		owed: &owed{number: p.number, promise: p}, outcome: contact.Unreached,
	}
	c.log = m.deps.Log.With("contact", string(c.id))
	c.ctx, c.stop = context.WithCancel(m.life)
	c.caller = &side{role: "caller", number: p.number, leg: nobody{}}
	c.player = m.tick.NewPlayer(c.caller.leg)
	if p.lang != "" {
		c.cursor.Vars = map[string]string{"lang": p.lang}
	}
	m.mu.Lock()
	m.calls[c.id] = c
	m.mu.Unlock()
	c.factAt(now, "", event.ContactStarted{Medium: contact.Phone, Direction: contact.Out, From: p.number, To: p.number, Number: p.line})
	m.gone.Go(func() {
		c.run()
		m.callbacks.tried(c)
	})
	c.post(func() {
		c.wait(p.queue, Waiting{Since: p.since, Priority: p.priority, Needs: p.needs})
	})
	return c
}

// seeking says that the call is one of ours to a person who has not answered yet.
func (c *call) seeking() bool { return c.owed != nil && !c.owed.reached }

// shownTo gives the number a side is shown: an agent sees who is to be called back, all others see the house.
func (c *call) shownTo(s *side) string {
	if c.owed != nil && s.agent != "" {
		return c.owed.number
	}
	return c.from
}

// callerDone is closed when the person hangs up; nil before there is one.
func (c *call) callerDone() <-chan struct{} {
	if c.caller.dialog == nil {
		return nil
	}
	return c.caller.dialog.Done()
}

// seek calls the person for the agent, who hears for whom and then the ringing.
func (c *call) seek(agent *side) {
	b := c.owed
	b.agent, b.dialled = agent.agent, true
	c.noDeadline()
	c.phase, c.agent = dialing, agent
	c.talkingTo.Store(&agent.agent)
	c.talkingAt.Store(&agent.endpoint.Phone)
	b.ear = c.m.tick.NewPlayer(agent.leg)
	b.ear.Music(audio.RingBack())
	lang := c.m.snap.Load().settings.Language // of the agent, not of the person
	if b.promise != nil {                     // who dials knows whom
		b.ear.Play(nil, c.m.sounds.clips(lang, append([]string{"callback_for"}, digits(b.number)...))...)
	} else {
		b.ear.Play(nil)
	}
	person := &side{role: "caller", number: b.number}
	c.m.gone.Go(func() {
		ctx, cancel := context.WithTimeoutCause(c.ctx, b.ring(), fault.New(fault.Unavailable, "no_answer"))
		defer cancel()
		if err := c.call(ctx, person); err != nil {
			c.post(func() {
				if c.phase == dialing && c.seeking() {
					b.why = fault.CodeOf(err)
					c.end(contact.BySystem, "callout "+b.why)
				}
			})
		}
	})
}

// call rings the person and joins them to the agent who waits.
func (c *call) call(ctx context.Context, person *side) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := c.m.openLeg(c, person); err != nil {
		return err
	}
	if !c.rings.begin(c, person, cancel) {
		_ = person.leg.Close() // nothing flowed yet
		return notHere(c.id)
	}
	dialog, answer, err := c.m.dial(ctx, c, person, "callout")
	if err == nil {
		person.dialog = dialog
		err = person.leg.Accept(answer)
	}
	if err != nil {
		c.unjoined(ctx, person, fault.CodeOf(err))
		return err
	}
	joined := false
	c.ask(context.WithoutCancel(ctx), func() {
		if joined = !c.over && c.phase == dialing && c.agent != nil; joined {
			c.reached(person)
		}
	})
	if !joined {
		c.unjoined(ctx, person, "void")
	}
	return nil
}

// reached joins the person who answered; where it is asked for, who it is is heard first.
func (c *call) reached(person *side) {
	now := c.m.now()
	c.player.Stop()
	person.answeredAt = now
	c.rings.joined(person)
	c.factAt(now, "", event.LegAnswered{Leg: person.id})
	c.caller, c.player = person, c.m.tick.NewPlayer(person.leg)
	if o := c.owed.out; o != nil && o.Machine != nil {
		c.hearWho(person, o.Machine)
		return
	}
	c.through(person, now)
}

// through lets the person talk with the agent who waits.
func (c *call) through(person *side, now time.Time) {
	b := c.owed
	b.reached = true
	b.ear.Stop()
	if b.promise == nil {
		c.outReached(person, now)
		c.connect(c.agent)
		return
	}
	c.backReached(now)
	c.connect(c.agent)
	c.m.gone.Go(func() { c.m.callbacks.close(b.promise, event.BackReached, "") })
}

// backReached tells that who was promised a call has it.
func (c *call) backReached(now time.Time) {
	b := c.owed
	p := b.promise
	offer := event.OfferOfCallback(p.id)
	wait := now.UnixMilli() - p.enteredAt
	c.m.deps.Facts.Post(now, p.site, string(p.contact), string(b.agent), event.CallbackReached{
		Callback: p.id, Try: p.tries + 1, Contact: c.id, Agent: b.agent, WaitMs: now.UnixMilli() - p.since.UnixMilli(),
	})
	c.m.deps.Facts.Post(now, p.site, string(p.contact), string(b.agent), event.ContactAnswered{
		Offer: offer, Queue: p.queue, Agent: b.agent, EnteredAt: p.enteredAt, WaitMs: wait,
	})
}

// leaveSeeking ends a call-out at the word of the agent who waits for the person; false when it is no such call.
func (c *call) leaveSeeking(ctx context.Context, by id.User) bool {
	left := false
	c.ask(ctx, func() {
		if c.phase == dialing && c.agent != nil && c.agent.agent == by {
			left = true
			c.owed.why = "agent"
			c.end(contact.ByAgent, "desk")
		}
	})
	return left
}

// closeCaller ends the caller's side; one who never answered has none.
func (c *call) closeCaller(ctx context.Context, cause string) time.Time {
	if c.caller.answeredAt.IsZero() {
		return c.m.now()
	}
	return c.closeSide(ctx, c.caller, cause)
}

// digits gives the prompts that say a number digit by digit.
func digits(number string) []string {
	out := make([]string, 0, len(number))
	for _, r := range number {
		if r >= '0' && r <= '9' {
			out = append(out, "digit_"+string(r))
		}
	}
	return out
}
