package ledger_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
)

// A journal takes facts while the disk is full, keeps their order, and writes them once there is space again; a
// fact that is none costs no other.
func TestJournal(t *testing.T) {
	db := sqlite(t)
	l := ledgertest.New(t, db)
	j := ledger.NewJournal(l, quiet())
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { j.Run(ctx) })
	defer wg.Wait()
	defer cancel()
	flush := func() {
		t.Helper()
		within, done := context.WithTimeout(ctx, 20*time.Second)
		defer done()
		if err := j.Flush(within); err != nil {
			t.Fatal(err)
		}
	}
	var want []string
	post := func(n int) {
		for range n {
			kind := fmt.Sprintf("contact.step%d", len(want))
			want = append(want, kind)
			j.Post(fact(kind, "x"))
		}
	}
	post(50)
	flush()
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
	limit(pages)
	post(400)
	time.Sleep(300 * time.Millisecond) // a try or two
	if waiting, _ := j.Waiting(); waiting == 0 && len(ledgertest.Kinds(t, l)) != 450 {
		t.Error("nothing waits and not all is kept")
	}
	j.Post(ledger.Fact{Kind: "No Fact"})
	post(10)
	limit(pages + 10_000)
	flush()
	if diff := cmp.Diff(want, ledgertest.Kinds(t, l)); diff != "" {
		t.Error(diff)
	}
	if waiting, lost := j.Waiting(); waiting != 0 || lost != 0 {
		t.Error(waiting, lost)
	}
	ledgertest.Holds(t, l)
}

// What is posted is kept in the order of posting: at the latest when asked to flush, by itself after a span, and when
// the house ends; and a burst shares commits.
func TestJournalGathers(t *testing.T) {
	db := sqlite(t)
	l := ledgertest.New(t, db)
	commits := &counting{}
	if err := l.Register(t.Context(), commits); err != nil {
		t.Fatal(err)
	}
	j := ledger.NewJournal(l, quiet())
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { j.Run(ctx) })
	var want []string
	post := func(n int) {
		for range n {
			kind := fmt.Sprintf("contact.step%d", len(want))
			want = append(want, kind)
			j.Post(fact(kind, "x"))
		}
	}
	kept := func() {
		t.Helper()
		if diff := cmp.Diff(want, ledgertest.Kinds(t, l)); diff != "" {
			t.Fatal(diff)
		}
	}
	within, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	flush := func() {
		t.Helper()
		if err := j.Flush(within); err != nil {
			t.Fatal(err)
		}
	}
	post(100)
	flush()
	kept()
	post(1)
	for len(ledgertest.Kinds(t, l)) < len(want) { // without being asked
		if within.Err() != nil {
			t.Fatal("a fact was not written by itself")
		}
		time.Sleep(10 * time.Millisecond)
	}
	flush()
	before := commits.n.Load()
	for range 100 { // a burst, in a tenth of a second
		post(10)
		time.Sleep(time.Millisecond)
	}
	flush()
	kept()
	if n := commits.n.Load() - before; n > 30 {
		t.Errorf("1,000 facts of a tenth of a second took %d commits", n)
	}
	post(500)
	stop()
	running.Wait()
	kept()
}

// counting is a fold that counts the commits.
type counting struct{ n atomic.Int64 }

func (*counting) Name() string { return "counting" }

func (c *counting) Apply(context.Context, *store.Tx, []ledger.Fact) error {
	c.n.Add(1)
	return nil
}
