package report

import (
	"context"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/tally"
)

// Pulse is the state of a site or queue at one moment, on the phone. Rate is the agent answer rate of those who came in
// the last half-hour and wait no more, 0–1; nil: nobody. Agents of a queue are those who serve it.
type Pulse struct {
	Waiting   int
	LongestMs int64
	Rate      *float64
	Away      int
	Staffed   int // ready, ringing, talking or in wrap-up
}

// Pulse gives the state of a site with all below it and of each queue, from the live facts: no table is read.
func (m *Module) Pulse(ctx context.Context, site id.Site) (all Pulse, queues map[id.Queue]Pulse, err error) {
	sites, err := m.deps.subtree(ctx, site)
	if err != nil {
		return all, nil, err
	}
	p := m.live.look(sites)
	parts := map[id.Queue]*picture{}
	at := func(q id.Queue) *picture {
		if parts[q] == nil {
			parts[q] = &picture{now: p.now}
		}
		return parts[q]
	}
	if m.deps.Floor != nil {
		known, err := m.deps.Floor.Queues(ctx)
		if err != nil {
			return all, nil, err
		}
		for _, q := range known {
			at(q.Code)
		}
	}
	for i := range p.visits {
		q := at(p.visits[i].Queue)
		q.visits = append(q.visits, p.visits[i])
	}
	for i := range p.waiting {
		q := at(p.waiting[i].Queue)
		q.waiting = append(q.waiting, p.waiting[i])
	}
	for i := range p.agents {
		serves := []id.Queue{p.agents[i].Queue}
		if m.deps.Floor != nil {
			serves = m.deps.Floor.Serves(ctx, p.agents[i].Agent)
		}
		for _, q := range serves {
			at(q).agents = append(at(q).agents, p.agents[i])
		}
	}
	queues = make(map[id.Queue]Pulse, len(parts))
	for q, part := range parts {
		queues[q] = pulseOf(part.now, part.waiting, part.agents, rateNow(part))
	}
	return pulseOf(p.now, p.waiting, p.agents, rateNow(p)), queues, nil
}

func pulseOf(now int64, waiting []tally.Stay, agents []tally.Presence, rate *float64) Pulse {
	out := Pulse{Waiting: len(waiting), Rate: rate}
	if since := longest(waiting); since != nil {
		out.LongestMs = max(now-*since, 0)
	}
	for i := range agents {
		switch agents[i].State {
		case event.Away:
			out.Away++
		case event.SignedOut:
		default:
			out.Staffed++
		}
	}
	return out
}
