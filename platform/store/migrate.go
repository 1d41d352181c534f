package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/kapok-hotline/kapok/core/fault"
)

var moduleName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,30}$`)

// Migrate brings a module's tables to the newest of its migrations: files `00001_name.sql` in goose's form, at
// the top of files or in its folder `migrations`. Each runs in a transaction of its own, once per database;
// version table `goose_<module>`. Several processes may call it at the same time. A database that is newer than
// the program is refused (store.migration.newer), for forward is the only way.
func (db *DB) Migrate(ctx context.Context, module string, files fs.FS) error {
	if !moduleName.MatchString(module) {
		return fault.New(fault.Internal, "store.migration.module", "module", module)
	}
	if sub, err := fs.Sub(files, "migrations"); err == nil {
		if _, err := fs.Stat(files, "migrations"); err == nil {
			files = sub
		}
	}
	err := db.admin(ctx, func(pool *sql.DB) error { return db.up(ctx, pool, module, files) })
	if err != nil {
		return fmt.Errorf("migrate %s: %w", module, err)
	}
	return nil
}

func (db *DB) up(ctx context.Context, pool *sql.DB, module string, files fs.FS) error {
	dialect := goose.DialectSQLite3
	options := []goose.ProviderOption{
		goose.WithTableName("goose_" + module),
		goose.WithDisableGlobalRegistry(true),
		goose.WithLogger(goose.NopLogger()),
	}
	if db.engine == Postgres {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return err
		}
		dialect = goose.DialectPostgres
		options = append(options, goose.WithSessionLocker(locker))
	} else {
		files = sqliteFiles{files}
	}
	provider, err := goose.NewProvider(dialect, pool, files, options...)
	if err != nil {
		return err
	}
	have, known, err := provider.GetVersions(ctx)
	if err != nil {
		return explain(err)
	}
	if have > known {
		return fault.New(fault.Unavailable, "store.migration.newer", "module", module, "have", have, "known", known)
	}
	_, err = provider.Up(ctx)
	return explain(err)
}

// admin lends a pool that may do anything (migrate, vacuum), while no transaction of this process runs on SQLite.
func (db *DB) admin(ctx context.Context, f func(*sql.DB) error) (err error) {
	if w, ok := db.writer.(*sqliteWriterConn); ok {
		if err := w.take(ctx); err != nil {
			return explain(err)
		}
		defer w.give(false)
		pool, err := sql.Open("sqlite", w.dsn)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, pool.Close()) }()
		return f(pool)
	}
	w, ok := db.writer.(*postgresWriter)
	if !ok {
		return fmt.Errorf("no way to administer %T", db.writer)
	}
	return f(w.pool)
}
