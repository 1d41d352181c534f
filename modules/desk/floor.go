package desk

import (
	"slices"
	"sync"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
)

// floor is what is going on, folded from the facts: the open contacts and the signed-in agents.
type floor struct {
	mu       sync.Mutex
	contacts map[id.Contact]*approach
	agents   map[id.User]*seat
	notes    map[id.User][]note // what leaders did, until acknowledged
	past     hadOf
	parked   map[id.Contact]*approach
	next     chan struct{} // closed at the next fact
}

// approach is an open contact as desks show it.
type approach struct {
	from, to  string
	number    id.Number
	leaders   []attending
	startedAt int64
	direction contact.Direction
	queue     id.Queue
	enteredAt int64
	waiting   bool
	screened  *event.ContactScreened // of a line with a screening
	out       *OutView               // of a call out
	stay      *stay                  // in a slot; nil: not parked
}

// seat is a signed-in agent as desks show it.
type seat struct {
	endpoint contact.Endpoint
	state    event.AgentState
	reason   string
	since    int64
	until    int64
	next     string
	site     id.Site
	place    id.Seat
	help     *ask
	cards    map[id.Contact]*card
	paged    bool // had a page open
}

// card is a contact at an agent.
type card struct {
	contact   id.Contact
	leg       id.Leg
	queue     id.Queue
	phase     string // ringing, dialing, talking, held, wrapup
	since     int64
	waitMs    int64
	enteredAt int64
	offered   ledger.Fact // says why it came here
	about     approach    // kept for the wrap-up, when the contact has ended

	own      bool // the agent asked to be rung
	asks     *asking
	parties  []joined // those who talk with caller and agent
	unasked  string   // why the newest one asked did not answer: a fault's code
	recalled int      // times the agent was reminded of the hold under way
}

func newFloor() *floor {
	return &floor{past: hadOf{}, contacts: map[id.Contact]*approach{}, agents: map[id.User]*seat{}, next: make(chan struct{})}
}

// changed gives a channel that is closed when the next fact has been folded.
func (f *floor) changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.next
}

// at gives the agent signed in at a desk phone, "" when it is free.
func (f *floor) at(p id.Phone) id.User {
	f.mu.Lock()
	defer f.mu.Unlock()
	for user, s := range f.agents {
		if s.endpoint.Phone == p {
			return user
		}
	}
	return ""
}

// apply folds one fact and names the agents whose desk changed.
func (f *floor) apply(fact ledger.Fact) []id.User {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer func() {
		close(f.next)
		f.next = make(chan struct{})
	}()
	c := id.Contact(fact.Subject)
	switch fact.Kind {
	case event.ContactStarted{}.Kind():
		if b, ok := body[event.ContactStarted](fact); ok {
			f.contacts[c] = &approach{from: b.From, to: b.To, number: b.Number, startedAt: fact.At, direction: b.Direction}
		}
	case event.ContactQueued{}.Kind():
		if b, ok := body[event.ContactQueued](fact); ok && f.contacts[c] != nil {
			f.contacts[c].queue, f.contacts[c].enteredAt, f.contacts[c].waiting = b.Queue, b.EnteredAt, true
		}
	case event.ContactScreened{}.Kind():
		if b, ok := body[event.ContactScreened](fact); ok && f.contacts[c] != nil {
			f.contacts[c].screened = &b
		}
	case event.ContactOffered{}.Kind():
		if b, ok := body[event.ContactOffered](fact); ok {
			return f.ring(c, b, fact)
		}
	case event.ContactMissed{}.Kind():
		if b, ok := body[event.ContactMissed](fact); ok {
			return f.drop(c, b.Agent)
		}
	case event.ContactAnswered{}.Kind():
		f.left(c)
		if b, ok := body[event.ContactAnswered](fact); ok && !b.ByCallback() { // else the agent has the call back, not the visit
			return f.talk(c, b.Agent, b.Queue, b.WaitMs, fact.At)
		}
	case event.ContactExited{}.Kind(), event.ContactAbandoned{}.Kind():
		f.left(c)
	case event.ContactEnded{}.Kind(), event.ContactLost{}.Kind():
		was := f.contacts[c]
		delete(f.contacts, c)
		if was != nil && f.unstay(c, was.stay) { // lost with its process
			return f.everybody()
		}
	case event.ContactParked{}.Kind(), event.ContactUnparked{}.Kind():
		return f.parks(c, fact)
	case event.LegStarted{}.Kind(), event.LegAnswered{}.Kind(), event.LegHeld{}.Kind(), event.LegResumed{}.Kind(), event.LegEnded{}.Kind():
		return f.leg(c, fact)
	case event.ConsultBegun{}.Kind(), event.ConsultTurned{}.Kind(), event.ConsultEnded{}.Kind(), event.ConsultMuted{}.Kind(), event.LegRecalled{}.Kind():
		return f.consults(c, fact)
	case event.CalloutBegun{}.Kind(), event.CalloutAnswered{}.Kind(), event.CalloutEnded{}.Kind():
		return f.outgoing(c, fact)
	case event.AgentForced{}.Kind(), event.AgentNoted{}.Kind():
		return f.noted(id.User(fact.Subject), fact)
	case event.ContactSupervised{}.Kind():
		if b, ok := body[event.ContactSupervised](fact); ok {
			return f.attended(c, fact.At, b.Leg, b)
		}
	case event.AgentSignedIn{}.Kind(), event.AgentChanged{}.Kind(), event.AgentSignedOut{}.Kind(), event.AgentAskedHelp{}.Kind(), event.AgentHelped{}.Kind():
		return f.agent(id.User(fact.Subject), fact)
	}
	return nil
}

// left notes that a contact waits no more.
func (f *floor) left(c id.Contact) {
	if a := f.contacts[c]; a != nil {
		a.waiting = false
	}
}

func (f *floor) ring(c id.Contact, b event.ContactOffered, fact ledger.Fact) []id.User {
	s := f.agents[b.Agent]
	if s == nil {
		return nil
	}
	s.cards[c] = &card{contact: c, queue: b.Queue, phase: "ringing", since: fact.At, enteredAt: b.EnteredAt, waitMs: fact.At - b.EnteredAt, offered: fact, about: f.about(c)}
	return []id.User{b.Agent}
}

func (f *floor) drop(c id.Contact, agent id.User) []id.User {
	s := f.agents[agent]
	if s == nil || s.cards[c] == nil || s.cards[c].phase != "ringing" {
		return nil
	}
	delete(s.cards, c)
	return []id.User{agent}
}

func (f *floor) talk(c id.Contact, agent id.User, queue id.Queue, waitMs, at int64) []id.User {
	s := f.agents[agent]
	if s == nil {
		return nil
	}
	k := s.cards[c]
	if k == nil {
		k = &card{contact: c, about: f.about(c)}
		s.cards[c] = k
	}
	k.phase, k.since = "talking", at
	if queue != "" {
		k.queue, k.waitMs = queue, waitMs
	}
	return []id.User{agent}
}

// leg follows the agent's own leg: hold, resume, the end of the talk; and a leg that came past the queues.
func (f *floor) leg(c id.Contact, fact ledger.Fact) []id.User {
	switch fact.Kind {
	case event.LegStarted{}.Kind():
		b, ok := body[event.LegStarted](fact)
		if s := f.agents[b.Agent]; ok && s != nil && b.Role != supervisor {
			if s.cards[c] == nil {
				s.cards[c] = &card{contact: c, phase: "ringing", since: fact.At, about: f.about(c)}
			}
			s.cards[c].leg, s.cards[c].own = b.Leg, b.Own
			return []id.User{b.Agent}
		}
	case event.LegAnswered{}.Kind():
		b, _ := body[event.LegAnswered](fact)
		if user, k := f.byLeg(c, b.Leg); k != nil && k.phase != "talking" { // held: was asked, and has the person now
			k.phase, k.since = "talking", fact.At
			if k.about.unreached() {
				k.phase = "dialing"
			}
			return []id.User{user}
		}
	case event.LegHeld{}.Kind():
		b, _ := body[event.LegHeld](fact)
		return f.phase(c, b.Leg, "held", fact.At)
	case event.LegResumed{}.Kind():
		b, _ := body[event.LegResumed](fact)
		return f.phase(c, b.Leg, "talking", fact.At)
	case event.LegEnded{}.Kind():
		b, ok := body[event.LegEnded](fact)
		if ok && b.Role == supervisor {
			return f.attended(c, fact.At, b.Leg, event.ContactSupervised{})
		}
		s := f.agents[b.Agent]
		if !ok || s == nil || s.cards[c] == nil || s.cards[c].leg != b.Leg {
			return nil
		}
		if s.cards[c].phase == "ringing" || s.state != event.Wrapup && s.state != event.Talking {
			if s.cards[c].phase != "ringing" {
				f.past.keep(b.Agent, c)
			}
			delete(s.cards, c)
		} else {
			s.cards[c].phase, s.cards[c].since = "wrapup", fact.At
			s.cards[c].asks, s.cards[c].parties, s.cards[c].unasked, s.cards[c].recalled = nil, nil, "", 0
		}
		return []id.User{b.Agent}
	}
	return nil
}

func (f *floor) phase(c id.Contact, leg id.Leg, phase string, at int64) []id.User {
	user, k := f.byLeg(c, leg)
	if k == nil {
		return nil
	}
	k.phase, k.since, k.recalled = phase, at, 0
	if phase == "talking" {
		k.unasked = ""
	}
	return []id.User{user}
}

func (f *floor) byLeg(c id.Contact, leg id.Leg) (id.User, *card) {
	for user, s := range f.agents {
		if k := s.cards[c]; k != nil && k.leg == leg {
			return user, k
		}
	}
	return "", nil
}

func (f *floor) agent(user id.User, fact ledger.Fact) []id.User {
	switch fact.Kind {
	case event.AgentSignedIn{}.Kind():
		b, _ := body[event.AgentSignedIn](fact)
		f.agents[user] = &seat{endpoint: b.Endpoint, state: event.Away, since: fact.At, site: id.Site(fact.Place), place: b.Seat, cards: map[id.Contact]*card{}}
	case event.AgentChanged{}.Kind():
		b, ok := body[event.AgentChanged](fact)
		s := f.agents[user]
		if !ok || s == nil {
			return nil
		}
		s.state, s.reason, s.until, s.next = b.State, b.Reason, b.Until, b.Next
		s.since = b.WasSince + b.WasMs
		if b.State != event.Talking && b.State != event.Wrapup {
			for c, k := range s.cards {
				if k.phase != "ringing" || b.State != event.Ringing {
					if k.phase != "ringing" {
						f.past.keep(user, c)
					}
					delete(s.cards, c)
				}
			}
		}
	case event.AgentSignedOut{}.Kind():
		delete(f.agents, user)
	case event.AgentAskedHelp{}.Kind():
		if s := f.agents[user]; s != nil {
			b, _ := body[event.AgentAskedHelp](fact)
			s.help = &ask{contact: b.Contact, note: b.Note, at: fact.At}
		}
	case event.AgentHelped{}.Kind():
		if s := f.agents[user]; s != nil {
			s.help = nil
		}
	}
	return []id.User{user}
}

func (f *floor) about(c id.Contact) approach {
	if a := f.contacts[c]; a != nil {
		return *a
	}
	return approach{}
}

// holds says whether the agent has the contact, and in which phase.
func (f *floor) holds(user id.User, c id.Contact) (phase string, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.agents[user]; s != nil && s.cards[c] != nil {
		return s.cards[c].phase, true
	}
	return "", false
}

// sorted gives the agent's cards, the oldest first.
func (s *seat) sorted() []*card {
	out := make([]*card, 0, len(s.cards))
	for _, k := range s.cards {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b *card) int { return int(a.since - b.since) })
	return out
}

func body[T any](f ledger.Fact) (T, bool) { return ledger.Read[T](&f) }
