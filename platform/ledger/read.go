package ledger

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/platform/store"
)

const (
	followBatch = 1000
	followLook  = 2 * time.Second // how often a follower asks the table, should word of another node be lost
)

// Since gives the facts with a seq above seq, in order, at most limit.
func (l *Ledger) Since(ctx context.Context, seq int64, limit int) ([]Fact, error) {
	return store.All(ctx, l.db, `SELECT `+columns+` FROM ledger_fact WHERE seq > ? ORDER BY seq LIMIT ?`, scanFact, seq, limit)
}

// Of gives all facts of a subject, in order.
func (l *Ledger) Of(ctx context.Context, subject string) ([]Fact, error) {
	return store.All(ctx, l.db, `SELECT `+columns+` FROM ledger_fact WHERE subject = ? ORDER BY seq`, scanFact, subject)
}

// Newest gives the last fact of a kind about a subject; false when there is none.
func Newest(ctx context.Context, q store.Querier, subject, kind string) (Fact, bool, error) {
	f, err := store.One(ctx, q, `SELECT `+columns+` FROM ledger_fact WHERE subject = ? AND kind = ? ORDER BY seq DESC LIMIT 1`, scanFact, subject, kind)
	if errors.Is(err, store.ErrNotFound) {
		return Fact{}, false, nil
	}
	return f, err == nil, err
}

// Span asks for the facts of some days. Zero fields do not narrow.
type Span struct {
	From, To string   // local days, both included: 2026-11-01 … 2026-11-30
	Kinds    []string // any of these
	Place    string
}

// Range hands the facts of the span to f in order of seq, without holding them all, and stops at f's first
// error, which it returns.
func (l *Ledger) Range(ctx context.Context, s Span, f func(Fact) error) error {
	var where []string
	var args []any
	narrow := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
	}
	if s.From != "" {
		narrow(`day >= ?`, s.From)
	}
	if s.To != "" {
		narrow(`day <= ?`, s.To)
	}
	if len(s.Kinds) > 0 {
		narrow(`kind IN (`+store.In(len(s.Kinds))+`)`, store.Args(s.Kinds)...)
	}
	if s.Place != "" {
		narrow(`place = ?`, s.Place)
	}
	text := `SELECT ` + columns + ` FROM ledger_fact`
	if len(where) > 0 {
		text += ` WHERE ` + strings.Join(where, ` AND `)
	}
	return store.Each(ctx, l.db, text+` ORDER BY seq`, scanFact, f, args...)
}

// Follow hands every fact with a seq above after to f, in order, none twice and none left out: first those that
// are there, then each as it is committed, on whatever node. It returns when ctx ends (with its cause) or the
// ledger closes (nil), and waits out a database that does not answer. Start at 0 for all, at Head for new ones.
func (l *Ledger) Follow(ctx context.Context, after int64, f func(Fact)) error {
	look := time.NewTicker(followLook)
	defer look.Stop()
	asked := false // the table has nothing beyond after that we do not know of
	for {
		facts, ask, wake := l.tail.after(after)
		if ask || (!asked && facts == nil) {
			var err error
			if facts, err = l.Since(ctx, after, followBatch); err != nil && ctx.Err() == nil {
				l.log.Warn("a follower of the ledger waits for the database", "error", err)
				facts = nil
			}
			asked = true
		}
		for _, fact := range facts {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			f(fact)
			after = fact.Seq
		}
		if len(facts) > 0 {
			continue
		}
		select {
		case <-wake:
		case <-look.C:
			asked = l.db.Engine() == store.SQLite // where only this process writes
		case <-l.closing:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
