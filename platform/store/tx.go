package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/kapok-hotline/kapok/core/fault"
)

// Tx is a running transaction: a Querier whose reads see its own writes. It belongs to one goroutine and ends
// with the function Tx was given to.
type Tx struct {
	db       *DB
	s        session
	attached map[any]any
	before   []func(context.Context) error
	after    []func(committed bool)
}

// Tx runs f in a transaction and commits when f gives nil; an error or a panic of f rolls back. On SQLite
// transactions run one after another (so f must not wait for another Tx, nor for a caller); on PostgreSQL side
// by side at READ COMMITTED, where FOR UPDATE or Lock keeps others from what f decides on.
// Besides f's own errors: store.database.busy when the turn does not come in 10 s, ErrFull, context errors.
func (db *DB) Tx(ctx context.Context, f func(tx *Tx) error) (err error) {
	s, err := db.writer.begin(ctx)
	if err != nil {
		return explain(err)
	}
	tx := &Tx{db: db, s: s}
	committed := false
	defer func() {
		tx.s = nil
		if !committed {
			if rerr := s.rollback(); rerr != nil && err != nil {
				err = errors.Join(err, explain(rerr))
			}
		}
		for _, g := range tx.after {
			g(committed)
		}
	}()
	if err = f(tx); err != nil {
		return err
	}
	for i := 0; i < len(tx.before); i++ { // by index: a hook may add another
		if err = tx.before[i](ctx); err != nil {
			return explain(err)
		}
	}
	if err = s.commit(ctx); err != nil {
		return explain(err)
	}
	committed = true
	return nil
}

// BeforeCommit has f run when the transaction's function is done and before the commit, which an error of f
// turns into a rollback. Hooks run in the order they came.
func (tx *Tx) BeforeCommit(f func(context.Context) error) { tx.before = append(tx.before, f) }

// AfterEnd has f run when the transaction is over, however it ended; it may open another.
func (tx *Tx) AfterEnd(f func(committed bool)) { tx.after = append(tx.after, f) }

// AfterCommit has f run when, and only when, the transaction is committed.
func (tx *Tx) AfterCommit(f func()) {
	tx.AfterEnd(func(committed bool) {
		if committed {
			f()
		}
	})
}

// Attach gives what was attached to the transaction under key, and attaches what fresh makes when there is
// nothing yet. Keys are of an unexported type of the package that attaches.
func (tx *Tx) Attach(key any, fresh func() any) any {
	if v, ok := tx.attached[key]; ok {
		return v
	}
	if tx.attached == nil {
		tx.attached = map[any]any{}
	}
	v := fresh()
	tx.attached[key] = v
	return v
}

// DB gives the database the transaction runs on.
func (tx *Tx) DB() *DB { return tx.db }

// Lock keeps every other transaction that locks the same name out until this one ends. On SQLite there is no
// other.
func (tx *Tx) Lock(ctx context.Context, name string) error {
	if tx.db.engine != Postgres {
		return nil
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))                                                       // never fails
	_, err := tx.exec(ctx, `SELECT pg_advisory_xact_lock(?)`, []any{int64(h.Sum64())}) //nolint:gosec // any 64 bits do
	return explain(err)
}

// Savepoint runs f so that its error undoes f alone: the transaction goes on as it was before f.
func (tx *Tx) Savepoint(ctx context.Context, f func() error) error {
	if _, err := tx.exec(ctx, `SAVEPOINT kapok`, nil); err != nil {
		return explain(err)
	}
	err := f()
	if err != nil {
		if _, rerr := tx.exec(ctx, `ROLLBACK TO SAVEPOINT kapok`, nil); rerr != nil {
			return errors.Join(err, explain(rerr))
		}
	}
	if _, rerr := tx.exec(ctx, `RELEASE SAVEPOINT kapok`, nil); rerr != nil && err == nil {
		err = explain(rerr)
	}
	return err
}

func (tx *Tx) query(ctx context.Context, text string, args []any) (*rows, error) {
	if tx.s == nil {
		return nil, errEnded()
	}
	return tx.s.query(ctx, text, args)
}

func (tx *Tx) exec(ctx context.Context, text string, args []any) (sql.Result, error) {
	if tx.s == nil {
		return nil, errEnded()
	}
	return tx.s.exec(ctx, text, args)
}

func errEnded() error {
	return fault.New(fault.Internal, "store.transaction.ended").
		Because(fmt.Errorf("the transaction is over; its Tx must not be kept"))
}
