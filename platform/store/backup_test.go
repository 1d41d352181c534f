package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// A backup is taken while rows are written; what is restored is whole, opens and goes on.
func TestBackupAndRestore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		shop(t, db)
		dir := t.TempDir()
		file := filepath.Join(dir, "kapok 备份.backup")
		if err := add(ctx, db, item{ID: "before", Name: "before"}); err != nil {
			t.Fatal(err)
		}
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				err := db.Tx(ctx, func(tx *store.Tx) error { // two rows or none
					if err := add(ctx, tx, item{ID: fmt.Sprint("a", i), Name: fmt.Sprint("a", i)}); err != nil {
						return err
					}
					return add(ctx, tx, item{ID: fmt.Sprint("b", i), Name: fmt.Sprint("b", i)})
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
		err := db.Backup(ctx, file)
		close(stop)
		wg.Wait()
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Error(info, err)
		}
		if err := db.Backup(ctx, file); fault.CodeOf(err) != "store.backup.exists" {
			t.Error(err)
		}
		if err := store.Restore(ctx, db.Address(), file); fault.CodeOf(err) != "store.restore.occupied" {
			t.Errorf("restored over a database in use: %v", err)
		}

		address := "sqlite:" + filepath.Join(dir, "new", "kapok.db")
		if db.Engine() == store.Postgres {
			address = storetest.PostgresAddress(t)
		}
		if err := store.Restore(ctx, address, file); err != nil {
			t.Fatal(err)
		}
		back, err := store.Open(ctx, address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = back.Close() }()
		shop(t, back) // migrated already
		n, err := store.One(ctx, back, `SELECT COUNT(*) FROM shop_item WHERE id <> 'before'`, store.Col[int])
		if err != nil || n%2 != 0 {
			t.Errorf("%d rows, %v: a transaction is half", n, err)
		}
		if err := add(ctx, back, item{ID: "after", Name: "after"}); err != nil {
			t.Error(err)
		}
		if err := add(ctx, back, item{ID: "before", Name: "x"}); err == nil {
			t.Error("the row is gone, or its key")
		}
	})
}

func TestRestoreRefuses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		dir := t.TempDir()
		write := func(name, text string) string {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		empty := db.Address()
		if db.Engine() == store.SQLite {
			empty = "sqlite:" + filepath.Join(dir, "x.db")
		}
		for file, want := range map[string]string{
			filepath.Join(dir, "none"):    "store.restore.unreadable",
			write("letter", "Dear agent"): "store.restore.invalid",
			write("empty", ""):            "store.restore.invalid",
		} {
			if err := store.Restore(t.Context(), empty, file); fault.CodeOf(err) != want {
				t.Errorf("%s: %v", filepath.Base(file), err)
			}
		}
		damaged := write("damaged", map[store.Engine]string{store.SQLite: "SQLite format 3\x00", store.Postgres: "PGDMP"}[db.Engine()]+strings.Repeat("?", 5000))
		if err := store.Restore(t.Context(), empty, damaged); err == nil {
			t.Error("a damaged file was restored")
		}
	})
}
