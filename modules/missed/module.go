package missed

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
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

// The rights. Reveal is the customer module's: whoever may see a number in full there may see it here.
const (
	See    right.Right = "missed.list.see"    // see missed callers, numbers masked
	Work   right.Right = "missed.list.work"   // take them, call them, say what came of it, hear their messages
	Assign right.Right = "missed.list.assign" // give them to others
	Manage right.Right = "missed.rule.manage" // say how the list is kept
	Reveal right.Right = "customer.number.reveal"
	Dial   right.Right = "desk.call.out" // the desk's: who may call outside numbers at all
)

// Facts writes a fact in a transaction.
type Facts interface {
	Keep(tx *store.Tx, at time.Time, place id.Site, subject, actor string, body event.Body) error
}

// Names gives the names of codes as they are configured now, "" for what nobody knows.
type Names interface {
	Queue(q id.Queue) (zh, en string)
	User(u id.User) string
	Site(s id.Site) (zh, en string)
}

// Calls places a call to a person for an agent at their desk.
type Calls interface {
	// CallOut rings the agent's own phone, then the person, and gives the contact when the agent's phone rings. Its facts
	// carry Purpose and the row.
	CallOut(ctx context.Context, o contact.Outcall) (id.Contact, error)
}

// Purpose names the calls placed from this list.
const Purpose = "missed"

// Sounds lets a spoken message be heard; whoever calls it has asked for the right.
type Sounds interface {
	ServeMessage(w http.ResponseWriter, r *http.Request, recording string)
}

// Call is what is known of a call nobody answered, for Deps.Due.
type Call struct {
	Number id.Number // of ours
	Queue  id.Queue
	Site   id.Site
	At     time.Time
}

// Deps is what the module needs.
type Deps struct {
	DB      *store.DB
	Clock   clock.Clock // nil: the machine's
	Facts   Facts
	Names   Names                                                  // nil: codes are shown
	Calls   Calls                                                  // nil: nobody can be called from the list
	Rung    func(ctx context.Context, number string) (bool, error) // whether a number's telephone rings for us, for another list; nil: never
	Sounds  Sounds                                                 // nil: messages cannot be heard from the list
	Due     func(Call) time.Time                                   // the moment whose local day is the last to call back on; nil: the call's
	Secret  func(id.Number, id.Queue) bool                         // for tip-offs: who calls there is on no list; nil: none is
	May     func(u id.User, site id.Site) bool                     // whether a user may be given callers of a site; nil: everybody
	Zone    func(site string) *time.Location                       // nil: Asia/Shanghai
	Subtree func(root id.Site) []id.Site                           // a site and all below it; nil: one flat site
	Hub     *web.Hub                                               // nil: nothing is pushed
	Changed func(func())                                           // nil: the rules are read at the start
	Log     *slog.Logger                                           // nil: the default
}

// Module is the missed callers.
type Module struct {
	deps  Deps
	api   *web.API
	fold  *fold
	rules atomic.Pointer[Rules]
	ready chan struct{}

	mu     sync.Mutex
	pushed time.Time // when pages were last told
	later  clock.Timer
}

// New makes the module; Start keeps the list tidy.
func New(d Deps) *Module {
	if d.Clock == nil {
		d.Clock = clock.System()
	}
	if d.Log == nil {
		d.Log = slog.Default()
	}
	m := &Module{deps: d, ready: make(chan struct{})}
	m.fold = &fold{m: m}
	rules := defaultRules()
	m.rules.Store(&rules)
	return m
}

// Name is "missed".
func (m *Module) Name() string { return "missed" }

// Migrations gives the tables.
func (m *Module) Migrations() fs.FS { return store.Folder(files, "migrations") }

// Texts gives zh.json and en.json.
func (m *Module) Texts() fs.FS { return store.Folder(files, "texts") }

// Rights gives the rights the module declares.
func (m *Module) Rights() []right.Right { return []right.Right{See, Work, Assign, Manage} }

// Folds gives what keeps the list.
func (m *Module) Folds() []ledger.Fold { return []ledger.Fold{m.fold} }

// Ready is closed when the rules are read.
func (m *Module) Ready() <-chan struct{} { return m.ready }

// day gives the local day of a moment at a site.
func (m *Module) day(at time.Time, site id.Site) string {
	d, _ := clock.Local(at.UnixMilli(), m.zone(site))
	return d
}

func (m *Module) zone(site id.Site) *time.Location {
	if m.deps.Zone != nil {
		if z := m.deps.Zone(string(site)); z != nil {
			return z
		}
	}
	china, err := clock.Zone("")
	if err != nil {
		panic(err) // the program carries its zones
	}
	return china
}

// pushEvery is how often pages are told at most that the list has changed.
const pushEvery = time.Second

// push tells open pages that the list has changed: at once, or when the last word is old enough.
func (m *Module) push() {
	if m.deps.Hub == nil || !m.deps.Hub.Heard("missed") {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.later != nil {
		return
	}
	wait := max(pushEvery-m.deps.Clock.Now().Sub(m.pushed), 0)
	m.later = m.deps.Clock.AfterFunc(wait, func() {
		m.mu.Lock()
		m.later, m.pushed = nil, m.deps.Clock.Now()
		m.mu.Unlock()
		if err := m.deps.Hub.Publish("missed", web.Holders(See, ""), map[string]any{"changed": true}); err != nil {
			m.deps.Log.Error("pages could not be told of missed callers", "err", err)
		}
	})
}
