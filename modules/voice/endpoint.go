package voice

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/netip"
	"strings"
	"sync"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/sip"
)

// browserPrefix tells browsers from phones in the register: a browser registers as "web-<user>".
const browserPrefix = "web-"

// secrets are what browsers register with: made for each user of this process, never stored.
type secrets struct {
	mu sync.Mutex
	of map[id.User]string
}

func (s *secrets) get(u id.User) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[id.User]string{}
	}
	if s.of[u] == "" {
		var b [16]byte
		_, _ = rand.Read(b[:]) // never fails since Go 1.24
		s.of[u] = hex.EncodeToString(b[:])
	}
	return s.of[u]
}

// known gives the secret only of a user who has been given one.
func (s *secrets) known(u id.User) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	secret, ok := s.of[u]
	return secret, ok
}

// Browser gives what a user's page registers with.
func (m *Module) Browser(u id.User) (name, secret, realm string) {
	return browserPrefix + string(u), m.secrets.get(u), m.deps.Realm
}

// Registered says whether an endpoint can be rung.
func (m *Module) Registered(at contact.Endpoint) bool {
	if p := m.snap.Load().phones[at.Phone]; at.Phone != "" && p.Number != "" {
		return m.outsideUp(p.Phone, at.Agent)
	}
	return m.binding(at) != nil
}

// Phones gives the desk phones and their sites.
func (m *Module) Phones(context.Context) (map[id.Phone]id.Site, error) {
	out := map[id.Phone]id.Site{}
	for code, p := range m.snap.Load().phones {
		out[code] = p.Site
	}
	return out, nil
}

// binding gives the newest registration of an endpoint, nil when it has none.
func (m *Module) binding(at contact.Endpoint) *sip.Binding {
	name := string(at.Phone)
	if at.Browser() {
		name = browserPrefix + string(at.Agent)
	}
	if !at.Browser() && m.lines.down(at.Phone) {
		return nil
	}
	if all := m.sip.Registrar().Lookup(name); len(all) > 0 {
		return &all[0]
	}
	return nil
}

// credentials answers the registrar: a phone's stored digests, or a browser's secret.
func (m *Module) credentials(_ context.Context, name, realm string) (map[sip.Algorithm]string, bool) {
	if user, ok := strings.CutPrefix(name, browserPrefix); ok {
		secret, ok := m.secrets.known(id.User(user))
		if !ok {
			return nil, false
		}
		return digests(name, realm, secret), true
	}
	if strings.HasPrefix(name, trialPrefix) {
		secret, ok := m.trialSecret(name)
		return digests(name, realm, secret), ok
	}
	p, ok := m.snap.Load().phones[id.Phone(name)]
	if !ok || p.MD5 == "" || p.Number != "" { // a PIN is no password to register with
		return nil, false
	}
	return map[sip.Algorithm]string{sip.MD5: p.MD5, sip.SHA256: p.SHA256}, true
}

// algorithms are what a phone is asked its password with.
func (m *Module) algorithms(name string) []sip.Algorithm {
	if m.snap.Load().phones[id.Phone(name)].Digest == "sha256" {
		return []sip.Algorithm{sip.SHA256}
	}
	return []sip.Algorithm{sip.MD5}
}

func digests(user, realm, password string) map[sip.Algorithm]string {
	return map[sip.Algorithm]string{
		sip.MD5: sip.HA1(sip.MD5, user, realm, password), sip.SHA256: sip.HA1(sip.SHA256, user, realm, password),
	}
}

// endpointOf gives the endpoint that registers as name.
func endpointOf(name string) contact.Endpoint {
	if user, ok := strings.CutPrefix(name, browserPrefix); ok {
		return contact.Endpoint{Agent: id.User(user)}
	}
	return contact.Endpoint{Phone: id.Phone(name)}
}

func (m *Module) registered(b sip.Binding) { m.endpointChanged(b, true) }

func (m *Module) unregistered(b sip.Binding, gone sip.Gone) {
	if gone == sip.GoneMoved || len(m.sip.Registrar().Lookup(b.User)) > 0 {
		return // another way to the same endpoint is there
	}
	m.endpointChanged(b, false)
}

// endpointChanged tells the brain, the desk, and a call whose agent's browser went or came back.
func (m *Module) endpointChanged(b sip.Binding, up bool) {
	if strings.HasPrefix(b.User, trialPrefix) {
		return // a test call's page needs no register, and is nobody's endpoint
	}
	m.endpointMoved(endpointOf(b.User), up)
}

func (m *Module) endpointMoved(at contact.Endpoint, up bool) {
	ctx, cancel := context.WithTimeout(m.life, brainBound)
	defer cancel()
	if err := m.deps.Queues.Endpoint(ctx, at, up); err != nil && m.life.Err() == nil {
		m.deps.Log.Error("the brain was not told of an endpoint", "endpoint", at, "up", up, "err", err)
	}
	if at.Browser() {
		m.browserChanged(at.Agent, up)
	}
	if m.deps.Told != nil && at.Agent != "" {
		m.deps.Told(at.Agent)
	}
}

// browserChanged follows an agent's browser during a call: gone, the call is kept for a while; back, it is taken
// up again.
func (m *Module) browserChanged(agent id.User, up bool) {
	m.browserMoved(agent, up)
	for _, c := range m.callsOf(agent) {
		c.post(func() {
			if c.agent == nil || c.agent.agent != agent || !c.agent.endpoint.Browser() {
				return
			}
			if up {
				c.reattach()
			} else {
				c.lostAgent()
			}
		})
	}
}

func (m *Module) callsOf(agent id.User) []*call {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []*call
	for _, c := range m.calls {
		if a := c.talkingTo.Load(); a != nil && *a == agent {
			out = append(out, c)
		}
	}
	return out
}

func parsePrefix(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		return netip.ParsePrefix(s)
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return a.Prefix(a.BitLen())
}

// from is the caller's number as our INVITE shows it.
func (m *Module) from(number string) sip.Address {
	if number == "" {
		return sip.Address{Display: "Anonymous", URI: sip.URI{Scheme: "sip", User: "anonymous", Host: "anonymous.invalid"}}
	}
	return sip.Address{URI: sip.URI{Scheme: "sip", User: number, Host: m.deps.Realm}}
}
