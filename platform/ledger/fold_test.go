package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
)

// count is a fold that counts facts by kind, and fails when it is told to.
type count struct {
	name   string
	broken atomic.Bool
}

func (c *count) Name() string { return "count" + c.name }

func (c *count) Apply(ctx context.Context, tx *store.Tx, facts []ledger.Fact) error {
	for _, f := range facts {
		if err := bump(ctx, tx, f.Kind+c.name); err != nil {
			return err
		}
	}
	if c.broken.Load() { // after it has written, so that half of its work would show
		_, err := store.Exec(ctx, tx, `SELECT broken`)
		return errors.Join(errors.New("a fold with a fault"), err)
	}
	return nil
}

func (c *count) Reset(ctx context.Context, tx *store.Tx) error {
	_, err := store.Exec(ctx, tx, `DELETE FROM count_row WHERE name LIKE '%.%'`)
	return err
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in 20 s: %s", what)
		}
	}
}

func TestAFoldThatComesLateCatchesUp(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		l := ledgertest.New(t, db, &count{})
		for i := range 30 {
			appendAll(t, l, fact("contact.ended", fmt.Sprint(i)))
		}
		if err := l.Register(t.Context(), &count{name: "_late"}); err != nil {
			t.Fatal(err)
		}
		for i := range 30 {
			appendAll(t, l, fact("contact.ended", fmt.Sprint(i)))
		}
		eventually(t, "the late fold counts 60", func() bool { return counted(t, db, "contact.ended_late") == 60 })
		appendAll(t, l, fact("contact.ended", "last"))
		if a, b := counted(t, db, "contact.ended"), counted(t, db, "contact.ended_late"); a != 61 || b != 61 {
			t.Errorf("counted %d and %d", a, b)
		}
		ledgertest.Holds(t, l)
		if err := l.Register(t.Context(), &count{}); fault.CodeOf(err) != "ledger.fold.twice" {
			t.Error(err)
		}
	})
}

// A fold with a fault stops no call: the facts stand, the other folds go on, and its own rows are neither half
// nor lost once it is mended.
func TestABrokenFoldIsLeftBehindAndCatchesUp(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		bad := &count{name: "_bad"}
		l := ledgertest.Open(t, ledger.Config{DB: db, Node: "node-1", Log: quiet()}, &count{}, bad)
		appendAll(t, l, fact("contact.ended", "1"))
		bad.broken.Store(true)
		appendAll(t, l, fact("contact.ended", "2"))
		if err := l.Tx(t.Context(), func(tx *ledger.Tx) error { return tx.Append(fact("contact.ended", "3")) }); err != nil {
			t.Fatal(err)
		}
		if a, b := counted(t, db, "contact.ended"), counted(t, db, "contact.ended_bad"); a != 3 || b != 1 {
			t.Errorf("counted %d and %d", a, b)
		}
		findings := l.Check(t.Context())
		if b := findings[1].Breaches; len(b) != 1 || b[0].Subject != "count_bad" {
			t.Errorf("the doctor does not see it: %v", findings)
		}
		bad.broken.Store(false)
		eventually(t, "the mended fold counts 3", func() bool { return counted(t, db, "contact.ended_bad") == 3 })
		appendAll(t, l, fact("contact.ended", "4"))
		if n := counted(t, db, "contact.ended_bad"); n != 4 {
			t.Errorf("counted %d", n)
		}
		ledgertest.Holds(t, l)
	})
}

// A process without a fold writes facts; the fold is left behind and takes them up where it is registered.
func TestAFoldOfAnotherProcessIsLeftBehind(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		l := ledgertest.New(t, db, &count{})
		appendAll(t, l, fact("contact.ended", "1"))
		if err := l.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		without := ledgertest.New(t, db)
		appendAll(t, without, fact("contact.ended", "2"))
		if err := without.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		again := ledgertest.New(t, db, &count{})
		eventually(t, "both are counted", func() bool { return counted(t, db, "contact.ended") == 2 })
		appendAll(t, again, fact("contact.ended", "3"))
		if n := counted(t, db, "contact.ended"); n != 3 {
			t.Errorf("counted %d", n)
		}
	})
}

func TestRebuild(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		l := ledgertest.New(t, db, &count{})
		for range 10 {
			appendAll(t, l, fact("contact.ended", "x"))
		}
		if _, err := store.Exec(ctx, db, `UPDATE count_row SET n = 99`); err != nil {
			t.Fatal(err)
		}
		if err := l.Rebuild(ctx, "count"); err != nil {
			t.Fatal(err)
		}
		if n := counted(t, db, "contact.ended"); n != 10 {
			t.Errorf("counted %d", n)
		}
		if err := l.Rebuild(ctx, "unknown"); fault.CodeOf(err) != "ledger.fold.unknown" {
			t.Error(err)
		}
		ledgertest.Holds(t, l)
	})
}

func TestAFoldMayNotAppend(t *testing.T) {
	db := sqlite(t)
	l := ledgertest.Open(t, ledger.Config{DB: db, Node: "node-1", Log: quiet()})
	echo := &echo{l: l}
	if err := l.Register(t.Context(), echo); err != nil {
		t.Fatal(err)
	}
	appendAll(t, l, fact("contact.ended", "x"))
	if fault.CodeOf(echo.err) != "ledger.fold.appends" {
		t.Error(echo.err)
	}
}

type echo struct {
	l   *ledger.Ledger
	err error
}

func (*echo) Name() string { return "echo" }

func (e *echo) Apply(_ context.Context, tx *store.Tx, _ []ledger.Fact) error {
	e.err = e.l.AppendTx(tx, fact("echo.heard", "x"))
	return nil
}

func TestImport(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		l := ledgertest.New(t, db, &count{})
		appendAll(t, l, fact("contact.ended", "before"))
		for range 2 { // the second time adds nothing
			n, err := l.Import(t.Context(), history(2_500), 1000)
			if err != nil || n != 2_500 {
				t.Fatal(n, err)
			}
		}
		if n := counted(t, db, "contact.ended"); n != 2_501 {
			t.Errorf("counted %d", n)
		}
		ledgertest.Holds(t, l)
	})
}

// history is n facts of November 2014, a second apart, the same each time.
func history(n int) iter.Seq[ledger.Fact] {
	start := time.Date(2014, 11, 3, 8, 0, 0, 0, time.FixedZone("", 8*3600)).UnixMilli()
	return func(yield func(ledger.Fact) bool) {
		for i := range n {
			f := fact("contact.ended", fmt.Sprintf("01K%023d", i/10))
			f.At = start + int64(i)*1000
			f.ID = id.Fact(fmt.Sprintf("%s%016d", id.New(time.UnixMilli(f.At))[:10], i))
			f.Actor = fmt.Sprintf("agent-%d", i%33)
			f.Body = []byte(`{"queue":"vat","waited":12345,"talked":180000,"outcome":"answered","caller":"138****0000"}`)
			if !yield(f) {
				return
			}
		}
	}
}
