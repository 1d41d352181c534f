package ledger

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Fold turns facts into rows: it is shown every fact once, in order of seq, inside the transaction that writes
// the fact. Its whole state is rows of its module (memory would keep what a rollback takes back), and it appends
// no facts. An error leaves the facts standing and the fold behind: it is logged, and tried again in the
// background until it passes.
type Fold interface {
	// Name is unique and stays: the ledger remembers under it how far the fold is.
	Name() string
	// Apply brings the fold's rows from before the facts to after them.
	Apply(ctx context.Context, tx *store.Tx, facts []Fact) error
}

// Resetter is a fold that can be rebuilt.
type Resetter interface {
	// Reset deletes all rows of the fold.
	Reset(ctx context.Context, tx *store.Tx) error
}

const (
	foldBatch   = 1000             // facts a fold catches up with in one transaction, during which others wait
	foldRetry   = 5 * time.Second  // after an error of a fold
	foldLookout = 30 * time.Second // for folds that another node has left behind
)

// position is a row of ledger_fold.
type position struct {
	name string
	seq  int64
	live bool
}

func scanPosition(r store.Scanner) (p position, err error) {
	return p, r.Scan(&p.name, &p.seq, &p.live)
}

// Register adds folds. A new one starts at the first fact and catches up in the background; one that was here
// before goes on where it stood. Register before the first Append, or the fold has to catch up.
func (l *Ledger) Register(ctx context.Context, folds ...Fold) error {
	for _, f := range folds {
		if l.fold(f.Name()) != nil {
			return fault.New(fault.Internal, "ledger.fold.twice", "fold", f.Name())
		}
		err := l.db.Tx(ctx, func(tx *store.Tx) error {
			head, err := l.take(ctx, tx, 0)
			if err != nil {
				return err
			}
			_, err = store.Exec(ctx, tx, `INSERT INTO ledger_fold (name, seq, live) VALUES (?, 0, ?) ON CONFLICT (name) DO NOTHING`,
				f.Name(), head == 0)
			return err
		})
		if err != nil {
			return err
		}
		l.mu.Lock()
		l.folds = append(l.folds[:len(l.folds):len(l.folds)], f)
		l.mu.Unlock()
	}
	l.pokeFolds()
	return nil
}

func (l *Ledger) registered() []Fold {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.folds
}

func (l *Ledger) fold(name string) Fold {
	for _, f := range l.registered() {
		if f.Name() == name {
			return f
		}
	}
	return nil
}

// foldLive applies the facts after head to every live fold. A live fold this process does not have is left
// behind for those that have it. The positions are read under the lock of the head, so all nodes agree.
func (l *Ledger) foldLive(ctx context.Context, tx *store.Tx, facts []Fact, head int64) error {
	positions, err := store.All(ctx, tx, `SELECT name, seq, live FROM ledger_fold WHERE live`, scanPosition)
	if err != nil || len(positions) == 0 {
		return err
	}
	failed := map[string]bool{}
	for {
		err := tx.Savepoint(ctx, func() error {
			for _, p := range positions {
				f := l.fold(p.name)
				if f == nil || failed[p.name] {
					if err := l.leave(ctx, tx, p.name, head); err != nil {
						return err
					}
					continue
				}
				if err := f.Apply(ctx, tx, facts); err != nil {
					return &foldError{p.name, err}
				}
			}
			return nil
		})
		bad, ok := errors.AsType[*foldError](err)
		if !ok || transient(err) || ctx.Err() != nil {
			return err
		}
		l.log.Error("a fold failed and is left behind; its figures stand still until it passes",
			slog.String("fold", bad.name), slog.Any("error", bad.err))
		failed[bad.name] = true
	}
}

// foldError tells which fold failed.
type foldError struct {
	name string
	err  error
}

func (e *foldError) Error() string { return "fold " + e.name + ": " + e.err.Error() }
func (e *foldError) Unwrap() error { return e.err }

func (l *Ledger) leave(ctx context.Context, tx *store.Tx, name string, head int64) error {
	tx.AfterCommit(l.pokeFolds)
	_, err := store.Exec(ctx, tx, `UPDATE ledger_fold SET live = FALSE, seq = ? WHERE name = ?`, head, name)
	return err
}

func (l *Ledger) pokeFolds() {
	select {
	case l.behind <- struct{}{}:
	default:
	}
}

// catchUpLoop brings folds that are behind to the head, where they become live.
func (l *Ledger) catchUpLoop(ctx context.Context) {
	look := time.NewTicker(foldLookout)
	defer look.Stop()
	for {
		select {
		case <-l.behind:
		case <-look.C:
		case <-l.closing:
			return
		case <-ctx.Done():
			return
		}
		if err := l.catchUpAll(ctx); err != nil && ctx.Err() == nil {
			l.log.Warn("a fold cannot catch up and will try again", slog.Any("error", err))
			l.clockWait(ctx, foldRetry)
			l.pokeFolds()
		}
	}
}

func (l *Ledger) catchUpAll(ctx context.Context) error {
	late, err := store.All(ctx, l.db, `SELECT name, seq, live FROM ledger_fold WHERE NOT live ORDER BY name`, scanPosition)
	if err != nil {
		return err
	}
	for _, p := range late {
		f := l.fold(p.name)
		if f == nil {
			continue
		}
		if ferr := l.catchUp(ctx, f); ferr != nil {
			err = errors.Join(err, ferr)
		}
	}
	return err
}

func (l *Ledger) catchUp(ctx context.Context, f Fold) error {
	for {
		live := false
		err := l.db.Tx(ctx, func(tx *store.Tx) (err error) {
			live, err = l.step(ctx, tx, f)
			return err
		})
		if err != nil {
			return &foldError{f.Name(), err}
		}
		if live {
			return nil
		}
		select {
		case <-l.closing:
			return nil // the next start goes on
		default:
		}
	}
}

// step takes one batch and tells whether the fold is live. It holds the head, so nothing is appended meanwhile.
func (l *Ledger) step(ctx context.Context, tx *store.Tx, f Fold) (bool, error) {
	if _, err := l.take(ctx, tx, 0); err != nil {
		return false, err
	}
	at, err := store.One(ctx, tx, `SELECT name, seq, live FROM ledger_fold WHERE name = ?`, scanPosition, f.Name())
	if err != nil || at.live {
		return at.live, err
	}
	facts, err := store.All(ctx, tx, `SELECT `+columns+` FROM ledger_fact WHERE seq > ? ORDER BY seq LIMIT ?`, scanFact, at.seq, foldBatch)
	if err != nil {
		return false, err
	}
	live := len(facts) < foldBatch
	if len(facts) > 0 {
		if err := f.Apply(ctx, tx, facts); err != nil {
			return false, err
		}
		at.seq = facts[len(facts)-1].Seq
	}
	return live, store.Change(ctx, tx, `UPDATE ledger_fold SET seq = ?, live = ? WHERE name = ?`, at.seq, live, f.Name())
}

// Rebuild clears the fold's rows and replays every fact into them. Others append meanwhile; readers of the
// fold see it grow. When ctx ends first, the work goes on in the background.
func (l *Ledger) Rebuild(ctx context.Context, name string) error {
	f := l.fold(name)
	r, ok := f.(Resetter)
	if !ok {
		return fault.New(fault.NotFound, "ledger.fold.unknown", "fold", name)
	}
	err := l.db.Tx(ctx, func(tx *store.Tx) error {
		if _, err := l.take(ctx, tx, 0); err != nil {
			return err
		}
		if err := r.Reset(ctx, tx); err != nil {
			return err
		}
		return store.Change(ctx, tx, `UPDATE ledger_fold SET seq = 0, live = FALSE WHERE name = ?`, name)
	})
	if err != nil {
		return err
	}
	defer l.pokeFolds()
	return l.catchUp(ctx, f)
}
