package voice

import (
	"context"
	"sync"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/rtp"
)

// rings are the legs of a call that ring and have not been joined. They ring on goroutines of their own; this keeps
// their facts in order with the call's: none begins after the call's end, and all have ended before it.
type rings struct {
	mu   sync.Mutex
	of   map[*side]context.CancelCauseFunc
	over bool
}

// begin notes that a side rings; false when the call is over.
func (r *rings) begin(c *call, s *side, cancel context.CancelCauseFunc) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return false
	}
	if r.of == nil {
		r.of = map[*side]context.CancelCauseFunc{}
	}
	r.of[s] = cancel
	now := c.m.now()
	s.id, s.startedAt = id.Leg(id.New(now)), now
	c.factAt(now, s.agent, event.LegStarted{Leg: s.id, Role: s.role, Agent: s.agent, Queue: s.queue, Peer: s.peer(), Own: s.own})
	return true
}

// joined takes a side out that talks now: its end is the call's to tell.
func (r *rings) joined(s *side) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.of, s)
}

// unjoined tells the end of a side that never came to talk, unless the call's end has told it.
func (r *rings) unjoined(c *call, s *side, cause string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.of[s]; ok {
		delete(r.of, s)
		c.legEnded(s, cause, rtp.Stats{})
	}
}

// end tells the end of all that ring, stops them, and lets no more begin.
func (r *rings) end(c *call, cause string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	for s, cancel := range r.of {
		c.legEnded(s, cause, rtp.Stats{})
		cancel(context.Canceled)
	}
	r.of = nil
}

// refuse stops the ringing at an agent, who does not want the call; false when it does not ring there.
func (r *rings) refuse(agent id.User) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for s, cancel := range r.of {
		if s.agent == agent && agent != "" {
			cancel(fault.New(fault.Conflict, "contact.refused"))
			return true
		}
	}
	return false
}
