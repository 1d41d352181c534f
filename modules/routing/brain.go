package routing

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/acd"
)

// request is one thing asked of the brain's goroutine: an event to apply, a new configuration, or a look.
type request struct {
	event     acd.Event
	entry     *waiting       // with ContactEntered: what the facts need to know
	by        string         // who caused it, for agent.changed
	look      func(*thinker) // acts or reads, after the event
	leaves    id.Contact     // in a cluster: who leaves, even where the entry is not known yet
	configure bool
	promised  bool // with ContactLeft: the person is to be called back
	done      chan error
}

// waiting is what routing keeps of a contact in a queue, beside the brain.
type waiting struct {
	Entry
	queue     id.Queue
	enteredAt int64       // of this visit, for the figures; its place counts from Entry.Since
	bonus     int         // granted for redialling
	offer     acd.OfferNo // being rung, with agent
	agent     id.User
	node      id.Node // the process that holds it
	revision  uint64  // in the bucket; 0: not there
}

// thinker is the brain with what its goroutine alone touches.
type thinker struct {
	m         *Module
	brain     *acd.Brain
	fence     uint32
	leading   bool // holds the lease: only then anything is offered
	contacts  map[id.Contact]*waiting
	agents    map[id.User]*present
	closed    map[id.Queue]bool
	queues    map[id.Queue]bool             // those the brain knows
	refused   error                         // set by a Rejected command of the event being applied
	granted   bool                          // set by a Connect command of the event being applied
	decisions map[acd.OfferNo]*acd.Decision // of the event being applied, opened
	feeding   map[id.User]acd.Command       // while a state is fed in: the newest state told of each agent
	over      over                          // of the event being applied: the talk that is over
	leaving   []id.User                     // to be signed out when the event has been followed
	touched   map[id.User]struct{}          // to be written down when the request has been followed
	tickets   map[id.User][]chan error      // who waits for that
	grantings map[id.User][]*granting       // whose answer hangs on that
	past      map[id.Contact]passed         // in a cluster: stays that are over
	early     map[id.Contact]int64          // in a cluster: who left before their entry was known, and when
	dropped   map[id.User]struct{}          // at a take-over: whose key is to go
	term      term                          // the holding of the lease, in a cluster
	close     func()                        // in a cluster: ends what open began
}

// run feeds the brain until ctx ends: requests in order, timers when due, opening hours twice a minute. It decides
// only while it holds the lease; without it who comes gets a place and waits on.
func (m *Module) run(ctx context.Context) error {
	t := &thinker{
		m: m, contacts: map[id.Contact]*waiting{}, agents: map[id.User]*present{},
		closed: map[id.Queue]bool{}, queues: map[id.Queue]bool{}, decisions: map[acd.OfferNo]*acd.Decision{},
		touched: map[id.User]struct{}{}, tickets: map[id.User][]chan error{}, grantings: map[id.User][]*granting{}, dropped: map[id.User]struct{}{}, past: map[id.Contact]passed{}, early: map[id.Contact]int64{},
	}
	t.rebuild(0, false)
	seat := m.lead(ctx)
	defer seat.leave()
	close(m.ready)

	wake := m.deps.Clock.NewTimer(time.Hour)
	defer wake.Stop()
	hours := m.deps.Clock.NewTimer(hoursEvery)
	defer hours.Stop()
	end := ctx.Done()
	var late <-chan time.Time
	for !t.finished(end == nil, late) {
		t.keep()
		t.sleepUntilNext(wake)
		select {
		case r := <-m.requests:
			t.serve(r)
		case <-wake.C():
			if t.decides() {
				t.apply(acd.Event{Kind: acd.Tick})
			}
		case <-hours.C():
			if t.decides() {
				t.openAndClose()
			}
			t.forgetPast()
			hours.Reset(hoursEvery)
		case now := <-seat.turns:
			t.turn(now, end != nil)
		case <-end:
			end = nil // from here on nothing is offered; calls under way are let end in good order
			t.turn(term{}, false)
			timer := m.deps.Clock.NewTimer(farewell)
			defer timer.Stop()
			late = timer.C()
		}
	}
	close(m.stopped) // who still asks is told so at once: none of the errands below may wait for an answer
	if m.deps.Peers == nil {
		t.signOutAll()
		t.keep()
	}
	m.farewell()
	m.offers.wait()
	return nil
}

const (
	hoursEvery = 30 * time.Second
	// farewell is how long the brain waits, when the process stops, for the channels to end their contacts: each
	// has to say that it is over, so that its record is whole.
	farewell = 8 * time.Second
)

// finished tells, once the process stops, that no contact and no talk is open any more, or that the time is over.
func (t *thinker) finished(ending bool, late <-chan time.Time) bool {
	if !ending {
		return false
	}
	select {
	case <-late:
		return true
	default:
	}
	for _, p := range t.agents {
		if p.talks() {
			return false
		}
	}
	return len(t.contacts) == 0 && len(t.m.requests) == 0
}

func (t *thinker) sleepUntilNext(wake interface{ Reset(time.Duration) bool }) {
	at, ok := t.brain.Next()
	wait := time.Hour
	if ok {
		wait = max(time.Duration(at-t.now())*time.Millisecond, 0)
	}
	wake.Reset(wait)
}

// decides tells whether this process may decide, of several; one alone goes on without the lease, and offers nothing.
func (t *thinker) decides() bool { return t.m.deps.Peers == nil || t.leading && t.term.holds() }

func (t *thinker) now() int64 { return t.m.deps.Clock.Now().UnixMilli() }

func (t *thinker) serve(r request) {
	t.refused, t.granted = nil, false
	if !r.configure && !t.decides() {
		if r.done != nil {
			r.done <- errVacant
		}
		return
	}
	switch {
	case r.configure:
		t.configure()
	case r.look != nil && r.event.Kind == acd.Tick:
	default:
		t.expect(r.leaves)
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

// admit notes who comes, before the brain's commands speak of them. A contact that waits elsewhere leaves there.
func (t *thinker) admit(r request) {
	if r.event.Kind != acd.ContactEntered {
		return
	}
	w := r.entry
	t.moved(w.Contact)
	t.contacts[w.Contact] = w
	if w.Quiet {
		return
	}
	t.m.deps.Facts.Post(t.m.deps.Clock.Now(), w.Site, string(w.Contact), "", event.ContactQueued{
		Queue: w.queue, Priority: w.Priority, EnteredAt: w.enteredAt, First: w.First, Caller: w.Caller,
	})
}

// moved closes the visit of a contact that goes elsewhere by somebody's hand, if it has one open.
func (t *thinker) moved(c id.Contact) {
	w := t.contacts[c]
	if w == nil {
		return
	}
	if w.offer != 0 {
		t.m.offers.cancel(w.offer)
	}
	t.missed(c, acd.WhyMoved)
	now := t.m.deps.Clock.Now()
	t.m.deps.Facts.Post(now, w.Site, string(c), "", event.ContactExited{
		Queue: w.queue, EnteredAt: w.enteredAt, WaitMs: now.UnixMilli() - w.enteredAt, Why: "transferred",
	})
	t.let(w)
	delete(t.contacts, c)
}

// dismiss forgets who has gone, after the commands: an offer that rang is told before the person left.
func (t *thinker) dismiss(r request) {
	if r.event.Kind == acd.ContactLeft {
		t.gone(r.event.Contact, r.promised)
		if w := t.contacts[r.event.Contact]; w != nil {
			t.let(w)
		}
		delete(t.contacts, r.event.Contact)
	}
}

// do hands a request to the brain and waits for it to be carried out.
func (m *Module) do(ctx context.Context, r request) error {
	r.done = make(chan error, 1)
	select {
	case m.requests <- r:
	case <-m.stopped:
		return stopped()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-r.done:
		return err
	case <-m.stopped:
		select {
		case err := <-r.done: // it was the last thing done
			return err
		default:
			return stopped()
		}
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stopped is the fault for who asks a brain that has ended.
func stopped() error { return fault.New(fault.Unavailable, "routing.stopped") }

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
	if t.feeding != nil {
		return // the agents come next
	}
	for _, user := range t.signedIn() {
		t.apply(acd.Event{Kind: acd.AgentChanged, Profile: brainAgent(user, s.agents[user], t.m.path(t.agents[user].site))})
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
	for _, user := range t.signedIn() {
		t.signOut(user, "shutdown")
	}
}

// signedIn gives the agents in order, so that the same state gives the same decisions.
func (t *thinker) signedIn() []id.User { return slices.Sorted(maps.Keys(t.agents)) }

// unknownQueue is the fault for a queue nobody configured.
func unknownQueue(q id.Queue) error {
	return fault.New(fault.NotFound, "routing.queue.unknown", "queue", string(q))
}
