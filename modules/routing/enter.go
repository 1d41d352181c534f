package routing

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/acd"
)

// Entry is a contact that asks for an agent.
type Entry struct {
	Contact  id.Contact
	Medium   contact.Medium
	Site     id.Site
	Priority int       // beside the queue's own
	Caller   string    // the same for every attempt of one person: the number
	Needs    []Need    // beside the queue's own
	Sticky   id.User   // the agent the person knows
	First    bool      // the first request for an agent in this contact
	At       time.Time // when this stay began; zero: now
	Since    time.Time // when the place counts from: earlier than At for who comes back; zero: At
}

// Enter brings a contact into a queue. From here on routing decides: it rings agents through the contact's
// channel, or moves the contact to the flow of a rule (full, closed, nobody signed in, waited too long).
func (m *Module) Enter(ctx context.Context, queue id.Queue, e Entry) error {
	if _, ok := m.snap.Load().queues[queue]; !ok {
		return unknownQueue(queue)
	}
	now := m.deps.Clock.Now()
	if e.At.IsZero() {
		e.At = now
	}
	if e.Since.IsZero() {
		e.Since = e.At
	}
	w := &waiting{Entry: e, queue: queue, enteredAt: e.At.UnixMilli()}
	ev := acd.Event{
		Kind: acd.ContactEntered, Contact: e.Contact, Queue: queue, Channel: acd.Channel(e.Medium),
		EnteredAt: e.Since.UnixMilli(), Since: w.enteredAt, Priority: e.Priority, Sticky: e.Sticky, Caller: e.Caller, Site: e.Site,
	}
	for _, n := range e.Needs {
		ev.Needs = append(ev.Needs, acd.Need{Skill: n.Skill, Level: uint8(n.Level)})
	}
	m.deps.Facts.Post(now, e.Site, string(e.Contact), "", event.ContactQueued{
		Queue: queue, Priority: e.Priority, EnteredAt: w.enteredAt, First: e.First, Caller: e.Caller,
	})
	return m.do(ctx, request{event: ev, entry: w})
}

// Leave says a waiting contact is gone: hung up or lost. It is no fault to say so of a contact that waits no more.
func (m *Module) Leave(ctx context.Context, c id.Contact) error {
	return m.do(ctx, request{event: acd.Event{Kind: acd.ContactLeft, Contact: c}})
}

// Done says an agent's leg of a contact has ended: wrap-up begins.
func (m *Module) Done(ctx context.Context, c id.Contact, agent id.User) error {
	return m.do(ctx, request{event: acd.Event{Kind: acd.ContactDone, Contact: c, Agent: agent}})
}

// Take gives a contact to an agent past the queues: a call-out, a transfer to the agent. It fails when the
// agent has no room.
func (m *Module) Take(ctx context.Context, c id.Contact, medium contact.Medium, agent id.User) error {
	return m.do(ctx, request{event: acd.Event{Kind: acd.AgentTook, Contact: c, Agent: agent, Channel: acd.Channel(medium)}})
}

// Place says how many wait before the contact and how long it may take; ok is false when it does not wait.
func (m *Module) Place(ctx context.Context, c id.Contact) (ahead int, wait time.Duration, ok bool, err error) {
	err = m.do(ctx, request{look: func(t *thinker) {
		ahead, wait, ok = t.place(c)
	}})
	return ahead, wait, ok, err
}
