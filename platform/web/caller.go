package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
)

// Identity answers who a caller is. The secrets are what the cookie or the Authorization header carries; their
// storage, expiry and revocation are the identity's. A fault of kind unauthorised means: sign in again.
type Identity interface {
	Session(ctx context.Context, secret string, from Origin) (Caller, error)
	Token(ctx context.Context, secret string, from Origin) (Caller, error)
	// Within reports whether site lies in the subtree of root (a site lies in its own subtree).
	Within(site, root id.Site) bool
}

// Caller is a principal with the way they came in.
type Caller struct {
	right.Principal
	Session string // id of the session (never its secret); empty for tokens and the system
	Token   string // id of the API token
	System  bool   // the admin socket: may everything
	Only    string // not empty: nothing but right.Own until this is done; the fault code to answer with
}

// Origin is where a request came from.
type Origin struct {
	Request   string // the id in X-Request-Id and in error answers
	IP        string // without port; "local" for the admin socket
	UserAgent string
	Locale    string // "zh" or "en", by Accept-Language
	Secure    bool   // came by https, here or at the proxy
	Local     bool   // from this very machine, with no proxy in between
}

type contextKey int

const (
	callerKey contextKey = iota
	originKey
	noteKey
)

// As gives ctx with the caller in it: for tests and for work done in somebody's name.
func As(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey, c)
}

// CallerOf gives the caller of a request; the zero Caller on public routes without a session.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey).(Caller)
	return c
}

// Principal gives who makes the request; the zero Principal on public routes without a session.
func Principal(ctx context.Context) right.Principal { return CallerOf(ctx).Principal }

// OriginOf gives where the request came from.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey).(Origin)
	return o
}

// Locale gives the language to answer in: the session's, else the browser's, else "zh".
func Locale(ctx context.Context) string {
	if l := CallerOf(ctx).Locale; l != "" {
		return l
	}
	if l := OriginOf(ctx).Locale; l != "" {
		return l
	}
	return "zh"
}

type mayKey struct{}

// May reports whether the caller holds r at site, and is a fault of kind forbidden when not. An empty site asks
// for the right anywhere. The routes' own right is checked before the handler runs; May is for the site of the
// thing asked for.
func May(ctx context.Context, r right.Right, site id.Site) error {
	within, _ := ctx.Value(mayKey{}).(func(site, root id.Site) bool)
	if allowed(CallerOf(ctx), r, site, within) {
		return nil
	}
	return fault.New(fault.Forbidden, "web.right.missing", "right", string(r), "site", string(site))
}

// allowed is the one place where rights are decided.
func allowed(c Caller, r right.Right, site id.Site, within func(site, root id.Site) bool) bool {
	switch {
	case c.System || r == right.Public:
		return true
	case c.User == "" && c.Token == "":
		return false
	case r == right.Own:
		return true
	case c.Only != "" || !c.Rights[r]:
		return false
	case site == "" || site == c.Site:
		return true
	}
	return within != nil && within(site, c.Site)
}

// holds is May for a caller outside a request: a socket.
func (s *Server) holds(c Caller, r right.Right, site id.Site) bool {
	var within func(site, root id.Site) bool
	if who := s.who(); who != nil {
		within = who.Within
	}
	return allowed(c, r, site, within)
}

// Cookie names. They differ because cookies do not know ports: a Secure cookie set on :8443 could not be replaced
// from http://localhost:8080. The __Host- prefix ties the cookie to this host and to https (RFC 6265bis §4.1.3).
const (
	plainCookie  = "kapok"
	secureCookie = "__Host-kapok"
)

// cookieAge outlives every session: how long a session holds is decided on the server.
const cookieAge = 30 * 24 * time.Hour

// SessionCookie makes the cookie that carries a session's secret, for an output field
// `SetCookie http.Cookie header:"Set-Cookie"`. An empty secret takes the cookie away.
func SessionCookie(ctx context.Context, secret string) http.Cookie {
	c := http.Cookie{
		Name: plainCookie, Value: secret, Path: "/", MaxAge: int(cookieAge / time.Second),
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if OriginOf(ctx).Secure {
		c.Name, c.Secure = secureCookie, true
	}
	if secret == "" {
		c.MaxAge = -1
	}
	return c
}

// authenticate gives the caller of r; the zero Caller when r carries no secret.
func (s *Server) authenticate(r *http.Request, from Origin) (Caller, error) {
	if c := CallerOf(r.Context()); c.System {
		return c, nil
	}
	who := s.who()
	if who == nil {
		return Caller{}, nil
	}
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, secret, _ := strings.Cut(h, " ")
		if !strings.EqualFold(scheme, "Bearer") || secret == "" || len(secret) > 512 {
			return Caller{}, fault.New(fault.Unauthorised, "web.token.invalid")
		}
		return who.Token(r.Context(), strings.TrimSpace(secret), from)
	}
	name := plainCookie
	if from.Secure {
		name = secureCookie
	}
	c, err := r.Cookie(name)
	if err != nil || c.Value == "" || len(c.Value) > 512 {
		return Caller{}, nil
	}
	return who.Session(r.Context(), c.Value, from)
}
