package voice

import (
	"context"
	"strconv"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
)

// keepPromise takes the person out of the queue at their own wish. The goodbye is said outside it; when they hang up,
// in whatever way, the callback is due.
func (c *call) keepPromise(p *promise, keyed bool) {
	c.fact("", event.CallbackAsked{
		Callback: p.id, Queue: p.queue, EnteredAt: p.enteredAt, Since: p.since.UnixMilli(), Number: p.number, Keyed: keyed,
	})
	ctx, cancel := context.WithTimeout(c.ctx, brainBound)
	defer cancel()
	if err := c.m.deps.Line.Promise(ctx, c.id); err != nil {
		c.told("promise", err)
		c.withdraw()
	}
	c.m.callbacks.mu.Lock()
	p.asked = true
	c.m.callbacks.mu.Unlock()
	c.promises, c.tended = p, nil
	c.phase, c.outcome = guided, contact.Promised
	c.noDeadline()
	c.player.Music(nil)
	c.say(c.lang(), []string{"callback_noted"}, func() { c.end(contact.BySystem, "callback") })
}

// begin lets a promise be kept, now that the person has hung up.
func (k *callbacks) begin(p *promise) {
	k.mu.Lock()
	p.call = nil
	k.mu.Unlock()
	k.nudge()
}

func decimal(n int) string { return strconv.Itoa(n) }
