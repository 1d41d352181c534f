// Package app puts the house together: it opens the platform, makes the modules, answers each module's questions
// with another, and runs what a process is to do. Commands are here too; main only calls them.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/modules/alert"
	"github.com/kapok-hotline/kapok/modules/caller"
	"github.com/kapok-hotline/kapok/modules/customer"
	"github.com/kapok-hotline/kapok/modules/desk"
	"github.com/kapok-hotline/kapok/modules/identity"
	"github.com/kapok-hotline/kapok/modules/missed"
	"github.com/kapok-hotline/kapok/modules/outbound"
	"github.com/kapok-hotline/kapok/modules/report"
	"github.com/kapok-hotline/kapok/modules/routing"
	"github.com/kapok-hotline/kapok/modules/voice"
	"github.com/kapok-hotline/kapok/platform/bus"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
	kapokweb "github.com/kapok-hotline/kapok/web"
)

// Options say how a process of the house runs.
type Options struct {
	Data      string // folder for everything kept outside the database
	DB        string // address of the database; "" is SQLite in Data
	HTTP      string
	HTTPS     string
	TLSCert   string
	TLSKey    string
	SIP       []string
	SIPS      []string
	RTPFirst  uint16
	RTPLast   uint16
	FastPath  bool // the kernel may relay plain calls
	WebRTC    uint16
	Advertise netip.Addr
	Demo      bool
	Closed    bool // nothing is served: for a look at a house that does not run
	Node      id.Node
	Cluster   Cluster // the zero value: this process is alone
	Clock     clock.Clock
	Log       *slog.Logger
}

// House is a running Kapok.
type House struct {
	o     Options
	clock clock.Clock
	log   *slog.Logger
	keys  keys
	lock  *os.File // held while this process has the data folder

	db       *store.DB
	bus      *bus.Bus
	live     *bus.Bucket // contacts that wait, agents at work
	presence *bus.Bucket // who and what is there; lapses when nothing is heard for 15 s
	peers    *peers      // nil: this process is alone
	ledger   *ledger.Ledger
	journal  *ledger.Journal
	book     *section.Book
	web      *web.Server

	identity *identity.Module
	calendar calendarPart
	customer *customer.Module
	report   *report.Module
	routing  *routing.Module
	caller   *caller.Module
	voice    *voice.Module
	desk     *desk.Module
	alert    *alert.Module
	missed   *missed.Module
	outbound *outbound.Module
	surge    surge
	all      []module

	zones sync.Map // *time.Location by name

	stop context.CancelFunc
	done sync.WaitGroup
	fail chan error // the first part that failed
}

// Open makes the house: the folder, the database with every module's tables, the bus, the ledger. Nothing is
// served yet. Each error is one clear sentence.
func Open(ctx context.Context, o Options) (*House, error) {
	h := &House{o: o, clock: o.Clock, log: o.Log, fail: make(chan error, 1)}
	if h.clock == nil {
		h.clock = clock.System()
	}
	if h.log == nil {
		h.log = slog.Default()
	}
	if h.o.Node == "" {
		h.o.Node = "kapok"
	}
	if !h.o.Advertise.IsValid() {
		h.o.Advertise = netip.MustParseAddr("127.0.0.1")
	}
	if err := h.open(ctx); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func (h *House) open(ctx context.Context) error {
	if err := os.MkdirAll(h.o.Data, 0o700); err != nil {
		return fmt.Errorf("the data folder %s cannot be made: %w; choose another with --data", h.o.Data, err)
	}
	var err error
	if h.lock, err = lockFolder(h.o.Data); err != nil {
		return err
	}
	address := h.o.DB
	if address == "" {
		address = "sqlite:" + filepath.Join(h.o.Data, "kapok.db")
	}
	if h.db, err = store.Open(ctx, address); err != nil {
		return err
	}
	if !h.o.Cluster.alone() {
		h.peers = newPeers(h)
		if err := h.shareKeys(ctx); err != nil {
			return err
		}
	}
	if h.keys, err = openKeys(h.o.Data); err != nil {
		return err
	}
	if h.bus, err = bus.Open(ctx, h.busConfig(filepath.Join(h.o.Data, "bus"))); err != nil {
		return err
	}
	if err := h.openLive(ctx); err != nil {
		return err
	}
	facts := ledger.Config{DB: h.db, Node: h.o.Node, Clock: h.clock, Zone: h.zone, Log: h.log}
	if !h.o.Cluster.alone() {
		facts.Bus = h.bus // alone, nobody else hears it
	}
	h.ledger, err = ledger.Open(ctx, facts)
	if err != nil {
		return err
	}
	h.journal = ledger.NewJournal(h.ledger, h.log)
	h.web = web.New(web.Config{
		HTTP: h.o.HTTP, HTTPS: h.o.HTTPS, Data: h.o.Data, CertFile: h.o.TLSCert, KeyFile: h.o.TLSKey,
		Advertise: []string{h.o.Advertise.String()}, UI: kapokweb.Dist(), UIDev: devServer(), Node: h.o.Node, Version: Version(), Clock: h.clock, Log: h.log,
	})
	if h.all, err = h.modules(ctx); err != nil {
		return err
	}
	return h.furnish(ctx)
}

// furnish gives every module its tables, its texts, its place in the configuration and on the web.
func (h *House) furnish(ctx context.Context) error {
	if err := h.migrate(ctx); err != nil {
		return err
	}
	var sections []section.Section
	for _, m := range h.all {
		if x, ok := m.(hasTexts); ok {
			if err := h.web.Texts().Add(x.Texts()); err != nil {
				return fmt.Errorf("texts of %s: %w", m.Name(), err)
			}
		}
		if x, ok := m.(hasRights); ok {
			h.web.Declare(x.Rights()...)
		}
		if x, ok := m.(hasSections); ok {
			sections = append(sections, x.Sections()...)
		}
		if x, ok := m.(hasFolds); ok {
			if err := h.ledger.Register(ctx, x.Folds()...); err != nil {
				return err
			}
		}
		if x, ok := m.(hasInvariants); ok {
			h.ledger.Declare(x.Invariants()...)
		}
	}
	var err error
	h.book, err = section.New(ctx, section.Config{DB: h.db, Bus: h.bus, Clock: h.clock, Log: h.log, Audit: h.auditChange}, sections...)
	if err != nil {
		return err
	}
	if err := h.ship(ctx); err != nil {
		return err
	}
	return h.routes()
}

// rights gives every right the modules declare, for roles that hold all.
func (h *House) rights() []right.Right {
	out := []right.Right{seeHealth, runHouse, "platform.config.manage", "platform.config.see"}
	for _, m := range h.all {
		if x, ok := m.(hasRights); ok {
			out = append(out, x.Rights()...)
		}
	}
	return out
}

// part is one running module: ended on its own, so that those who ask end before those who answer.
type part struct {
	stop context.CancelFunc
	done chan struct{}
}

// Run starts every part and returns when ctx ends, or when a part fails: then with its error. The parts end in the
// opposite order of their start: the pages, the desk, the calls (which still tell the brain), the brain, the rest.
func (h *House) Run(ctx context.Context, ready func()) error {
	ctx, h.stop = context.WithCancel(ctx)
	defer h.close()
	outlive := context.WithoutCancel(ctx)
	written, stopWriting := context.WithCancel(outlive)
	h.done.Go(func() { h.journal.Run(written) })
	var parts []part
	err := func() error {
		if err := h.join(ctx, outlive, &parts); err != nil {
			return err
		}
		for _, m := range h.all {
			if err := h.start(ctx, outlive, &parts, m); err != nil {
				return err
			}
		}
		parts = append(parts, h.begin(outlive, "web", h.web.Run))
		return h.serve(ctx, ready)
	}()
	h.stop()
	for i := len(parts) - 1; i >= 0; i-- {
		parts[i].stop()
		<-parts[i].done
	}
	stopWriting()
	h.done.Wait()
	return err
}

// join begins to know the other processes, before any module asks for them.
func (h *House) join(ctx, outlive context.Context, parts *[]part) error {
	if h.peers == nil {
		return nil
	}
	known := make(chan struct{})
	*parts = append(*parts, h.begin(outlive, "the other processes", func(ctx context.Context) error {
		return h.peers.run(ctx, func() { close(known) })
	}))
	select {
	case <-known:
	case err := <-h.fail:
		return err
	case <-ctx.Done():
	}
	return nil
}

// serve waits until the pages are there, says so, and stays until the end.
func (h *House) serve(ctx context.Context, ready func()) error {
	select {
	case <-h.web.Ready():
	case err := <-h.fail:
		return err
	case <-ctx.Done():
		return nil
	}
	if ready != nil {
		ready()
	}
	select {
	case err := <-h.fail:
		return err
	case <-ctx.Done():
		return nil
	}
}

// begin runs a part on a context of its own.
func (h *House) begin(ctx context.Context, name string, run func(context.Context) error) part {
	ctx, stop := context.WithCancel(ctx)
	p := part{stop: stop, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		h.failed(name, run(ctx))
	}()
	return p
}

// start runs a module's own work and waits until it is ready for those who ask it.
func (h *House) start(ctx, outlive context.Context, parts *[]part, m module) error {
	s, ok := m.(hasStart)
	if !ok {
		return nil
	}
	*parts = append(*parts, h.begin(outlive, m.Name(), s.Start))
	select {
	case <-s.Ready():
		return nil
	case err := <-h.fail:
		return err
	case <-ctx.Done():
		return nil
	case <-time.After(startBound):
		return fmt.Errorf("%s did not become ready within %v", m.Name(), startBound)
	}
}

const startBound = 2 * time.Minute

func (h *House) failed(part string, err error) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	select {
	case h.fail <- fmt.Errorf("%s: %w", part, err):
	default: // the first failure is the one to tell
	}
	h.stop()
}

// close ends what Open began, in the opposite order.
func (h *House) close() {
	ctx, cancel := context.WithTimeout(context.Background(), startBound)
	defer cancel()
	if h.ledger != nil {
		if err := h.ledger.Close(ctx); err != nil {
			h.log.Error("closing the ledger", "err", err)
		}
	}
	if h.bus != nil {
		h.bus.Close()
	}
	if h.db != nil {
		if err := h.db.Close(); err != nil {
			h.log.Error("closing the database", "err", err)
		}
	}
	if h.lock != nil {
		_ = h.lock.Close() // the lock goes with it
	}
}

// changed calls f at every change of the configuration, on any node.
func (h *House) changed(f func()) {
	if _, err := h.bus.Hear(section.Changed, func(string, []byte) { f() }); err != nil {
		h.log.Error("changes of the configuration will not be seen before the next start", "err", err)
	}
}

func (h *House) zone(place string) *time.Location {
	if h.identity == nil {
		return nil
	}
	name := h.identity.Timezone(id.Site(place))
	if z, ok := h.zones.Load(name); ok {
		return z.(*time.Location) //nolint:forcetypeassert // nothing else is put there
	}
	z, err := clock.Zone(name)
	if err != nil {
		return nil
	}
	h.zones.Store(name, z) // asked for with every fact, and read from a file
	return z
}
