// Package caller keeps the rules about callers: people who spoke with agents very often of late, and those on a list of
// callers who pester. A public office must answer people, so every rule is bounded, seen and undone by itself. See
// DESIGN.md.
package caller

import (
	"context"
	"embed"
	"encoding/json"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

//go:embed migrations texts
var files embed.FS

// The rights. SeeContacts is the report's: whoever may see contacts may ask for a mark on one that was not theirs.
const (
	See         right.Right = "caller.mark.see"     // see marks and what was asked for, numbers masked
	Ask         right.Right = "caller.mark.ask"     // ask for a caller to be marked
	Approve     right.Right = "caller.mark.approve" // approve, refuse and lift marks
	Manage      right.Right = "caller.rule.manage"  // say what calling often means; marks as configuration
	SeeContacts right.Right = "report.contact.see"
)

// Stream brings facts as they are written, on whatever node, from now on; begun is called when it does.
type Stream interface {
	Follow(ctx context.Context, begun func(), f func(ledger.Fact)) error
}

// Publisher changes the configuration, with every check, in the audit, told to all nodes.
type Publisher interface {
	Put(ctx context.Context, section, code string, body json.RawMessage, o section.Options) (section.Result, error)
}

// Deps is what the module needs.
type Deps struct {
	DB      *store.DB
	Clock   clock.Clock // nil: the machine's
	Stream  Stream      // nil: nobody is counted
	Publish Publisher
	Secret  func(id.Number, id.Queue) bool // for tip-offs: no rule holds there, and nobody is marked for it; nil: none is
	User    func(id.User) string           // a name; nil: codes are shown
	Hub     *web.Hub                       // nil: nothing is pushed
	Changed func(func())                   // nil: the rules are read at the start
	Log     *slog.Logger                   // nil: the default
}

// Module is the rules about callers.
type Module struct {
	deps  Deps
	rules atomic.Pointer[book]
	talks talks
	ready chan struct{}
	wake  chan struct{}
}

// New makes the module; Start counts talks while a rule asks for it.
func New(d Deps) *Module {
	if d.Clock == nil {
		d.Clock = clock.System()
	}
	if d.Log == nil {
		d.Log = slog.Default()
	}
	m := &Module{deps: d, ready: make(chan struct{}), wake: make(chan struct{}, 1)}
	m.rules.Store(&book{})
	return m
}

// Name is "caller".
func (m *Module) Name() string { return "caller" }

// Migrations gives the tables.
func (m *Module) Migrations() fs.FS { return store.Folder(files, "migrations") }

// Texts gives zh.json and en.json.
func (m *Module) Texts() fs.FS { return store.Folder(files, "texts") }

// Rights gives the rights the module declares.
func (m *Module) Rights() []right.Right { return []right.Right{See, Ask, Approve, Manage} }

// Ready is closed when the rules are read.
func (m *Module) Ready() <-chan struct{} { return m.ready }

func (m *Module) secret(n id.Number, q id.Queue) bool {
	return m.deps.Secret != nil && m.deps.Secret(n, q)
}

// tidyEvery is how often what is over is cleared away.
const tidyEvery = time.Hour

// Start keeps the rules as they are configured, and counts talks while one asks for it, until ctx ends.
func (m *Module) Start(ctx context.Context) error {
	if err := m.reload(ctx); err != nil {
		return err
	}
	if m.deps.Changed != nil {
		m.deps.Changed(func() {
			if err := m.reload(ctx); err != nil && ctx.Err() == nil {
				m.deps.Log.Error("callers are held to the rules there were", "err", err)
			}
			select {
			case m.wake <- struct{}{}:
			default:
			}
		})
	}
	close(m.ready)
	var work sync.WaitGroup
	defer work.Wait()
	stop := func() {}
	defer func() { stop() }()
	counting := false
	timer := m.deps.Clock.NewTimer(tidyEvery)
	defer timer.Stop()
	for {
		if on := m.rules.Load().often.Calls > 0 && m.deps.Stream != nil; on != counting {
			counting = on
			stop()
			work.Wait()
			if on {
				life, end := context.WithCancel(ctx)
				stop = end
				work.Go(func() { m.count(life) })
			}
		}
		if err := m.tidy(ctx); err != nil && ctx.Err() == nil {
			m.deps.Log.Error("old requests about callers stay; it is tried again in an hour", "err", err)
		}
		timer.Reset(tidyEvery)
		select {
		case <-m.wake:
		case <-timer.C():
		case <-ctx.Done():
			return nil
		}
	}
}
