// Package outbound calls people of the house's own accord: return visits, missed callers, corrections of wrong answers.
// A list says who, for what and when; an agent looks at each person and dials (preview), or people are dialled for
// agents who are idle (progressive), one at a time for one agent who has the line first: nobody ever hears silence.
package outbound

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

//go:embed migrations texts
var files embed.FS

// The rights.
const (
	Use    right.Right = "outbound.list.use"
	Manage right.Right = "outbound.list.manage"
)

// Calls makes the calls; voice answers. Facts (event.CalloutBegun and its like) tell how they go.
type Calls interface {
	// CallOut rings the agent and then calls the person. An error: nothing was begun.
	CallOut(ctx context.Context, o contact.Outcall) (id.Contact, error)
	// GiveUp ends a call whose person has not answered; one who has is let alone.
	GiveUp(ctx context.Context, c id.Contact, why string) error
}

// Idle is an agent with nothing to do, since when (unix ms).
type Idle struct {
	Agent id.User
	Site  id.Site
	Since int64
}

// Staff is asked for agents; routing and identity answer.
type Staff interface {
	// Spare gives the idle agents who meet a queue's needs, idle longest first, and how many contacts wait there.
	Spare(ctx context.Context, queue id.Queue) (idle []Idle, waiting int, err error)
	// Serves says whether an agent meets a queue's needs.
	Serves(agent id.User, queue id.Queue) bool
	Within(site, root id.Site) bool
	SiteOf(agent id.User) id.Site
	Holds(agent id.User, r right.Right, at id.Site) bool
	// AgentName is how people read a user.
	AgentName(agent id.User) string
}

// Facts writes a fact in the transaction of the rows it is about.
type Facts interface {
	Keep(tx *store.Tx, at time.Time, place id.Site, subject, actor string, body event.Body) error
}

// Stream brings the facts, in order, from the moment begun is called on.
type Stream interface {
	Follow(ctx context.Context, begun func(), f func(ledger.Fact)) error
}

// Deps is what the module needs.
type Deps struct {
	DB       *store.DB
	Clock    clock.Clock
	Facts    Facts
	Stream   Stream
	Calls    Calls
	Staff    Staff
	Contacts Contacts
	Missed   Missed // nil: there is no worklist of missed callers
	Ledger   *ledger.Ledger
	Hours    func(calendar string, at time.Time) day.State                               // nil: only the lists' own hours hold
	Area     func(site id.Site) string                                                   // area code of a site's city ("020")
	Zone     func(site string) *time.Location                                            // nil: UTC
	Lease    func(ctx context.Context) (lost <-chan struct{}, release func(), err error) // only one process dials for others; nil: this is the only one
	Hub      *web.Hub
	Changed  func(func())
	Tell     func() // tells the other processes that lists were started or stopped; nil: there are none
	Log      *slog.Logger
}

// Module is outbound calling.
type Module struct {
	deps  Deps
	ready chan struct{}
	wake  chan struct{}

	mu      sync.Mutex
	lists   []List
	on      map[string]bool
	live    map[id.Contact]bool   // attempts that are not over
	rest    map[id.User]time.Time // agents who did not answer are not rung again before
	turns   turns                 // of the goroutine that paces
	waiting numbers
	api     *web.API
}

// New makes the module; Start runs it.
func New(d Deps) *Module {
	return &Module{
		deps: d, ready: make(chan struct{}), wake: make(chan struct{}, 1), on: map[string]bool{}, live: map[id.Contact]bool{}, rest: map[id.User]time.Time{},
	}
}

// Name is "outbound".
func (m *Module) Name() string { return "outbound" }

// Migrations gives the tables.
func (m *Module) Migrations() fs.FS { return store.Folder(files, "migrations") }

// Texts gives zh.json and en.json.
func (m *Module) Texts() fs.FS { return store.Folder(files, "texts") }

// Rights gives the rights the module declares.
func (m *Module) Rights() []right.Right { return []right.Right{Use, Manage} }

// Ready is closed when the lists are read.
func (m *Module) Ready() <-chan struct{} { return m.ready }

// Start works lists off until ctx ends.
func (m *Module) Start(ctx context.Context) error {
	if err := m.reload(ctx); err != nil {
		return err
	}
	if m.deps.Changed != nil {
		m.deps.Changed(func() {
			if err := m.reload(ctx); err != nil && ctx.Err() == nil {
				m.deps.Log.Error("outbound keeps the lists it has", "err", err)
			}
		})
	}
	close(m.ready)
	for ctx.Err() == nil {
		m.term(ctx)
	}
	return nil
}

// now is whole milliseconds, as facts are.
func (m *Module) now() time.Time { return m.deps.Clock.Now().Truncate(time.Millisecond) }

func (m *Module) nudge() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}
