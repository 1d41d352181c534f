package app

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/kapok-hotline/kapok/modules/identity"
	"github.com/kapok-hotline/kapok/platform/section"
)

// ship gives a new installation the roles every bureau starts with. They are data from then on.
func (h *House) ship(ctx context.Context) error {
	have, err := h.book.Version(ctx)
	if err != nil || have > 0 {
		return err
	}
	file, err := json.Marshal(map[string]any{"roles": identity.ShippedRoles()}) // JSON is YAML
	if err != nil {
		return err
	}
	return h.apply(ctx, file)
}

// apply brings the configuration to what a file of our own says; a problem in it is a mistake of ours.
func (h *House) apply(ctx context.Context, file []byte) error {
	r, err := h.book.Apply(ctx, file, section.Options{})
	if err != nil {
		return err
	}
	if len(r.Problems) > 0 {
		p := r.Problems[0]
		return fmt.Errorf("line %d: %s: %s %v (and %d more)", p.Line, p.Path, p.Code, p.Params, len(r.Problems)-1)
	}
	return nil
}
