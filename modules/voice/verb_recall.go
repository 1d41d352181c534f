package voice

import (
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/audio"
)

// recall watches over a hold: when the person has waited as long as the house allows, the agent is told, by a tone on
// the line and at the desk, and again each time the same span has passed.
func (c *call) recall(held bool) {
	if c.reminder != nil {
		c.reminder.stop()
		c.reminder = nil
	}
	limit := time.Duration(c.m.snap.Load().settings.HoldLimitS) * time.Second
	if !held || limit <= 0 {
		return
	}
	r := &reminder{}
	r.timer = time.AfterFunc(limit, func() {
		c.post(func() {
			if c.reminder == r && !c.over && c.agent != nil {
				c.remind(r)
				r.timer.Reset(limit)
			}
		})
	})
	c.reminder = r
}

// reminder is what reminds an agent of one hold.
type reminder struct {
	timer *time.Timer
	tone  *audio.Player // nil: it was not heard yet
}

func (r *reminder) stop() {
	r.timer.Stop()
	if r.tone != nil {
		r.tone.Stop()
	}
}

func (c *call) remind(r *reminder) {
	a, now := c.agent, c.m.now()
	c.factAt(now, a.agent, event.LegRecalled{Leg: a.id, Agent: a.agent, HeldMs: now.Sub(a.heldAt).Milliseconds()})
	if c.consult != nil || len(c.guests) > 0 || c.lost != nil {
		return // somebody else is heard on the line, or nobody hears it
	}
	tone := c.m.tick.NewPlayer(a.leg)
	r.tone = tone
	tone.Play(func() { c.post(tone.Stop) }, c.m.sounds.clips(c.lang(), []string{promptRecall})...)
}

// promptRecall is the tone that reminds of a hold.
const promptRecall = "beep"
