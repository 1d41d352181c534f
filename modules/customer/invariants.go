package customer

import (
	"context"

	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Invariants gives the laws of the module's rows.
func (m *Module) Invariants() []ledger.Invariant {
	return []ledger.Invariant{
		law("customer.identifier.owned", `SELECT i.value FROM customer_identifier i
			LEFT JOIN customer_person p ON p.id = i.person WHERE p.id IS NULL LIMIT 100`),
		law("customer.contact.owned", `SELECT c.contact FROM customer_contact c
			LEFT JOIN customer_person p ON p.id = c.person WHERE c.person <> '' AND p.id IS NULL LIMIT 100`),
		law("customer.person.counted", `SELECT p.id FROM customer_person p
			LEFT JOIN (SELECT person, COUNT(*) AS n FROM customer_contact GROUP BY person) c ON c.person = p.id
			WHERE p.contacts <> COALESCE(c.n, 0) LIMIT 100`),
	}
}

// law is an invariant that no row breaks.
func law(name, text string) ledger.Invariant {
	return ledger.Invariant{Name: name, Check: func(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
		ids, err := store.All(ctx, db, text, store.Col[string])
		var out []ledger.Breach
		for _, s := range ids {
			out = append(out, ledger.Breach{Subject: s})
		}
		return out, err
	}}
}
