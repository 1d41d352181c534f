package routing

import (
	"context"

	"github.com/kapok-hotline/kapok/core/id"
)

// Promise takes a waiting contact out of its queue because the person is to be called back. Its visit ends by the rule
// "callback"; the call back is an Entry of its own, Quiet, with the Since of this one.
func (m *Module) Promise(ctx context.Context, c id.Contact) error {
	return m.tell(ctx, Order{Verb: verbPromise, Contact: c})
}
