package report

import (
	"context"
	"fmt"
	"testing"

	"github.com/kapok-hotline/kapok/modules/report/reporttest"
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
			ctx := context.Background()
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
				if err != errDone {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(contacts), "µs/contact")
			b.ReportMetric(float64(len(facts)*b.N)/b.Elapsed().Seconds(), "facts/s")
		})
	}
}
