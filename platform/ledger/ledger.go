// Package ledger keeps the facts: what happened, once, in order, for good. Everything Kapok shows is a fold of
// them. DESIGN.md tells how.
package ledger

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
)

//go:embed migrations
var migrations embed.FS

// Bus is what the ledger needs of platform/bus.
type Bus interface {
	// Publish sends v as JSON to whoever hears subject.
	Publish(subject string, v any) error
	// Hear calls f with everything published under subject, by other nodes too.
	Hear(subject string, f func(subject string, data []byte)) (stop func(), err error)
}

// Config says what a ledger works with.
type Config struct {
	DB    *store.DB                         // required
	Node  id.Node                           // this process; required
	Bus   Bus                               // nil: nothing is published
	Clock clock.Clock                       // nil: the machine's
	Zone  func(place string) *time.Location // the zone of a site; nil, or a nil zone: Asia/Shanghai
	Log   *slog.Logger                      // nil: the default
}

// Ledger is an open ledger. It is safe for use by many goroutines.
type Ledger struct {
	db    *store.DB
	node  id.Node
	bus   Bus
	clock clock.Clock
	place func(string) *time.Location
	china *time.Location
	log   *slog.Logger

	// writing is held from the taking of seqs to the end of the transaction, so that what is committed here is
	// handed on in order. It is taken inside a transaction and before the row of ledger_head.
	writing sync.Mutex

	mu      sync.Mutex // guards folds and checks
	folds   []Fold
	checks  []Invariant
	queue   chan *request
	tail    *tail
	outbox  *outbox
	behind  chan struct{} // a fold has fallen behind
	closing chan struct{}
	closed  atomic.Bool
	work    sync.WaitGroup
	commits sync.WaitGroup // the committer, which the relay outlives
	stop    context.CancelFunc
	unhear  func()
}

// Open migrates the ledger's tables and starts its work: grouped commits, the relay to the bus, folds that
// catch up. Close ends it; db stays open.
func Open(ctx context.Context, c Config) (*Ledger, error) {
	if c.DB == nil || c.Node == "" {
		return nil, fault.New(fault.Internal, "ledger.config.invalid")
	}
	china, err := clock.Zone("")
	if err != nil {
		return nil, err
	}
	l := &Ledger{
		db: c.DB, node: c.Node, bus: c.Bus, clock: c.Clock, place: c.Zone, china: china, log: c.Log,
		queue: make(chan *request, queueLength), behind: make(chan struct{}, 1), closing: make(chan struct{}),
	}
	if l.clock == nil {
		l.clock = clock.System()
	}
	if l.log == nil {
		l.log = slog.Default()
	}
	if err := c.DB.Migrate(ctx, "ledger", migrations); err != nil {
		return nil, err
	}
	head, err := l.Head(ctx)
	if err != nil {
		return nil, err
	}
	l.tail = newTail(head)
	if l.outbox, err = l.openOutbox(ctx, head); err != nil {
		return nil, err
	}
	return l, l.start()
}

func (l *Ledger) start() error {
	if l.bus != nil {
		unhear, err := l.bus.Hear(headSubject, l.hearHead)
		if err != nil {
			return err
		}
		l.unhear = unhear
	}
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	l.commits.Go(l.commitLoop)
	l.work.Go(func() { l.relay(ctx) })
	l.work.Go(func() { l.catchUpLoop(ctx) })
	return nil
}

// Close commits what waits, publishes what is committed and ends. Later appends are refused.
func (l *Ledger) Close(ctx context.Context) error {
	if l.closed.Swap(true) {
		return nil
	}
	close(l.closing)
	if l.unhear != nil {
		l.unhear()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.commits.Wait()
		l.work.Wait()
	}()
	// The relay and the folds end by themselves at the head; the context only cuts it short.
	select {
	case <-done:
		l.stop()
		return nil
	case <-ctx.Done():
		l.stop()
		<-done
		return ctx.Err()
	}
}

// DB gives the database the ledger lies in, for readers of folds.
func (l *Ledger) DB() *store.DB { return l.db }

func (l *Ledger) zone(place string) *time.Location {
	if l.place != nil {
		if z := l.place(place); z != nil {
			return z
		}
	}
	return l.china
}

// Head gives the seq of the newest fact, 0 when there is none.
func (l *Ledger) Head(ctx context.Context) (int64, error) {
	return store.One(ctx, l.db, `SELECT seq FROM ledger_head WHERE one = 1`, store.Col[int64])
}

// Declare adds invariants for Check.
func (l *Ledger) Declare(checks ...Invariant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.checks = append(l.checks, checks...)
}

var errClosed = error(fault.New(fault.Unavailable, "ledger.closed"))

// transient tells whether err says more about the moment than about the facts.
func transient(err error) bool {
	return fault.KindOf(err) == fault.Unavailable || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
