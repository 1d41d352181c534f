// Package alert tells leaders when a figure is beyond what a rule allows, and no more once it is back, with two limits
// so that it does not flutter; and it runs surge plans: ordered steps against a crowd of callers, undone in reverse.
package alert

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

//go:embed migrations texts
var files embed.FS

// The rights.
const (
	See    right.Right = "alert.board.see"
	Handle right.Right = "alert.board.handle"
	Manage right.Right = "alert.rule.manage"
	Run    right.Right = "alert.surge.run"
)

// Figures gives the state of a site with all below it, and of each queue of it.
type Figures interface {
	Look(ctx context.Context, site id.Site) (all State, queues map[id.Queue]State, err error)
}

// Names says what codes stand for.
type Names interface {
	Where(site id.Site, queue id.Queue) (zh, en string)
	Person(u id.User) string
}

// Facts writes a fact in the transaction of the rows it is about.
type Facts interface {
	Keep(tx *store.Tx, at time.Time, place id.Site, subject, actor string, body event.Body) error
}

// Deps is what the module needs.
type Deps struct {
	DB      *store.DB
	Clock   clock.Clock
	Facts   Facts
	Figures Figures
	Steps   map[Kind]Step                                                               // what a surge plan can do; others are not offered
	Lease   func(ctx context.Context) (lost <-chan struct{}, release func(), err error) // only one process watches; nil: this is the only one
	Names   Names                                                                       // nil: codes are shown
	Within  func(site, root id.Site) bool                                               // nil: all are one
	Hub     *web.Hub
	Changed func(func())
	Log     *slog.Logger
}

// Module is the alerts and surge plans.
type Module struct {
	deps  Deps
	ready chan struct{}
	wake  chan struct{}

	mu    sync.Mutex
	rules []Rule
	plans []Plan
	on    map[string]*watched // by rule
	runs  map[string]*running // by plan
}

// New makes the module; Start runs it.
func New(d Deps) *Module {
	return &Module{deps: d, ready: make(chan struct{}), wake: make(chan struct{}, 1), on: map[string]*watched{}, runs: map[string]*running{}}
}

// Name is "alert".
func (m *Module) Name() string { return "alert" }

// Migrations gives the tables.
func (m *Module) Migrations() fs.FS { return store.Folder(files, "migrations") }

// Texts gives zh.json and en.json.
func (m *Module) Texts() fs.FS { return store.Folder(files, "texts") }

// Rights gives the rights the module declares.
func (m *Module) Rights() []right.Right { return []right.Right{See, Handle, Manage, Run} }

// Ready is closed when the rules are read.
func (m *Module) Ready() <-chan struct{} { return m.ready }

var (
	ruleTable = store.Docs[Rule]{Table: "alert_rule"}
	planTable = store.Docs[Plan]{Table: "alert_plan"}
)

// Sections gives the rules and the plans.
func (m *Module) Sections() []section.Section {
	return []section.Section{
		section.Of(section.Spec[Plan]{
			Key: "surge_plans", Order: 95, Right: Manage,
			ID: func(p Plan) string { return p.Code }, Site: func(p Plan) id.Site { return p.Site },
			Load:  func(ctx context.Context, tx *store.Tx) ([]Plan, error) { return planTable.Load(ctx, tx) },
			Put:   func(ctx context.Context, tx *store.Tx, p Plan) error { return planTable.Put(ctx, tx, p.Code, p) },
			Drop:  func(ctx context.Context, tx *store.Tx, code string) error { return planTable.Drop(ctx, tx, code) },
			Check: m.checkPlan,
		}),
		section.Of(section.Spec[Rule]{
			Key: "alerts", Order: 96, Right: Manage,
			ID: func(r Rule) string { return r.Code }, Site: func(r Rule) id.Site { return r.Site },
			Load:  func(ctx context.Context, tx *store.Tx) ([]Rule, error) { return ruleTable.Load(ctx, tx) },
			Put:   func(ctx context.Context, tx *store.Tx, r Rule) error { return ruleTable.Put(ctx, tx, r.Code, r) },
			Drop:  func(ctx context.Context, tx *store.Tx, code string) error { return ruleTable.Drop(ctx, tx, code) },
			Check: checkRule,
		}),
	}
}

// checkRule wants the two limits the right way round: what lets the alert go must not call for it.
func checkRule(_ section.Lookup, r Rule) []section.Problem {
	if r.beyond(r.Clear) {
		return []section.Problem{section.Complaint("clear", "alert.rule.order")}
	}
	return nil
}

// Start watches until ctx ends.
func (m *Module) Start(ctx context.Context) error {
	if err := m.reload(ctx); err != nil {
		return err
	}
	if m.deps.Changed != nil {
		m.deps.Changed(func() {
			if err := m.reload(ctx); err != nil && ctx.Err() == nil {
				m.deps.Log.Error("alerts keep the rules they have", "err", err)
			}
		})
	}
	close(m.ready)
	for ctx.Err() == nil {
		m.term(ctx)
	}
	return nil
}

// every is how often the figures are looked at.
const every = 5 * time.Second

// term watches as long as this process is the one that does.
func (m *Module) term(ctx context.Context) {
	var lost <-chan struct{}
	if m.deps.Lease != nil {
		gone, release, err := m.deps.Lease(ctx)
		if err != nil {
			if ctx.Err() == nil {
				m.deps.Log.Warn("no alerts are raised from here for a moment", "err", err)
			}
			m.pause(ctx, nil)
			return
		}
		lost = gone
		defer release()
	}
	if err := m.load(ctx); err != nil && ctx.Err() == nil {
		m.deps.Log.Error("alerts that stand could not be read", "err", err)
		m.pause(ctx, lost)
		return
	}
	m.resume(ctx)
	for {
		m.look(ctx)
		m.advance(ctx)
		if !m.pause(ctx, lost) {
			return
		}
	}
}

// pause waits for the next look; false when there is none.
func (m *Module) pause(ctx context.Context, lost <-chan struct{}) bool {
	timer := m.deps.Clock.NewTimer(every)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-m.wake:
		return true
	case <-lost:
	case <-ctx.Done():
	}
	return false
}

func (m *Module) reload(ctx context.Context) error {
	rules, err := ruleTable.Load(ctx, m.deps.DB)
	if err != nil {
		return err
	}
	plans, err := planTable.Load(ctx, m.deps.DB)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rules, m.plans = rules, plans
	return nil
}
