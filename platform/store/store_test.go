package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var schema = fstest.MapFS{"migrations/00001_start.sql": {Data: []byte(`-- +goose Up
CREATE TABLE shop_item (
  id      TEXT    NOT NULL PRIMARY KEY,
  name    TEXT    NOT NULL UNIQUE,
  sold_at BIGINT  NOT NULL DEFAULT 0,
  hidden  BOOLEAN NOT NULL DEFAULT FALSE,
  extra   TEXT    NOT NULL DEFAULT '{}',
  CHECK (sold_at >= 0)
);
CREATE TABLE shop_price (item TEXT NOT NULL REFERENCES shop_item (id), fen BIGINT NOT NULL);
`)}}

type item struct {
	ID, Name string
	SoldAt   int64
	Hidden   bool
	Extra    map[string]int
}

func scanItem(r store.Scanner) (i item, err error) {
	return i, r.Scan(&i.ID, &i.Name, &i.SoldAt, &i.Hidden, store.JSON(&i.Extra))
}

const selectItem = `SELECT id, name, sold_at, hidden, extra FROM shop_item `

func add(ctx context.Context, q store.Querier, i item) error {
	_, err := store.Exec(ctx, q, `INSERT INTO shop_item (id, name, sold_at, hidden, extra) VALUES (?, ?, ?, ?, ?)`,
		i.ID, i.Name, i.SoldAt, i.Hidden, store.JSON(&i.Extra))
	return err
}

func shop(t *testing.T, db *store.DB) *store.DB {
	t.Helper()
	for range 2 { // the second time there is nothing to do
		if err := db.Migrate(t.Context(), "shop", schema); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func TestRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		shop(t, db)
		pen := item{"1", "钢笔 ?", 1_795_000_000_000, true, map[string]int{"红": 3}}
		for _, i := range []item{pen, {ID: "2", Name: "Ink"}, {ID: "3", Name: "100%"}} {
			if err := add(ctx, db, i); err != nil {
				t.Fatal(err)
			}
		}
		t.Run("what is written is read", func(t *testing.T) {
			got, err := store.One(ctx, db, selectItem+`WHERE hidden AND name = '钢笔 ?' AND id = ?`, scanItem, "1")
			if err != nil || !cmp.Equal(got, pen) {
				t.Error(err, cmp.Diff(pen, got))
			}
		})
		t.Run("a list of keys, an empty one too", func(t *testing.T) {
			for want, ids := range map[int][]string{2: {"1", "3", "9"}, 0: {}} {
				got, err := store.All(ctx, db, selectItem+`WHERE id IN (`+store.In(len(ids))+`) ORDER BY id`, scanItem, store.Args(ids)...)
				if err != nil || len(got) != want {
					t.Errorf("%d rows, %v; want %d", len(got), err, want)
				}
			}
		})
		t.Run("a search takes pattern characters as they are", func(t *testing.T) {
			for text, want := range map[string]string{"0%": "3", "INK": "2", "_": "", "笔": "1"} {
				got, err := store.All(ctx, db, `SELECT id FROM shop_item WHERE lower(name) LIKE ? ESCAPE '\'`, store.Col[string], store.Contains(text))
				if err != nil || strings.Join(got, "") != want {
					t.Errorf("%q found %v, %v; want %q", text, got, err, want)
				}
			}
		})
		t.Run("sums and hour buckets", func(t *testing.T) {
			got, err := store.One(ctx, db, `SELECT COUNT(*) FILTER (WHERE hidden), CAST(SUM(sold_at) AS BIGINT), MAX(sold_at / 3600000) FROM shop_item`,
				func(r store.Scanner) (n [3]int64, err error) { return n, r.Scan(&n[0], &n[1], &n[2]) })
			if want := [3]int64{1, 1_795_000_000_000, 498611}; err != nil || got != want {
				t.Errorf("got %v, %v; want %v", got, err, want)
			}
		})
		t.Run("upsert", func(t *testing.T) {
			name, err := inTx(ctx, db, func(tx *store.Tx) (string, error) {
				return store.One(ctx, tx, `INSERT INTO shop_item (id, name) VALUES (?, ?)
					ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING name`, store.Col[string], "2", "Tinte")
			})
			if err != nil || name != "Tinte" {
				t.Error(name, err)
			}
		})
		t.Run("JSON arguments are text", func(t *testing.T) {
			if err := store.Change(ctx, db, `UPDATE shop_item SET extra = ? WHERE id = ?`, json.RawMessage(`{"a":1}`), "2"); err != nil {
				t.Fatal(err)
			}
			got, err := store.One(ctx, db, selectItem+`WHERE extra = '{"a":1}'`, scanItem)
			if err != nil || got.ID != "2" || got.Extra["a"] != 1 {
				t.Error(got, err)
			}
		})
		t.Run("Each stops at the first error", func(t *testing.T) {
			stop, n := errors.New("stop"), 0
			err := store.Each(ctx, db, selectItem, scanItem, func(item) error { n++; return stop })
			if !errors.Is(err, stop) || n != 1 {
				t.Error(err, n)
			}
		})
	})
}

func inTx[T any](ctx context.Context, db *store.DB, f func(*store.Tx) (T, error)) (v T, err error) {
	err = db.Tx(ctx, func(tx *store.Tx) error {
		v, err = f(tx)
		return err
	})
	return v, err
}

func TestFaults(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		shop(t, db)
		if err := add(ctx, db, item{ID: "1", Name: "a"}); err != nil {
			t.Fatal(err)
		}
		gone, cancel := context.WithCancel(ctx)
		cancel()
		_, missing := store.One(ctx, db, selectItem+`WHERE id = ?`, scanItem, "none")
		_, write := store.One(ctx, db, `INSERT INTO shop_item (id, name) VALUES ('8', '8') RETURNING id`, store.Col[string])
		_, link := store.Exec(ctx, db, `INSERT INTO shop_price (item, fen) VALUES ('none', 1)`)
		_, null := store.Exec(ctx, db, `INSERT INTO shop_item (id, name) VALUES ('7', NULL)`)
		_, late := store.Exec(gone, db, `DELETE FROM shop_item`)
		for name, c := range map[string]struct {
			err  error
			kind fault.Kind
			code string
			is   error
		}{
			"no row":               {missing, fault.NotFound, "store.row.missing", store.ErrNotFound},
			"nothing to change":    {store.Change(ctx, db, `DELETE FROM shop_item WHERE id = ?`, "none"), fault.NotFound, "store.row.missing", store.ErrNotFound},
			"same key":             {add(ctx, db, item{ID: "1", Name: "b"}), fault.Conflict, "store.row.conflict", store.ErrConflict},
			"same name":            {add(ctx, db, item{ID: "2", Name: "a"}), fault.Conflict, "store.row.conflict", store.ErrConflict},
			"nothing to refer to":  {link, fault.Conflict, "store.row.linked", nil},
			"NULL where none may":  {null, fault.Invalid, "store.row.invalid", nil},
			"check":                {add(ctx, db, item{ID: "3", Name: "c", SoldAt: -1}), fault.Invalid, "store.row.invalid", nil},
			"NUL in text":          {add(ctx, db, item{ID: "3", Name: "c\x00"}), fault.Invalid, "store.text.invalid", nil},
			"text not UTF-8":       {add(ctx, db, item{ID: "3", Name: "\xb9\xe3"}), fault.Invalid, "store.text.invalid", nil},
			"the context is over":  {late, fault.Internal, "", context.Canceled},
			"write on a read pool": {write, fault.Internal, "", nil},
		} {
			if c.err == nil || fault.CodeOf(c.err) != c.code && c.code != "" || c.code != "" && fault.KindOf(c.err) != c.kind {
				t.Errorf("%s: %v", name, c.err)
			}
			if c.is != nil && !errors.Is(c.err, c.is) {
				t.Errorf("%s: %v is not %v", name, c.err, c.is)
			}
		}
		if n, err := store.One(ctx, db, `SELECT COUNT(*) FROM shop_item`, store.Col[int]); err != nil || n != 1 {
			t.Errorf("%d rows after refusals, %v", n, err)
		}
	})
}

func TestTx(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		shop(t, db)
		no := errors.New("no")
		count := func() int {
			t.Helper()
			n, err := store.One(ctx, db, `SELECT COUNT(*) FROM shop_item`, store.Col[int])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		t.Run("an error takes all of it back", func(t *testing.T) {
			err := db.Tx(ctx, func(tx *store.Tx) error {
				if err := add(ctx, tx, item{ID: "1", Name: "1"}); err != nil {
					return err
				}
				if n, err := store.One(ctx, tx, `SELECT COUNT(*) FROM shop_item`, store.Col[int]); err != nil || n != 1 {
					t.Errorf("own row not seen: %d, %v", n, err)
				}
				if count() != 0 {
					t.Error("others see what is not committed")
				}
				return no
			})
			if !errors.Is(err, no) || count() != 0 {
				t.Error(err, count())
			}
		})
		t.Run("so does a panic, which goes on", func(t *testing.T) {
			defer func() {
				if recover() != "broken" || count() != 0 {
					t.Error("panic swallowed or row kept")
				}
			}()
			_ = db.Tx(ctx, func(tx *store.Tx) error {
				_ = add(ctx, tx, item{ID: "1", Name: "1"})
				panic("broken")
			})
		})
		t.Run("hooks", func(t *testing.T) {
			var order []string
			note := func(s string) { order = append(order, s) }
			err := db.Tx(ctx, func(tx *store.Tx) error {
				tx.AfterCommit(func() { note(fmt.Sprintf("committed %d", count())) })
				tx.BeforeCommit(func(ctx context.Context) error { note("before"); return add(ctx, tx, item{ID: "1", Name: "1"}) })
				return nil
			})
			if err != nil || !cmp.Equal(order, []string{"before", "committed 1"}) {
				t.Error(order, err)
			}
			order = nil
			err = db.Tx(ctx, func(tx *store.Tx) error {
				tx.AfterCommit(func() { note("committed") })
				tx.AfterEnd(func(ok bool) { note(fmt.Sprint(ok)) })
				tx.BeforeCommit(func(context.Context) error { return no })
				return add(ctx, tx, item{ID: "2", Name: "2"})
			})
			if !errors.Is(err, no) || count() != 1 || !cmp.Equal(order, []string{"false"}) {
				t.Error(order, err)
			}
		})
		t.Run("a savepoint undoes a part", func(t *testing.T) {
			err := db.Tx(ctx, func(tx *store.Tx) error {
				if err := add(ctx, tx, item{ID: "2", Name: "2"}); err != nil {
					return err
				}
				err := tx.Savepoint(ctx, func() error { return add(ctx, tx, item{ID: "2", Name: "again"}) })
				if !errors.Is(err, store.ErrConflict) {
					t.Error(err)
				}
				return tx.Savepoint(ctx, func() error { return add(ctx, tx, item{ID: "3", Name: "3"}) })
			})
			if err != nil || count() != 3 {
				t.Error(err, count())
			}
		})
		t.Run("a kept Tx is refused", func(t *testing.T) {
			var kept *store.Tx
			if err := db.Tx(ctx, func(tx *store.Tx) error { kept = tx; return nil }); err != nil {
				t.Fatal(err)
			}
			if err := add(ctx, kept, item{ID: "9", Name: "9"}); fault.CodeOf(err) != "store.transaction.ended" {
				t.Error(err)
			}
		})
		t.Run("a context that ends inside leaves nothing and the next one works", func(t *testing.T) {
			inner, cancel := context.WithCancel(ctx)
			err := db.Tx(inner, func(tx *store.Tx) error {
				if err := add(inner, tx, item{ID: "4", Name: "4"}); err != nil {
					return err
				}
				cancel()
				return nil
			})
			if err == nil || count() != 3 {
				t.Error(err, count())
			}
			if err := db.Tx(ctx, func(tx *store.Tx) error { return add(ctx, tx, item{ID: "4", Name: "4"}) }); err != nil {
				t.Error(err)
			}
		})
	})
}

// Four agents take forty items; FOR UPDATE SKIP LOCKED on one engine and the turn on the other give each item
// to one of them.
func TestClaims(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		shop(t, db)
		for i := range 40 {
			if err := add(ctx, db, item{ID: fmt.Sprintf("%02d", i), Name: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		taken := map[string]int{}
		claim := func() (string, error) {
			return inTx(ctx, db, func(tx *store.Tx) (string, error) {
				id, err := store.One(ctx, tx, `SELECT id FROM shop_item WHERE NOT hidden ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`, store.Col[string])
				if err != nil {
					return "", err
				}
				return id, store.Change(ctx, tx, `UPDATE shop_item SET hidden = TRUE WHERE id = ?`, id)
			})
		}
		for range 4 {
			wg.Go(func() {
				for {
					id, err := claim()
					if errors.Is(err, store.ErrNotFound) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					taken[id]++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for id, n := range taken {
			if n != 1 {
				t.Errorf("%s was taken %d times", id, n)
			}
		}
		if len(taken) != 40 {
			t.Errorf("%d of 40 taken", len(taken))
		}
	})
}

func TestLockKeepsOthersOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		shop(t, db)
		if err := add(ctx, db, item{ID: "n", Name: "n"}); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				err := db.Tx(ctx, func(tx *store.Tx) error {
					if err := tx.Lock(ctx, "counter"); err != nil {
						return err
					}
					n, err := store.One(ctx, tx, `SELECT sold_at FROM shop_item WHERE id = 'n'`, store.Col[int])
					if err != nil {
						return err
					}
					return store.Change(ctx, tx, `UPDATE shop_item SET sold_at = ? WHERE id = 'n'`, n+1)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n, err := store.One(ctx, db, `SELECT sold_at FROM shop_item WHERE id = 'n'`, store.Col[int]); err != nil || n != 20 {
			t.Errorf("counted to %d, %v", n, err)
		}
	})
}

func TestOpen(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	t.Run("addresses that are none", func(t *testing.T) {
		for _, address := range []string{"", "mysql://root@host/db", "sqlite:", "sqlite::memory:", "postgres://host:port/x"} {
			if db, err := store.Open(ctx, address); fault.CodeOf(err) != "store.address.invalid" {
				t.Errorf("Open(%q) = %v, %v", address, db, err)
			}
		}
	})
	t.Run("a PostgreSQL that is not there, and no password in the message", func(t *testing.T) {
		_, err := store.Open(ctx, "postgres://kapok:s3cret@127.0.0.1:1/kapok")
		if fault.CodeOf(err) != "store.database.unreachable" || strings.Contains(err.Error(), "s3cret") {
			t.Error(err)
		}
	})
	t.Run("a path with every awkward character", func(t *testing.T) {
		path := filepath.Join(dir, "new folder", "50%? #1 木棉.db")
		db, err := store.Open(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		shop(t, db)
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
			t.Error(info, err)
		}
	})
	t.Run("a file that is no database", func(t *testing.T) {
		path := filepath.Join(dir, "letter.db")
		if err := os.WriteFile(path, []byte(strings.Repeat("Dear taxpayer, ", 100)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Open(ctx, path); fault.CodeOf(err) != "store.database.damaged" {
			t.Error(err)
		}
	})
}

func TestSQLiteWritesAreDurable(t *testing.T) {
	db := storetest.SQLite(t)
	ctx := t.Context()
	for pragma, want := range map[string]int{"synchronous": 2, "foreign_keys": 1} { // 2 is FULL
		got, err := inTx(ctx, db, func(tx *store.Tx) (int, error) { return store.One(ctx, tx, `PRAGMA `+pragma, store.Col[int]) })
		if err != nil || got != want {
			t.Errorf("%s = %d, %v; want %d", pragma, got, err, want)
		}
	}
	mode, err := store.One(ctx, db, `PRAGMA journal_mode`, store.Col[string])
	if err != nil || mode != "wal" {
		t.Errorf("journal_mode = %s, %v", mode, err)
	}
}

func TestDiskFull(t *testing.T) {
	db := storetest.SQLite(t)
	ctx := t.Context()
	shop(t, db)
	pages, err := store.One(ctx, db, `PRAGMA page_count`, store.Col[int])
	if err != nil {
		t.Fatal(err)
	}
	limit := func(n int) {
		t.Helper()
		if _, err := store.Exec(ctx, db, fmt.Sprintf(`PRAGMA max_page_count = %d`, n)); err != nil {
			t.Fatal(err)
		}
	}
	fill := func(id string) error {
		return db.Tx(ctx, func(tx *store.Tx) error {
			if err := add(ctx, tx, item{ID: id, Name: "small"}); err != nil {
				return err
			}
			return add(ctx, tx, item{ID: id + "x", Name: strings.Repeat("large", 20_000)})
		})
	}
	limit(pages + 2)
	if err := fill("1"); !errors.Is(err, store.ErrFull) || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("full: %v", err)
	}
	if n, err := store.One(ctx, db, `SELECT COUNT(*) FROM shop_item`, store.Col[int]); err != nil || n != 0 {
		t.Errorf("%d rows of a failed transaction, %v", n, err)
	}
	limit(pages + 2000)
	if err := fill("1"); err != nil {
		t.Errorf("with space again: %v", err)
	}
}

func TestMigrateRefusesANewerDatabase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		newer := fstest.MapFS{
			"00001_start.sql": {Data: schema["migrations/00001_start.sql"].Data},
			"00002_more.sql":  {Data: []byte("-- +goose Up\nALTER TABLE shop_item ADD COLUMN more TEXT NOT NULL DEFAULT '';\n")},
		}
		if err := db.Migrate(t.Context(), "shop", newer); err != nil {
			t.Fatal(err)
		}
		if err := db.Migrate(t.Context(), "shop", schema); fault.CodeOf(err) != "store.migration.newer" {
			t.Error(err)
		}
		if err := db.Migrate(t.Context(), "Shop; DROP", schema); fault.CodeOf(err) != "store.migration.module" {
			t.Error(err)
		}
	})
}

func TestMigrateSideBySide(t *testing.T) {
	address := storetest.PostgresAddress(t)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			db, err := store.Open(ctx, address)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = db.Close() }()
			if err := db.Migrate(ctx, "shop", schema); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
