package voice

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/rtp"
)

// goodbye bounds the farewells of a call: BYE and the brain's answer.
const goodbye = 5 * time.Second

// end ends the call for everybody, on the actor. Facts come in their order: the place in the queue, the legs, the
// contact.
func (c *call) end(by contact.Party, cause string) {
	if c.over {
		return
	}
	c.over = true
	c.noDeadline()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), goodbye)
	defer cancel()
	c.player.Stop()
	if c.owed != nil && c.owed.ear != nil {
		c.owed.ear.Stop()
	}
	c.referred(487)
	switch c.phase {
	case queued:
		if c.outcome == "" {
			c.outcome = contact.Abandoned
		}
		c.told("leave", c.m.deps.Queues.Leave(ctx, c.id))
	case talking, dialing:
		if c.seeking() && by == contact.ByAgent {
			c.owed.why = "agent" // who would not wait until the person answered
		}
		if c.outcome == "" {
			c.outcome = contact.Answered
		}
		c.dropAgent(ctx, cause)
	case guided:
	}
	c.endMessage("hangup")
	c.rings.end(c, cause)
	c.unparked("", event.ParkLeft)
	c.outEnded()
	switch {
	case c.spoken:
		c.outcome = contact.Answered // whatever came after: an agent has spoken with the person
	case c.outcome == "":
		c.outcome = c.cursor.Outcome()
	}
	now := c.closeCaller(ctx, cause)
	c.factAt(now, "", event.ContactEnded{By: by, Outcome: c.outcome, Cause: cause, Ms: now.UnixMilli() - c.startedAt.UnixMilli()})
	c.stopRecording()
	if c.promises != nil {
		c.m.callbacks.begin(c.promises)
	}
}

// dropAgent ends the agent's side: talk time stops here, and wrap-up begins.
func (c *call) dropAgent(ctx context.Context, cause string) {
	a := c.agent
	if a == nil {
		return
	}
	c.endConsult(cause)
	c.dropParties(cause)
	c.leaveAll(cause)
	c.unpause("", "moved")
	c.recall(false)
	c.unbridge()
	c.talkingLeg.Store(nil)
	c.talkingTo.Store(nil)
	c.talkingAt.Store(nil)
	c.stopLost()
	c.closeSide(ctx, a, cause)
	c.agent = nil
	if a.role == "agent" {
		c.told("done", c.m.deps.Queues.Done(ctx, c.id, a.agent))
	}
}

// closeSide hangs a side up, frees its media, writes its times and gives the moment it ended.
func (c *call) closeSide(ctx context.Context, s *side, cause string) time.Time {
	stats := s.leg.Stats()
	c.letGo(ctx, s)
	return c.legEnded(s, cause, stats)
}

// letGo hangs a side up and frees its media.
func (c *call) letGo(ctx context.Context, s *side) {
	if s.referral != nil {
		c.referral = s.referral // the phone is hung up when it has heard how the transfer went
	} else if s.dialog != nil {
		d := s.dialog
		go func() { // the peer's answer to BYE is nobody's business any more
			bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
			defer cancel()
			_ = d.Bye(bye) // already ended, or the peer is gone: both are the end
		}()
	}
	if err := s.leg.Close(); err != nil {
		c.log.Debug("closing a leg", "err", err)
	}
}

// legEnded writes the times of a side, now that it has ended.
func (c *call) legEnded(s *side, cause string, stats rtp.Stats) time.Time {
	now := c.m.now()
	f := event.LegEnded{
		Leg: s.id, Role: s.role, Agent: s.agent, Queue: s.queue, EnteredAt: s.enteredAt, Cause: cause, MOS: round2(stats.MOS),
	}
	f.RingMs, f.TalkMs, f.HoldMs = s.times(now)
	c.factAt(now, s.agent, f)
	return now
}

// times divides a side's length into ringing, talk and hold, in ms; they add up to the whole.
func (s *side) times(now time.Time) (ring, talk, hold int64) {
	whole := now.UnixMilli() - s.startedAt.UnixMilli()
	if s.answeredAt.IsZero() {
		return whole, 0, 0
	}
	ring = s.answeredAt.UnixMilli() - s.startedAt.UnixMilli()
	h := s.held
	if !s.heldAt.IsZero() {
		h += now.Sub(s.heldAt)
	}
	hold = h.Milliseconds()
	return ring, whole - ring - hold, hold
}

// close is the end of the actor.
func (c *call) close() {
	c.timer.Stop()
	close(c.done)
	c.stop()
	c.m.forget(c)
}

// told notes that the brain could not be told; its own deadlines and the start-up closing mend what is left.
func (c *call) told(what string, err error) {
	if err != nil {
		c.log.Error("the brain was not told", "what", what, "err", err)
	}
}

func round2(f float64) float64 { return float64(int(f*100+0.5)) / 100 }
