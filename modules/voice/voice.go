// Package voice is the telephone: trunks and phones, one actor per call, the flow it goes through, the ringing of
// agents, hold and transfer, recordings. It is the channel of the medium phone.
package voice

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/flow"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/crew"
	"github.com/kapok-hotline/kapok/platform/rtp"
	"github.com/kapok-hotline/kapok/platform/sip"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

//go:embed migrations texts
var files embed.FS

// Waiting is a call that asks for an agent.
type Waiting struct {
	Contact  id.Contact
	Site     id.Site
	Priority int
	Caller   string // the same for every attempt of one person
	Needs    []flow.Need
	First    bool
	Quiet    bool      // a person who is called back: the visit in which they asked is counted, not this one
	At       time.Time // when this stay begins
	Since    time.Time // when its place counts from; zero: At
	Keep     bool      // was in a queue of this line before: taken however long the queue is
}

// Sound is what a queue does to the ear: music while waiting, a word of comfort every so often, and whether the
// talk is recorded.
type Sound struct {
	Music    id.Prompt
	Announce time.Duration
	Record   bool
	Secret   bool     // for tip-offs: nobody listens
	Place    bool     // the person is told their place, and how long it may take
	Callback Callback // zero: none is offered
}

// Queues is asked for agents; routing answers.
type Queues interface {
	Enter(ctx context.Context, q id.Queue, w Waiting) error
	Leave(ctx context.Context, c id.Contact) error
	Done(ctx context.Context, c id.Contact, agent id.User) error
	Known(q id.Queue) bool
	// Agent gives the agent a number inside the house stands for: who is signed in at that phone, or whose code it is.
	Agent(ctx context.Context, number string) (id.User, bool)
	// Take reserves an agent for a call that is given to them past the queues; it ends with Taken (answered) or Done.
	// No agent: the one of the queue who is idle longest.
	Take(ctx context.Context, c id.Contact, agent id.User, from id.Queue) (contact.Endpoint, error)
	Taken(ctx context.Context, c id.Contact, agent id.User) error
	// Seize is Take for a leader who takes part in a talk: also who is away.
	Seize(ctx context.Context, c id.Contact, agent id.User) (contact.Endpoint, error)
	// Dial is Take for what an agent does of their own will, away or in wrap-up, too; the wrap-up after it lasts wrapup,
	// where there is no queue.
	Dial(ctx context.Context, c id.Contact, agent id.User, from id.Queue, wrapup time.Duration) (contact.Endpoint, error)
	Endpoint(ctx context.Context, at contact.Endpoint, up bool) error
	Sound(q id.Queue) Sound
}

// Hours answers a flow's question for a calendar.
type Hours interface {
	State(calendar string, at time.Time) (state day.State, name string, next time.Time, err error)
}

// Facts takes what happened, in order, without waiting for the disk.
type Facts interface {
	Post(at time.Time, place id.Site, subject, actor string, body event.Body)
}

// Deps is what voice needs.
type Deps struct {
	DB      *store.DB
	Clock   clock.Clock
	Facts   Facts
	Queues  Queues
	Hours   Hours
	Sites   Sites      // nil: there is one site
	Staff   Staff      // nil: everybody is bound by the rules for all
	Cities  CityMemory // nil: nobody remembers
	Line    Line       // nil: nobody is told a place, or called back
	Callers Callers    // nil: a screening knows no history, and every queue is open
	Manners Manners    // nil: there are no rules about callers
	Changed func(func())
	Told    func(agent id.User)                      // an agent's endpoint came or went: their desk shows it
	Publish Publisher                                // flows, by the configuration
	Tell    func(topic string, to id.User, data any) // a person's pages; nil: they ask
	Log     *slog.Logger

	// Keep writes a fact in a transaction, with the rows it is about; nil: it is posted when they are there.
	Keep func(tx *store.Tx, at time.Time, place id.Site, subject, actor string, body event.Body) error
	Node id.Node // this process: what it has promised and the recordings on its disk carry it

	Answerer Answerer                       // who listens to who answers calls out; nil: the house's own
	Surge    func(site id.Site) []id.Prompt // what callers are greeted with while a surge plan runs; nil: nothing

	Presence Presence // nil: there are no other processes
	Far      Far      // nil: there are none
	Others   Others   // nil: there are none

	Data      string   // data folder: recordings, uploaded sounds
	Key       []byte   // 32 bytes: seals recordings
	SIP       []string // addresses for UDP and TCP
	SIPS      []string // addresses for TLS
	TLS       TLS
	Advertise netip.Addr
	RTPFirst  uint16
	RTPLast   uint16
	Fast      bool // the kernel may relay plain calls
	WebPort   uint16
	Realm     string
}

// Module is voice.
type Module struct {
	deps    Deps
	snap    atomic.Pointer[snapshot]
	sip     *sip.Server
	out     outgoing
	plane   *rtp.Plane
	tick    *audio.Tick
	sounds  *sounds
	maker   *maker
	mouth   atomic.Pointer[mouth]
	secrets *secrets
	ladders *ladders
	vault   *vault
	lines   lines
	surveys atomic.Pointer[map[id.Queue]Survey]
	ready   chan struct{}
	api     *web.API

	life     context.Context //nolint:containedctx // the process's: calls end with it
	endLife  context.CancelFunc
	draining atomic.Bool
	alarm    atomic.Bool // recordings fail
	adopted  atomic.Bool // recordings an earlier process left behind have been looked for

	mu    sync.Mutex
	calls map[id.Contact]*call

	callbacks *callbacks
	trials    trials

	gone   sync.WaitGroup
	relays relays

	crew *crew.Crew // runs the calls
}

// crewWaiting is how many goroutines are kept for the next calls.
const crewWaiting = 128

// Name is "voice".
func (m *Module) Name() string { return "voice" }

// Migrations gives the tables.
func (m *Module) Migrations() fs.FS { return store.Folder(files, "migrations") }

// Texts gives zh.json and en.json.
func (m *Module) Texts() fs.FS { return store.Folder(files, "texts") }

// Ready is closed when calls are taken.
func (m *Module) Ready() <-chan struct{} { return m.ready }

// find gives the call of a contact.
func (m *Module) find(c id.Contact) *call {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls[c]
}

// Calls gives the number of calls under way.
func (m *Module) Calls() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.calls)
}

// Media gives the number of open media legs; each but a browser's has a pair of ports.
func (m *Module) Media() int { return m.plane.Legs() }

// Carried gives the number of media legs whose peer's sound the kernel relays, two for a call; on is false where there is
// no fast path.
func (m *Module) Carried() (legs int, on bool) { return m.plane.Carried() }

// Promises gives the number of people this process is still to call back.
func (m *Module) Promises() int { return int(m.callbacks.open.Load()) }

// now is whole milliseconds, as facts are: what is divided of a leg adds up to it exactly.
func (m *Module) now() time.Time { return m.deps.Clock.Now().Truncate(time.Millisecond) }
