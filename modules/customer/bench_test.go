package customer

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// BenchmarkPop asks who is calling, in a house of 200,000 contacts (KAPOK_BENCH_CONTACTS for more) of a tenth as
// many numbers, a tenth of which belong to a firm.
func BenchmarkPop(b *testing.B) {
	contacts := 200_000
	if n, err := strconv.Atoi(os.Getenv("KAPOK_BENCH_CONTACTS")); err == nil {
		contacts = n
	}
	db := storetest.SQLite(b)
	m := New(Deps{DB: db})
	if err := db.Migrate(b.Context(), m.Name(), m.Migrations()); err != nil {
		b.Fatal(err)
	}
	numbers := contacts / 10
	err := db.Tx(b.Context(), func(tx *store.Tx) error {
		for _, text := range []string{
			`INSERT INTO customer_contact SELECT 'C' || n, 1790000000000 + n, 'phone', 'gz', 'number', '0139' || (10000000 + n %% %[2]d),
				CASE WHEN n %% 10 = 0 THEN 'P' || (n %% %[2]d) ELSE '' END, 'vat', '1001', 'answered', '0101', '', 'question', 'answer' FROM
				(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %[1]d) SELECT n FROM c)`,
			`INSERT INTO customer_person SELECT 'P' || n, 'firm ' || n, 'firm', 0, 0, 10 FROM
				(WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 10 FROM c WHERE n < %[2]d) SELECT n FROM c)`,
			`INSERT INTO customer_identifier SELECT 'number', '0139' || (10000000 + n), 'P' || n, 0 FROM
				(WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 10 FROM c WHERE n < %[2]d) SELECT n FROM c)`,
		} {
			text = fmt.Sprintf(text, contacts, numbers)
			if _, err := store.Exec(b.Context(), tx, text); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	i := 0
	for b.Loop() {
		i = (i + 7919) % numbers
		p, err := m.Pop(b.Context(), "139"+strconv.Itoa(10000000+i), noon)
		if err != nil || len(p.History) == 0 || (i%10 == 0) != (p.Person != nil) {
			b.Fatalf("%v %s", err, asJSON(p))
		}
	}
}
