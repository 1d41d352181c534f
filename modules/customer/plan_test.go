package customer

import (
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// Every question of the screen pop and of the look-ups is answered by an index on both databases: with tens of
// millions of rows a single table read whole would take seconds.
func TestNoQuestionReadsAWholeTable(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		h.call("013900000137", event.WrapupSaved{TaxID: firmA, Name: "木棉商行"})
		for name, q := range map[string]struct {
			text string
			args []any
		}{
			"owner":       {sqlOwner, []any{"number", "013900000137"}},
			"tax":         {sqlTax, []any{"P", "tax"}},
			"person":      {sqlPerson, []any{"P"}},
			"identifiers": {sqlIdentifiers, []any{"P"}},
			"today":       {sqlToday, []any{"number", "013900000137", 0}},
			"by value":    {sqlByValue, []any{"number", "013900000137", 1, 20}},
			"by person":   {sqlByPerson, []any{"P", 1, 20}},
			"by grams":    {sqlByGrams, []any{"木棉", "商行", "~", "%木棉商行%", 20}},
			"by key":      {sqlByKey, []any{"tax", firmA, "~", 20}},
			"newest":      {sqlNewest, []any{1, "~", 20}},
			"wrap-up":     {`UPDATE customer_contact SET person = ? WHERE kind = ? AND value = ? AND person = ''`, []any{"P", "number", "1"}},
		} {
			plan := storetest.Plan(t, db, q.text, q.args...)
			if strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "SCAN ") || strings.Contains(plan, "TEMP B-TREE") && name != "identifiers" && name != "tax" && name != "owner" {
				t.Errorf("%s:\n%s", name, plan)
			}
		}
	})
}
