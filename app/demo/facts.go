package demo

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
)

// fact is a fact of the day before it gets its place in the order of time.
type fact struct {
	at             int64
	subject, actor string
	body           event.Body
}

// fact notes a fact of a contact.
func (d *day) fact(at int64, c *call, actor id.User, b event.Body) {
	if d.emit {
		d.about(at, string(c.contact), actor, b)
	}
}

func (d *day) about(at int64, subject string, actor id.User, b event.Body) {
	d.facts = append(d.facts, fact{at, subject, string(actor), b})
}

// sorted gives the day's facts in order of time; at the same moment in the order they were noted.
func (d *day) sorted() []ledger.Fact {
	if !d.emit {
		return nil
	}
	slices.SortStableFunc(d.facts, func(a, b fact) int { return cmp.Compare(a.at, b.at) })
	out := make([]ledger.Fact, len(d.facts))
	for i, f := range d.facts {
		x := ledger.From(f.body, f.subject, f.actor, d.h.plan.Bureau.Site)
		x.ID, x.Node, x.At = id.Fact(d.ulid(f.at)), d.h.o.Node, f.at
		x.Day, x.Slot = clock.Local(f.at, d.start.Location())
		out[i] = x
	}
	return out
}

// ulid makes an identifier of the moment whose chance is the day's own, so that a history made again is the same.
func (d *day) ulid(at int64) string {
	if !d.emit {
		return ""
	}
	const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(at)<<16|d.ids.Uint64()>>48)
	binary.BigEndian.PutUint64(b[8:], d.ids.Uint64())
	var out [26]byte
	hi, lo := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
	for i := 25; i >= 0; i-- {
		out[i] = crockford[lo&31]
		lo = lo>>5 | hi<<59
		hi >>= 5
	}
	return string(out[:])
}

// mos is how well a leg was heard: loopback and good lines, now and then a bad one.
func (d *day) mos() float64 {
	if !d.emit {
		return 0
	}
	m := 4.41 - float64(d.ids.Uint64N(12))/100
	if d.ids.Uint64N(40) == 0 {
		m -= float64(d.ids.Uint64N(120)) / 100
	}
	return float64(int(m*100+.5)) / 100
}

// note is what the agent wrote.
func (d *day) note(p *present, c *call) event.WrapupSaved {
	who := d.h.people[c.person]
	w := event.WrapupSaved{Agent: p.user, Queue: p.queue, Final: true}
	if all := d.h.questions[string(p.queue)]; len(all) > 0 {
		q := all[int(c.seed%uint64(len(all)))]
		w.Topic, w.TaxType, w.Question, w.Answer = q.Topic, q.Tax, q.Question, q.Answer
	}
	if c.seed%10 < 7 {
		w.District = who.District
	}
	if who.TaxID != "" && c.seed%16 < 9 {
		w.TaxID, w.Name = who.TaxID, who.Firm
	}
	return w
}
