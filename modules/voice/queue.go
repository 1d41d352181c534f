package voice

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
)

// brainBound is how long a call waits for the brain; it answers within a millisecond.
const brainBound = 5 * time.Second

// Prompts the house itself plays around a queue.
const (
	promptWait    = "queue_wait"
	promptComfort = "queue_comfort"
	promptMusic   = id.Prompt("music")
)

// enter brings the call to a queue, at the flow's word, unless the rules about callers turn the person away.
func (c *call) enter(q *flow.Queue, lang string) {
	to := c.cityQueue(q)
	if c.limited(to, lang) {
		return
	}
	w := Waiting{Priority: q.Priority, Needs: q.Needs, First: q.First}
	c.standBack(&w)
	c.wait(c.sort(to, q), w)
}

// wait puts the call into a queue: first the music, then the brain, so that nobody hears silence.
func (c *call) wait(q id.Queue, w Waiting) {
	c.phase, c.gather, c.queue, c.direct = queued, nil, q, nil
	w.Contact, w.Site, w.Caller = c.id, c.site, c.from
	w.At = c.m.now()
	if next := c.entered.Add(time.Millisecond); w.At.Before(next) {
		w.At = next // two stays of one millisecond must not be taken for one
	}
	if since, ok := c.m.callbacks.takeOver(c, w.Since); ok {
		w.Since = since
	}
	if w.Since.IsZero() {
		w.Since = w.At
	}
	if w.Quiet = c.seeking(); w.Quiet {
		w.Caller = "" // it is no attempt of theirs
	}
	c.since, c.entered, c.entry = w.Since, w.At, w
	sound := c.m.deps.Queues.Sound(q)
	c.tipOff = c.tipOff || sound.Secret
	c.music(sound)
	ctx, cancel := context.WithTimeout(c.ctx, brainBound)
	defer cancel()
	if err := c.m.deps.Queues.Enter(ctx, q, w); err != nil {
		c.log.Error("a call could not be queued", "queue", q, "err", err)
		c.withdraw()
		c.next(flow.Input{Kind: flow.Failed, Why: fault.CodeOf(err)})
	}
}

// withdraw makes sure that a brain which did not answer in time has not kept the call all the same.
func (c *call) withdraw() {
	c.m.gone.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), goodbye)
		defer cancel()
		c.told("leave", c.m.deps.Queues.Leave(ctx, c.id))
	})
}

// music plays the word of waiting once, then the queue's music, with a word of comfort every so often.
func (c *call) music(s Sound) {
	c.noDeadline()
	if c.seeking() {
		return
	}
	lang := c.lang()
	if s.Music == "" {
		s.Music = promptMusic
	}
	if clips := c.m.sounds.clips(lang, []string{string(s.Music)}); len(clips) > 0 {
		c.player.Music(clips[0])
	}
	c.player.Play(nil, c.m.sounds.clips(lang, []string{promptWait})...)
	if c.tend(s); c.tended == nil && s.Announce > 0 {
		c.comfort(lang, s.Announce)
	}
}

func (c *call) comfort(lang string, every time.Duration) {
	c.after(every, func() {
		if c.phase == queued {
			c.player.Play(nil, c.m.sounds.clips(lang, []string{promptComfort})...)
			c.comfort(lang, every)
		}
	})
}

func (c *call) lang() string {
	if l := c.cursor.Vars["lang"]; l != "" {
		return l
	}
	return c.m.snap.Load().settings.Language
}

// requeue takes the person back to the queue they came from, at the place they had, when the agent's line is lost.
func (c *call) requeue(cause string) {
	if c.seeking() {
		c.owed.dialled = false // the agent's line is not the person's fault
		c.end(contact.BySystem, cause)
		return
	}
	if len(c.parties) > 0 && cause != released { // the others are there for the person
		c.passOn(cause)
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, goodbye)
	defer cancel()
	c.dropAgent(ctx, cause)
	if c.queue == "" {
		c.end(contact.BySystem, cause)
		return
	}
	w := Waiting{Since: c.since}
	c.standBack(&w)
	c.wait(c.queue, w)
}

// Move takes a call to a target: an agent's transfer (by is the agent), or a queue's rule (by is empty).
func (m *Module) Move(ctx context.Context, cid id.Contact, by id.User, to contact.Target) error {
	c := m.find(cid)
	if c == nil {
		return notHere(cid)
	}
	if by != "" {
		return m.Transfer(ctx, cid, by, to)
	}
	moved := c.ask(ctx, func() {
		if c.phase != queued {
			return
		}
		if to.Kind == contact.ToFlow && to.Code != "" {
			c.player.Music(nil)
			c.cursor.Turned = true
			c.guide(id.Flow(to.Code), true)
			return
		}
		c.next(flow.Input{Kind: flow.Failed, Why: "queue"})
	})
	if !moved {
		return notHere(cid)
	}
	return nil
}

// End ends a call for everybody.
func (m *Module) End(ctx context.Context, id id.Contact, by contact.Party) error {
	c := m.find(id)
	if c == nil || !c.ask(ctx, func() { c.end(by, "ended") }) {
		return notHere(id)
	}
	return nil
}

func notHere(c id.Contact) error {
	return fault.New(fault.NotFound, "voice.call.gone", "contact", string(c))
}
