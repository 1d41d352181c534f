package routing

import (
	"cmp"
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
)

// Idle is an agent with nothing to do.
type Idle struct {
	Agent id.User `json:"agent"`
	Site  id.Site `json:"site"`
	Since int64   `json:"since"` // unix ms
}

// Spare gives the agents who meet a queue's needs, are ready and can be rung, the one idle longest first, and how many
// contacts wait or ring in the queue: what calls of the house's own accord may use, and whether they may now.
func (m *Module) Spare(ctx context.Context, queue id.Queue) (idle []Idle, waiting int, err error) {
	if m.deps.Peers != nil {
		r, err := m.order(ctx, Order{Verb: verbSpare, Queue: queue})
		return r.Idle, r.Ahead, err
	}
	return m.spareHere(ctx, queue)
}

func (m *Module) spareHere(ctx context.Context, queue id.Queue) (idle []Idle, waiting int, err error) {
	err = m.do(ctx, request{look: func(t *thinker) {
		idle, waiting = t.spare(queue), t.brain.Len(queue)
	}})
	return idle, waiting, err
}

func (t *thinker) spare(queue id.Queue) (out []Idle) {
	s := t.m.snap.Load()
	q, ok := s.queues[queue]
	if !ok {
		return nil
	}
	for user, p := range t.agents {
		if p.now.state == event.Ready && p.up && p.direct == "" && meets(s.agents[user], q.Needs) {
			out = append(out, Idle{Agent: user, Site: p.site, Since: p.now.since})
		}
	}
	slices.SortFunc(out, func(a, b Idle) int { return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.Agent, b.Agent)) })
	return out
}
