package acd

import (
	"slices"

	"github.com/kapok-hotline/kapok/core/id"
)

// queue is a configured queue. Slots are never given to another queue.
type queue struct {
	cfg     Queue
	slot    int32 // its own
	live    bool
	closed  bool
	needs   []need
	rings   []ring // never empty
	version int32  // counts configurations
	reach   uint8  // relax levels the needs allow
	ownFrom uint8  // first ring count at which the contact's own site matters; 255 = never
	plain   []int32
	members []int32 // contacts waiting or ringing, in no order
	pace    pace
}

type ring struct {
	after, onWait int64
	sites         []int32
	own, any      bool
}

// opensTo tells whether an agent of one of these sites stands in a ring open to the class.
func (q *queue) opensTo(k *class, sites []int32) bool {
	for _, r := range q.rings[:min(int(k.ring)+1, len(q.rings))] {
		if r.any || r.own && k.site != none && slices.Contains(sites, k.site) {
			return true
		}
		for _, s := range sites {
			if slices.Contains(r.sites, s) {
				return true
			}
		}
	}
	return false
}

// stale tells that a plain class is of an older configuration.
func (q *queue) stale(k *class, slot int32) bool {
	at := (int(k.channel)*(MaxLevel+1)+int(k.relax))*len(q.rings) + int(k.ring)
	return at >= len(q.plain) || q.plain[at] != slot
}

// queueSlot returns the slot of the queue, made (but not live) when it is new: an agent's queue list may name a
// queue before it is configured.
func (b *Brain) queueSlot(qid id.Queue) int32 {
	if i, ok := b.byQueue[qid]; ok {
		return i
	}
	i := int32(len(b.queues))
	b.byQueue[qid] = i
	b.queues = append(b.queues, queue{cfg: Queue{ID: qid}, slot: i, rings: []ring{{any: true}}, ownFrom: 255})
	return i
}

// configure takes a queue's configuration. Who waits keeps the place, gets the new rules and is matched anew.
func (b *Brain) configure(cfg *Queue) {
	if cfg == nil || cfg.ID == "" {
		b.reject("", "", "", WhyInvalid)
		return
	}
	i := b.queueSlot(cfg.ID)
	q := &b.queues[i]
	waiting := b.takeOut(i)
	for _, k := range q.plain { // classes still held by ringing contacts are dropped when those end
		if k != none && b.classes[k].refs == 0 {
			b.dropClass(k)
		}
	}
	b.adopt(q, cfg)
	for _, c := range waiting {
		b.reclass(c)
	}
	b.putBack(i, waiting, WhyClosing)
}

// adopt copies and completes the configuration.
func (b *Brain) adopt(q *queue, cfg *Queue) {
	c := *cfg
	c.Needs, c.Rings = slices.Clone(cfg.Needs), slices.Clone(cfg.Rings)
	c.Rings = c.Rings[:min(len(c.Rings), maxRings)]
	if c.Ringing <= 0 {
		c.Ringing = b.set.Ringing
	}
	if c.MaxWait <= 0 {
		c.MaxWait = b.set.MaxWait
	}
	if c.HeadStart <= 0 {
		c.HeadStart = b.set.HeadStart
	}
	c.NoAgentAfter = min(max(c.NoAgentAfter, 0), MaxNoAgent)
	q.version++
	q.cfg, q.live, q.closed = c, true, c.Closed
	q.needs = b.needs(nil, c.Needs)
	q.reach = reach(q.needs)
	q.rings, q.ownFrom = nil, 255
	for i, r := range c.Rings {
		q.rings = append(q.rings, ring{r.After, r.OnWait, interned(&b.names, r.Sites), r.Own, r.Any})
		if r.Own && q.ownFrom == 255 {
			q.ownFrom = uint8(i)
		}
	}
	if len(q.rings) == 0 {
		q.rings = []ring{{any: true}}
	}
	q.rings[0].after = 0
	q.plain = slices.Repeat([]int32{none}, MaxChannels*(MaxLevel+1)*len(q.rings))
}

// needs interns needs into dst, one entry a skill, in ascending skill order.
func (b *Brain) needs(dst []need, from []Need) []need {
	for _, n := range from[:min(len(from), maxExtraNeed)] {
		s := need{b.names.of(string(n.Skill)), min(n.Level, MaxLevel), 0}
		s.floor = min(n.Floor, s.level)
		at, ok := slices.BinarySearchFunc(dst, s, func(x, y need) int { return int(x.skill - y.skill) })
		if !ok {
			dst = slices.Insert(dst, at, s)
		} else if s.level > dst[at].level {
			dst[at] = s
		}
	}
	return dst
}

// reach is how many levels relaxing can take off needs.
func reach(needs []need) uint8 {
	var r uint8
	for _, n := range needs {
		r = max(r, n.level-n.floor)
	}
	return r
}

// takeOut takes all who wait (not those ringing) out of the classes, in order.
func (b *Brain) takeOut(q int32) []int32 {
	var out []int32
	for _, c := range b.queues[q].members {
		if b.contacts[c].state == waiting {
			b.unlist(c)
			b.timers.set(contactTimer(c), never)
			out = append(out, c)
		}
	}
	slices.SortFunc(out, b.compareContacts)
	return out
}

// putBack places contacts that were taken out, oldest first; who may not stay exits.
func (b *Brain) putBack(q int32, list []int32, why Why) {
	for _, c := range list {
		if !b.queues[q].live || b.queues[q].closed && b.queues[q].cfg.ClosingRule != "" {
			b.exit(c, b.queues[q].cfg.ClosingRule, why)
		} else {
			b.place(c, ByContact)
		}
	}
}

func (b *Brain) removeQueue(qid id.Queue) {
	i, ok := b.byQueue[qid]
	if !ok || !b.queues[i].live {
		b.reject("", "", qid, WhyNoQueue)
		return
	}
	q := &b.queues[i]
	waiting := b.takeOut(i)
	q.live = false
	b.putBack(i, waiting, WhyRemoved)
}

// openQueue and closeQueue: closing sends away who waits when the queue has a rule for it; who is ringing may
// still be answered.
func (b *Brain) openQueue(qid id.Queue) {
	if i, ok := b.byQueue[qid]; ok && b.queues[i].live {
		b.queues[i].closed = false
		return
	}
	b.reject("", "", qid, WhyNoQueue)
}

func (b *Brain) closeQueue(qid id.Queue) {
	i, ok := b.byQueue[qid]
	if !ok || !b.queues[i].live {
		b.reject("", "", qid, WhyNoQueue)
		return
	}
	b.queues[i].closed = true
	if b.queues[i].cfg.ClosingRule != "" {
		b.putBack(i, b.takeOut(i), WhyClosing)
	}
}
