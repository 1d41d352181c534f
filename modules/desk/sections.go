package desk

import (
	"context"

	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Sections gives the desk's lists.
func (m *Module) Sections() []section.Section {
	return []section.Section{
		section.Of(list("reasons", 90, reasonTable, func(r Reason) string { return r.Code })),
		section.Of(list("topics", 91, topicTable, func(t Topic) string { return t.Code })),
		section.Of(list("tax_types", 92, taxTypeTable, func(t TaxType) string { return t.Code })),
		section.Of(list("emergency_cards", 93, emergencyTable, func(c EmergencyCard) string { return c.Code })),
	}
}

// list is a section kept as documents of a table, for those who manage the desk's lists.
func list[T any](key string, order int, table store.Docs[T], code func(T) string) section.Spec[T] {
	return section.Spec[T]{
		Key: key, Order: order, Right: Manage, ID: code,
		Load: func(ctx context.Context, tx *store.Tx) ([]T, error) { return table.Load(ctx, tx) },
		Put:  func(ctx context.Context, tx *store.Tx, v T) error { return table.Put(ctx, tx, code(v), v) },
		Drop: func(ctx context.Context, tx *store.Tx, code string) error { return table.Drop(ctx, tx, code) },
	}
}
