package store

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
)

// statementLimit bounds the prepared statements of one cache. The texts of a program are some hundreds; what
// goes beyond (lists of many lengths) runs unprepared.
const statementLimit = 512

// statements keeps prepared what has been run before: SQLite's parser costs more than most of its answers.
// (pgx keeps its own.) A statement whose answer is still being read is not handed out a second time.
type statements struct {
	prepare func(context.Context, string) (*sql.Stmt, error)
	shared  bool // the statements belong to a pool, where each use may get a connection of its own

	mu     sync.Mutex
	held   map[string]*held
	closed bool
}

type held struct {
	stmt *sql.Stmt
	busy atomic.Bool
}

// get gives the prepared statement of text and what to call after its use, or nil where text is to be run
// unprepared (which then also tells what is wrong with it).
func (c *statements) get(ctx context.Context, text string) (*sql.Stmt, func()) {
	h := c.find(ctx, text)
	if h == nil {
		return nil, nil
	}
	if c.shared {
		return h.stmt, func() {}
	}
	if !h.busy.CompareAndSwap(false, true) {
		return nil, nil
	}
	return h.stmt, func() { h.busy.Store(false) }
}

// find prepares outside the lock: on a pool that waits for a connection.
func (c *statements) find(ctx context.Context, text string) *held {
	c.mu.Lock()
	h, full := c.held[text], len(c.held) >= statementLimit
	c.mu.Unlock()
	if h != nil || full {
		return h
	}
	s, err := c.prepare(ctx, text)
	if err != nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if h := c.held[text]; h != nil || c.closed {
		_ = s.Close()
		return h
	}
	if c.held == nil {
		c.held = map[string]*held{}
	}
	h = &held{stmt: s}
	c.held[text] = h
	return h
}

func (c *statements) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range c.held {
		_ = h.stmt.Close()
	}
	c.held, c.closed = nil, true
}

// asker is what a query runs on when it is not prepared: *sql.DB, *sql.Conn or *sql.Tx.
type asker interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

func queryCached(ctx context.Context, c *statements, on asker, text string, args []any) (*rows, error) {
	s, done := c.get(ctx, text)
	if s == nil {
		r, err := on.QueryContext(ctx, text, args...) //nolint:sqlclosecheck // closed by rows.Close
		return wrap(r, err, nil)
	}
	r, err := s.QueryContext(ctx, args...) //nolint:sqlclosecheck // closed by rows.Close
	if err != nil {
		done()
	}
	return wrap(r, err, done)
}

func wrap(r *sql.Rows, err error, done func()) (*rows, error) {
	if err != nil {
		return nil, err
	}
	return &rows{r, done}, nil
}

// reader is the pool of connections that only read.
type reader struct {
	pool     *sql.DB
	rewrite  func(string) string
	prepared bool
	cache    statements
}

func newReader(pool *sql.DB, rewrite func(string) string, prepared bool) *reader {
	return &reader{pool: pool, rewrite: rewrite, prepared: prepared, cache: statements{prepare: pool.PrepareContext, shared: true}}
}

func (r *reader) query(ctx context.Context, text string, args []any) (*rows, error) {
	text = r.rewrite(text)
	if !r.prepared {
		got, err := r.pool.QueryContext(ctx, text, args...) //nolint:sqlclosecheck // closed by rows.Close
		return wrap(got, err, nil)
	}
	return queryCached(ctx, &r.cache, r.pool, text, args)
}

func (r *reader) close() error {
	r.cache.close()
	return r.pool.Close()
}
