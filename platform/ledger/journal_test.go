package ledger_test

import (
	"context"
	"fmt"
	"sync"
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
