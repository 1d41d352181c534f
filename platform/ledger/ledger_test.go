package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/bus"
	"github.com/kapok-hotline/kapok/platform/bus/bustest"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

func TestMain(m *testing.M) {
	if child() {
		return
	}
	goleak.VerifyTestMain(m)
}

func fact(kind, subject string) ledger.Fact {
	return ledger.Fact{Kind: kind, Subject: subject, Place: "gz"}
}

func appendAll(t testing.TB, l *ledger.Ledger, facts ...ledger.Fact) {
	t.Helper()
	if err := l.Append(t.Context(), facts...); err != nil {
		t.Fatal(err)
	}
}

func since(t testing.TB, l *ledger.Ledger, seq int64) []ledger.Fact {
	t.Helper()
	facts, err := l.Since(t.Context(), seq, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

func TestAppendFillsAFact(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		now := time.Date(2026, 11, 22, 16, 20, 0, 0, time.UTC)
		berlin, err := clock.Zone("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		l := ledgertest.Open(t, ledger.Config{DB: db, Node: "node-7", Clock: clock.NewManual(now), Zone: func(place string) *time.Location {
			if place == "abroad" {
				return berlin
			}
			return nil
		}})
		given := ledger.Fact{
			ID: "01ARZ3NDEKTSV4RRFFQ69G5FAV", Node: "city-3", At: 1, Day: "2014-11-03", Slot: 38,
			Kind: "contact.queued", Subject: "c1", Actor: "a1", Place: "gz", Body: ledger.Body(map[string]any{"queue": "个税"}),
		}
		appendAll(t, l, fact("contact.queued", "c1"), ledger.Fact{Kind: "agent.ready", Place: "abroad"}, given)
		got := since(t, l, 0)
		for i := range 2 {
			if !id.Valid(string(got[i].ID)) {
				t.Errorf("id %q", got[i].ID)
			}
			got[i].ID = ""
		}
		given.Seq = 3
		want := []ledger.Fact{
			{Seq: 1, Node: "node-7", At: now.UnixMilli(), Day: "2026-11-23", Slot: 1, Kind: "contact.queued", Subject: "c1", Place: "gz", Body: json.RawMessage("{}")},
			{Seq: 2, Node: "node-7", At: now.UnixMilli(), Day: "2026-11-22", Slot: 69, Kind: "agent.ready", Place: "abroad", Body: json.RawMessage("{}")},
			given,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		ledgertest.Holds(t, l)
	})
}

func TestAppendRefusesWhatIsNoFact(t *testing.T) {
	l := ledgertest.New(t, sqlite(t))
	for field, f := range map[string]ledger.Fact{
		"kind":    {Kind: "Contact queued"},
		"id":      {Kind: "a.b", ID: "7"},
		"at":      {Kind: "a.b", At: -1},
		"slot":    {Kind: "a.b", Day: "2026-11-23", Slot: 96},
		"day":     {Kind: "a.b", Day: "today"},
		"body":    {Kind: "a.b", Body: json.RawMessage(`{"half":`)},
		"subject": {Kind: "a.b", Subject: strings.Repeat("x", 201)},
		"actor":   {Kind: "a.b", Actor: strings.Repeat("x", 201)},
		"place":   {Kind: "a.b", Place: strings.Repeat("x", 201)},
	} {
		err := l.Append(t.Context(), fact("contact.queued", "good"), f)
		if f, ok := errors.AsType[*fault.Fault](err); !ok || f.Code != "ledger.fact.invalid" || f.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := l.Append(t.Context(), ledger.Fact{Kind: "a.b", Body: ledger.Body(func() {})}); fault.CodeOf(err) != "ledger.fact.invalid" {
		t.Error(err)
	}
	if got := since(t, l, 0); len(got) != 0 {
		t.Errorf("%d facts were kept", len(got))
	}
}

func TestAFactComesTwiceAndIsKeptOnce(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		l := ledgertest.New(t, db, &count{})
		make := func(n int) ledger.Fact {
			f := fact("contact.ended", fmt.Sprint(n))
			f.ID = id.Fact(id.New(time.UnixMilli(int64(n)))[:10] + "0000000000000000")
			return f
		}
		appendAll(t, l, make(1), make(2))
		appendAll(t, l, make(2), make(3), make(1), make(3), make(4))
		appendAll(t, l, make(4))
		appendAll(t, l, make(5))
		var got []string
		for _, f := range since(t, l, 0) {
			got = append(got, fmt.Sprint(f.Seq, "=", f.Subject))
		}
		if want := []string{"1=1", "2=2", "3=3", "4=4", "5=5"}; !cmp.Equal(got, want) {
			t.Error(got)
		}
		if n := counted(t, db, "contact.ended"); n != 5 {
			t.Errorf("the fold counted %d", n)
		}
		ledgertest.Holds(t, l)
	})
}

func TestReaders(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		l := ledgertest.New(t, db)
		for day := 1; day <= 3; day++ {
			for _, kind := range []string{"contact.entered", "contact.queued", "contact.ended"} {
				f := fact(kind, fmt.Sprintf("c%d", day))
				f.Day, f.Slot, f.Place = fmt.Sprintf("2026-11-0%d", day), 40, []string{"gz", "sz"}[day%2]
				appendAll(t, l, f)
			}
		}
		of, err := l.Of(t.Context(), "c2")
		if err != nil || len(of) != 3 || of[0].Kind != "contact.entered" || of[2].Kind != "contact.ended" {
			t.Error(of, err)
		}
		for _, c := range []struct {
			name string
			span ledger.Span
			want string
		}{
			{"all", ledger.Span{}, "1 2 3 4 5 6 7 8 9"},
			{"from a day", ledger.Span{From: "2026-11-03"}, "7 8 9"},
			{"to a day", ledger.Span{To: "2026-11-01"}, "1 2 3"},
			{"some kinds", ledger.Span{Kinds: []string{"contact.ended", "contact.entered"}, To: "2026-11-02"}, "1 3 4 6"},
			{"a place", ledger.Span{Place: "gz", Kinds: []string{"contact.queued"}}, "5"},
		} {
			var got []string
			err := l.Range(t.Context(), c.span, func(f ledger.Fact) error { got = append(got, fmt.Sprint(f.Seq)); return nil })
			if err != nil || strings.Join(got, " ") != c.want {
				t.Errorf("%s: %v, %v; want %s", c.name, got, err, c.want)
			}
		}
		if got := since(t, l, 7); len(got) != 2 || got[0].Seq != 8 {
			t.Error(got)
		}
	})
}

func TestRowsAndFactsShareATransaction(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		l := ledgertest.New(t, db, &count{})
		no := errors.New("no")
		err := l.Tx(ctx, func(tx *ledger.Tx) error {
			if err := tx.Append(fact("ticket.opened", "t1")); err != nil {
				return err
			}
			if err := bump(ctx, tx, "row"); err != nil {
				return err
			}
			return tx.Append(fact("ticket.urged", "t1"))
		})
		if err != nil {
			t.Fatal(err)
		}
		err = l.Tx(ctx, func(tx *ledger.Tx) error {
			return errors.Join(tx.Append(fact("ticket.closed", "t1")), bump(ctx, tx, "row"), no)
		})
		if !errors.Is(err, no) {
			t.Error(err)
		}
		if got := ledgertest.Kinds(t, l); !cmp.Equal(got, []string{"ticket.opened", "ticket.urged"}) {
			t.Error(got)
		}
		if counted(t, db, "row") != 1 || counted(t, db, "ticket.opened") != 1 || counted(t, db, "ticket.closed") != 0 {
			t.Error("rows, facts and folds disagree")
		}
		ledgertest.Holds(t, l)
	})
}

// Many goroutines append in both ways; a follower from the start, one from the middle and the bus see every
// fact once and in order, the fold counts each once, and seqs have no gap.
func TestOrderUnderLoad(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		const producers, each = 16, 40
		b := bustest.New(t)
		published := make(chan int64, 2*producers*each)
		if _, err := bus.On(b, "fact.>", func(_ string, f ledger.Fact) { published <- f.Seq }); err != nil {
			t.Fatal(err)
		}
		l := ledgertest.Open(t, ledger.Config{DB: db, Node: "node-1", Bus: b}, &count{})
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		var wg, followers sync.WaitGroup
		for _, from := range []int64{0, 300} {
			followers.Go(func() {
				mine, done := context.WithCancel(ctx)
				defer done()
				next := from + 1
				err := l.Follow(mine, from, func(f ledger.Fact) {
					if f.Seq != next {
						t.Errorf("the follower from %d got %d, want %d", from, f.Seq, next)
						done()
					}
					if next++; next > producers*each {
						done()
					}
				})
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		for p := range producers {
			wg.Go(func() {
				for i := range each {
					f := fact("contact.ended", fmt.Sprint(p))
					f.Body = ledger.Body(i)
					var err error
					if p%4 == 0 {
						err = l.Tx(ctx, func(tx *ledger.Tx) error { return tx.Append(f) })
					} else {
						err = l.Append(ctx, f)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		followers.Wait()
		last := map[string]int{}
		for _, f := range since(t, l, 0) {
			var i int
			if err := json.Unmarshal(f.Body, &i); err != nil || i != last[f.Subject] {
				t.Fatalf("producer %s: %d in place of %d, %v", f.Subject, i, last[f.Subject], err)
			}
			last[f.Subject]++
		}
		for want := int64(1); want <= producers*each; want++ {
			select {
			case got := <-published:
				if got != want {
					t.Fatalf("the bus brought %d, want %d", got, want)
				}
			case <-ctx.Done():
				t.Fatalf("%d was not published", want)
			}
		}
		if n := counted(t, db, "contact.ended"); n != producers*each {
			t.Errorf("the fold counted %d", n)
		}
		ledgertest.Holds(t, l)
	})
}

// Two processes on one PostgreSQL: one order for both, and followers of each see the other's facts.
func TestTwoNodes(t *testing.T) {
	address := storetest.PostgresAddress(t)
	buses := bustest.Cluster(t, 2)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	const each = 100
	var wg sync.WaitGroup
	var ledgers []*ledger.Ledger
	for i, b := range buses {
		db, err := store.Open(ctx, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		withCount(t, db)
		ledgers = append(ledgers, ledgertest.Open(t, ledger.Config{DB: db, Node: id.Node(fmt.Sprint("node-", i)), Bus: b}, &count{}))
	}
	for _, l := range ledgers {
		wg.Go(func() {
			mine, done := context.WithCancel(ctx)
			defer done()
			next := int64(1)
			_ = l.Follow(mine, 0, func(f ledger.Fact) {
				if f.Seq != next {
					t.Errorf("got %d, want %d", f.Seq, next)
				}
				if next++; next > 2*each {
					done()
				}
			})
			if next != 2*each+1 {
				t.Errorf("the follower ended before %d", next)
			}
		})
		for range 4 {
			wg.Go(func() {
				for range each / 4 {
					if err := l.Append(ctx, fact("contact.ended", "x")); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	if n := counted(t, ledgers[0].DB(), "contact.ended"); n != 2*each {
		t.Errorf("the fold counted %d", n)
	}
	ledgertest.Holds(t, ledgers[1])
}

// What was committed and not published when the process ended is published by the next one.
func TestTheRelayGoesOnAfterACrash(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		first := ledgertest.New(t, db)
		appendAll(t, first, fact("contact.entered", "a"))
		if err := first.Close(ctx); err != nil {
			t.Fatal(err)
		}
		if err := first.Append(ctx, fact("contact.late", "a")); fault.CodeOf(err) != "ledger.closed" {
			t.Error(err)
		}
		// As a crash leaves it: facts of node-1 above what ledger_relay says.
		second := ledgertest.New(t, db)
		appendAll(t, second, fact("contact.queued", "a"), fact("contact.ended", "a"))
		if err := second.Close(ctx); err != nil {
			t.Fatal(err)
		}
		if err := store.Change(ctx, db, `UPDATE ledger_relay SET seq = 1`); err != nil {
			t.Fatal(err)
		}
		b := bustest.New(t)
		heard := make(chan string, 9)
		if _, err := bus.On(b, "fact.>", func(_ string, f ledger.Fact) { heard <- f.Kind }); err != nil {
			t.Fatal(err)
		}
		third := ledgertest.Open(t, ledger.Config{DB: db, Node: "node-1", Bus: b})
		appendAll(t, third, fact("contact.rated", "a"))
		for _, want := range []string{"contact.queued", "contact.ended", "contact.rated"} {
			select {
			case got := <-heard:
				if got != want {
					t.Errorf("heard %s, want %s", got, want)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%s was not published", want)
			}
		}
	})
}

func TestDiskFull(t *testing.T) {
	db := sqlite(t)
	ctx := t.Context()
	l := ledgertest.New(t, db, &count{})
	appendAll(t, l, fact("contact.entered", "a"))
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
	limit(pages + 1)
	large := fact("contact.noted", "a")
	large.Body = ledger.Body(strings.Repeat("x", 100_000))
	var wg sync.WaitGroup
	for range 8 { // together, so that some share a commit
		wg.Go(func() {
			if err := l.Append(ctx, fact("contact.queued", "a"), large); !errors.Is(err, store.ErrFull) {
				t.Errorf("append on a full disk: %v", err)
			}
		})
	}
	wg.Wait()
	err = l.Tx(ctx, func(tx *ledger.Tx) error { return tx.Append(large) })
	if !errors.Is(err, store.ErrFull) || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("transaction on a full disk: %v", err)
	}
	if got := ledgertest.Kinds(t, l); !cmp.Equal(got, []string{"contact.entered"}) {
		t.Errorf("kept: %v", got)
	}
	ledgertest.Holds(t, l)
	limit(pages + 10_000)
	appendAll(t, l, fact("contact.queued", "a"), large)
	if n := counted(t, db, "contact.noted"); n != 1 {
		t.Errorf("the fold counted %d", n)
	}
	ledgertest.Holds(t, l)
}

func TestMigrationsArePortable(t *testing.T) {
	storetest.Migrations(t, "ledger", ledger.Migrations())
}

// quiet is a log for tests that provoke what is logged.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

var countTable = fstest.MapFS{"00001_count.sql": {Data: []byte("-- +goose Up\nCREATE TABLE count_row (name TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL);\n")}}

// each is storetest.Each with the table of the test's folds.
func each(t *testing.T, f func(t *testing.T, db *store.DB)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) { f(t, withCount(t, db)) })
}

func sqlite(t testing.TB) *store.DB {
	t.Helper()
	return withCount(t, storetest.SQLite(t))
}

func withCount(t testing.TB, db *store.DB) *store.DB {
	t.Helper()
	if err := db.Migrate(t.Context(), "count", countTable); err != nil {
		t.Fatal(err)
	}
	return db
}

// bump adds one to a row.
func bump(ctx context.Context, q store.Querier, name string) error {
	_, err := store.Exec(ctx, q, `INSERT INTO count_row (name, n) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET n = count_row.n + 1`, name)
	return err
}

func counted(t testing.TB, db *store.DB, name string) int {
	t.Helper()
	n, err := store.One(t.Context(), db, `SELECT n FROM count_row WHERE name = ?`, store.Col[int], name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return n
}
