package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/modules/report/reporttest"
	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// BenchmarkFold folds a day's facts in groups of the given size, as live traffic (1: an idle house, 20: a busy
// one) and an import (1000) bring them; the figures are per contact, the commit not counted.
func BenchmarkFold(b *testing.B) {
	facts := reporttest.History(reporttest.Options{Seed: 3, From: firstDay, Days: 1, Calls: 2000, Agents: 25, Queues: 10})
	contacts := 0
	for i := range facts {
		if facts[i].Kind == "contact.started" {
			contacts++
		}
	}
	for _, size := range []int{1, 20, 1000} {
		b.Run(fmt.Sprintf("group=%d", size), func(b *testing.B) {
			db := storetest.SQLite(b)
			migrated(b, db)
			ctx := b.Context()
			before := cpu(b)
			for b.Loop() {
				f := newFold(china(b))
				errDone := fmt.Errorf("undo")
				err := db.Tx(ctx, func(tx *store.Tx) error {
					seq := int64(0)
					for at := 0; at < len(facts); at += size {
						part := facts[at:min(at+size, len(facts))]
						if err := f.apply(ctx, tx, seq+1, seq+int64(len(part)), f.read(ctx, part)); err != nil {
							return err
						}
						seq += int64(len(part))
					}
					return errDone
				})
				if !errors.Is(err, errDone) {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N)/float64(contacts), "cpu-µs/contact")
			b.ReportMetric(float64(len(facts)*b.N)/b.Elapsed().Seconds(), "facts/s")
		})
	}
}

// cpu gives the processor time this process has used, so that a busy machine does not blur the figure.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkTable asks for half a year of ten queues by day and by month, from an installation with that much.
func BenchmarkTable(b *testing.B) {
	db := storetest.SQLite(b)
	h := open(b, db, reporttest.Options{Seed: 4, From: firstDay, Days: 2, Calls: 1500, Agents: 20, Queues: 10})
	ctx := b.Context()
	// The rows of two days, laid out over 150.
	for _, t := range []string{"report_queue", "report_entry", "report_agent", "report_time"} {
		columns, err := tableColumns(ctx, db, t)
		if err != nil {
			b.Fatal(err)
		}
		rest := columns[len("day, "):]
		for d := range 150 {
			day := firstDay.AddDate(0, 0, -d-1).Format("2006-01-02")
			_, err := store.Exec(ctx, db, `INSERT INTO `+t+` (day, `+rest+`) SELECT ?, `+rest+` FROM `+t+` WHERE day = '2026-11-02'`, day)
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	if _, err := store.Exec(ctx, db, `UPDATE report_mark SET rolled = '2026-11-02'`); err != nil {
		b.Fatal(err)
	}
	for _, q := range []Query{
		{By: ByQueue, Step: Day}, {By: ByQueue, Step: Month}, {By: BySite, Step: Month}, {By: ByAgent, Step: Month},
	} {
		q.From, q.To = firstDay.AddDate(0, 0, -149).Format("2006-01-02"), "2026-11-03"
		b.Run("by="+string(q.By)+"/step="+string(q.Step), func(b *testing.B) {
			for b.Loop() {
				if t, err := h.Table(ctx, q); err != nil || len(t.Rows) == 0 {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("quarter-hours of a day", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.Table(ctx, Query{By: ByQueue, Step: Quarter, From: "2026-10-12", To: "2026-10-12"}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("wallboard", func(b *testing.B) {
		h.clock.Set(firstDay.AddDate(0, 0, 1).Add(11 * 3600e9))
		if err := h.live.load(ctx); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := h.Wallboard(ctx, ""); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func tableColumns(ctx context.Context, db *store.DB, table string) (string, error) {
	names, err := store.All(ctx, db, `SELECT name FROM pragma_table_info(?)`, store.Col[string], table)
	return strings.Join(names, ", "), err
}

// BenchmarkImport brings a history in through the ledger: what a demo's five months take.
func BenchmarkImport(b *testing.B) {
	facts := reporttest.History(reporttest.Options{Seed: 3, From: firstDay, Days: 10, Calls: 300, Agents: 15, Queues: 10})
	for b.Loop() {
		db := storetest.SQLite(b)
		migrated(b, db)
		l := ledgertest.New(b, db, newFold(china(b)))
		if _, err := l.Import(b.Context(), slices.Values(facts), 0); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(facts)*b.N)/b.Elapsed().Seconds(), "facts/s")
}
