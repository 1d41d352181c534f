package acd

import (
	"slices"

	"github.com/kapok-hotline/kapok/core/id"
)

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
	n, _, ok := b.places(c)
	return n, ok
}

// places is the contact's place among all in its queue, and among those for whom no agent is asked yet (0: one is asked
// for this contact).
func (b *Brain) places(c id.Contact) (all, inLine int, ok bool) {
	ci := b.byContact.find(c)
	if ci == none || b.contacts[ci].state == unqueued {
		return 0, 0, false
	}
	for _, o := range b.queues[b.contacts[ci].queue].members {
		if o == ci || b.compareContacts(o, ci) < 0 {
			all++
			if b.contacts[o].state == waiting {
				inLine++
			}
		}
	}
	if b.contacts[ci].state == ringing {
		inLine = 0
	}
	return all, inLine, true
}

// EstimatedWait is what is thought of the time (ms) until the contact's turn; false while the queue's pace is not known
// or the contact is in no queue. Wait says whether it can be told to anybody.
func (b *Brain) EstimatedWait(c id.Contact) (int64, bool) {
	_, inLine, ok := b.places(c)
	if !ok {
		return 0, false
	}
	return b.waitFor(&b.queues[b.contacts[b.byContact.find(c)].queue], inLine)
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
	return b.classes[b.widest(&b.queues[i])].staff
}

// widest is the plain class of a queue's first channel, fully relaxed and with every ring open.
func (b *Brain) widest(q *queue) int32 {
	top := q.reach
	if q.cfg.RelaxEvery <= 0 {
		top = 0
	}
	if k := q.plain[int(top)*len(q.rings)+len(q.rings)-1]; k != none {
		return k
	}
	return b.classFor(&contact{queue: q.slot, plain: true}, &details{site: none}, top, uint8(len(q.rings)-1))
}

// here is the number of agents who may take a contact of the queue and are not away, whatever they do.
func (b *Brain) here(q *queue) int { return b.classes[b.widest(q)].here }

// StateOf is the state last told of the agent; SignedOut when it is not signed in.
func (b *Brain) StateOf(a id.User) State {
	if ai := b.byAgent.find(a); ai != none {
		return b.agents[ai].shown.state
	}
	return SignedOut
}
