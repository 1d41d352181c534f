package caller

import (
	"slices"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
)

// book is rules and marks as they are asked: replaced whole when the configuration changes.
type book struct {
	often  Rules
	any    bool // there is something to ask
	marks  []Mark
	whole  map[string][]int // indexes of marks by number
	begin  map[string][]int // by beginning
	heads  []int            // the lengths beginnings have
	queues map[id.Queue]bool
	ours   map[id.Number]bool
	exempt []string
}

func bookOf(r Rules, marks []Mark) *book {
	b := &book{
		often: r, marks: marks, whole: map[string][]int{}, begin: map[string][]int{},
		queues: map[id.Queue]bool{}, ours: map[id.Number]bool{}, any: r.Calls > 0 || len(marks) > 0,
	}
	for i, k := range marks {
		key := k.key()
		switch {
		case key == "":
		case !k.Begins:
			b.whole[key] = append(b.whole[key], i)
		default:
			b.begin[key] = append(b.begin[key], i)
			if !slices.Contains(b.heads, len(key)) {
				b.heads = append(b.heads, len(key))
			}
		}
	}
	for _, q := range r.Queues {
		b.queues[q] = true
	}
	for _, n := range r.Numbers {
		b.ours[n] = true
	}
	for _, x := range r.Exempt {
		if head := beginning(x); head != "" {
			b.exempt = append(b.exempt, head)
		}
	}
	return b
}

// holds says whether a mark is in force.
func (k Mark) holds(at int64) bool { return k.From <= at && at < k.Until }

// severity orders what marks do: of several the one that limits most holds.
func severity(do string) int {
	return slices.Index([]string{contact.LimitNotice, contact.LimitLast, contact.LimitSkill, contact.LimitMessage}, do)
}

// markOf gives the mark in force on a number; of several the one that limits most.
func (b *book) markOf(number string, at int64) (best Mark, ok bool) {
	look := func(of []int) {
		for _, i := range of {
			if k := b.marks[i]; k.holds(at) && (!ok || severity(k.Do) > severity(best.Do)) {
				best, ok = k, true
			}
		}
	}
	look(b.whole[number])
	for _, n := range b.heads {
		if n <= len(number) {
			look(b.begin[number[:n]])
		}
	}
	return best, ok
}

// exempted says whether a number is never counted.
func (b *book) exempted(number string) bool {
	return slices.ContainsFunc(b.exempt, func(head string) bool { return strings.HasPrefix(number, head) })
}

// Judge says what the rules make of a caller (national form) who dialled a number of ours and asks for an agent of a
// queue; false: nothing. Without rules and marks it is one read of a pointer, else a look into maps.
func (m *Module) Judge(caller string, number id.Number, queue id.Queue, at time.Time) (contact.Limit, bool) {
	b := m.rules.Load()
	if !b.any || caller == "" || b.queues[queue] || b.ours[number] {
		return contact.Limit{}, false
	}
	if k, ok := b.markOf(caller, at.UnixMilli()); ok {
		return contact.Limit{By: contact.LimitMark, Do: k.Do, Mark: k.Code, Skill: k.Skill}, true
	}
	r := b.often
	if r.Calls == 0 || b.exempted(caller) {
		return contact.Limit{}, false
	}
	n := m.talks.since(caller, at.Add(-time.Duration(r.WithinMin)*time.Minute).UnixMilli())
	if n < r.Calls {
		return contact.Limit{}, false
	}
	return contact.Limit{By: contact.LimitOften, Do: r.Do, Calls: n, Within: r.WithinMin, Prompt: r.Prompt}, true
}
