package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/platform/store"
)

// Plan gives how the engine would answer a statement, one step a line. On PostgreSQL reading whole tables is forbidden
// first: on a test's handful of rows it would rightly do that, and what it cannot do without is seen all the same.
func Plan(t testing.TB, db *store.DB, text string, args ...any) string {
	t.Helper()
	var lines []string
	err := db.Tx(t.Context(), func(tx *store.Tx) (err error) {
		ctx := t.Context()
		if db.Engine() == store.Postgres {
			for _, off := range []string{`SET LOCAL enable_seqscan = off`, `SET LOCAL enable_bitmapscan = off`} {
				if _, err := store.Exec(ctx, tx, off); err != nil {
					return err
				}
			}
			lines, err = store.All(ctx, tx, `EXPLAIN `+text, store.Col[string], args...)
			return err
		}
		lines, err = store.All(ctx, tx, `EXPLAIN QUERY PLAN `+text, func(r store.Scanner) (detail string, err error) {
			var a, b, c int
			err = r.Scan(&a, &b, &c, &detail)
			return detail, err
		}, args...)
		return err
	})
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", text, err))
	}
	return strings.Join(lines, "\n")
}

// ReadsAll reports whether a plan of Plan reads a whole table in no order that helps.
func ReadsAll(plan string) bool {
	for _, line := range strings.Split(plan, "\n") {
		if strings.Contains(line, "Seq Scan") || strings.Contains(line, "SCAN ") && !strings.Contains(line, "USING INDEX") {
			return true
		}
	}
	return false
}
