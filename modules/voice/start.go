package voice

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/audio"
	"github.com/kapok-hotline/kapok/platform/crew"
	"github.com/kapok-hotline/kapok/platform/rtp"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// TLS is the certificate for SIP over TLS; nil serves none.
type TLS = *tls.Config

// New opens the media ports and the SIP sockets' configuration; Start takes calls. Every error here is one an
// operator can mend: a taken port, an unreadable folder.
func New(d Deps) (*Module, error) {
	m := &Module{deps: d, calls: map[id.Contact]*call{}, secrets: &secrets{}, ready: make(chan struct{})}
	m.life, m.endLife = context.WithCancel(context.Background())
	m.crew = crew.New(crewWaiting, func(f func()) bool { m.gone.Go(f); return true }, m.life.Done())
	m.lines.look = make(chan struct{}, 1)
	m.ladders = newLadders(m)
	m.callbacks = newCallbacks(m)
	m.maker = newMaker(m)
	m.snap.Store(&snapshot{settings: defaultSettings()})
	var err error
	if m.sounds, err = loadSounds(); err != nil {
		return nil, err
	}
	if m.vault, err = openVault(d); err != nil {
		return nil, err
	}
	m.plane, err = rtp.New(rtp.Config{
		Public: d.Advertise, First: d.RTPFirst, Last: d.RTPLast, WebPort: d.WebPort, Web: true, Fast: d.Fast, Now: d.Clock.Now, Log: d.Log,
	})
	if err != nil {
		return nil, err
	}
	m.tick = audio.NewTick()
	m.sip, err = sip.New(sip.Config{
		Listen: d.SIP, ListenTLS: d.SIPS, TLS: d.TLS, Advertise: d.Advertise, Now: d.Clock.Now, Log: d.Log, Ping: browserPing,
		TrunkHealth: func(sip.TrunkHealth) { m.lines.nudge() },
		Invite:      m.invite, Traced: m.ladders.traced,
		Registrar: sip.RegistrarConfig{
			Realm: d.Realm, Credentials: m.credentials, AlgorithmsFor: m.algorithms, Registered: m.registered, Unregistered: m.unregistered,
		},
	})
	return m, err
}

// WebSocket serves SIP to browsers (RFC 7118).
func (m *Module) WebSocket() http.Handler { return m.sip.WebSocket() }

// SIP gives the SIP server's addresses, for the prompt at the start and for tests.
func (m *Module) SIP() *sip.Server { return m.sip }

// Start takes calls until ctx ends; then no new ones, and those under way end.
func (m *Module) Start(ctx context.Context) error {
	if err := m.reload(ctx); err != nil {
		return err
	}
	m.restoreSounds(ctx)
	m.maker.plan(m.snap.Load())
	if err := m.loadRing(ctx); err != nil {
		return err
	}
	if m.deps.Changed != nil {
		m.deps.Changed(func() {
			if err := m.reload(ctx); err != nil {
				m.deps.Log.Error("voice keeps the configuration it has", "err", err)
			}
		})
	}
	if err := m.sip.Start(); err != nil {
		return err
	}
	m.gone.Go(func() { m.ladders.run(ctx) })
	m.gone.Go(func() { m.watchLines(ctx) })
	m.gone.Go(func() { m.watchOutside(ctx) })
	m.gone.Go(func() { m.maker.run(ctx) })
	m.gone.Go(func() { m.adopt(ctx); m.keepRecordings(ctx) })
	if m.deps.Presence != nil {
		m.gone.Go(func() { m.beat(ctx) })
	}
	if err := m.clearSlots(ctx); err != nil {
		return err
	}
	if err := m.callbacks.load(ctx); err != nil {
		return err
	}
	m.gone.Go(func() { m.callbacks.run(ctx) })
	close(m.ready)
	<-ctx.Done()
	m.close()
	return nil
}

// Drain refuses new calls from now on; Calls tells when the last one has ended.
//
// Who is to be called back is called by the next process: what only waits for an agent ends now.
func (m *Module) Drain() {
	m.draining.Store(true)
	m.callbacks.pause()
}

// close ends every call in good order, then the sockets.
func (m *Module) close() {
	m.draining.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	m.mu.Lock()
	calls := make([]*call, 0, len(m.calls))
	for _, c := range m.calls {
		calls = append(calls, c)
	}
	m.mu.Unlock()
	for _, c := range calls {
		c.ask(ctx, func() { c.end(contact.BySystem, "shutdown") })
	}
	m.endLife()
	done := make(chan struct{})
	go func() {
		m.gone.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(2 * goodbye):
		m.deps.Log.Warn("some calls did not end in time")
	}
	if k := m.mouth.Load(); k != nil && k.engine != nil {
		k.engine.Close()
	}
	m.vault.studio.Close()
	m.sip.Close()
	m.tick.Close()
	if err := m.plane.Close(); err != nil {
		m.deps.Log.Warn("closing the media ports", "err", err)
	}
}
