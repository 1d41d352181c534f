package ledger

import (
	"context"
	"strings"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

// pending is what a transaction will write when its function is done.
type pending struct {
	facts   []Fact
	publish bool
	writing bool // holds l.writing
}

type pendingKey struct{ l *Ledger }

// join puts the facts to the transaction's others. The first ones bring the hook that writes them all at the
// end, where seqs are taken as late, and the ledger's head is held as short, as can be.
func (l *Ledger) join(tx *store.Tx, facts []Fact, publish bool) error {
	fresh := false
	p, ok := tx.Attach(pendingKey{l}, func() any { fresh = true; return &pending{publish: publish} }).(*pending)
	if !ok || p.writing {
		return fault.New(fault.Internal, "ledger.fold.appends") // a fold, or a hook after ours
	}
	if !fresh {
		p.facts = append(p.facts, facts...)
		return nil
	}
	p.facts = facts // the caller's own copy: see complete
	tx.BeforeCommit(func(ctx context.Context) error {
		l.writing.Lock()
		p.writing = true
		written, err := l.write(ctx, tx, p.facts)
		p.facts = written
		return err
	})
	tx.AfterEnd(func(committed bool) {
		if !p.writing {
			return
		}
		if committed {
			l.tail.add(p.facts)
			if p.publish {
				l.outbox.add(p.facts)
			}
		}
		l.writing.Unlock()
	})
	return nil
}

// write gives the facts their seqs, inserts those that are new and brings the live folds up to them.
func (l *Ledger) write(ctx context.Context, tx *store.Tx, facts []Fact) ([]Fact, error) {
	head, err := l.take(ctx, tx, len(facts))
	if err != nil {
		return nil, err
	}
	n, err := insert(ctx, tx, facts, head)
	if err != nil {
		return nil, err
	}
	if n < int64(len(facts)) {
		if facts, err = l.again(ctx, tx, facts, head); err != nil {
			return nil, err
		}
	}
	if len(facts) == 0 {
		return nil, nil
	}
	return facts, l.foldLive(ctx, tx, facts, head)
}

// take moves the head by n and gives where it stood. The row stays locked until the transaction ends: that
// makes the order of seqs the order of commits, on one node and on many.
func (l *Ledger) take(ctx context.Context, tx *store.Tx, n int) (int64, error) {
	head, err := store.One(ctx, tx, `UPDATE ledger_head SET seq = seq + ? WHERE one = 1 RETURNING seq`, store.Col[int64], n)
	return head - int64(n), err
}

// again is for the rare case that some of the facts are in the ledger already: it takes back what this
// transaction has inserted and inserts the new ones alone, so that seqs have no gap.
func (l *Ledger) again(ctx context.Context, tx *store.Tx, facts []Fact, head int64) ([]Fact, error) {
	fresh, err := store.All(ctx, tx, `SELECT id FROM ledger_fact WHERE seq > ?`, store.Col[id.Fact], head)
	if err != nil {
		return nil, err
	}
	if _, err := store.Exec(ctx, tx, `DELETE FROM ledger_fact WHERE seq > ?`, head); err != nil {
		return nil, err
	}
	keep := make(map[id.Fact]bool, len(fresh))
	for _, i := range fresh {
		keep[i] = true
	}
	var kept []Fact
	for _, f := range facts {
		if keep[f.ID] {
			kept = append(kept, f)
			delete(keep, f.ID) // one that comes twice is kept once
		}
	}
	if _, err := l.take(ctx, tx, len(kept)-len(facts)); err != nil {
		return nil, err
	}
	_, err = insert(ctx, tx, kept, head)
	return kept, err
}

const insertRow = `(?,?,?,?,?,?,?,?,?,?,?)`

// insert writes the facts with the seqs after head and gives how many were new. Rows go in powers of two, so
// that there are few different statements to prepare.
func insert(ctx context.Context, tx *store.Tx, facts []Fact, head int64) (int64, error) {
	var inserted int64
	for done := 0; done < len(facts); {
		n := 64
		for n > len(facts)-done {
			n /= 2
		}
		args := make([]any, 0, n*11)
		for i := range n {
			f := &facts[done+i]
			f.Seq = head + int64(done+i) + 1
			args = append(args, f.Seq, string(f.ID), string(f.Node), f.At, f.Day, f.Slot, f.Kind, f.Subject, f.Actor, f.Place, string(f.Body))
		}
		text := `INSERT INTO ledger_fact (` + columns + `) VALUES ` + strings.Repeat(insertRow+`,`, n-1) + insertRow + ` ON CONFLICT (id) DO NOTHING`
		k, err := store.Exec(ctx, tx, text, args...)
		if err != nil {
			return 0, err
		}
		inserted += k
		done += n
	}
	return inserted, nil
}
