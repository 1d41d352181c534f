package routing

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/acd"
)

// Entry is a contact that asks for an agent.
type Entry struct {
	Contact  id.Contact     `json:"contact"`
	Medium   contact.Medium `json:"medium"`
	Site     id.Site        `json:"site"`
	Priority int            `json:"priority,omitempty"` // beside the queue's own
	Caller   string         `json:"caller,omitempty"`   // the same for every attempt of one person: the number
	Needs    []Need         `json:"needs,omitempty"`    // beside the queue's own
	Sticky   id.User        `json:"sticky,omitempty"`   // the agent the person knows
	First    bool           `json:"first,omitempty"`    // the first request for an agent in this contact
	Quiet    bool           `json:"quiet,omitempty"`    // somebody is called back: counted is the visit they asked in
	At       time.Time      `json:"at"`                 // when this visit to the queue began: names it within the contact; zero: now
	Since    time.Time      `json:"since"`              // when the place counts from; zero: At
	Keep     bool           `json:"keep,omitempty"`     // was in a queue of this line before: neither length nor closing is asked
}

// Enter brings a contact into a queue. From here on routing decides: it rings agents through the contact's
// channel, or moves the contact to the flow of a rule (full, closed, nobody signed in, waited too long).
func (m *Module) Enter(ctx context.Context, queue id.Queue, e Entry) error {
	if _, ok := m.snap.Load().queues[queue]; !ok {
		return unknownQueue(queue)
	}
	if e.At.IsZero() {
		e.At = m.deps.Clock.Now()
	}
	if e.Since.IsZero() || e.Since.After(e.At) {
		e.Since = e.At
	}
	w := &waiting{Entry: e, queue: queue, enteredAt: e.At.UnixMilli(), node: m.deps.Node}
	if m.deps.Peers != nil {
		m.enterShared(w)
		return nil
	}
	if m.deps.Live != nil {
		var err error
		if w.revision, err = m.deps.Live.Put(ctx, contactKey+string(w.Contact), w.note()); err != nil {
			return err
		}
	}
	return m.do(ctx, request{event: w.entered(), entry: w})
}

// entered is the brain's event of an entry.
func (w *waiting) entered() acd.Event {
	ev := acd.Event{
		Kind: acd.ContactEntered, Contact: w.Contact, Queue: w.queue, Channel: acd.Channel(w.Medium),
		EnteredAt: w.Since.UnixMilli(), Since: w.enteredAt, Priority: w.Priority, Sticky: w.Sticky, Caller: w.Caller, Site: w.Site,
		Rejoin: w.Keep,
	}
	for _, n := range w.Needs {
		ev.Needs = append(ev.Needs, acd.Need{Skill: n.Skill, Level: uint8(min(max(n.Level, 0), acd.MaxLevel))}) //nolint:gosec // 0–4
	}
	return ev
}

// Leave says a waiting contact is gone: hung up or lost. It is no fault to say so of a contact that waits no more.
func (m *Module) Leave(ctx context.Context, c id.Contact) error {
	if m.deps.Peers != nil {
		return m.leaveShared(ctx, c)
	}
	return m.do(ctx, request{event: acd.Event{Kind: acd.ContactLeft, Contact: c}})
}

// Place says where a contact stands in its queue; ok is false when it does not wait.
func (m *Module) Place(ctx context.Context, c id.Contact) (s Standing, ok bool, err error) {
	if m.deps.Peers != nil {
		r, err := m.order(ctx, Order{Verb: verbPlace, Contact: c})
		return r.Standing, r.OK, err
	}
	return m.placeHere(ctx, c)
}

func (m *Module) placeHere(ctx context.Context, c id.Contact) (s Standing, ok bool, err error) {
	err = m.do(ctx, request{look: func(t *thinker) {
		s, ok = t.place(c)
	}})
	return s, ok, err
}
