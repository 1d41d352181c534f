package voice

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
)

// pauseMost is how long a recording stands still at most: who forgets to go on does not lose the rest of the talk.
const pauseMost = 3 * time.Minute

// PauseRecording stops the recording of a talk while something confidential is told or keyed, at the word of the
// agent who talks; both sides are silent in it meanwhile. It goes on at the agent's word, when the talk moves or ends,
// or after three minutes.
func (m *Module) PauseRecording(ctx context.Context, cid id.Contact, by id.User, on bool) error {
	return m.withAgent(ctx, cid, by, func(c *call) error {
		if c.rec == nil {
			return fault.New(fault.Conflict, "voice.recording.off", "contact", string(cid))
		}
		if on {
			c.pause(by)
		} else {
			c.unpause(by, "desk")
		}
		return nil
	})
}

// pause is silent when it is so already.
func (c *call) pause(by id.User) {
	r := c.rec
	if r.paused != nil {
		return
	}
	r.rec.Pause(true)
	r.pausedAt = c.m.now()
	r.paused = c.m.deps.Clock.AfterFunc(pauseMost, func() {
		c.post(func() {
			if c.rec == r {
				c.unpause("", "deadline")
			}
		})
	})
	c.factAt(r.pausedAt, by, event.RecordingPaused{Recording: r.id})
}

// unpause has the recording go on, if it stood still.
func (c *call) unpause(by id.User, why string) {
	r := c.rec
	if r == nil || r.paused == nil {
		return
	}
	r.paused.Stop()
	r.paused = nil
	r.rec.Pause(false)
	now := c.m.now()
	c.factAt(now, by, event.RecordingResumed{Recording: r.id, Ms: now.Sub(r.pausedAt).Milliseconds(), Why: why})
}
