package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/kapok-hotline/kapok/core/fault"
)

// Sentinels, to be found with errors.Is; both are faults of their kind.
var (
	ErrNotFound = error(fault.New(fault.NotFound, "store.row.missing"))  // no such row
	ErrConflict = error(fault.New(fault.Conflict, "store.row.conflict")) // a row with this key is there already
	ErrFull     = error(fault.New(fault.Unavailable, "store.disk.full")) // free space where the database lies
)

// told is an engine's error behind a sentinel: errors.Is finds both.
type told struct {
	sentinel error
	cause    error
}

func (t *told) Error() string   { return t.sentinel.Error() + ": " + t.cause.Error() }
func (t *told) Unwrap() []error { return []error{t.sentinel, t.cause} }

// explain maps an engine's error to a fault. A fault, a context's end and an unknown error pass unchanged.
func explain(err error) error {
	switch {
	case err == nil || fault.CodeOf(err) != "":
		return err
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, sql.ErrNoRows):
		return &told{ErrNotFound, err}
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return &told{ErrFull, err}
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return explainSQLite(e.Code(), err)
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return explainPostgres(e, err)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return fault.New(fault.Unavailable, "store.database.unreachable").Because(err)
	}
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, pgconn.ErrConnClosed) {
		return fault.New(fault.Unavailable, "store.database.unreachable").Because(err)
	}
	return err
}

// explainSQLite goes by the result codes of sqlite.org/rescode.html.
func explainSQLite(code int, err error) error {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return &told{ErrConflict, err}
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return fault.New(fault.Conflict, "store.row.linked").Because(err)
	}
	switch code & 0xff {
	case sqlite3.SQLITE_CONSTRAINT:
		return fault.New(fault.Invalid, "store.row.invalid").Because(err)
	case sqlite3.SQLITE_FULL:
		return &told{ErrFull, err}
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fault.New(fault.Unavailable, "store.database.busy").Because(err)
	case sqlite3.SQLITE_INTERRUPT:
		return errors.Join(context.Canceled, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fault.New(fault.Internal, "store.database.damaged").Because(err)
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return fault.New(fault.Unavailable, "store.database.unwritable").Because(err)
	case sqlite3.SQLITE_IOERR:
		return fault.New(fault.Unavailable, "store.disk.failed").Because(err)
	}
	return err
}

// explainPostgres goes by the error codes of PostgreSQL's documentation, appendix A.
func explainPostgres(e *pgconn.PgError, err error) error {
	switch e.Code {
	case "23505": // unique_violation
		return &told{ErrConflict, err}
	case "23503": // foreign_key_violation
		return fault.New(fault.Conflict, "store.row.linked").Because(err)
	case "53100": // disk_full
		return &told{ErrFull, err}
	case "40001", "40P01", "55P03": // serialization_failure, deadlock_detected, lock_not_available
		return fault.New(fault.Unavailable, "store.database.busy").Because(err)
	case "57014": // query_canceled
		return errors.Join(context.Canceled, err)
	case "22021": // character_not_in_repertoire
		return fault.New(fault.Invalid, "store.text.invalid").Because(err)
	}
	switch e.Code[:min(2, len(e.Code))] {
	case "23": // the other integrity constraints
		return fault.New(fault.Invalid, "store.row.invalid").Because(err)
	case "08", "53", "57": // connection, resources, operator's intervention
		return fault.New(fault.Unavailable, "store.database.unreachable").Because(err)
	case "XX": // internal error, data corrupted
		return fault.New(fault.Internal, "store.database.damaged").Because(err)
	}
	return err
}
