package app

import (
	"context"

	"github.com/kapok-hotline/kapok/core/right"
)

type customers struct{}

func (customers) Name() string                             { return "customer" }
func (customers) Pop(context.Context, string) (any, error) { return map[string]any{}, nil }
func (h *House) newCustomer() customers                    { return customers{} }
func (customers) Rights() []right.Right {
	return []right.Right{"customer.person.see", "customer.number.reveal"}
}
