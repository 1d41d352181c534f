package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/kapok-hotline/kapok/core/fault"
)

const postgresConns = 8 // writers and, again, readers of one process

func openPostgres(ctx context.Context, address string) (*DB, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fault.New(fault.Invalid, "store.address.invalid", "address", redact(address)).Because(err)
	}
	for name, value := range map[string]string{
		"application_name": "kapok",
		"timezone":         "UTC",
		"lock_timeout":     "10s",
		// A process that dies inside a transaction must not hold the ledger's head for the others.
		"idle_in_transaction_session_timeout": "30s",
	} {
		if _, set := config.RuntimeParams[name]; !set {
			config.RuntimeParams[name] = value
		}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	reading := config.Copy()
	reading.RuntimeParams["default_transaction_read_only"] = "on"
	db := &DB{
		engine: Postgres, url: redact(address), secret: address,
		writer: &postgresWriter{postgresPool(config)},
		reader: newReader(postgresPool(reading), numbered, false),
	}
	if err := checkPostgres(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func postgresPool(config *pgx.ConnConfig) *sql.DB {
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(postgresConns)
	pool.SetMaxIdleConns(postgresConns)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return pool
}

// checkPostgres refuses a server whose SQL or character set is not the one the house is tested with.
func checkPostgres(ctx context.Context, db *DB) error {
	version, err := One(ctx, db, `SHOW server_version_num`, Col[string])
	if err != nil {
		return err
	}
	if n, err := strconv.Atoi(version); err != nil || n < 150000 {
		return fault.New(fault.Unavailable, "store.database.old", "version", version, "need", 15)
	}
	encoding, err := One(ctx, db, `SHOW server_encoding`, Col[string])
	if err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fault.New(fault.Unavailable, "store.database.encoding", "encoding", encoding, "need", "UTF8")
	}
	return nil
}

type postgresWriter struct{ pool *sql.DB }

func (w *postgresWriter) begin(ctx context.Context) (session, error) {
	wait, cancel := context.WithTimeoutCause(ctx, turnWait,
		fault.New(fault.Unavailable, "store.database.busy", "seconds", int(turnWait/time.Second)))
	conn, err := w.pool.Conn(wait)
	cancel()
	if err != nil {
		if ctx.Err() == nil && wait.Err() != nil {
			err = context.Cause(wait)
		}
		return nil, err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &postgresSession{conn, tx}, nil
}

func (w *postgresWriter) once(ctx context.Context, text string, args []any) (sql.Result, error) {
	return w.pool.ExecContext(ctx, numbered(text), args...)
}

func (w *postgresWriter) close() error { return w.pool.Close() }

type postgresSession struct {
	conn *sql.Conn
	tx   *sql.Tx
}

func (s *postgresSession) exec(ctx context.Context, text string, args []any) (sql.Result, error) {
	return s.tx.ExecContext(ctx, numbered(text), args...)
}

func (s *postgresSession) query(ctx context.Context, text string, args []any) (*rows, error) {
	r, err := s.tx.QueryContext(ctx, numbered(text), args...) //nolint:sqlclosecheck // closed by rows.Close
	return wrap(r, err, nil)
}

func (s *postgresSession) commit(context.Context) error {
	err := s.tx.Commit()
	if err == nil {
		_ = s.conn.Close() // back to the pool
	}
	return err
}

func (s *postgresSession) rollback() error {
	err := s.tx.Rollback()
	_ = s.conn.Close()
	if errors.Is(err, sql.ErrTxDone) { // the context's end rolled it back
		err = nil
	}
	return err
}
