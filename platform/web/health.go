package web

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/right"
)

// HealthRight lets its holder see /metrics and the parts of /healthz from elsewhere than this machine.
const HealthRight right.Right = "platform.health.see"

const checkTimeout = 2 * time.Second

// Health is how one part is.
type Health struct {
	Part  string `json:"part"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
	Ms    int64  `json:"ms"`
}

type checks struct {
	mu   sync.Mutex
	list []check
}

type check struct {
	part string
	f    func(context.Context) error
}

// Check registers how to find out whether a part is well; f gets two seconds.
func (s *Server) Check(part string, f func(context.Context) error) {
	s.checks.mu.Lock()
	defer s.checks.mu.Unlock()
	s.checks.list = append(s.checks.list, check{part, f})
}

// Health asks every part at the same time, in order of registration.
func (s *Server) Health(ctx context.Context) []Health {
	s.checks.mu.Lock()
	list := s.checks.list[:len(s.checks.list):len(s.checks.list)]
	s.checks.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	out := make([]Health, len(list))
	var all sync.WaitGroup
	for i, c := range list {
		out[i].Part = c.part
		all.Go(func() {
			start := s.clock.Now()
			err := c.f(ctx)
			out[i].Ms = s.clock.Now().Sub(start).Milliseconds()
			if out[i].OK = err == nil; err != nil {
				out[i].Error = err.Error()
			}
		})
	}
	all.Wait()
	return out
}

// healthz answers 200 or 503 to everybody; the parts are shown to this machine and to holders of HealthRight.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	parts := s.Health(r.Context())
	answer := struct {
		OK    bool     `json:"ok"`
		Parts []Health `json:"parts,omitempty"`
	}{OK: true}
	for _, p := range parts {
		answer.OK = answer.OK && p.OK
	}
	if s.insider(r) {
		answer.Parts = parts
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !answer.OK {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	if !s.insider(r) {
		s.fail(w, r, fault.New(fault.Forbidden, "web.right.missing", "right", string(HealthRight)))
		return
	}
	promhttp.HandlerFor(s.cfg.Metrics, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}

// insider reports whether the request comes from this machine or from a holder of HealthRight.
func (s *Server) insider(r *http.Request) bool {
	from := OriginOf(r.Context())
	if from.Local {
		return true
	}
	c, err := s.authenticate(r, from)
	return err == nil && s.holds(c, HealthRight, "")
}

// meters are the figures of the server itself.
type meters struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMeters(reg *prometheus.Registry) *meters {
	m := &meters{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kapok_http_requests_total", Help: "Requests answered, by route and class of status.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kapok_http_seconds", Help: "Time to answer, by route; streams and sockets last as long as they are open.",
			Buckets: []float64{.005, .02, .1, .5, 2, 10},
		}, []string{"route"}),
	}
	reg.MustRegister(m.requests, m.seconds)
	return m
}

func (m *meters) sockets(reg *prometheus.Registry, n func() int) {
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "kapok_http_sockets", Help: "Open sockets of pages.",
	}, func() float64 { return float64(n()) }))
}

func (m *meters) request(method, route string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodHead, http.MethodPatch, http.MethodOptions:
	default:
		method = "other" // the client chooses it: labels must not grow
	}
	class := "1xx"
	switch {
	case status == 0 || status/100 == 2:
		class = "2xx"
	case status/100 == 3:
		class = "3xx"
	case status/100 == 4:
		class = "4xx"
	case status >= 500:
		class = "5xx"
	}
	m.requests.WithLabelValues(method, route, class).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}
