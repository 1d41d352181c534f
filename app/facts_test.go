package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// What is posted is kept in the order of posting, at the latest when asked to flush or when the house ends, and a
// burst shares commits.
func TestPosts(t *testing.T) {
	l := ledgertest.New(t, storetest.SQLite(t))
	p := newPosts(ledger.NewJournal(l, slog.New(slog.DiscardHandler)), clock.System())
	ctx, stop := context.WithCancel(t.Context())
	var keeping sync.WaitGroup
	keeping.Go(func() { p.keep(ctx) })
	var want []string
	post := func(n int) {
		for range n {
			kind := fmt.Sprintf("contact.step%d", len(want))
			want = append(want, kind)
			p.post(ledger.Fact{Kind: kind, Subject: "01K00000000000000000000000"})
		}
	}
	post(100)
	within, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := p.flush(within); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, ledgertest.Kinds(t, l)); diff != "" {
		t.Fatal(diff)
	}
	post(1)
	for len(ledgertest.Kinds(t, l)) < len(want) { // without being asked
		if within.Err() != nil {
			t.Fatal("a fact was not written by itself")
		}
		time.Sleep(10 * time.Millisecond)
	}
	post(500)
	stop()
	keeping.Wait()
	if diff := cmp.Diff(want, ledgertest.Kinds(t, l)); diff != "" {
		t.Fatal(diff)
	}
}
