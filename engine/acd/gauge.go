package acd

import (
	"slices"

	"github.com/kapok-hotline/kapok/core/id"
)

// pace is how fast places move up. It is learnt from those who were served: how long they waited, by the place they
// had when they came, so that leavers behind a person, who help nobody, are not counted for speed. Until enough have
// been served it is the smoothed time between two contacts leaving the queue, whatever for.
type pace struct {
	last, gap     int64   // moment of the last departure; smoothed gap in ms, 0 = unknown
	waits, places float64 // of those served of late: sums that fade
	learnt        int
}

// paceWeight is the share (1/paceWeight) a new gap has in the smoothed one.
const paceWeight = 8

// A pace is believed from paceLeast served on; the older ones fade by 1/paceMemory with each that comes.
const (
	paceLeast  = 8
	paceMemory = 48
)

// served learns from somebody who waited for a span from a place on.
func (p *pace) served(wait int64, place int32) {
	p.waits += float64(wait) - p.waits/paceMemory
	p.places += float64(place) - p.places/paceMemory
	p.learnt++
}

// perPlace is the time one place takes.
func (p *pace) perPlace() int64 {
	if p.places == 0 {
		return p.gap
	}
	return int64(p.waits / p.places)
}

func (p *pace) step(now int64) {
	if p.last != 0 {
		d := now - p.last
		if p.gap == 0 {
			p.gap = max(d, 1)
		} else {
			p.gap = max(p.gap+(d-p.gap)/paceWeight, 1)
		}
	}
	p.last = now
}

// waitFor estimates the wait of the contact at a position (1 = next): position times the pace. A present gap longer than
// the pace counts. Unknown until two contacts have left the queue.
func (b *Brain) waitFor(q *queue, position int) (int64, bool) {
	if q.pace.gap == 0 {
		return 0, false
	}
	if q.pace.learnt < paceLeast {
		return int64(position) * max(q.pace.gap, b.now-q.pace.last), true
	}
	return max(int64(position)*q.pace.perPlace(), b.now-q.pace.last), true
}

// Len is the number of contacts waiting or ringing in the queue; 0 when there is no such queue.
func (b *Brain) Len(q id.Queue) int {
	if i, ok := b.byQueue[q]; ok {
		return len(b.queues[i].members)
	}
	return 0
}

// Position is the contact's place among those waiting or ringing in its queue, 1 = next; false when it is in none.
// It costs a look at each of them; for many announcements at once use Order.
func (b *Brain) Position(c id.Contact) (int, bool) {
	ci := b.byContact.find(c)
	if ci == none || b.contacts[ci].state == unqueued {
		return 0, false
	}
	n := 1
	for _, o := range b.queues[b.contacts[ci].queue].members {
		if o != ci && b.compareContacts(o, ci) < 0 {
			n++
		}
	}
	return n, true
}

// EstimatedWait is a simple estimate of the time (ms) until the contact's turn; false while the queue's pace is
// not known or the contact is in no queue.
func (b *Brain) EstimatedWait(c id.Contact) (int64, bool) {
	pos, ok := b.Position(c)
	if !ok {
		return 0, false
	}
	return b.waitFor(&b.queues[b.contacts[b.byContact.find(c)].queue], pos)
}

// Order appends the contacts waiting or ringing in the queue to dst, the first in order first.
func (b *Brain) Order(dst []id.Contact, q id.Queue) []id.Contact {
	i, ok := b.byQueue[q]
	if !ok {
		return dst
	}
	list := slices.Clone(b.queues[i].members)
	slices.SortFunc(list, b.compareContacts)
	for _, ci := range list {
		dst = append(dst, b.idOf(ci))
	}
	return dst
}

// Staffed is the number of signed-in agents (whatever they do) who may take a contact of the queue, of the first
// channel and without needs of its own, once fully relaxed and with every ring open.
func (b *Brain) Staffed(q id.Queue) int {
	i, ok := b.byQueue[q]
	if !ok || !b.queues[i].live {
		return 0
	}
	at := &b.queues[i]
	top := at.reach
	if at.cfg.RelaxEvery <= 0 {
		top = 0
	}
	return b.classes[b.classFor(&contact{queue: i, plain: true}, &details{site: none}, top, uint8(len(at.rings)-1))].staff
}

// StateOf is the state last told of the agent; SignedOut when it is not signed in.
func (b *Brain) StateOf(a id.User) State {
	if ai := b.byAgent.find(a); ai != none {
		return b.agents[ai].shown.state
	}
	return SignedOut
}
