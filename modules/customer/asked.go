package customer

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Asked gives what the caller of a number (in any form) came for since a moment, the newest first: at most n contacts
// that an agent wrapped up with a question. It looks at the newest twenty contacts and no further.
func (m *Module) Asked(ctx context.Context, raw string, since, now time.Time, n int) ([]Past, error) {
	k := from(contact.Phone, raw)
	if k.value == "" {
		return nil, nil
	}
	all, err := store.All(ctx, m.deps.DB, sqlByValue, scanPast, k.kind, k.value, now.UnixMilli(), historyLength)
	var out []Past
	for _, p := range all {
		if p.At >= since.UnixMilli() && p.Question != "" && len(out) < n {
			out = append(out, p)
		}
	}
	return out, err
}
