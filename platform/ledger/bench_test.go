package ledger_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/ledger/ledgertest"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// BenchmarkAppend is facts per second, acknowledged after the commit at synchronous=FULL: one producer, whose
// every fact is a commit of its own, and sixty-four, who share them. The two take turns, so that a disk that is
// busy with something else slows both; what counts is the ratio.
func BenchmarkAppend(b *testing.B) {
	const span = 300 * time.Millisecond
	l := ledgertest.New(b, storetest.SQLite(b))
	run := func(producers int) int64 {
		var n atomic.Int64
		var wg sync.WaitGroup
		end := time.Now().Add(span)
		for range producers {
			wg.Go(func() {
				for time.Now().Before(end) {
					appendAll(b, l, fact("contact.queued", "01K00000000000000000000000"))
					n.Add(1)
				}
			})
		}
		wg.Wait()
		return n.Load()
	}
	for b.Loop() {
		var one, many int64
		for range 6 {
			one += run(1)
			many += run(64)
		}
		b.ReportMetric(float64(one)/6/span.Seconds(), "facts/s-alone")
		b.ReportMetric(float64(many)/6/span.Seconds(), "facts/s-64")
		b.ReportMetric(float64(many)/float64(one), "ratio")
	}
}

// BenchmarkImport is the making of a demo: 250,000 facts of 25,000 contacts through a fold, on SQLite.
func BenchmarkImport(b *testing.B) {
	for b.Loop() {
		l := ledgertest.New(b, sqlite(b), &count{})
		begin := time.Now()
		if _, err := l.Import(b.Context(), history(250_000), 0); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(250_000/time.Since(begin).Seconds(), "facts/s")
		b.ReportMetric(time.Since(begin).Seconds(), "s")
	}
}
