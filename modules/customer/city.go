package customer

import (
	"context"
	"errors"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// howKeyed is event.ContactLocated.How of a city the person chose.
const howKeyed = "keyed"

// located keeps the city a caller keyed in. What was found out by the number alone is found out again.
func located(ctx context.Context, tx *store.Tx, f ledger.Fact, b event.ContactLocated) error {
	if b.How != howKeyed || b.City == "" {
		return nil
	}
	_, err := store.Exec(ctx, tx, `INSERT INTO customer_city (value, city, at)
		SELECT value, ?, ? FROM customer_contact WHERE contact = ? AND kind = ? AND value <> ''
		ON CONFLICT (value) DO UPDATE SET city = excluded.city, at = excluded.at WHERE excluded.at >= customer_city.at`,
		b.City, f.At, f.Subject, number)
	return err
}

// CityOf gives the city that a caller, by number, last keyed in at or after since; "" when they did not.
func (m *Module) CityOf(ctx context.Context, caller string, since time.Time) (string, error) {
	k := from(contact.Phone, caller)
	if k.value == "" {
		return "", nil
	}
	city, err := store.One(ctx, m.deps.DB, `SELECT city FROM customer_city WHERE value = ? AND at >= ?`, store.Col[string], k.value, since.UnixMilli())
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return city, err
}
