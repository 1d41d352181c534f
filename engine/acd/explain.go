package acd

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kapok-hotline/kapok/core/id"
)

// Refusal says why an agent could not take a contact, or Eligible.
type Refusal uint8

// The refusals: the first group lies in abilities, the second in what the agent was doing.
const (
	Eligible   Refusal = iota
	NotInQueue         // its list of queues does not name this one
	NotInRing          // its site is in no ring open so far
	NoSkill            // lacks a needed skill
	LowLevel           // has it, not at the level asked so far
	NoSlot             // does not work this channel
	IsAway
	IsReserved
	InWrapUp
	IsResting
	NoRoom     // slots or weight are full
	NoEndpoint // its phone is not there
	HasIt      // has the contact already
	KeptFor    // (contacts) is kept for its sticky agent
)

// Candidate is an agent as weighed in a decision.
type Candidate struct {
	Agent     id.User  `json:"agent"`
	Refusal   Refusal  `json:"refusal"`
	Skill     id.Skill `json:"skill,omitempty"` // the one lacking
	Score     int      `json:"score"`           // sum of the levels of the needed skills
	Load      int      `json:"load"`
	IdleSince int64    `json:"idle_since"`
}

// Rival is the first contact of a class that comes earlier in the order than the contact decided on, with the
// reason why it could not go to this agent. All contacts of a class are refused for the same reason.
type Rival struct {
	Contact   id.Contact `json:"contact"`
	Queue     id.Queue   `json:"queue"`
	EnteredAt int64      `json:"entered_at"`
	Key       int64      `json:"key"`
	Waiting   int        `json:"waiting"` // contacts of the class
	Refusal   Refusal    `json:"refusal"`
	Skill     id.Skill   `json:"skill,omitempty"`
}

// Decision opens one decision: every agent in the order of preference with its refusal, and everybody who came
// earlier in the order. Lists are cut at Config.Trace, those that matter first; the counts are whole.
type Decision struct {
	At         int64       `json:"at"`
	Offer      OfferNo     `json:"offer,omitempty"` // 0 when the contact still waits
	Contact    id.Contact  `json:"contact"`
	Agent      id.User     `json:"agent,omitempty"`
	Queue      id.Queue    `json:"queue"`
	Cause      Cause       `json:"cause,omitempty"`
	EnteredAt  int64       `json:"entered_at"`
	Key        int64       `json:"key"` // EnteredAt less the head start of the priority
	Relax      uint8       `json:"relax"`
	Ring       uint8       `json:"ring"`
	BestSkill  bool        `json:"best_skill,omitempty"`
	Sticky     id.User     `json:"sticky,omitempty"`
	Agents     int         `json:"agents"`
	Candidates []Candidate `json:"candidates"`
	Earlier    int         `json:"earlier"` // classes with somebody earlier
	Rivals     []Rival     `json:"rivals"`
}

// MaxTrace bounds the lists of a Decision, and those of Explain.
const MaxTrace = 512

// Trace has every decision opened before its offer is made; nil stops it. The function must not keep the Decision
// (its lists are reused) nor call the brain. Replaying the same events with a tracer opens past decisions.
func (b *Brain) Trace(f func(*Decision)) { b.tracer = f }

// Explain opens the present situation of a contact that waits or rings: who could take it and why nobody does.
// The Decision is the caller's own. False when the contact is in no queue.
func (b *Brain) Explain(c id.Contact) (Decision, bool) {
	ci := b.byContact.find(c)
	if ci == none || b.contacts[ci].state == unqueued {
		return Decision{}, false
	}
	var d Decision
	ai := b.contacts[ci].agent
	b.open(&d, ci, ai, MaxTrace)
	if ai != none {
		d.Offer = b.agents[ai].offerNo
	}
	return d, true
}

func (b *Brain) explain(no OfferNo, ci, ai int32, cause Cause) {
	d := &b.trace
	b.open(d, ci, ai, b.traced)
	d.Offer, d.Cause = no, cause
	b.tracer(d)
}

// open fills d, reusing its lists, of which the first most are kept.
func (b *Brain) open(d *Decision, ci, ai int32, most int) {
	c := &b.contacts[ci]
	q := &b.queues[c.queue]
	*d = Decision{
		At: b.now, Contact: b.idOf(ci), Queue: q.cfg.ID, EnteredAt: b.details[ci].entered, Key: c.key, Relax: c.relax, Ring: c.ring,
		BestSkill: q.cfg.BestSkill, Sticky: b.details[ci].sticky, Candidates: d.Candidates[:0], Rivals: d.Rivals[:0],
	}
	for i := range b.agents {
		if b.agents[i].in {
			d.Agents++
			d.Candidates = keep(d.Candidates, b.candidate(int32(i), c), most, d.compare)
		}
		for h := b.agents[i].holds; h != none; h = b.contacts[h].nextHeld {
			if b.compareContacts(h, ci) < 0 {
				d.add(b.rival(h, 1, refusal{KeptFor, none}), most)
			}
		}
	}
	if ai != none {
		d.Agent = b.agents[ai].id
		b.rivals(d, ci, ai, most)
	}
}

func (d *Decision) add(r Rival, most int) {
	d.Earlier++
	d.Rivals = keep(d.Rivals, r, most, func(x, y Rival) int {
		return cmp.Or(cmp.Compare(x.Key, y.Key), strings.Compare(string(x.Contact), string(y.Contact)))
	})
}

// keep puts x at its place in an ordered list that holds the first most of all it is shown. Each offer shows it every
// agent and a fact keeps a handful: ordering them all would be most of what the brain does.
func keep[T any](list []T, x T, most int, order func(x, y T) int) []T {
	if len(list) >= most {
		if most == 0 || order(x, list[most-1]) >= 0 {
			return list
		}
		list = list[:most-1]
	}
	at, _ := slices.BinarySearchFunc(list, x, order)
	return slices.Insert(list, at, x)
}

func (b *Brain) candidate(ai int32, c *contact) Candidate {
	a := &b.agents[ai]
	r := b.verdict(a, &b.classes[c.class])
	if r.why == Eligible && b.has(ai, c) {
		r.why = HasIt
	}
	return Candidate{
		Agent: a.id, Refusal: r.why, Skill: b.skillName(r.skill), Load: a.load, IdleSince: a.idleSince,
		Score: skillScore(&b.classes[c.class], &b.profiles[a.profile]),
	}
}

// verdict says why the agent cannot take a contact of the class now.
func (b *Brain) verdict(a *agent, k *class) refusal {
	if r := judge(k, &b.profiles[a.profile], &b.queues[k.queue]); r.why != Eligible {
		return r
	}
	r := refusal{Eligible, none}
	switch {
	case a.slots[k.channel] == 0:
		r.why = NoSlot
	case a.away:
		r.why = IsAway
	case a.offer != none:
		r.why = IsReserved
	case a.wraps > 0:
		r.why = InWrapUp
	case a.restUntil != 0:
		r.why = IsResting
	case !b.hasRoom(a, k.channel):
		r.why = NoRoom
	case !b.reachable(a, k.channel):
		r.why = NoEndpoint
	}
	return r
}

// rivals adds the classes whose first contact the chosen one overtakes.
func (b *Brain) rivals(d *Decision, ci, ai int32, most int) {
	for i := range b.classes {
		k := &b.classes[i]
		if !k.live || len(k.heap.items) == 0 {
			continue
		}
		r := b.verdict(&b.agents[ai], k)
		head := k.heap.items[0].slot
		if it, ok := b.firstOf(int32(i), ai); r.why == Eligible && ok {
			head = it.slot
		} else if r.why == Eligible {
			r.why = HasIt
		}
		if b.compareContacts(head, ci) < 0 {
			d.add(b.rival(head, len(k.heap.items), r), most)
		}
	}
}

func (b *Brain) rival(ci int32, n int, r refusal) Rival {
	c := &b.contacts[ci]
	return Rival{
		Contact: b.idOf(ci), Queue: b.queues[c.queue].cfg.ID, EnteredAt: b.details[ci].entered, Key: c.key, Waiting: n, Refusal: r.why,
		Skill: b.skillName(r.skill),
	}
}

func (b *Brain) skillName(skill int32) id.Skill {
	if skill == none {
		return ""
	}
	return id.Skill(b.names.text[skill])
}

// compare is the order of preference: eligible first, skill where the queue asks for it, load, idle time, identifier.
func (d *Decision) compare(x, y Candidate) int {
	by := 0
	if d.BestSkill {
		by = cmp.Compare(y.Score, x.Score)
	}
	return cmp.Or(
		cmp.Compare(min(x.Refusal, 1), min(y.Refusal, 1)), by, cmp.Compare(x.Load, y.Load),
		cmp.Compare(x.IdleSince, y.IdleSince), strings.Compare(string(x.Agent), string(y.Agent)),
	)
}

// Verify chooses again from the candidates and rivals alone and says whether the outcome is the same.
func (d *Decision) Verify() error {
	for _, c := range d.Candidates {
		if c.Agent == d.Agent && c.Refusal != Eligible {
			return fmt.Errorf("acd: offer %s: agent %s was not eligible: %s %s", d.Offer.ID(), d.Agent, c.Refusal, c.Skill)
		}
	}
	switch d.Cause {
	case BySticky:
		if d.Agent != d.Sticky {
			return fmt.Errorf("acd: offer %s: %s is not the contact's own agent %s", d.Offer.ID(), d.Agent, d.Sticky)
		}
		return nil
	case ByContact:
		if len(d.Candidates) == 0 || slices.MinFunc(d.Candidates, d.compare).Agent != d.Agent {
			return fmt.Errorf("acd: offer %s: %s is not the first of the candidates", d.Offer.ID(), d.Agent)
		}
	}
	for _, r := range d.Rivals {
		if r.Refusal == Eligible && (r.Key < d.Key || r.Key == d.Key && r.Contact < d.Contact) {
			return fmt.Errorf("acd: offer %s: contact %s came before %s and was eligible", d.Offer.ID(), r.Contact, d.Contact)
		}
	}
	return nil
}
