package customer

import (
	"context"
	"errors"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

// sqlKnown: kind, value, at.
const sqlKnown = `SELECT agent FROM customer_contact WHERE kind = ? AND value = ? AND at >= ? AND agent <> '' ORDER BY at DESC, contact DESC LIMIT 1`

// KnownAgent gives the agent who last spoke with somebody at this number (in any form) since a moment; "" when nobody did.
func (m *Module) KnownAgent(ctx context.Context, raw string, since time.Time) (id.User, error) {
	k := from(contact.Phone, raw)
	if k.value == "" {
		return "", nil
	}
	agent, err := store.One(ctx, m.deps.DB, sqlKnown, store.Col[id.User], k.kind, k.value, since.UnixMilli())
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return agent, err
}
