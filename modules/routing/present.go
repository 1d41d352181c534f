package routing

import (
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/acd"
)

// present is what routing keeps of a signed-in agent, beside the brain.
type present struct {
	user       id.User
	site       id.Site
	endpoint   contact.Endpoint
	seat       id.Seat
	up         bool  // the endpoint can be rung
	signedInAt int64 // unix ms: when the first state began; 0 before
	away       bool  // wants to be
	reason     string
	leaving    string // signs out when the talk ends: why
	direct     id.Contact
	now        standing
	last       map[id.Contact]work // queue visits this agent answered and has not wrapped up
	took       acd.OfferNo         // the newest offer granted
	granting   *granting           // among several processes: that one's
	recorded   *standing           // at a take-over: what the ledger says, where it is not now
}

// work is a queue visit an agent answered.
type work struct {
	queue     id.Queue
	enteredAt int64
}

// standing is an agent's state and since when.
type standing struct {
	state   event.AgentState
	reason  string
	contact id.Contact
	since   int64 // unix ms
	until   int64
	next    string
}

// over says that an agent's talk has ended, and when. The brain may hear of it late: while it stood still, or while
// nobody decided. Talk ends with the leg all the same.
type over struct {
	agent id.User
	at    int64 // unix ms
}

// agentState follows the brain's word on an agent. While a state is fed in, only the last word counts.
func (t *thinker) agentState(c acd.Command, by string) {
	p := t.agents[c.Agent]
	if p == nil {
		return
	}
	t.touch(c.Agent)
	if t.feeding != nil {
		t.feeding[c.Agent] = c
		return
	}
	p.wish(c)
	to := standing{state: stateWord(c.State), reason: c.Reason, contact: c.Contact, since: c.Since, until: c.Deadline, next: c.Pending}
	if p.now.state == event.Talking && t.over.agent == p.user && t.over.at > 0 {
		to.since = min(to.since, t.over.at)
	}
	if to.state == event.Talking && to.contact == p.direct && p.direct != "" {
		to.state = event.Ringing // given past the queues, and not answered yet
	} else {
		p.direct = ""
	}
	t.stand(p, to, by)
}

// wish keeps what the agent wants once nothing is open, for a brain that takes over.
func (p *present) wish(c acd.Command) {
	switch c.State {
	case acd.Away:
		if c.Deadline == 0 && c.Reason != acd.ReasonEndpoint {
			p.away, p.reason = true, c.Reason
		} else {
			p.away = false
		}
	case acd.Ready, acd.Reserved:
		p.away = false
	case acd.Talking, acd.WrapUp:
		p.away, p.reason = c.Pending != "", c.Pending
	case acd.SignedOut:
	}
}

// stand notes an agent's new state as a fact; the state left is closed to the millisecond. The first state of an
// agent opens the day part.
func (t *thinker) stand(p *present, to standing, by string) {
	was := p.now
	if p.signedInAt == 0 {
		p.signedInAt = to.since
		was = standing{state: event.SignedOut, since: to.since}
		t.post(p, to.since, event.AgentSignedIn{Endpoint: p.endpoint, Seat: p.seat})
	}
	to.since = max(to.since, was.since)
	if was.state == to.state && was.reason == to.reason && was.contact == to.contact {
		to.since = was.since
		if was.until == to.until && was.next == to.next {
			return
		}
	}
	p.now = to
	t.touch(p.user)
	f := event.AgentChanged{
		State: to.state, Reason: to.reason, Was: was.state, WasReason: was.reason, WasSince: was.since,
		Contact: was.contact, With: to.contact, Until: to.until, Next: to.next, By: by,
	}
	if was.state == to.state && to.since == was.since && was.contact == to.contact && was.reason == to.reason { // only the deadline moved: no time has been spent
		t.post(p, t.now(), f)
		return
	}
	f.WasMs = to.since - was.since
	if w, ok := p.last[was.contact]; ok {
		f.Queue, f.EnteredAt = w.queue, w.enteredAt
	}
	t.post(p, to.since, f)
	t.settle(p)
}

// settle forgets the visits of an agent who has nothing open, and lets go who only stayed for a talk.
func (t *thinker) settle(p *present) {
	switch p.now.state {
	case event.Talking, event.SignedOut:
		return
	case event.Wrapup, event.Ringing:
	case event.Ready, event.Away:
		clear(p.last)
	}
	if p.leaving != "" {
		t.leaving = append(t.leaving, p.user)
	}
}

func (t *thinker) post(p *present, at int64, b event.Body) {
	t.say(p, time.UnixMilli(at), p.site, string(p.user), b)
}

// say posts a fact of an agent's doing, at once unless an answer of theirs is still being written down.
func (t *thinker) say(p *present, at time.Time, place id.Site, subject string, b event.Body) {
	if p.granting == nil {
		t.m.deps.Facts.Post(at, place, subject, string(p.user), b)
		return
	}
	p.granting.say(func() { t.m.deps.Facts.Post(at, place, subject, string(p.user), b) })
}
