package web

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"sync"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/right"
)

// Auditor writes down who changed or looked at what. An error keeps the answer from being given.
type Auditor interface {
	Write(ctx context.Context, e Entry) error
}

// Entry is one line for the audit: no secrets, no bodies; what matters of before and after comes from the
// handler by Note.
type Entry struct {
	Action  string            // "POST /api/v1/users/{code}/unlock"
	Subject map[string]string // the path's wildcards, and what the handler named by Note with key "subject"
	Outcome string            // "ok", the fault's code, or "http 404" of a raw handler
	Detail  map[string]any    // from Note
	Caller  Caller
	Origin  Origin
}

// notes collects what a handler tells for its audit entry.
type notes struct {
	mu      sync.Mutex
	subject map[string]string
	detail  map[string]any
	became  right.Principal
}

func newNotes(r *http.Request, t *treatment) *notes {
	n := &notes{}
	for _, name := range t.names {
		if v := r.PathValue(name); v != "" {
			if n.subject == nil {
				n.subject = map[string]string{}
			}
			n.subject[name] = clip(v, 100)
		}
	}
	return n
}

// Note adds a detail to the request's audit entry: what was before, what is after, the reason given. Never a
// secret. Outside a request it does nothing.
func Note(ctx context.Context, key string, value any) {
	n, ok := ctx.Value(noteKey).(*notes)
	if !ok {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.detail == nil {
		n.detail = map[string]any{}
	}
	n.detail[key] = value
}

// Became tells the audit who the request turned out to be: a sign-in begins as nobody's and ends as somebody's.
func Became(ctx context.Context, p right.Principal) {
	n, ok := ctx.Value(noteKey).(*notes)
	if !ok {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.became = p
}

// outcome is how it went, for the audit.
func outcome(err error) string {
	switch code := fault.CodeOf(err); {
	case err == nil:
		return "ok"
	case code == "":
		return "web.internal.failed"
	default:
		return code
	}
}

// record writes the audit entry of the request in ctx.
func (s *Server) record(ctx context.Context, t *treatment, outcome string) error {
	w := s.writer()
	if w == nil {
		return nil
	}
	e := Entry{Action: t.action, Outcome: outcome, Caller: CallerOf(ctx), Origin: OriginOf(ctx)}
	if n, ok := ctx.Value(noteKey).(*notes); ok {
		n.mu.Lock()
		e.Subject, e.Detail = maps.Clone(n.subject), maps.Clone(n.detail)
		if e.Caller.User == "" && n.became.User != "" {
			e.Caller.Principal = n.became
		}
		n.mu.Unlock()
	}
	// The client going away must not lose the entry.
	if err := w.Write(context.WithoutCancel(ctx), e); err != nil {
		return fault.New(fault.Unavailable, "web.audit.failed").Because(err)
	}
	return nil
}

// audited wraps a raw handler: looks are written before, changes after, by the status the handler gave.
func (s *Server) audited(t *treatment, method string, next http.Handler) http.Handler {
	change := method != http.MethodGet && method != http.MethodHead && !t.quiet && !t.stream
	if !t.look && !change {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if t.look {
			if err := s.record(r.Context(), t, outcome(nil)); err != nil {
				s.fail(w, r, err)
				return
			}
			next.ServeHTTP(w, r)
			return
		}
		rec := &recorder{ResponseWriter: w}
		next.ServeHTTP(rec, r)
		how := outcome(nil)
		if rec.status >= 400 {
			how = "http " + strconv.Itoa(rec.status)
		}
		if err := s.record(r.Context(), t, how); err != nil {
			s.log.ErrorContext(r.Context(), "a change was not audited", "action", t.action, "error", err)
		}
	})
}
