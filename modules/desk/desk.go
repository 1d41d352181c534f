// Package desk is the agent's workplace: it folds the facts into what each agent sees, takes the agent's requests
// to the brain and to the channel, and keeps the wrap-up.
package desk

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
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

// The rights of the desk.
const (
	Use     right.Right = "desk.self.use"    // work as an agent
	SeeTeam right.Right = "desk.team.see"    // see the others' states
	Manage  right.Right = "desk.list.manage" // reasons, topics, tax types
	Seating right.Right = "desk.seat.manage" // move others to another seat
)

// Brain is asked for an agent's state; routing answers.
type Brain interface {
	SignIn(ctx context.Context, user id.User, site id.Site, at contact.Endpoint, seat id.Seat, up func() bool) error
	SignOut(ctx context.Context, user id.User, why string) error
	Want(ctx context.Context, user id.User, ready bool, reason string) error
	WrapUpDone(ctx context.Context, user id.User) error
	WrapUpExtended(ctx context.Context, user id.User, until time.Time) error
}

// Calls are asked to do what the phone bar says; voice answers. Verb is one of hold, resume.
type Calls interface {
	Hold(ctx context.Context, c id.Contact, by id.User, hold bool) error
	Hangup(ctx context.Context, c id.Contact, by id.User) error
	Press(ctx context.Context, c id.Contact, by id.User, digits string) error
	Transfer(ctx context.Context, c id.Contact, by id.User, to contact.Target) error
	Echo(ctx context.Context, at contact.Endpoint) error
	Quality(c id.Contact) (mos, loss float64, ok bool)
	Asking
}

// Endpoints says whether an endpoint is registered, and makes the secret a browser registers with.
type Endpoints interface {
	Registered(at contact.Endpoint) bool
	Outside(at contact.Endpoint) bool // a mobile or landline, where calls are taken by a key
	Browser(user id.User) (name, secret, realm string)
	Phones(ctx context.Context) (map[id.Phone]id.Site, error)
}

// Names gives the names people read.
type Names interface {
	User(u id.User) (name string, site id.Site, ok bool)
	Queue(q id.Queue) (name, nameEn string)
	Queues() []id.Queue
	Districts(of id.Site) []Place
}

// People answers the screen pop; customer fills it.
type People interface {
	Pop(ctx context.Context, number string, now time.Time) (Pop, error)
}

// Figures answers an agent's own figures of today; report fills it.
type Figures interface {
	MyDay(ctx context.Context, agent id.User) (Day, error)
}

// Facts takes what happened, in order.
type Facts interface {
	Post(at time.Time, place id.Site, subject, actor string, body event.Body)
}

// Presence is told again and again that an agent's desk is there; what is not told for a while lapses, and the brain
// signs the agent out.
type Presence interface {
	Assert(ctx context.Context, agent id.User) error
}

// Stream brings the facts, in order, from the moment begun is called on.
type Stream interface {
	Follow(ctx context.Context, begun func(), f func(ledger.Fact)) error
}

// Deps is what the desk needs.
type Deps struct {
	DB          *store.DB
	Clock       clock.Clock
	Facts       Facts
	Stream      Stream
	Brain       Brain
	Calls       Calls
	Endpoints   Endpoints
	Names       Names
	People      People
	Day         Figures
	Forces      Forces
	Skills      Skills
	Dialler     Dialler
	Parking     Parking
	Supervision Supervision
	Secret      func(id.Number, id.Queue) bool // whether nobody may listen; nil: everything may be listened to
	Needs       func(id.Queue) []SkillView     // the skills a queue asks for; nil: not shown
	Within      func(site, root id.Site) bool  // whether a site is root or lies below it; nil: all are one
	Flush       func(context.Context) error    // writes what has been posted at once; nil: it comes when it comes
	Seats       Seats                          // nil: there is no map of seats
	Presence    Presence                       // nil: no desk is ever taken for lost
	Hub         *web.Hub
	Changed     func(func())
	Log         *slog.Logger
}

// Module is the desk.
type Module struct {
	deps  Deps
	lists atomic.Pointer[lists]
	floor *floor
	ready chan struct{}

	holders holders
	past    struct { // summaries that suggest
		mu sync.Mutex
		at time.Time
		of []writtenBefore
	}
}

// New makes the desk; Start runs it.
func New(d Deps) *Module {
	m := &Module{deps: d, floor: newFloor(), ready: make(chan struct{})}
	m.lists.Store(&lists{})
	return m
}

// Name is "desk".
func (m *Module) Name() string { return "desk" }

// Migrations gives the tables.
func (m *Module) Migrations() fs.FS { return store.Folder(files, "migrations") }

// Texts gives zh.json and en.json.
func (m *Module) Texts() fs.FS { return store.Folder(files, "texts") }

// Rights gives the rights the desk declares.
func (m *Module) Rights() []right.Right {
	return append([]right.Right{Use, SeeTeam, Manage, Seating, CallOut, Park, PostNotice}, leaderRights()...)
}

// Ready is closed when the desk has its lists.
func (m *Module) Ready() <-chan struct{} { return m.ready }

// Start follows the facts until ctx ends.
func (m *Module) Start(ctx context.Context) error {
	if err := m.reload(ctx); err != nil {
		return err
	}
	if m.deps.Changed != nil {
		m.deps.Changed(func() {
			if err := m.reload(ctx); err != nil {
				m.deps.Log.Error("the desk keeps the lists it has", "err", err)
			}
		})
	}
	if m.deps.Presence != nil {
		beating := make(chan struct{})
		defer func() { <-beating }()
		go func() {
			defer close(beating)
			m.beat(ctx)
		}()
	}
	return m.deps.Stream.Follow(ctx, func() { close(m.ready) }, func(f ledger.Fact) {
		_, asked, _ := m.floor.asking(id.User(f.Subject))
		for _, user := range m.floor.apply(f) {
			m.publish(user)
		}
		m.tell(f, asked)
		if f.Kind == (event.CalloutEnded{}).Kind() {
			m.wentOut(ctx, f)
		}
	})
}

// lists are the reasons, topics and tax types as one value.
type lists struct {
	reasons  []Reason
	topics   []Topic
	taxTypes []TaxType

	emergency []EmergencyCard
}

func (m *Module) reload(ctx context.Context) error {
	var l lists
	var err error
	if l.reasons, err = reasonTable.Load(ctx, m.deps.DB); err != nil {
		return err
	}
	if l.topics, err = topicTable.Load(ctx, m.deps.DB); err != nil {
		return err
	}
	if l.taxTypes, err = taxTypeTable.Load(ctx, m.deps.DB); err != nil {
		return err
	}
	if l.emergency, err = emergencyTable.Load(ctx, m.deps.DB); err != nil {
		return err
	}
	m.lists.Store(&l)
	return nil
}
