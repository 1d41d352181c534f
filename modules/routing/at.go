package routing

import (
	"context"

	"github.com/kapok-hotline/kapok/core/id"
)

// At gives the agent signed in at a desk phone, "" when nobody is.
func (m *Module) At(ctx context.Context, phone id.Phone) (agent id.User, err error) {
	if phone == "" {
		return "", nil
	}
	err = m.do(ctx, request{look: func(t *thinker) {
		for user, p := range t.agents {
			if p.endpoint.Phone == phone {
				agent = user
			}
		}
	}})
	return agent, err
}
