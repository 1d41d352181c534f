// Package store is Kapok's one way to a database: database/sql with one SQL text for SQLite (the default) and
// PostgreSQL 15 or later. DESIGN.md holds the rules that keep the text portable.
//
//	db, err := store.Open(ctx, "sqlite:kapok-data/kapok.db")
//	err = db.Migrate(ctx, "ticket", migrations)
//	open, err := store.All(ctx, db, `SELECT id, title FROM ticket_row WHERE closed_at = ?`, scanTicket, 0)
//	err = db.Tx(ctx, func(tx *store.Tx) error { … })
package store

import (
	"context"
	"database/sql"
	"net/url"
	"strings"

	"github.com/kapok-hotline/kapok/core/fault"
)

// Engine names the database behind a DB.
type Engine string

// The two engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// DB is an open database. Reads on it go to a pool of read-only connections and see what is committed; writes
// go one by one on SQLite, side by side on PostgreSQL. It is safe for use by many goroutines.
type DB struct {
	engine Engine
	url    string // without a password: fit for logs
	path   string // SQLite's file
	secret string // PostgreSQL's full connection string
	writer writer
	reader *reader
}

// writer is what differs between the engines: how a write gets its connection.
type writer interface {
	// begin starts a transaction; the session ends with exactly one call of its end.
	begin(ctx context.Context) (session, error)
	// once runs one statement in a transaction of its own.
	once(ctx context.Context, text string, args []any) (sql.Result, error)
	close() error
}

// session is one running transaction on one connection.
type session interface {
	query(ctx context.Context, text string, args []any) (*rows, error)
	exec(ctx context.Context, text string, args []any) (sql.Result, error)
	commit(ctx context.Context) error
	rollback() error
}

// Open opens the database named by address: `sqlite:PATH` or a plain path, or `postgres://user:password@host/name`.
// An SQLite file and its folder are made when missing, for the owner's eyes only. `sqlite:PATH?synchronous=normal`
// trades the last transactions before a power cut for speed; the default keeps every acknowledged one.
// Errors are faults with codes store.address.invalid, store.database.unreachable, store.database.old.
func Open(ctx context.Context, address string) (*DB, error) {
	switch scheme, rest, found := strings.Cut(address, ":"); {
	case address == "":
		return nil, fault.New(fault.Invalid, "store.address.invalid", "address", address)
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return openPostgres(ctx, address)
	case found && scheme == "sqlite":
		path, options, _ := strings.Cut(strings.TrimPrefix(rest, "//"), "?")
		return openSQLite(ctx, path, options)
	case found && strings.Contains(rest, "//"):
		return nil, fault.New(fault.Invalid, "store.address.invalid", "address", redact(address))
	default:
		return openSQLite(ctx, address, "")
	}
}

// Engine tells which database this is; only store, backup and the doctor have a reason to ask.
func (db *DB) Engine() Engine { return db.engine }

// Address gives what Open was given, without its password.
func (db *DB) Address() string { return db.url }

// Path gives the file of an SQLite database, "" for PostgreSQL.
func (db *DB) Path() string { return db.path }

// Close waits for the running transaction and closes all connections.
func (db *DB) Close() error {
	err := db.reader.close()
	if werr := db.writer.close(); err == nil {
		err = werr
	}
	return explain(err)
}

// Ping asks the database for an answer: for readiness.
func (db *DB) Ping(ctx context.Context) error {
	_, err := One(ctx, db, `SELECT 1`, Col[int])
	return err
}

// redact takes the password out of an address.
func redact(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(unreadable address)"
	}
	return u.Redacted()
}
