package ledger

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/platform/store"
)

const (
	queueLength   = 4096             // requests that wait for their commit
	groupFacts    = 4096             // facts of one commit, unless one request has more
	appendWait    = 10 * time.Second // longest wait of Append
	commitTimeout = 30 * time.Second
)

// request is one Append on its way through the committer.
type request struct {
	ctx   context.Context //nolint:containedctx // it is the asker's, and the request's whole life
	facts []Fact
	done  chan error
}

// Append keeps the facts, all or none, and returns when they are on the disk. It is for the way of a call, which
// has no rows of its own to change: whatever waits at the same moment shares one commit. Facts of one Append
// keep their order; facts of two goroutines come as they come.
//
// Errors: ledger.fact.invalid (nothing is kept); store.ErrFull and other Unavailable faults (nothing is kept,
// worth another try); a context's end or ledger.append.late (the facts may be kept or not: append them again
// with the same IDs).
func (l *Ledger) Append(ctx context.Context, facts ...Fact) error {
	if len(facts) == 0 {
		return nil
	}
	facts, err := l.complete(facts)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, appendWait, fault.New(fault.Unavailable, "ledger.append.late"))
	defer cancel()
	r := &request{ctx: ctx, facts: facts, done: make(chan error, 1)}
	if l.closed.Load() {
		return errClosed
	}
	select {
	case l.queue <- r:
	case <-l.closing:
		return errClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// AppendTx adds the facts to a running transaction: they are kept if, and only if, it commits, together with the
// rows it writes. They get their seqs at its very end.
func (l *Ledger) AppendTx(tx *store.Tx, facts ...Fact) error {
	if l.closed.Load() {
		return errClosed
	}
	facts, err := l.complete(facts)
	if err != nil {
		return err
	}
	return l.join(tx, facts, true)
}

// Tx is a transaction that can append.
type Tx struct {
	*store.Tx
	ledger *Ledger
}

// Append is AppendTx.
func (tx *Tx) Append(facts ...Fact) error { return tx.ledger.AppendTx(tx.Tx, facts...) }

// Tx runs f in a transaction of the ledger's database: rows and facts together; see store.DB.Tx.
func (l *Ledger) Tx(ctx context.Context, f func(tx *Tx) error) error {
	return l.db.Tx(ctx, func(tx *store.Tx) error { return f(&Tx{tx, l}) })
}

// commitLoop owns the grouped commits: it takes whatever waits, commits it, and answers.
func (l *Ledger) commitLoop() {
	for {
		select {
		case r := <-l.queue:
			l.commitGroup(l.gather(r))
		case <-l.closing:
			for { // those that came in before the door closed
				select {
				case r := <-l.queue:
					l.commitGroup(l.gather(r))
				default:
					return
				}
			}
		}
	}
}

// gather takes all that waits behind r, up to a commit's worth.
func (l *Ledger) gather(r *request) []*request {
	var group []*request
	n := 0
	for {
		if err := r.ctx.Err(); err != nil {
			r.done <- context.Cause(r.ctx) // nobody waits any more
		} else {
			group = append(group, r)
			n += len(r.facts)
		}
		if n >= groupFacts {
			return group
		}
		select {
		case r = <-l.queue:
		default:
			return group
		}
	}
}

// commitGroup commits the requests together. Where that fails for a reason that lies in one of them, each gets
// a commit of its own, so that only the guilty one is refused.
func (l *Ledger) commitGroup(group []*request) {
	if len(group) == 0 {
		return
	}
	facts := group[0].facts
	for _, r := range group[1:] {
		facts = append(facts, r.facts...)
	}
	err := l.commit(facts, true)
	if err != nil && len(group) > 1 && !transient(err) {
		for _, r := range group {
			r.done <- l.commit(r.facts, true)
		}
		return
	}
	for _, r := range group {
		r.done <- err
	}
}

func (l *Ledger) commit(facts []Fact, publish bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	return l.db.Tx(ctx, func(tx *store.Tx) error { return l.join(tx, facts, publish) })
}
