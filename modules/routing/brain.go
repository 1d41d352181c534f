package routing

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/acd"
)

// request is one thing asked of the brain's goroutine: an event to apply, a new configuration, or a look.
type request struct {
	event     acd.Event
	entry     *waiting       // with ContactEntered: what the facts need to know
	person    *present       // with AgentSignedIn
	by        string         // who caused it, for agent.changed
	look      func(*thinker) // reads, after the event
	configure bool
	done      chan error
}

// waiting is what routing keeps of a contact in a queue, beside the brain.
type waiting struct {
	Entry
	queue     id.Queue
	enteredAt int64
	offer     acd.OfferNo // being rung, with agent
	agent     id.User
}

// present is what routing keeps of a signed-in agent, beside the brain.
type present struct {
	user       id.User
	site       id.Site
	endpoint   contact.Endpoint
	signedInAt time.Time
	now        standing
	last       map[id.Contact]work // queue visits this agent answered and has not wrapped up
}

// work is a queue visit an agent answered.
type work struct {
	queue     id.Queue
	enteredAt int64
}

// thinker is the brain with what its goroutine alone touches.
type thinker struct {
	m        *Module
	brain    *acd.Brain
	contacts map[id.Contact]*waiting
	agents   map[id.User]*present
	closed   map[id.Queue]bool
	queues   map[id.Queue]bool // those the brain knows
	refused  error             // set by a Rejected command of the event being applied
	granted  bool              // set by a Connect command
	decision *acd.Decision     // the newest decision, opened
}

// run feeds the brain until ctx ends: requests in order, timers when due, opening hours twice a minute.
func (m *Module) run(ctx context.Context) error {
	t := &thinker{
		m: m, contacts: map[id.Contact]*waiting{}, agents: map[id.User]*present{},
		closed: map[id.Queue]bool{}, queues: map[id.Queue]bool{},
	}
	t.brain = acd.New(acd.Config{Settings: brainSettings(m.snap.Load().rules), Fence: 1})
	t.brain.Trace(func(d *acd.Decision) { t.decision = trimmed(d) })
	t.configure()
	close(m.ready)

	wake := m.deps.Clock.NewTimer(time.Hour)
	defer wake.Stop()
	hours := m.deps.Clock.NewTimer(hoursEvery)
	defer hours.Stop()
	for {
		t.sleepUntilNext(wake)
		select {
		case r := <-m.requests:
			t.serve(r)
		case <-wake.C():
			t.apply(acd.Event{Kind: acd.Tick})
		case <-hours.C():
			t.openAndClose()
			hours.Reset(hoursEvery)
		case <-ctx.Done():
			t.signOutAll()
			m.offers.wait()
			return nil
		}
	}
}

const hoursEvery = 30 * time.Second

func (t *thinker) sleepUntilNext(wake interface{ Reset(time.Duration) bool }) {
	at, ok := t.brain.Next()
	wait := time.Hour
	if ok {
		wait = max(time.Duration(at-t.now())*time.Millisecond, 0)
	}
	wake.Reset(wait)
}

func (t *thinker) now() int64 { return t.m.deps.Clock.Now().UnixMilli() }

func (t *thinker) serve(r request) {
	t.refused = nil
	switch {
	case r.configure:
		t.configure()
	case r.look != nil && r.event.Kind == acd.Tick:
	default:
		t.admit(r)
		t.applyBy(r.event, r.by)
		t.dismiss(r)
	}
	if r.look != nil {
		r.look(t)
	}
	if r.done != nil {
		r.done <- t.refused
	}
}

// admit notes who comes, before the brain's commands speak of them.
func (t *thinker) admit(r request) {
	switch r.event.Kind {
	case acd.ContactEntered:
		t.contacts[r.event.Contact] = r.entry
	case acd.AgentSignedIn:
		t.agents[r.event.Profile.ID] = r.person
	case acd.ContactLeft:
		t.gone(r.event.Contact)
	}
}

// dismiss forgets who has gone, after the commands.
func (t *thinker) dismiss(r request) {
	switch r.event.Kind {
	case acd.ContactLeft:
		delete(t.contacts, r.event.Contact)
	case acd.AgentSignedOut:
		delete(t.agents, r.event.Agent)
	}
}

// do hands a request to the brain and waits for it to be carried out.
func (m *Module) do(ctx context.Context, r request) error {
	r.done = make(chan error, 1)
	select {
	case m.requests <- r:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// configure tells the brain the configuration as it is now. Who waits keeps the place.
func (t *thinker) configure() {
	s := t.m.snap.Load()
	settings := brainSettings(s.rules)
	t.apply(acd.Event{Kind: acd.SettingsChanged, Settings: &settings})
	for _, code := range s.order {
		q := s.queues[code]
		t.closed[code] = !t.isOpen(q)
		t.apply(acd.Event{Kind: acd.QueueConfigured, Config: brainQueue(q, t.closed[code])})
	}
	for code := range t.queues {
		if _, ok := s.queues[code]; !ok {
			t.apply(acd.Event{Kind: acd.QueueRemoved, Queue: code})
		}
	}
	t.queues = map[id.Queue]bool{}
	for _, code := range s.order {
		t.queues[code] = true
	}
	for user, p := range t.agents {
		t.apply(acd.Event{Kind: acd.AgentChanged, Profile: brainAgent(user, s.agents[user], t.m.path(p.site))})
	}
}

func (t *thinker) openAndClose() {
	s := t.m.snap.Load()
	for _, code := range s.order {
		closed := !t.isOpen(s.queues[code])
		if closed == t.closed[code] {
			continue
		}
		t.closed[code] = closed
		kind := acd.QueueOpened
		if closed {
			kind = acd.QueueClosed
		}
		t.apply(acd.Event{Kind: kind, Queue: code})
	}
}

func (t *thinker) isOpen(q Queue) bool {
	return q.Calendar == "" || t.m.deps.Hours == nil || t.m.deps.Hours.Open(q.Calendar, t.m.deps.Clock.Now())
}

func (m *Module) path(site id.Site) []id.Site {
	if m.deps.Sites == nil {
		return []id.Site{site}
	}
	return m.deps.Sites.Path(site)
}

// signOutAll closes what is open when the process stops in good order.
func (t *thinker) signOutAll() {
	for user := range t.agents {
		t.signOut(user, "shutdown")
	}
}

// unknownQueue is the fault for a queue nobody configured.
func unknownQueue(q id.Queue) error {
	return fault.New(fault.NotFound, "routing.queue.unknown", "queue", string(q))
}
