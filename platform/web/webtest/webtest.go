// Package webtest runs modules behind a real HTTP server on loopback and asks them as anybody: requests in the
// name of a shipped role at a site, and tables of scenarios that read like a specification.
//
//	b := webtest.New(t, routing.New(deps))
//	b.Run(
//		webtest.Scenario{Name: "an agent may not make queues", As: "agent", Method: "PUT", URL: "/api/v1/config/queues/vat",
//			Body: `{"name":"x"}`, Status: 403, Code: "web.right.missing"},
//	)
package webtest

import (
	"context"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Module is anything that registers routes; when it has Texts and Rights too, they are added, and when it answers
// for callers (web.Identity) or writes audits (web.Auditor), it is asked to.
type Module interface{ Routes(api *web.API) }

// Bench is a running server with callers for tests.
type Bench struct {
	T      testing.TB
	Server *web.Server
	URL    string

	http *httptest.Server

	mu      sync.Mutex
	callers map[string]web.Caller
	sites   map[id.Site]id.Site // child to parent
	audit   []web.Entry
}

// New starts a server with the modules' routes; it ends with the test.
func New(t testing.TB, modules ...Module) *Bench {
	t.Helper()
	return NewWith(t, web.Config{Log: slog.New(slog.DiscardHandler)}, modules...)
}

// NewWith is New with a configuration; its addresses and data folder are not used.
func NewWith(t testing.TB, cfg web.Config, modules ...Module) *Bench {
	t.Helper()
	cfg.HTTP, cfg.HTTPS, cfg.Data = "", "", ""
	b := &Bench{T: t, Server: web.New(cfg), callers: map[string]web.Caller{}, sites: map[id.Site]id.Site{}}
	who := &identity{bench: b}
	var auditor web.Auditor = b
	for _, m := range modules {
		if x, ok := m.(interface{ Texts() fs.FS }); ok {
			if err := b.Server.Texts().Add(x.Texts()); err != nil {
				t.Fatal(err)
			}
		}
		if x, ok := m.(interface{ Rights() []right.Right }); ok {
			b.Server.Declare(x.Rights()...)
		}
		if x, ok := m.(web.Identity); ok {
			who.real = x
		}
		if x, ok := m.(web.Auditor); ok {
			auditor = x
		}
		m.Routes(b.Server.API())
	}
	b.Server.Identify(who)
	b.Server.Record(auditor)
	b.http = httptest.NewServer(b.Server.Handler())
	b.URL = b.http.URL
	t.Cleanup(func() {
		b.Server.Hub().DropAll()
		b.http.Close()
	})
	return b
}

// Tree says that site lies directly below parent; webtest's callers are scoped by it. A module that is a
// web.Identity answers instead.
func (b *Bench) Tree(site, parent id.Site) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sites[site] = parent
}

// Option changes a caller made by As.
type Option func(*web.Caller)

// At puts the caller at a site: the root of the subtree its rights hold in.
func At(site id.Site) Option { return func(c *web.Caller) { c.Site = site } }

// User names the caller's user code; without it the role's code with "-1" is.
func User(u id.User) Option { return func(c *web.Caller) { c.User = u } }

// With gives the caller further rights.
func With(rights ...right.Right) Option {
	return func(c *web.Caller) {
		for _, r := range rights {
			c.Rights[r] = true
		}
	}
}

// English has the caller read English.
func English() Option { return func(c *web.Caller) { c.Locale = "en" } }

// As gives a client in the name of a user with the shipped role ("agent", "leader" …; "none" is signed in
// without a right, "" is nobody). Its site is "gz" unless At says otherwise.
func (b *Bench) As(role string, opts ...Option) *Client {
	if role == "" {
		return &Client{bench: b}
	}
	rights := right.Grant(role, b.allRights())
	if rights == nil {
		if role != "none" {
			b.T.Fatalf("webtest: there is no shipped role %q", role)
		}
		rights = map[right.Right]bool{}
	}
	c := web.Caller{Principal: right.Principal{User: id.User(role + "-1"), Name: role, Site: "gz", Rights: rights, Locale: "zh"}}
	for _, o := range opts {
		o(&c)
	}
	c.Session = "test-" + string(c.User)
	secret := "test-" + id.New(b.now())
	b.mu.Lock()
	b.callers[secret] = c
	b.mu.Unlock()
	return &Client{bench: b, token: secret}
}

// Change changes what a client made by As may, from its next request on.
func (b *Bench) Change(c *Client, f func(*web.Caller)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	who := b.callers[c.token]
	who.Rights = maps.Clone(who.Rights)
	f(&who)
	b.callers[c.token] = who
}

// Audit gives what was written to the audit so far, unless a module writes it.
func (b *Bench) Audit() []web.Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.audit)
}

// Write is web.Auditor's.
func (b *Bench) Write(_ context.Context, e web.Entry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.audit = append(b.audit, e)
	return nil
}

func (b *Bench) allRights() []right.Right {
	var all []right.Right
	for _, r := range b.Server.API().Routes() {
		all = append(all, r.Right)
	}
	for _, role := range right.Shipped() {
		all = append(all, role.Rights...)
	}
	return slices.DeleteFunc(all, func(r right.Right) bool { return !r.Valid() })
}

// identity knows webtest's callers by their token and hands everybody else to the module's identity.
type identity struct {
	bench *Bench
	real  web.Identity
}

// Session is web.Identity's.
func (i *identity) Session(ctx context.Context, secret string, from web.Origin) (web.Caller, error) {
	if i.real != nil {
		return i.real.Session(ctx, secret, from)
	}
	return web.Caller{}, fault.New(fault.Unauthorised, "web.session.missing")
}

// Token is web.Identity's.
func (i *identity) Token(ctx context.Context, secret string, from web.Origin) (web.Caller, error) {
	i.bench.mu.Lock()
	c, ok := i.bench.callers[secret]
	i.bench.mu.Unlock()
	if ok {
		return c, nil
	}
	if i.real != nil {
		return i.real.Token(ctx, secret, from)
	}
	return web.Caller{}, fault.New(fault.Unauthorised, "web.token.invalid")
}

// Within is web.Identity's.
func (i *identity) Within(site, root id.Site) bool {
	if i.real != nil {
		return i.real.Within(site, root)
	}
	i.bench.mu.Lock()
	defer i.bench.mu.Unlock()
	for range 32 {
		if site == root {
			return true
		}
		if site = i.bench.sites[site]; site == "" {
			return false
		}
	}
	return false
}

// CheckRoutes fails the test for every route whose right is malformed or, when the modules declare their rights,
// undeclared; it gives the number of routes.
func (b *Bench) CheckRoutes(declared ...right.Right) int {
	b.T.Helper()
	routes := b.Server.API().Routes()
	for _, r := range routes {
		known := r.Right == right.Public || r.Right == right.Own || slices.Contains(declared, r.Right)
		if r.Right != right.Public && !r.Right.Valid() || len(declared) > 0 && !known {
			b.T.Errorf("%s %s asks for the right %q, which no module declares", r.Method, r.Path, r.Right)
		}
		if r.Method != http.MethodGet && !strings.HasPrefix(r.Path, "/api/") && r.Right != right.Public {
			b.T.Errorf("%s %s lies outside /api", r.Method, r.Path)
		}
	}
	return len(routes)
}
