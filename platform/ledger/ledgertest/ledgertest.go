// Package ledgertest gives tests a ledger of their own.
package ledgertest

import (
	"context"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// New gives a ledger in db, alone and without a bus, closed when the test ends.
func New(t testing.TB, db *store.DB, folds ...ledger.Fold) *ledger.Ledger {
	t.Helper()
	return Open(t, ledger.Config{DB: db, Node: "node-1"}, folds...)
}

// Open is New for a test that has more to say.
func Open(t testing.TB, c ledger.Config, folds ...ledger.Fold) *ledger.Ledger {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	l, err := ledger.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := l.Close(ctx); err != nil {
			t.Errorf("close the ledger: %v", err)
		}
	})
	if err := l.Register(ctx, folds...); err != nil {
		t.Fatal(err)
	}
	return l
}

// Holds fails the test for every invariant, declared or the ledger's own, that does not hold.
func Holds(t testing.TB, l *ledger.Ledger) {
	t.Helper()
	for _, f := range l.Check(context.Background()) {
		if f.Err != nil {
			t.Errorf("%s: %v", f.Name, f.Err)
		}
		for _, b := range f.Breaches {
			t.Errorf("%s does not hold for %s: %v", f.Name, b.Subject, b.Params)
		}
	}
}

// Kinds gives the kinds of all facts, in order: what a test of a module compares.
func Kinds(t testing.TB, l *ledger.Ledger) []string {
	t.Helper()
	kinds := []string{}
	err := l.Range(context.Background(), ledger.Span{}, func(f ledger.Fact) error {
		kinds = append(kinds, f.Kind)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return kinds
}
