package report

import (
	"context"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// PastCaller is somebody an agent has talked with: their newest contact of those asked for.
type PastCaller struct {
	Contact id.Contact
	Number  string // national form, not masked: for those who call, not for those who read
	At      int64  // unix ms
	Queue   string // names, in the caller's language
	Topic   string
	Grade   int // 0: none given
}

// pastMost bounds how many contacts are looked through at once.
const pastMost = 20_000

// PastCallers gives whoever called by telephone and was answered within a filter, each number once. grade, when not 0,
// wants those who graded the service so or lower.
func (m *Module) PastCallers(ctx context.Context, f ContactFilter, grade int) ([]PastCaller, error) {
	f.Medium, f.Outcome = contact.Phone, string(contact.Answered)
	where, err := m.contactScope(ctx, &f)
	if err != nil {
		return nil, err
	}
	where.and(`direction = ? AND sender <> ''`, string(contact.In))
	grades, err := m.grades(ctx, f.From, f.To)
	if err != nil {
		return nil, err
	}
	var out []PastCaller
	seen := map[string]bool{}
	err = store.Each(ctx, m.db, newest(&where), scanListed, func(c Contact) error {
		g := grades[c.ID]
		if seen[c.From] || grade > 0 && (g == 0 || g > grade) {
			return nil
		}
		seen[c.From] = true
		number := c.From
		m.dress(ctx, &c)
		out = append(out, PastCaller{Contact: c.ID, Number: number, At: c.At, Queue: c.QueueName, Topic: c.TopicName, Grade: g})
		return nil
	}, append(where.args, pastMost)...)
	return out, err
}

// grades gives what callers said of the contacts of some days; the answer may come after midnight.
func (m *Module) grades(ctx context.Context, from, to string) (map[id.Contact]int, error) {
	next, err := clock.AddDays(to, 1)
	if err != nil {
		return nil, err
	}
	out := map[id.Contact]int{}
	err = m.deps.Ledger.Range(ctx, ledger.Span{From: from, To: next, Kinds: []string{event.SurveyAnswered{}.Kind()}}, func(f ledger.Fact) error {
		if b, ok := ledger.Read[event.SurveyAnswered](&f); ok {
			out[id.Contact(f.Subject)] = b.Grade
		}
		return nil
	})
	return out, err
}
