package routing

import (
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
)

// idlest gives who of those who meet a queue's needs is ready and idle longest, or already taken for the contact; ""
// when nobody is.
func (t *thinker) idlest(queue id.Queue, c id.Contact) (best id.User) {
	s := t.m.snap.Load()
	q, ok := s.queues[queue]
	if !ok {
		return ""
	}
	since := int64(0)
	for user, p := range t.agents {
		if p.direct == c {
			return user // asked again
		}
		if p.now.state != event.Ready || !p.up || !meets(s.agents[user], q.Needs) {
			continue
		}
		if best == "" || p.now.since < since || p.now.since == since && user < best {
			best, since = user, p.now.since
		}
	}
	return best
}
