package ledger

import (
	"context"
	"iter"
)

// importBatch is the number of facts of one commit where Import is not told another.
const importBatch = 5000

// Import keeps a history: facts with their own times, in commits of batch (0: 5000), through all folds, without
// publishing them. It gives the number of facts read; those that were in the ledger already are kept once, so
// an import that broke off may be run again.
func (l *Ledger) Import(ctx context.Context, facts iter.Seq[Fact], batch int) (int, error) {
	if batch <= 0 {
		batch = importBatch
	}
	n := 0
	var group []Fact
	flush := func() error {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		whole, err := l.complete(group)
		if err != nil {
			return err
		}
		if err := l.commit(whole, false); err != nil {
			return err
		}
		n += len(group)
		group = group[:0]
		return nil
	}
	for f := range facts {
		group = append(group, f)
		if len(group) == batch {
			if err := flush(); err != nil {
				return n, err
			}
		}
	}
	if len(group) == 0 {
		return n, nil
	}
	return n, flush()
}
