// Package web is the house's door: REST under /api/v1 with an OpenAPI description, one WebSocket a page for live
// data, the UI's files, and the admin socket the commands use. It knows nothing of hotlines: who a caller is and
// what they may do is answered by an Identity, what is written down by an Auditor. See DESIGN.md.
package web

import (
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/clock"
)

// Config is what a server needs. The zero value serves no address and is still usable through Handler.
type Config struct {
	HTTP      string   // address of plain HTTP, "127.0.0.1:8080"; empty: off
	HTTPS     string   // address of HTTPS, ":8443"; empty: off
	Data      string   // data folder: certificates in tls/, the admin socket; empty: neither
	CertFile  string   // PEM certificate chain; empty: self-signed
	KeyFile   string   // PEM key of CertFile
	Advertise []string // names and IP addresses the self-signed certificate is made for, beside localhost
	Proxy     bool     // a reverse proxy on this machine sets X-Forwarded-For and X-Forwarded-Proto

	UI    fs.FS    // the built UI (index.html at its root); nil: none
	UIDev *url.URL // a Vite server to pass UI requests on to instead (KAPOK_UI_DEV)

	Node    id.Node
	Version string
	Clock   clock.Clock // nil: the machine's
	Log     *slog.Logger
	Metrics *prometheus.Registry // nil: one of its own
}

// Server answers HTTP. Make it with New, register routes on API, name an Identity, then Run.
type Server struct {
	cfg     Config
	log     *slog.Logger
	clock   clock.Clock
	mux     *http.ServeMux
	api     *API
	hub     *Hub
	texts   *Texts
	meters  *meters
	limits  *limiters
	checks  checks
	csrf    *http.CrossOriginProtection
	handler http.Handler

	mu       sync.RWMutex
	identity Identity
	auditor  Auditor
	declared map[right.Right]bool

	ready chan struct{}
	addrs addresses
}

// New makes a server with its own routes: /healthz, /metrics, /api/openapi.json, /api/v1/socket and the UI.
func New(cfg Config) *Server {
	if cfg.Clock == nil {
		cfg.Clock = clock.System()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = prometheus.NewRegistry()
	}
	s := &Server{
		cfg: cfg, log: cfg.Log, clock: cfg.Clock,
		mux:      http.NewServeMux(),
		texts:    ownTexts(),
		limits:   newLimiters(cfg.Clock),
		csrf:     http.NewCrossOriginProtection(),
		declared: map[right.Right]bool{},
		ready:    make(chan struct{}),
	}
	s.meters = newMeters(cfg.Metrics)
	s.hub = newHub(cfg.Clock, s.log, s.holds)
	s.meters.sockets(cfg.Metrics, s.hub.Len)
	s.api = newAPI(s)
	s.handler = s.outer(s.mux)
	s.ownRoutes()
	return s
}

// API gives what modules register their routes on.
func (s *Server) API() *API { return s.api }

// Hub gives the live-data hub.
func (s *Server) Hub() *Hub { return s.hub }

// Texts gives the texts by language; modules' files are added to it.
func (s *Server) Texts() *Texts { return s.texts }

// Metrics gives the registry that /metrics shows.
func (s *Server) Metrics() *prometheus.Registry { return s.cfg.Metrics }

// Handler gives the whole server as a handler, for tests and for embedding.
func (s *Server) Handler() http.Handler { return s.handler }

// Identify names who answers for callers. Without one every route that is not public answers 401.
func (s *Server) Identify(i Identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identity = i
}

// Record names who writes down changes and looks. Without one nothing is written.
func (s *Server) Record(a Auditor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auditor = a
}

// Declare adds rights to those the system principal (admin socket) holds; rights of routes are added anyway.
func (s *Server) Declare(rights ...right.Right) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rights {
		s.declared[r] = true
	}
}

func (s *Server) who() Identity {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.identity
}

func (s *Server) writer() Auditor {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.auditor
}

func (s *Server) ownRoutes() {
	s.mux.HandleFunc("GET /healthz", s.healthz)
	s.mux.HandleFunc("GET /metrics", s.metrics)
	s.mux.HandleFunc("GET /api/openapi.json", s.api.openapi)
	s.api.Handle("GET /api/v1/socket", right.Own, http.HandlerFunc(s.socket), Stream())
	s.mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, fault.New(fault.NotFound, "web.route.unknown", "path", r.URL.Path))
	})
	s.mux.Handle("/", s.ui())
}
