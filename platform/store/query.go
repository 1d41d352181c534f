package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// Querier is what statements run on: a *DB or a *Tx. On a *DB a query sees what is committed, and a query that
// writes (INSERT … RETURNING) is refused: it belongs into a Tx.
type Querier interface {
	query(ctx context.Context, text string, args []any) (*rows, error)
	exec(ctx context.Context, text string, args []any) (sql.Result, error)
}

// Scanner is one row of an answer, as *sql.Row and *sql.Rows are.
type Scanner interface {
	Scan(dest ...any) error
}

// rows is sql.Rows with the duty to give its prepared statement back.
type rows struct {
	*sql.Rows
	done func()
}

func (r *rows) Close() error {
	err := r.Rows.Close()
	if r.done != nil {
		r.done()
		r.done = nil
	}
	return err
}

// All gives every row of the answer in its order; no row is an empty slice and no error.
func All[T any](ctx context.Context, q Querier, text string, scan func(Scanner) (T, error), args ...any) ([]T, error) {
	out := []T{}
	err := Each(ctx, q, text, scan, func(v T) error {
		out = append(out, v)
		return nil
	}, args...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// One gives the first row, or ErrNotFound.
func One[T any](ctx context.Context, q Querier, text string, scan func(Scanner) (T, error), args ...any) (T, error) {
	var out T
	found := errors.New("found")
	err := Each(ctx, q, text, scan, func(v T) error {
		out = v
		return found
	}, args...)
	switch {
	case errors.Is(err, found):
		return out, nil
	case err == nil:
		return out, ErrNotFound
	}
	return out, err
}

// Each hands the rows to f one by one and stops at f's first error, which it returns. While it runs, f must not
// use q when q is a Tx: PostgreSQL has one answer at a time on a connection.
func Each[T any](ctx context.Context, q Querier, text string, scan func(Scanner) (T, error), f func(T) error, args ...any) error {
	args, err := plain(args)
	if err != nil {
		return err
	}
	r, err := q.query(ctx, text, args)
	if err != nil {
		return explain(err)
	}
	defer func() { _ = r.Close() }() // a failure to read shows in Err
	for r.Next() {
		v, err := scan(r)
		if err != nil {
			return explain(err)
		}
		if err := f(v); err != nil {
			return err
		}
	}
	return explain(r.Err())
}

// Exec runs a statement without an answer and gives the number of rows it touched. On a *DB it is a
// transaction of its own.
func Exec(ctx context.Context, q Querier, text string, args ...any) (int64, error) {
	args, err := plain(args)
	if err != nil {
		return 0, err
	}
	res, err := q.exec(ctx, text, args)
	if err != nil {
		return 0, explain(err)
	}
	n, err := res.RowsAffected()
	return n, explain(err)
}

// Change is Exec for a statement that must touch a row: ErrNotFound when it touched none.
func Change(ctx context.Context, q Querier, text string, args ...any) error {
	n, err := Exec(ctx, q, text, args...)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}

// Col scans a row of one column: store.All(ctx, db, `SELECT id FROM …`, store.Col[string]).
func Col[T any](r Scanner) (v T, err error) {
	err = r.Scan(&v)
	return v, err
}

// In gives "?,?,?" for n values; for none it gives "NULL", which is in no list.
func In(n int) string {
	if n <= 0 {
		return "NULL"
	}
	return strings.Repeat("?,", n-1) + "?"
}

// Args makes arguments of a slice, for In.
func Args[T any](values []T) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

// Contains gives the pattern for `lower(column) LIKE ? ESCAPE '\'` that finds s anywhere, whatever s holds.
func Contains(s string) string { return "%" + Escape(s) + "%" }

// StartsWith gives the pattern for `lower(column) LIKE ? ESCAPE '\'` that finds s at the start.
func StartsWith(s string) string { return Escape(s) + "%" }

// Escape lowers s and takes their meaning from the pattern characters.
func Escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(s))
}

func (db *DB) query(ctx context.Context, text string, args []any) (*rows, error) {
	return db.reader.query(ctx, text, args)
}

func (db *DB) exec(ctx context.Context, text string, args []any) (sql.Result, error) {
	return db.writer.once(ctx, text, args)
}
