package web

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/kapok-hotline/kapok/core/right"
)

// API is what modules register their routes on. Inputs and outputs are huma's: a struct whose fields are tagged
// path, query or header, and whose field Body is the JSON body (https://huma.rocks/features/request-inputs).
type API struct {
	srv    *Server
	huma   huma.API
	routes []Route
	spec   func() []byte
}

// Route is one registered route, for the test that every route names a right and for the rights page.
type Route struct {
	Method  string
	Path    string
	Right   right.Right
	Summary string
}

// Option changes how a route is treated.
type Option func(*treatment)

// treatment is what a route's options add up to.
type treatment struct {
	right   right.Right
	look    bool
	quiet   bool
	stream  bool
	maxBody int64
	status  int
	perMin  float64
	burst   int
	names   []string // wildcards of the path, for the audit's subject
	action  string
}

// Audited marks a route that shows something whose looking must be written down: a recording, an unmasked
// number. The entry is written before the handler runs; when it cannot be, nothing is shown.
func Audited() Option { return func(t *treatment) { t.look = true } }

// Quiet marks a changing route that is not worth an audit entry: autosave, the socket's upkeep.
func Quiet() Option { return func(t *treatment) { t.quiet = true } }

// Stream takes the write deadline away: long downloads and upgraded connections.
func Stream() Option { return func(t *treatment) { t.stream = true } }

// MaxBody sets the largest request body in bytes; 1 MiB without it.
func MaxBody(n int64) Option { return func(t *treatment) { t.maxBody = n } }

// Status sets the answer's status; 200 with a body and 204 without are given anyway.
func Status(code int) Option { return func(t *treatment) { t.status = code } }

// Limit lets each client address make burst requests at once and perMinute lasting; more are answered 429.
func Limit(perMinute float64, burst int) Option {
	return func(t *treatment) { t.perMin, t.burst = perMinute, burst }
}

const (
	defaultMaxBody = 1 << 20
	readTimeout    = 30 * time.Second
	writeTimeout   = 2 * time.Minute
)

// Get registers a route that shows something.
func Get[I, O any](api *API, path string, r right.Right, summary string, h func(context.Context, *I) (*O, error), opts ...Option) {
	register(api, http.MethodGet, path, r, summary, h, opts)
}

// Post registers a route that does something; it is audited unless Quiet.
func Post[I, O any](api *API, path string, r right.Right, summary string, h func(context.Context, *I) (*O, error), opts ...Option) {
	register(api, http.MethodPost, path, r, summary, h, opts)
}

// Put registers a route that replaces something; it is audited unless Quiet.
func Put[I, O any](api *API, path string, r right.Right, summary string, h func(context.Context, *I) (*O, error), opts ...Option) {
	register(api, http.MethodPut, path, r, summary, h, opts)
}

// Delete registers a route that removes something; it is audited unless Quiet.
func Delete[I, O any](api *API, path string, r right.Right, summary string, h func(context.Context, *I) (*O, error), opts ...Option) {
	register(api, http.MethodDelete, path, r, summary, h, opts)
}

// Handle registers a raw handler under a pattern "METHOD /path" of net/http: streams, downloads, upgrades. It is
// gated and audited as the others but is not in the OpenAPI description.
func (a *API) Handle(pattern string, r right.Right, h http.Handler, opts ...Option) {
	method, path, ok := strings.Cut(pattern, " ")
	if !ok {
		method, path = "", pattern
	}
	t := newTreatment(method, path, r, opts)
	a.note(Route{Method: method, Path: path, Right: r})
	a.srv.mux.Handle(pattern, a.srv.gate(t, a.srv.audited(t, method, h)))
}

// Routes lists what is registered, in order of registration.
func (a *API) Routes() []Route { return slices.Clone(a.routes) }

// Hub gives the live-data hub.
func (a *API) Hub() *Hub { return a.srv.hub }

// Texts gives the texts by language.
func (a *API) Texts() *Texts { return a.srv.texts }

func (a *API) note(r Route) {
	a.routes = append(a.routes, r)
	if r.Right != right.Public {
		a.srv.Declare(r.Right)
	}
}

func newTreatment(method, path string, r right.Right, opts []Option) *treatment {
	t := &treatment{right: r, maxBody: defaultMaxBody, action: strings.TrimSpace(method + " " + path)}
	for _, m := range wildcard.FindAllStringSubmatch(path, -1) {
		t.names = append(t.names, m[1])
	}
	for _, o := range opts {
		o(t)
	}
	return t
}

func register[I, O any](a *API, method, path string, r right.Right, summary string, h func(context.Context, *I) (*O, error), opts []Option) {
	t := newTreatment(method, path, r, opts)
	a.note(Route{Method: method, Path: path, Right: r, Summary: summary})
	op := huma.Operation{
		OperationID: operationID(method, path),
		Method:      method, Path: path, Summary: summary, Tags: []string{tag(path)},
		DefaultStatus: t.status, MaxBodyBytes: t.maxBody, BodyReadTimeout: readTimeout,
		Metadata:   map[string]any{"treatment": t},
		Extensions: map[string]any{"x-right": string(r)},
		Responses:  map[string]*huma.Response{"default": a.problemResponse()},
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		if t.look {
			if err := a.srv.record(ctx, t, outcome(nil)); err != nil {
				return nil, a.srv.problem(ctx, err)
			}
		}
		out, err := h(ctx, in)
		if method != http.MethodGet && !t.quiet {
			if auditErr := a.srv.record(ctx, t, outcome(err)); auditErr != nil && err == nil {
				err = auditErr
			}
		}
		if err != nil {
			return nil, a.srv.problem(ctx, err)
		}
		return out, nil
	})
}

// newAPI sets huma up without its documentation pages: they would load scripts from elsewhere.
func newAPI(s *Server) *API {
	a := &API{srv: s}
	cfg := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Kapok", Version: s.cfg.Version, Description: "REST API of the Kapok hotline"},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
			},
		},
		Formats:       map[string]huma.Format{"application/json": jsonFormat(), "json": jsonFormat()},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{s.transform},
	}
	a.huma = huma.NewAPI(cfg, adapter{a})
	a.spec = sync.OnceValue(func() []byte {
		b, err := json.Marshal(a.huma.OpenAPI())
		if err != nil {
			s.log.Error("the OpenAPI description cannot be written", "error", err)
		}
		return b
	})
	return a
}

// Spec gives the OpenAPI 3.1 description as JSON. Call it when every route is registered.
func (a *API) Spec() []byte { return a.spec() }

func (a *API) openapi(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/openapi+json")
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(a.spec())))
}

// adapter hands huma's operations to the gate.
type adapter struct{ api *API }

// Handle mounts an operation behind the gate.
func (ad adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	t, ok := op.Metadata["treatment"].(*treatment)
	if !ok {
		panic("web: " + op.Path + " was registered past web.Get, Post, Put and Delete")
	}
	s := ad.api.srv
	s.mux.Handle(op.Method+" "+op.Path, s.gate(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler(humago.NewContext(op, r, w))
	})))
}

// ServeHTTP serves what is mounted.
func (ad adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { ad.api.srv.mux.ServeHTTP(w, r) }

func (a *API) problemResponse() *huma.Response {
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	return &huma.Response{
		Description: "Error",
		Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: schema}},
	}
}

var (
	wildcard = regexp.MustCompile(`\{([a-zA-Z_]\w*)(?:\.\.\.)?\}`)
	notWord  = regexp.MustCompile(`[^a-zA-Z0-9]+`)
)

// operationID makes "post-users-code-unlock" of POST /api/v1/users/{code}/unlock.
func operationID(method, path string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, "/api"), "/v1")
	return strings.ToLower(method) + "-" + strings.Trim(notWord.ReplaceAllString(path, "-"), "-")
}

// tag groups routes by the first word of the path.
func tag(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/api/v1/"), "/")
	return first
}
