package report

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/reporttest"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

var firstDay = time.Date(2026, 11, 2, 0, 0, 0, 0, time.FixedZone("CST", 8*3600))

func china(t testing.TB) *time.Location {
	t.Helper()
	zone, err := clock.Zone("")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// Whatever the history, and in whatever order and pieces it comes, the tables hold what a plain recount gives.
func TestFoldEqualsRecount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		migrated(t, db)
		for seed := range uint64(3) {
			facts := reporttest.History(reporttest.Options{Seed: seed, From: firstDay, Days: 2, Calls: 250, Agents: 7, Queues: 4, Cut: seed == 1})
			want := recount(t, facts, china(t))
			rng := rand.New(rand.NewPCG(seed, 1))
			for _, order := range []string{"as it happened", "shuffled"} {
				f := newFold(china(t))
				clear(t, db, f)
				if order == "shuffled" {
					facts = append([]ledger.Fact{}, facts...)
					rng.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
				}
				foldPieces(t, db, f, facts, func() int { return 1 + rng.IntN(400) })
				if diff := cmp.Diff(want, readFigures(t, db)); diff != "" {
					t.Fatalf("seed %d, %s: recount and tables differ (-recount +tables):\n%.3000s", seed, order, diff)
				}
			}
		}
	})
}

// A fold that lost its memory, or whose transaction failed in between, ends at the same figures.
func TestFoldForgetsWhatIsRolledBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		migrated(t, db)
		facts := reporttest.History(reporttest.Options{Seed: 9, From: firstDay, Days: 1, Calls: 150, Agents: 4, Queues: 2})
		f := newFold(china(t))
		seq := int64(0)
		for len(facts) > 0 {
			n := min(97, len(facts))
			for attempt := range 2 {
				err := db.Tx(t.Context(), func(tx *store.Tx) error {
					if err := f.apply(t.Context(), tx, seq+1, seq+int64(n), decoded(t, facts[:n])); err != nil {
						return err
					}
					if attempt == 0 {
						return fmt.Errorf("the disk is full")
					}
					return nil
				})
				if (err == nil) != (attempt == 1) {
					t.Fatal(err)
				}
			}
			seq += int64(n)
			facts = facts[n:]
			if seq%5 == 0 {
				f = newFold(china(t)) // a restart
			}
		}
		facts = reporttest.History(reporttest.Options{Seed: 9, From: firstDay, Days: 1, Calls: 150, Agents: 4, Queues: 2})
		if diff := cmp.Diff(recount(t, facts, china(t)), readFigures(t, db)); diff != "" {
			t.Fatalf("recount and tables differ:\n%.3000s", diff)
		}
	})
}

func migrated(t testing.TB, db *store.DB) {
	t.Helper()
	if err := db.Migrate(t.Context(), "report", migrations()); err != nil {
		t.Fatal(err)
	}
}

func clear(t *testing.T, db *store.DB, f *fold) {
	t.Helper()
	if err := db.Tx(t.Context(), func(tx *store.Tx) error { return f.Reset(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func newFold(zone *time.Location) *fold {
	return openFold(func(id.Site) *time.Location { return zone }, clock.NewManual(firstDay.AddDate(1, 0, 0)), nil)
}

func foldPieces(t testing.TB, db *store.DB, f *fold, facts []ledger.Fact, size func() int) {
	t.Helper()
	seq := int64(0)
	for len(facts) > 0 {
		n := min(size(), len(facts))
		err := db.Tx(t.Context(), func(tx *store.Tx) error {
			return f.apply(t.Context(), tx, seq+1, seq+int64(n), decoded(t, facts[:n]))
		})
		if err != nil {
			t.Fatal(err)
		}
		seq += int64(n)
		facts = facts[n:]
	}
}

func decoded(t testing.TB, facts []ledger.Fact) []tally.Fact {
	t.Helper()
	out := []tally.Fact{}
	for i := range facts {
		f, ok, err := decode(&facts[i])
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			out = append(out, f)
		}
	}
	return out
}

// readFigures reads all tables of figures.
func readFigures(t testing.TB, db *store.DB) figures {
	t.Helper()
	out := figures{}
	w := newStatements()
	rolled, err := store.One(t.Context(), db, `SELECT rolled FROM report_mark`, store.Col[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range w.figures {
		columns := []string{}
		for _, c := range table.columns {
			columns = append(columns, c.String())
		}
		readTable(t, db, out, rolled, table.name, table.keys, columns)
	}
	readTable(t, db, out, rolled, "report_time", []string{"day", "slot", "site", "agent", "state", "reason"}, []string{"ms", "times"})
	return out
}

func readTable(t testing.TB, db *store.DB, out figures, rolled, name string, keys, columns []string) {
	t.Helper()
	all := append(append([]string{}, keys...), columns...)
	_, err := store.All(t.Context(), db, `SELECT `+strings.Join(all, ", ")+` FROM `+name, func(r store.Scanner) (int, error) {
		texts, numbers := make([]any, len(keys)), make([]int64, len(columns))
		dest := []any{}
		for i, k := range keys {
			if k == "slot" {
				texts[i] = new(int)
			} else {
				texts[i] = new(string)
			}
			dest = append(dest, texts[i])
		}
		for i := range numbers {
			dest = append(dest, &numbers[i])
		}
		if err := r.Scan(dest...); err != nil {
			return 0, err
		}
		parts := []any{strings.TrimPrefix(name, "report_")}
		for _, v := range texts {
			switch v := v.(type) {
			case *string:
				parts = append(parts, *v)
			case *int:
				parts = append(parts, *v)
			}
		}
		whole := append([]any{}, parts...)
		for i, c := range columns {
			out.add(numbers[i], append(parts[:len(parts):len(parts)], c)...)
			if slot, ok := parts[2].(int); ok && slot >= 0 && fmt.Sprint(parts[1]) > rolled { // a day not rolled yet is its slots
				whole[2] = -1
				if c == "max_wait_ms" {
					out.most(numbers[i], append(whole[:len(whole):len(whole)], c)...)
				} else {
					out.add(numbers[i], append(whole[:len(whole):len(whole)], c)...)
				}
			}
		}
		return 0, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What differs between two lists of rows is booked, row by row, also where a list holds the same row twice: a caller given
// back to their queue whom the same agent refuses a second time.
func TestFoldBooksEqualRowsEach(t *testing.T) {
	row := func(agent id.User, refused int64) tally.Row {
		r := tally.Row{Key: tally.Key{Table: tally.ByAgent, Day: "2026-11-02", Slot: 45, Queue: "general", Agent: agent}}
		r.Counts[tally.Refused] = refused
		return r
	}
	a, a2, b := row("a", 1), row("a", 2), row("b", 1)
	for _, c := range []struct {
		name          string
		before, after []tally.Row
		want          map[id.User]int64
	}{
		{"nothing changed", []tally.Row{a, b}, []tally.Row{b, a}, map[id.User]int64{}},
		{"the first", nil, []tally.Row{a}, map[id.User]int64{"a": 1}},
		{"two at once", nil, []tally.Row{a, a}, map[id.User]int64{"a": 2}},
		{"the same again", []tally.Row{a}, []tally.Row{a, a}, map[id.User]int64{"a": 1}},
		{"and again, beside another", []tally.Row{a, b, a}, []tally.Row{a, a, a, b}, map[id.User]int64{"a": 1}},
		{"one of two is changed", []tally.Row{a, a}, []tally.Row{a, a2}, map[id.User]int64{"a": 1}},
		{"one of two is gone", []tally.Row{a, a, b}, []tally.Row{b, a}, map[id.User]int64{"a": -1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &batch{fold: newFold(china(t)), mem: &memory{}, figures: tally.Figures{}}
			b.book(c.before, c.after, false)
			got := map[id.User]int64{}
			for k, n := range b.figures {
				if n[tally.Refused] != 0 {
					got[k.Agent] = n[tally.Refused]
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
