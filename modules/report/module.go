// Package report shows what happened: the wallboard, interval reports, drill-down, exports, the list of contacts.
// All of it is one fold of the ledger's facts; see DESIGN.md.
package report

import (
	"context"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/modules/report/tally"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// The rights. SeeNumber is the customer module's: whoever may see a person's number there may see it here.
const (
	SeeWall      right.Right = "report.wallboard.see"   // see the wallboard
	SeeReport    right.Right = "report.interval.see"    // see interval reports and the rows behind them
	ExportReport right.Right = "report.interval.export" // take them away as a file
	SeeContact   right.Right = "report.contact.see"     // see contacts and their details, numbers masked
	ManageCost   right.Right = "report.cost.manage"     // say what an hour costs at a site
	SeeNumber    right.Right = "customer.number.reveal" // see numbers unmasked, for a reason, audited
)

// Module is the reports. Make it with New.
type Module struct {
	deps     Deps
	db       *store.DB
	clock    clock.Clock
	log      *slog.Logger
	fold     *fold
	live     *live
	paths    paths
	measures map[string]tally.Measure
	texts    *web.Texts
	ready    chan struct{}
}

// New makes the module. The ledger's database must have been migrated (Migrations) before it is used.
func New(deps Deps) *Module {
	if deps.Clock == nil {
		deps.Clock = clock.System()
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	zone := deps.zone()
	m := &Module{
		deps: deps, db: deps.Ledger.DB(), clock: deps.Clock, log: deps.Log, fold: openFold(zone, deps.Clock, deps.Log),
		measures: map[string]tally.Measure{}, texts: web.NewTexts(), ready: make(chan struct{}),
	}
	for _, x := range tally.Measures() {
		m.measures[x.ID] = x
	}
	if err := m.texts.Add(texts()); err != nil {
		panic("report: own texts: " + err.Error()) // embedded at build time: a mistake of ours, found by any test
	}
	m.live = newLive(m)
	m.paths.m = m
	return m
}

// Name is the module's.
func (m *Module) Name() string { return "report" }

// Migrations gives the tables.
func (m *Module) Migrations() fs.FS { return migrations() }

// Texts gives the texts in zh and en.
func (m *Module) Texts() fs.FS { return texts() }

// Rights gives the rights the module asks for.
func (m *Module) Rights() []right.Right {
	return []right.Right{SeeWall, SeeReport, ExportReport, SeeContact, ManageCost}
}

// Folds gives what keeps the tables.
func (m *Module) Folds() []ledger.Fold { return []ledger.Fold{m.fold} }

// Ready is closed when the live state is up to date.
func (m *Module) Ready() <-chan struct{} { return m.ready }

// Start keeps the live state and publishes the wallboard until ctx ends.
func (m *Module) Start(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	var counting sync.WaitGroup
	defer counting.Wait()
	defer stop()
	counting.Go(func() { m.paths.run(ctx) })
	return m.live.run(ctx, m.ready)
}
