package routing

import (
	"context"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/acd"
)

// Queue gives a queue's configuration.
func (m *Module) Queue(code id.Queue) (Queue, bool) {
	q, ok := m.snap.Load().queues[code]
	return q, ok
}

// Skill gives a skill by its code.
func (m *Module) Skill(code id.Skill) (Skill, bool) {
	s, ok := m.snap.Load().skills[code]
	return s, ok
}

// Queues gives every queue, by code.
func (m *Module) Queues() []Queue {
	s := m.snap.Load()
	out := make([]Queue, 0, len(s.order))
	for _, code := range s.order {
		out = append(out, s.queues[code])
	}
	return out
}

// Serves gives the queues whose needs an agent meets, by code.
func (m *Module) Serves(agent id.User) []id.Queue {
	s := m.snap.Load()
	a, ok := s.agents[agent]
	if !ok {
		return nil
	}
	var out []id.Queue
	for _, code := range s.order {
		if meets(a, s.queues[code].Needs) {
			out = append(out, code)
		}
	}
	return out
}

func meets(a Agent, needs []Need) bool {
	for _, n := range needs {
		if level, ok := a.Skills[n.Skill]; !ok || level < n.Level {
			return false
		}
	}
	return true
}

// EndpointChanged says an endpoint can be rung, or no more, to the brain's agent who sits there, if any.
func (m *Module) EndpointChanged(ctx context.Context, at contact.Endpoint, up bool) (agent id.User, err error) {
	if m.deps.Peers != nil {
		r, err := m.order(ctx, Order{Verb: verbEndpoint, Endpoint: at, Ready: up})
		return r.Agent, err
	}
	return m.endpointChanged(ctx, at, up)
}

func (m *Module) endpointChanged(ctx context.Context, at contact.Endpoint, up bool) (agent id.User, err error) {
	err = m.do(ctx, request{look: func(t *thinker) {
		for user, p := range t.agents {
			if at.Browser() && p.endpoint.Browser() && user == at.Agent || !at.Browser() && p.endpoint.Phone == at.Phone {
				agent = user
			}
		}
		if agent == "" {
			return
		}
		kind := acd.EndpointLost
		if up {
			kind = acd.EndpointBack
		}
		t.agents[agent].up = up
		t.touch(agent)
		t.apply(acd.Event{Kind: kind, Agent: agent})
	}})
	return agent, err
}

// Waiting gives the contacts waiting or ringing now, for those who compare the ledger with what is true.
func (m *Module) Waiting(ctx context.Context) (map[id.Contact]bool, error) {
	if m.deps.Peers != nil {
		r, err := m.order(ctx, Order{Verb: verbWaiting})
		all := map[id.Contact]bool{}
		for _, c := range r.Contacts {
			all[c] = true
		}
		return all, err
	}
	return m.waitingHere(ctx)
}

func (m *Module) waitingHere(ctx context.Context) (all map[id.Contact]bool, err error) {
	all = map[id.Contact]bool{}
	err = m.do(ctx, request{look: func(t *thinker) {
		for c := range t.contacts {
			all[c] = true
		}
	}})
	return all, err
}
