package report

import (
	"context"
	"strings"

	"github.com/kapok-hotline/kapok/platform/store"
)

// upsert writes many rows of one table with few statements. Rows go in packs of fixed sizes, so that there are
// few texts and the store keeps each prepared.
type upsert struct {
	columns int
	texts   [len(packs)]string
}

var packs = [...]int{64, 16, 4, 1}

// newUpsert makes an INSERT of the columns; on a conflict over keys, set says what happens ("a = excluded.a, …").
func newUpsert(table string, columns []string, keys, set string) upsert {
	u := upsert{columns: len(columns)}
	row := "(" + store.In(len(columns)) + ")"
	for i, n := range packs {
		u.texts[i] = "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " +
			row + strings.Repeat(", "+row, n-1) + " ON CONFLICT (" + keys + ") DO UPDATE SET " + set
	}
	return u
}

// run writes the rows given one after another in args.
func (u *upsert) run(ctx context.Context, tx *store.Tx, args []any) error {
	for i, n := range packs {
		for size := n * u.columns; len(args) >= size; args = args[size:] {
			if _, err := store.Exec(ctx, tx, u.texts[i], args[:size:size]...); err != nil {
				return err
			}
		}
	}
	return nil
}

// replaced gives "a = excluded.a, b = excluded.b" for the columns.
func replaced(columns []string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = c + " = excluded." + c
	}
	return strings.Join(parts, ", ")
}

// summed gives "a = table.a + excluded.a" for the columns.
func summed(table string, columns []string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = c + " = " + table + "." + c + " + excluded." + c
	}
	return strings.Join(parts, ", ")
}

// larger gives the assignment that keeps the larger value of the column.
func larger(table, column string) string {
	return column + " = CASE WHEN excluded." + column + " > " + table + "." + column +
		" THEN excluded." + column + " ELSE " + table + "." + column + " END"
}

// told gives the assignment that takes the new value of the column unless it is empty.
func told(table, column, empty string) string {
	return column + " = CASE WHEN excluded." + column + " <> " + empty +
		" THEN excluded." + column + " ELSE " + table + "." + column + " END"
}
