// Package routing is the module of queues, skills and offers: it keeps the life of the brain (engine/acd), turns
// its commands into facts and into calls to the channels, and answers the other modules' requests to it.
package routing

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/bus"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
)

//go:embed migrations texts
var files embed.FS

// Facts takes what happened, in the order it happened, without waiting for the disk.
type Facts interface {
	Post(at time.Time, place id.Site, subject, actor string, body event.Body)
}

// Hours says whether a calendar is open.
type Hours interface {
	Open(calendar string, at time.Time) bool
}

// Sites knows the tree: Path gives a site and those above it, nearest first.
type Sites interface {
	Path(site id.Site) []id.Site
}

// Live is a bucket of live state; *bus.Bucket is one, and says what each does.
type Live interface {
	Put(ctx context.Context, key string, v any) (uint64, error)
	Create(ctx context.Context, key string, v any) (uint64, error)
	Update(ctx context.Context, key string, v any, revision uint64) (uint64, error)
	Get(ctx context.Context, key string, v any) (uint64, error)
	Delete(ctx context.Context, key string, revision uint64) error
	Watch(ctx context.Context, prefix string) (<-chan bus.Change, error)
}

// Deps is what routing needs. Channels is asked at each offer, so that channels may be made after routing.
type Deps struct {
	DB       *store.DB
	Clock    clock.Clock
	Facts    Facts
	Hours    Hours
	Sites    Sites
	Channels func(contact.Medium) contact.Channel
	Leases   Leases                          // nil: this process is alone, and decides
	Node     id.Node                         // this process
	Live     Live                            // where contacts and agents are kept for the next brain; nil: nowhere
	Peers    Peers                           // the other processes; nil: there are none
	Contacts Contacts                        // with Peers: which contacts are there
	Flush    func(ctx context.Context) error // with Peers: returns when every fact posted is on the disk
	Up       func(contact.Endpoint) bool     // with Peers: whether an endpoint can be rung, from any process
	Desks    Desks                           // nil: nobody's desk is ever lost
	Changed  func(f func())                  // calls f when the configuration changed
	Log      *slog.Logger
}

// Module is routing.
type Module struct {
	deps     Deps
	snap     atomic.Pointer[snapshot]
	requests chan request
	ready    chan struct{}
	stopped  chan struct{} // closed when the brain takes no more requests
	offers   offers
	mirror   *mirror     // nil without Live
	leads    atomic.Bool // with Peers: this process decides
	resigned chan struct{}
	entries  entries
	away     awayDesks       // with Peers
	life     context.Context //nolint:containedctx // the module's: what is still under way ends with it
	endLife  context.CancelFunc
}

// New makes the module; Start runs it.
func New(d Deps) *Module {
	m := &Module{
		deps: d, requests: make(chan request, 4096), ready: make(chan struct{}), stopped: make(chan struct{}),
		resigned: make(chan struct{}, 1),
	}
	m.life, m.endLife = context.WithCancel(context.Background())
	m.snap.Store(&snapshot{})
	if d.Live != nil {
		m.mirror = &mirror{
			live: d.Live, shared: d.Peers != nil, log: d.Log.Warn, fenced: m.resign, pause: mirrorPause,
			revision: map[string]uint64{}, wake: make(chan struct{}, 1), working: make(chan struct{}, 1),
		}
	}
	return m
}

// Name is "routing".
func (m *Module) Name() string { return "routing" }

// Migrations gives the tables.
func (m *Module) Migrations() fs.FS { return store.Folder(files, "migrations") }

// Texts gives zh.json and en.json.
func (m *Module) Texts() fs.FS { return store.Folder(files, "texts") }

// Ready is closed when the brain takes requests.
func (m *Module) Ready() <-chan struct{} { return m.ready }

// Start closes what an earlier life left open, then runs the brain until ctx ends.
func (m *Module) Start(ctx context.Context) error {
	defer m.endLife()
	if m.deps.Peers == nil { // else the brain closes what no process holds any more
		if err := m.closeOpen(ctx); err != nil {
			return err
		}
	}
	if err := m.reload(ctx); err != nil {
		return err
	}
	if m.deps.Changed != nil {
		m.deps.Changed(func() {
			if err := m.reload(ctx); err != nil {
				m.deps.Log.Error("routing keeps the configuration it has", "err", err)
				return
			}
			if err := m.do(ctx, request{configure: true}); err != nil && ctx.Err() == nil {
				m.deps.Log.Error("the brain was not told of the new configuration", "err", err)
			}
		})
	}
	if m.deps.Desks != nil {
		watching := make(chan struct{})
		defer func() { <-watching }()
		go func() {
			defer close(watching)
			m.watchDesks(ctx)
		}()
	}
	if m.deps.Peers != nil {
		defer m.share()()
	}
	return m.run(ctx)
}
