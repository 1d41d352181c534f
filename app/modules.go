package app

import (
	"context"
	"io/fs"

	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/web"
)

// module is one ability of the house. What else a module has is found by asking for it: tables, texts, rights,
// sections, folds, invariants, routes, work of its own.
type module interface{ Name() string }

type (
	hasMigrations interface{ Migrations() fs.FS }
	hasTexts      interface{ Texts() fs.FS }
	hasRights     interface{ Rights() []right.Right }
	hasSections   interface{ Sections() []section.Section }
	hasFolds      interface{ Folds() []ledger.Fold }
	hasInvariants interface{ Invariants() []ledger.Invariant }
	hasRoutes     interface{ Routes(api *web.API) }
	hasStart      interface {
		Start(ctx context.Context) error
		Ready() <-chan struct{}
	}
)

// modules makes every ability, in the order they start: who is asked comes before who asks.
func (h *House) modules(ctx context.Context) ([]module, error) {
	var err error
	h.identity = h.newIdentity()
	if h.calendar, err = h.newCalendar(ctx); err != nil {
		return nil, err
	}
	h.customer = h.newCustomer()
	h.report = h.newReport()
	h.routing = h.newRouting()
	h.caller = h.newCaller()
	if h.voice, err = h.newVoice(); err != nil {
		return nil, err
	}
	h.desk = h.newDesk()
	h.alert = h.newAlert()
	h.missed = h.newMissed()
	h.outbound = h.newOutbound()
	return []module{h.identity, h.calendar, h.customer, h.report, h.routing, h.caller, h.voice, h.desk, h.alert, h.missed, h.outbound}, nil
}
