// Package storetest runs tests on both engines and keeps migrations portable.
package storetest

import (
	"context"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Each runs f twice, as subtests "sqlite" and "postgres", each with an empty database of its own that is gone
// when the subtest ends. PostgreSQL is the cluster that TEST_POSTGRES names (any database in it, by a user that
// may create others), or one that is started for the test binary; where there is none the test fails, because
// an engine that is not tested does not work.
func Each(t *testing.T, f func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, Postgres(t)) })
}

// SQLite gives an empty SQLite database: for tests of what only it has, and as a quick double elsewhere.
func SQLite(t testing.TB) *store.DB {
	t.Helper()
	return open(t, "sqlite:"+filepath.Join(t.TempDir(), "kapok.db"))
}

// Postgres gives an empty PostgreSQL database; see Each.
func Postgres(t testing.TB) *store.DB {
	t.Helper()
	db := open(t, PostgresAddress(t))
	return db
}

var databases atomic.Int64

// PostgresAddress makes an empty database and gives its address, for tests that open it themselves.
func PostgresAddress(t testing.TB) string {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	name := "kapok_" + strings.ToLower(id.New(time.Now())) + "_" + string(rune('a'+databases.Add(1)%26))
	if err := administer(c.address, `CREATE DATABASE `+name+` TEMPLATE template0 ENCODING 'UTF8'`); err != nil {
		t.Fatalf("cannot make a database in %s: %v", c.address, err)
	}
	t.Cleanup(func() {
		if err := administer(c.address, `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Errorf("cannot drop %s: %v", name, err)
		}
	})
	address, err := inCluster(c.address, name)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func open(t testing.TB, address string) *store.DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	db, err := store.Open(ctx, address)
	if err != nil {
		t.Fatalf("open %s: %v", address, err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}
