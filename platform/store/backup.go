package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/kapok-hotline/kapok/core/fault"
)

// Backup writes a whole and consistent copy of the database to file while everything goes on: on SQLite a
// database of its own (VACUUM INTO), on PostgreSQL an archive of pg_dump. The file appears when it is complete,
// for the owner's eyes only; one that is there is not written over (store.backup.exists). Where pg_dump is not
// found, store.backup.tool says which program to install.
func (db *DB) Backup(ctx context.Context, file string) error {
	if _, err := os.Lstat(file); err == nil {
		return fault.New(fault.Conflict, "store.backup.exists", "file", file)
	}
	part := file + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return explain(err)
	}
	write := db.vacuumInto
	if db.engine == Postgres {
		write = db.dump
	}
	if err := write(ctx, part); err != nil {
		_ = os.Remove(part)
		return explain(err)
	}
	if err := settle(part, file); err != nil {
		return explain(err)
	}
	return nil
}

func (db *DB) vacuumInto(ctx context.Context, file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // SQLite takes an empty file
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	pool, err := sql.Open("sqlite", dsn(db.path, "_pragma=busy_timeout(5000)"))
	if err != nil {
		return err
	}
	_, err = pool.ExecContext(ctx, `VACUUM INTO ?`, file)
	return errors.Join(err, pool.Close())
}

func (db *DB) dump(ctx context.Context, file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return db.tool(ctx, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--file="+file)
}

// tool runs a program of PostgreSQL on the database. The password goes by the environment: arguments are seen
// by every user of the machine.
func (db *DB) tool(ctx context.Context, name string, args ...string) error {
	path, err := findTool(name)
	if err != nil {
		return err
	}
	u, err := url.Parse(db.secret)
	if err != nil {
		return fault.New(fault.Invalid, "store.address.invalid", "address", db.url)
	}
	password, _ := u.User.Password()
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	cmd := exec.CommandContext(ctx, path, append(args, "--no-password", "--dbname="+u.String())...)
	cmd.Env = os.Environ()
	if password != "" {
		cmd.Env = append(cmd.Env, "PGPASSWORD="+password)
	}
	var said strings.Builder
	cmd.Stderr = &limited{to: &said, left: 4096}
	if err := cmd.Run(); err != nil {
		return fault.New(fault.Unavailable, "store.backup.failed", "tool", name).
			Because(fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String())))
	}
	return nil
}

// limited keeps the first bytes of what a program says.
type limited struct {
	to   io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	if _, err := l.to.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// findTool looks where Debian and Red Hat put PostgreSQL's programs, the newest first, and in PATH.
func findTool(name string) (string, error) {
	for version := 30; version >= 15; version-- {
		for _, dir := range []string{"/usr/lib/postgresql/", "/usr/pgsql-"} {
			path := filepath.Join(dir+strconv.Itoa(version), "bin", name)
			if _, err := os.Stat(path); err == nil {
				return path, nil
			}
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fault.New(fault.Unavailable, "store.backup.tool", "tool", name, "package", "postgresql-client").Because(err)
	}
	return path, nil
}

// settle makes sure that the file is on the disk before it gets its name.
func settle(part, file string) error {
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(part, file); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Restore makes the database at address from a file of Backup. The program must not be running on it. A
// database that holds something already is refused (store.restore.occupied): move it away first, so that a
// slip destroys nothing. A file that is damaged or of the other engine is store.restore.invalid.
func Restore(ctx context.Context, address, file string) error {
	magic, err := head(file)
	if err != nil {
		return fault.New(fault.NotFound, "store.restore.unreadable", "file", file).Because(err)
	}
	if scheme, _, _ := strings.Cut(address, ":"); scheme == "postgres" || scheme == "postgresql" {
		if !strings.HasPrefix(magic, "PGDMP") {
			return fault.New(fault.Invalid, "store.restore.invalid", "file", file, "want", string(Postgres))
		}
		return restorePostgres(ctx, address, file)
	}
	if !strings.HasPrefix(magic, "SQLite format 3\x00") {
		return fault.New(fault.Invalid, "store.restore.invalid", "file", file, "want", string(SQLite))
	}
	path, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(address, "sqlite:"), "//"), "?")
	return restoreSQLite(ctx, path, file)
}

func head(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	b := make([]byte, 16)
	n, err := io.ReadFull(f, b)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return string(b[:n]), err
}

func restoreSQLite(ctx context.Context, path, file string) error {
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(path + suffix); err == nil && info.Size() > 0 {
			return fault.New(fault.Conflict, "store.restore.occupied", "address", path)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return explain(err)
	}
	part := path + ".part"
	if err := copyFile(file, part); err != nil {
		_ = os.Remove(part)
		return explain(err)
	}
	if err := examine(ctx, part); err != nil {
		_ = os.Remove(part)
		return fault.New(fault.Invalid, "store.restore.invalid", "file", file, "want", string(SQLite)).Because(err)
	}
	return explain(settle(part, path))
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// examine reads every page of an SQLite database.
func examine(ctx context.Context, file string) error {
	pool, err := sql.Open("sqlite", dsn(file, "mode=ro&_pragma=query_only(1)"))
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }()
	var said string
	if err := pool.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&said); err != nil {
		return err
	}
	if said != "ok" {
		return errors.New(said)
	}
	return nil
}

func restorePostgres(ctx context.Context, address, file string) (err error) {
	db, err := Open(ctx, address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tables, err := One(ctx, db, `SELECT COUNT(*) FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema')`, Col[int])
	if err != nil {
		return err
	}
	if tables > 0 {
		return fault.New(fault.Conflict, "store.restore.occupied", "address", db.Address())
	}
	return db.tool(ctx, "pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", file)
}
