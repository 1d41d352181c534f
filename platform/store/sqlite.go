package store

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"

	"github.com/kapok-hotline/kapok/core/fault"
)

const (
	turnWait     = 10 * time.Second // longest wait for the writer's turn
	readerConns  = 8
	sqliteReader = "_pragma=busy_timeout(5000)&_pragma=query_only(1)&_pragma=temp_store(2)&_pragma=cache_size(-16000)"
	sqliteWriter = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)&_pragma=temp_store(2)" +
		"&_pragma=cache_size(-32000)&_pragma=journal_size_limit(67108864)&_txlock=immediate"
)

func openSQLite(ctx context.Context, path, query string) (*DB, error) {
	options, err := url.ParseQuery(query)
	if err != nil || path == "" || strings.Contains(path, ":memory:") {
		return nil, fault.New(fault.Invalid, "store.address.invalid", "address", "sqlite:"+path)
	}
	durable := "FULL"
	if strings.EqualFold(options.Get("synchronous"), "normal") {
		durable = "NORMAL"
	}
	if err := makeFile(path); err != nil {
		return nil, fault.New(fault.Unavailable, "store.database.unwritable", "path", path).Because(err)
	}
	w := &sqliteWriterConn{
		dsn:  dsn(path, sqliteWriter+"&_pragma=synchronous("+durable+")"),
		turn: make(chan struct{}, 1),
	}
	if err := w.connect(ctx); err != nil { // first: it makes the file a WAL one
		return nil, errors.Join(explain(err), w.close())
	}
	pool, err := sql.Open("sqlite", dsn(path, sqliteReader))
	if err != nil {
		return nil, errors.Join(explain(err), w.close())
	}
	pool.SetMaxOpenConns(readerConns)
	pool.SetMaxIdleConns(readerConns)
	db := &DB{engine: SQLite, url: "sqlite:" + path, path: path, writer: w, reader: newReader(pool, unlocked, true)}
	if err := db.Ping(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// makeFile makes an empty database that only its owner can read; SQLite gives its journal the same mode.
func makeFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func dsn(path, options string) string {
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path) + "?" + options
}

// sqliteWriterConn is the one connection that writes, with the statements prepared on it. Whoever holds the
// turn owns all of it: writers queue in Go, where waiting is fair and ends with a context, and never in SQLite,
// where two writing connections starve each other for a second.
type sqliteWriterConn struct {
	dsn   string
	turn  chan struct{}
	pool  *sql.DB
	conn  *sql.Conn
	cache statements
}

func (w *sqliteWriterConn) connect(ctx context.Context) error {
	if w.pool == nil {
		pool, err := sql.Open("sqlite", w.dsn)
		if err != nil {
			return err
		}
		pool.SetMaxOpenConns(1)
		w.pool = pool
	}
	conn, err := w.pool.Conn(ctx)
	if err != nil {
		return err
	}
	w.conn, w.cache = conn, statements{prepare: conn.PrepareContext}
	return nil
}

// take waits for the turn and sees to it that there is a connection.
func (w *sqliteWriterConn) take(ctx context.Context) error {
	late := time.NewTimer(turnWait)
	defer late.Stop()
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
		return fault.New(fault.Unavailable, "store.database.busy", "seconds", int(turnWait/time.Second))
	}
	if w.conn == nil {
		if err := w.connect(ctx); err != nil {
			<-w.turn
			return err
		}
	}
	return nil
}

// give passes the turn on. A connection left inside a transaction is thrown away: nobody may inherit it.
func (w *sqliteWriterConn) give(broken bool) {
	if broken {
		w.drop()
	}
	<-w.turn
}

func (w *sqliteWriterConn) drop() {
	w.cache.close()
	if w.conn != nil {
		_ = w.conn.Raw(func(any) error { return errBroken }) // marks it bad, so that the pool closes it
		_ = w.conn.Close()
		w.conn = nil
	}
	if w.pool != nil {
		_ = w.pool.Close()
		w.pool = nil
	}
}

var errBroken = errors.New("the connection is not to be used again")

func (w *sqliteWriterConn) close() error {
	w.turn <- struct{}{} // wait for the running transaction; the turn is never given again
	if w.pool == nil {
		return nil
	}
	w.cache.close()
	if w.conn != nil {
		_ = w.conn.Close()
	}
	return w.pool.Close()
}

func (w *sqliteWriterConn) begin(ctx context.Context) (session, error) {
	if err := w.take(ctx); err != nil {
		return nil, err
	}
	if err := w.control(ctx, "BEGIN IMMEDIATE"); err != nil {
		w.give(false)
		return nil, err
	}
	return &sqliteSession{w: w}, nil
}

func (w *sqliteWriterConn) once(ctx context.Context, text string, args []any) (sql.Result, error) {
	if err := w.take(ctx); err != nil {
		return nil, err
	}
	defer w.give(false)
	return w.exec(ctx, text, args)
}

func (w *sqliteWriterConn) exec(ctx context.Context, text string, args []any) (sql.Result, error) {
	text = unlocked(text)
	if s, done := w.cache.get(ctx, text); s != nil {
		defer done()
		return s.ExecContext(ctx, args...)
	}
	return w.conn.ExecContext(ctx, text, args...)
}

func (w *sqliteWriterConn) control(ctx context.Context, text string) error {
	_, err := w.exec(ctx, text, nil)
	return err
}

// sqliteSession is a transaction. A context that ends is noticed between two statements, not within one: to watch
// for it the driver starts a goroutine for each statement, which costs more than most of them.
type sqliteSession struct{ w *sqliteWriterConn }

func (s *sqliteSession) exec(ctx context.Context, text string, args []any) (sql.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.w.exec(context.Background(), text, args) //nolint:contextcheck // see above
}

func (s *sqliteSession) query(ctx context.Context, text string, args []any) (*rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return queryCached(context.Background(), &s.w.cache, s.w.conn, unlocked(text), args) //nolint:contextcheck // see above
}

// commit does not follow ctx once it has begun: a commit cut short is neither done nor undone to its caller.
func (s *sqliteSession) commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := s.w.control(context.WithoutCancel(ctx), "COMMIT")
	if err == nil {
		s.w.give(false)
	}
	return err
}

// rollback also comes after a commit that failed (a full disk), which leaves the transaction open or rolled
// back, as SQLite sees fit.
func (s *sqliteSession) rollback() error {
	err := s.w.control(context.Background(), "ROLLBACK")
	if e, ok := errors.AsType[*sqlite.Error](err); ok && strings.Contains(e.Error(), "no transaction is active") {
		err = nil
	}
	s.w.give(err != nil)
	return err
}
