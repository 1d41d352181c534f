package web

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base32"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/clock"
)

// outer is what every request passes: id, origin, headers, cross-origin check, recovery, log and figures.
func (s *Server) outer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := s.clock.Now()
		from := s.origin(r)
		r = r.WithContext(context.WithValue(r.Context(), originKey, from))
		rec := &recorder{ResponseWriter: w}
		s.headers(rec.Header(), r, from)
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				s.log.ErrorContext(r.Context(), "request panicked", "request", from.Request, "panic", p, "stack", string(debug.Stack()))
				if rec.status == 0 {
					s.fail(rec, r, fault.New(fault.Internal, "web.internal.failed"))
				}
			}
			s.meters.request(r.Method, r.Pattern, rec.status, s.clock.Now().Sub(start))
		}()
		if err := s.sameOrigin(r); err != nil {
			s.fail(rec, r, err)
			return
		}
		next.ServeHTTP(rec, r)
	})
}

// sameOrigin refuses what another site's page makes a browser send: changing requests (CrossOriginProtection) and
// WebSocket upgrades, which browsers let through to any host.
func (s *Server) sameOrigin(r *http.Request) error {
	if err := s.csrf.Check(r); err != nil {
		return fault.New(fault.Forbidden, "web.origin.foreign").Because(err)
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		return nil
	}
	origin := r.Header.Get("Origin")
	if _, host, ok := strings.Cut(origin, "://"); origin != "" && (!ok || !strings.EqualFold(host, r.Host)) {
		return fault.New(fault.Forbidden, "web.origin.foreign")
	}
	return nil
}

// gate is what every API route passes: rate limit, authentication, right, body and time limits.
func (s *Server) gate(t *treatment, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := OriginOf(r.Context())
		if t.perMin > 0 {
			if wait := s.limits.take(t, from.IP); wait > 0 {
				s.fail(w, r, fault.New(fault.TooMany, "web.limit.reached", "seconds", seconds(wait)))
				return
			}
		}
		ctx, err := s.enter(r, t, from)
		r = r.WithContext(ctx)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = http.MaxBytesReader(w, r.Body, t.maxBody+1) // huma's own limit speaks first
		}
		if !t.stream {
			_ = http.NewResponseController(w).SetWriteDeadline(clock.System().Now().Add(writeTimeout)) // the kernel's clock, whatever the house's
		}
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// enter authenticates the request and asks for the route's right; the context it gives holds the caller.
func (s *Server) enter(r *http.Request, t *treatment, from Origin) (context.Context, error) {
	ctx := r.Context()
	if who := s.who(); who != nil {
		ctx = context.WithValue(ctx, mayKey{}, who.Within)
	}
	caller, err := s.authenticate(r, from)
	if err != nil && t.right != right.Public {
		return ctx, err
	}
	caller.IP = from.IP
	if caller.System {
		caller.Rights = s.allRights()
	}
	ctx = context.WithValue(ctx, callerKey, caller)
	ctx = context.WithValue(ctx, noteKey, newNotes(r, t))
	switch {
	case t.right == right.Public:
		return ctx, nil
	case caller.User == "" && caller.Token == "":
		return ctx, fault.New(fault.Unauthorised, "web.session.missing")
	case t.right != right.Own && caller.Only != "":
		return ctx, fault.New(fault.Forbidden, caller.Only)
	}
	if err := May(ctx, t.right, ""); err != nil {
		if r.Method != http.MethodGet || t.look {
			if auditErr := s.record(ctx, t, outcome(err)); auditErr != nil {
				return ctx, auditErr
			}
		}
		return ctx, err
	}
	return ctx, nil
}

func (s *Server) allRights() map[right.Right]bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make(map[right.Right]bool, len(s.declared))
	for r := range s.declared {
		all[r] = true
	}
	return all
}

// origin reads where a request came from. Forwarded headers count only from a proxy on this machine that the
// operator said is there; without that they only take away the trust in "local".
func (s *Server) origin(r *http.Request) Origin {
	o := Origin{Request: requestID(), UserAgent: clip(r.UserAgent(), 200), Locale: language(r.Header.Get("Accept-Language")), Secure: r.TLS != nil}
	if CallerOf(r.Context()).System {
		o.IP, o.Local = "local", true
		return o
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	o.IP = host
	addr, err := netip.ParseAddr(host)
	loopback := err == nil && addr.Unmap().IsLoopback()
	forwarded := r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" || r.Header.Get("Via") != ""
	o.Local = loopback && !forwarded
	if s.cfg.Proxy && loopback && forwarded {
		hops := strings.Split(r.Header.Get("X-Forwarded-For"), ",")
		if last, err := netip.ParseAddr(strings.TrimSpace(hops[len(hops)-1])); err == nil {
			o.IP = last.Unmap().String()
		}
		o.Secure = o.Secure || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
	}
	return o
}

// contentPolicy lets the Vue app run, reach its own sockets and play recordings, and nothing from elsewhere.
// Element Plus sets inline styles; JsSIP and the wave view use blobs.
const contentPolicy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
	"font-src 'self' data:; connect-src 'self' ws: wss:; media-src 'self' blob: mediastream:; worker-src 'self' blob:; " +
	"object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"

func (s *Server) headers(h http.Header, r *http.Request, from Origin) {
	h.Set("X-Request-Id", from.Request)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "microphone=(self), camera=(), geolocation=(), payment=()")
	if s.cfg.UIDev == nil || strings.HasPrefix(r.URL.Path, "/api/") {
		h.Set("Content-Security-Policy", contentPolicy)
	}
}

// requestID gives 10 characters that a person can read out over the phone.
func requestID() string {
	var b [6]byte
	_, _ = rand.Read(b[:])
	return readable.EncodeToString(b[:])
}

var readable = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// seconds rounds up, at least one.
func seconds(d time.Duration) int { return max(1, int((d+time.Second-1)/time.Second)) }

// recorder notes the status for the log and keeps flushing and hijacking possible.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status; interim answers (1xx) are followed by another.
func (r *recorder) WriteHeader(code int) {
	if r.status == 0 || r.status < 200 {
		r.status = code
	}
	r.ResponseWriter.WriteHeader(code)
}

// Write is the response writer's.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Flush sends what is buffered.
func (r *recorder) Flush() { _ = http.NewResponseController(r.ResponseWriter).Flush() }

// Hijack hands the connection over: WebSocket upgrades, HTTP/1.1 only.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(r.ResponseWriter).Hijack()
	if err == nil {
		r.status = http.StatusSwitchingProtocols
	}
	return c, rw, err
}
