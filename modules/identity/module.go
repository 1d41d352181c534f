// Package identity knows the people: the bureau, its tree of sites, seats, roles and users; how they sign in
// (password, TOTP, OIDC, API tokens, one-time links) and what they may do; and it keeps the audit. It answers
// platform/web's question who a caller is.
package identity

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/audit"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
)

//go:embed migrations/*.sql texts/*.json
var files embed.FS

// Bus carries the news that people or sites changed to the other processes.
type Bus interface {
	// Publish sends v as JSON to whoever hears subject.
	Publish(subject string, v any) error
	// Hear calls f with everything published under subject, by other nodes too.
	Hear(subject string, f func(subject string, data []byte)) (stop func(), err error)
}

// Sockets is what identity needs of the hub: sockets follow rights and sessions.
type Sockets interface {
	// RecheckUser has who the user's sockets belong to looked at again; Recheck, everybody's.
	RecheckUser(u id.User)
	Recheck()
	DropSession(session string)
}

// Deps is what identity needs. DB, Node and Key are required.
type Deps struct {
	DB    *store.DB
	Node  id.Node
	Key   []byte      // 32 bytes kept outside the database: seals TOTP secrets, fingerprints configured passwords
	Clock clock.Clock // nil: the machine's
	Log   *slog.Logger
	Bus   Bus // nil: a single process

	// Rights gives every right the modules declare; asked when roles are expanded. Nil: those identity knows.
	Rights func() []right.Right
	// Bootstrap makes the first set-up in one transaction: s.Items() together with what other modules need of
	// hours, number and agents, applied as one configuration. Nil: s.Items() alone.
	Bootstrap func(ctx context.Context, s Setup) error
	// Demo opens GET /demo/logins and POST /demo/login to this machine.
	Demo bool
}

// Module is the ability; app gives it its place.
type Module struct {
	deps    Deps
	db      *store.DB
	clock   clock.Clock
	log     *slog.Logger
	audit   *audit.Log
	hasher  *hasher
	sealer  *sealer
	oidc    oidcCache
	sockets Sockets

	snap    atomic.Pointer[snapshot]
	loading sync.Mutex
	ready   chan struct{}
}

// New makes the module. Its tables (Migrations under "identity", audit.Migrations under "audit") must be there
// before Start or any request.
func New(deps Deps) *Module {
	if deps.Clock == nil {
		deps.Clock = clock.System()
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	m := &Module{
		deps: deps, db: deps.DB, clock: deps.Clock, log: deps.Log,
		audit:  audit.New(deps.DB, deps.Node, deps.Clock),
		sealer: newSealer(deps.Key), ready: make(chan struct{}),
	}
	m.hasher = newHasher(m.sealer)
	m.snap.Store(newSnapshot(nil, nil, nil, nil, Bureau{}, m.rights()))
	return m
}

// Name is the module's.
func (m *Module) Name() string { return "identity" }

// Migrations gives the module's tables.
func (m *Module) Migrations() fs.FS { return store.Folder(files, "migrations") }

// Texts gives the module's sentences.
func (m *Module) Texts() fs.FS { return store.Folder(files, "texts") }

// Audit gives the audit log, for other parts that write their own entries.
func (m *Module) Audit() *audit.Log { return m.audit }

// Ready is closed when Start has read who there is.
func (m *Module) Ready() <-chan struct{} { return m.ready }

const (
	changedSubject = "identity.people.changed"
	sweepEvery     = 10 * time.Minute
)

// Start reads people and sites, follows changes made by other processes and clears away what has ended. It
// returns when ctx ends.
func (m *Module) Start(ctx context.Context) error {
	news := make(chan struct{}, 1)
	if m.deps.Bus != nil {
		stop, err := m.deps.Bus.Hear(changedSubject, func(string, []byte) {
			select {
			case news <- struct{}{}:
			default: // one is waiting already
			}
		})
		if err != nil {
			return err
		}
		defer stop()
	}
	if err := m.Refresh(ctx); err != nil {
		return err
	}
	close(m.ready)
	sweep := m.clock.NewTimer(sweepEvery)
	defer sweep.Stop()
	for {
		select {
		case <-news:
			if err := m.Refresh(ctx); err != nil {
				m.log.ErrorContext(ctx, "people could not be read again", "error", err)
			}
			if m.sockets != nil {
				m.sockets.Recheck()
			}
		case <-sweep.C():
			if err := m.sweep(ctx); err != nil {
				m.log.ErrorContext(ctx, "ended sessions could not be cleared away", "error", err)
			}
			sweep.Reset(sweepEvery)
		case <-ctx.Done():
			return nil
		}
	}
}

// changed is called after people, roles or sites were changed here.
func (m *Module) changed(ctx context.Context) error {
	if err := m.Refresh(ctx); err != nil {
		return err
	}
	if m.deps.Bus != nil {
		if err := m.deps.Bus.Publish(changedSubject, string(m.deps.Node)); err != nil {
			m.log.ErrorContext(ctx, "other processes were not told that people changed", "error", err)
		}
	}
	return nil
}

// sweep removes sessions, links and attempts that are over.
func (m *Module) sweep(ctx context.Context) error {
	now := m.now()
	for _, s := range []struct {
		text   string
		before int64
	}{
		{`DELETE FROM identity_session WHERE seen_at < ?`, now - sessionIdle.Milliseconds()},
		{`DELETE FROM identity_link WHERE expires_at < ?`, now},
		{`DELETE FROM identity_attempt WHERE failed_at < ?`, now - attemptKeep.Milliseconds()},
	} {
		if _, err := store.Exec(ctx, m.db, s.text, s.before); err != nil {
			return err
		}
	}
	return nil
}

func (m *Module) now() int64 { return m.clock.Now().UnixMilli() }
