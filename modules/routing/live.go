package routing

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/acd"
)

// Keys in the bucket of live state. It outlives a brain: what is waited for and who is at work is read from it by the
// next one.
const (
	contactKey = "contact." // and the contact: written on entry by the process that holds it
	agentKey   = "agent."   // and the agent in hex: written by the brain alone
	brainKey   = "brain"    // the fence of the brain that decides, or did last
)

// contactNote is a waiting contact as the bucket has it.
type contactNote struct {
	Entry
	Queue     id.Queue `json:"queue"`
	EnteredAt int64    `json:"entered_at"` // unix ms
	Bonus     int      `json:"bonus,omitempty"`
	Node      id.Node  `json:"node"` // holds it
}

// waits makes of a note what the brain keeps.
func (n contactNote) waits(revision uint64) *waiting {
	return &waiting{Entry: n.Entry, queue: n.Queue, enteredAt: n.EnteredAt, bonus: n.Bonus, node: n.Node, revision: revision}
}

func (w *waiting) note() contactNote {
	return contactNote{Entry: w.Entry, Queue: w.queue, EnteredAt: w.enteredAt, Bonus: w.bonus, Node: w.node}
}

// agentNote is a signed-in agent as the bucket has it. Fence is the brain's that wrote it.
type agentNote struct {
	Fence      uint32           `json:"fence"`
	Site       id.Site          `json:"site"`
	Endpoint   contact.Endpoint `json:"endpoint"`
	Seat       id.Seat          `json:"seat,omitempty"`
	Up         bool             `json:"up"`
	SignedInAt int64            `json:"signed_in_at"`
	Away       bool             `json:"away,omitempty"`
	Reason     string           `json:"reason,omitempty"`
	Leaving    string           `json:"leaving,omitempty"`
	Direct     id.Contact       `json:"direct,omitempty"`
	Now        standingNote     `json:"now"`
	Offer      id.Offer         `json:"offer,omitempty"` // what rings
	Took       id.Offer         `json:"took,omitempty"`  // the newest one granted
	Works      []workNote       `json:"works,omitempty"`
}

type standingNote struct {
	State   event.AgentState `json:"state"`
	Reason  string           `json:"reason,omitempty"`
	Contact id.Contact       `json:"contact,omitempty"`
	Since   int64            `json:"since"`
	Until   int64            `json:"until,omitempty"`
	Next    string           `json:"next,omitempty"`
}

type workNote struct {
	Contact   id.Contact `json:"contact"`
	Queue     id.Queue   `json:"queue"`
	EnteredAt int64      `json:"entered_at"`
}

// keyOf writes an agent's code, which may hold dots and more, as a word of a key.
func keyOf(u id.User) string { return agentKey + hex.EncodeToString([]byte(u)) }

func agentOf(key string) (id.User, bool) {
	u, err := hex.DecodeString(strings.TrimPrefix(key, agentKey))
	return id.User(u), err == nil && len(u) > 0
}

// note writes an agent down as of now.
func (t *thinker) note(p *present) *agentNote {
	n := &agentNote{
		Fence: t.fence, Site: p.site, Endpoint: p.endpoint, Seat: p.seat, Up: p.up, SignedInAt: p.signedInAt,
		Away: p.away, Reason: p.reason, Leaving: p.leaving, Direct: p.direct,
		Now: standingNote{p.now.state, p.now.reason, p.now.contact, p.now.since, p.now.until, p.now.next},
	}
	if p.took != 0 {
		n.Took = p.took.ID()
	}
	if w := t.contacts[p.now.contact]; w != nil && w.offer != 0 && w.agent == p.user {
		n.Offer = w.offer.ID()
	}
	for c, k := range p.last {
		n.Works = append(n.Works, workNote{c, k.queue, k.enteredAt})
	}
	return n
}

// presence makes of a note what the brain keeps.
func (n *agentNote) presence(user id.User) *present {
	p := &present{
		user: user, site: n.Site, endpoint: n.Endpoint, seat: n.Seat, up: n.Up, signedInAt: n.SignedInAt,
		away: n.Away, reason: n.Reason, leaving: n.Leaving, direct: n.Direct, last: map[id.Contact]work{},
		now: standing{n.Now.State, n.Now.Reason, n.Now.Contact, n.Now.Since, n.Now.Until, n.Now.Next},
	}
	if took, err := acd.ParseOffer(n.Took); err == nil {
		p.took = took
	}
	for _, w := range n.Works {
		p.last[w.Contact] = work{w.Queue, w.EnteredAt}
	}
	return p
}

// touch has an agent written down when the request has been followed.
func (t *thinker) touch(user id.User) {
	if t.m.mirror != nil {
		t.touched[user] = struct{}{}
	}
}

// ticket gives a channel that says whether the agent, as the request leaves it, has been written down.
func (t *thinker) ticket(user id.User) <-chan error {
	c := make(chan error, 1)
	if t.m.mirror == nil {
		c <- nil
		return c
	}
	t.touch(user)
	t.tickets[user] = append(t.tickets[user], c)
	return c
}

// granting has what is said of an agent's answer, and of the agent from here on, wait until the agent is written down.
func (t *thinker) granting(p *present) {
	if t.m.deps.Peers == nil {
		return
	}
	p.granting = &granting{}
	t.grantings[p.user] = append(t.grantings[p.user], p.granting)
	t.touch(p.user)
}

// keep writes down whoever a request has touched.
func (t *thinker) keep() {
	for user := range t.touched {
		w := writing{key: keyOf(user), fence: t.fence, tickets: t.tickets[user], grantings: t.grantings[user]}
		if p := t.agents[user]; p != nil {
			w.note = t.note(p)
		}
		t.m.mirror.write(w)
		delete(t.touched, user)
		delete(t.tickets, user)
		delete(t.grantings, user)
	}
}

// let takes a contact that waits no more out of the bucket, unless it has entered anew.
func (t *thinker) let(w *waiting) {
	if t.m.deps.Peers != nil {
		t.past[w.Contact] = passed{w.revision, t.now()}
	}
	if t.m.mirror != nil {
		t.m.mirror.write(writing{key: contactKey + string(w.Contact), revision: w.revision})
	}
}

// letTo is let for a contact that an agent has got. Among several processes it stays in the bucket until the agent is
// written down as having it: a brain that is shut out just then must not take it from the one that shut it out.
func (t *thinker) letTo(w *waiting, agent id.User) {
	if t.m.deps.Peers == nil {
		t.let(w)
		return
	}
	t.past[w.Contact] = passed{w.revision, t.now()}
	written := t.ticket(agent)
	gone := writing{key: contactKey + string(w.Contact), revision: w.revision}
	t.m.offers.running.Go(func() {
		if t.m.may(t.m.life, written) {
			t.m.mirror.write(gone)
		}
	})
}

// passed is a stay that is over: the bucket may tell of it once more before it is taken away there.
type passed struct {
	revision uint64
	at       int64
}

// pastKeep is how long that can be.
const pastKeep = 2 * time.Minute

// forgetPast forgets the stays the bucket has forgotten too.
func (t *thinker) forgetPast() {
	for c, p := range t.past {
		if t.now()-p.at > pastKeep.Milliseconds() {
			delete(t.past, c)
		}
	}
	for c, at := range t.early {
		if t.now()-at > pastKeep.Milliseconds() {
			delete(t.early, c)
		}
	}
}

// rewarded writes the bonus of a redial into the contact, so that the next brain grants it too.
func (t *thinker) rewarded(w *waiting, c acd.Command) {
	if w.bonus == c.Bonus {
		return
	}
	w.bonus = c.Bonus
	if t.m.mirror != nil && w.revision != 0 {
		if r, err := t.m.deps.Live.Update(t.m.life, contactKey+string(w.Contact), w.note(), w.revision); err == nil {
			w.revision = r // else it is granted once more, by the next brain
		}
	}
}
