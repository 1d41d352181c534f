package identity

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// OIDC is signing in with an account of the organisation (OpenID Connect, code flow with PKCE); off until
// enabled. People must be users here already: the claim names their code.
type OIDC struct {
	Enabled      bool   `json:"enabled" yaml:"enabled" doc:"启用"`
	Name         string `json:"name,omitempty" yaml:"name,omitempty" maxLength:"60" doc:"登录按钮上的名称"`
	Issuer       string `json:"issuer,omitempty" yaml:"issuer,omitempty" maxLength:"300" doc:"签发者地址"`
	ClientID     string `json:"client_id,omitempty" yaml:"client_id,omitempty" maxLength:"200" doc:"客户端标识"`
	ClientSecret string `json:"client_secret,omitempty" yaml:"client_secret,omitempty" maxLength:"500" writeOnly:"true" doc:"客户端密钥(只写)"`
	Claim        string `json:"claim,omitempty" yaml:"claim,omitempty" maxLength:"60" doc:"与工号对应的声明,缺省 preferred_username"`
	RedirectURL  string `json:"redirect_url,omitempty" yaml:"redirect_url,omitempty" maxLength:"300" doc:"回调地址,缺省按访问地址推断"`
}

// storedOIDC is OIDC with its secret sealed.
type storedOIDC struct {
	OIDC
	Sealed string `json:"sealed,omitempty"`
}

var oidcDocs = store.Docs[storedOIDC]{Table: "identity_oidc"}

func loadOIDC(ctx context.Context, tx *store.Tx) ([]OIDC, error) {
	list, err := oidcDocs.Load(ctx, tx)
	out := []OIDC{}
	for _, x := range list {
		out = append(out, x.OIDC)
	}
	return out, err
}

func (m *Module) putOIDC(ctx context.Context, tx *store.Tx, o OIDC) error {
	s := storedOIDC{OIDC: o}
	if o.ClientSecret != "" {
		s.Sealed = m.sealer.seal(o.ClientSecret, "oidc")
	} else if old, err := oidcDocs.Load(ctx, tx); err != nil {
		return err
	} else if len(old) > 0 {
		s.Sealed = old[0].Sealed
	}
	s.ClientSecret = ""
	tx.AfterCommit(m.oidc.clear)
	return oidcDocs.Put(ctx, tx, "oidc", s)
}

func checkOIDC(_ section.Lookup, o OIDC) (out []section.Problem) {
	if !o.Enabled {
		return nil
	}
	if u, err := url.Parse(o.Issuer); err != nil || u.Host == "" || u.Scheme != "https" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" {
		out = append(out, section.Complaint("issuer", "identity.oidc.issuer"))
	}
	if o.ClientID == "" {
		out = append(out, section.Complaint("client_id", "web.input.required", "field", "client_id"))
	}
	return out
}

// oidcCache keeps what the provider said of itself.
type oidcCache struct {
	mu       sync.Mutex
	provider *oidc.Provider
	issuer   string
	at       time.Time
}

const (
	oidcKeep    = time.Hour
	oidcTimeout = 10 * time.Second
	oidcCookie  = "kapok-oidc"
	oidcLife    = 10 * time.Minute
)

func (c *oidcCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.provider = nil
}

func (c *oidcCache) get(ctx context.Context, issuer string, now time.Time) (*oidc.Provider, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.provider != nil && c.issuer == issuer && now.Sub(c.at) < oidcKeep {
		return c.provider, nil
	}
	// The provider keeps the context for later key fetches: it must not end with this request.
	p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), &http.Client{Timeout: oidcTimeout}), issuer)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "identity.oidc.unreachable").Because(err)
	}
	c.provider, c.issuer, c.at = p, issuer, now
	return p, nil
}

// oidcSettings gives the settings when signing in that way is on.
func (m *Module) oidcSettings(ctx context.Context) (storedOIDC, error) {
	list, err := oidcDocs.Load(ctx, m.db)
	if err != nil {
		return storedOIDC{}, err
	}
	if len(list) == 0 || !list[0].Enabled {
		return storedOIDC{}, fault.New(fault.NotFound, "identity.oidc.off")
	}
	return list[0], nil
}

type lookOIDCOut struct {
	Body struct {
		Enabled bool   `json:"enabled"`
		Name    string `json:"name"`
	}
}

func (m *Module) lookOIDC(ctx context.Context, _ *struct{}) (*lookOIDCOut, error) {
	out := &lookOIDCOut{}
	s, err := m.oidcSettings(ctx)
	if fault.KindOf(err) == fault.NotFound {
		return out, nil
	}
	out.Body.Enabled, out.Body.Name = err == nil, s.Name
	return out, err
}

// client makes the provider and the client of a request.
func (m *Module) oidcClient(r *http.Request, s storedOIDC) (*oidc.Provider, *oauth2.Config, error) {
	p, err := m.oidc.get(r.Context(), s.Issuer, m.clock.Now())
	if err != nil {
		return nil, nil, err
	}
	secret := ""
	if s.Sealed != "" {
		if secret, err = m.sealer.open(s.Sealed, "oidc"); err != nil {
			return nil, nil, err
		}
	}
	back := s.RedirectURL
	if back == "" {
		scheme := "http"
		if web.OriginOf(r.Context()).Secure {
			scheme = "https"
		}
		back = scheme + "://" + r.Host + "/api/v1/oidc/callback"
	}
	return p, &oauth2.Config{ClientID: s.ClientID, ClientSecret: secret, Endpoint: p.Endpoint(), RedirectURL: back, Scopes: []string{oidc.ScopeOpenID, "profile"}}, nil
}

// startOIDC sends the browser to the provider. State, nonce and PKCE verifier travel in a cookie of ten minutes.
func (m *Module) startOIDC(api *web.API) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, err := m.oidcSettings(r.Context())
		if err != nil {
			api.Fail(w, r, err)
			return
		}
		_, client, err := m.oidcClient(r, s)
		if err != nil {
			m.refused(w, r, err)
			return
		}
		state, nonce, verifier := newSecret(), newSecret(), oauth2.GenerateVerifier()
		http.SetCookie(w, &http.Cookie{
			Name: oidcCookie, Value: state + "." + nonce + "." + verifier, Path: "/api/v1/oidc", MaxAge: int(oidcLife / time.Second),
			HttpOnly: true, Secure: web.OriginOf(r.Context()).Secure, SameSite: http.SameSiteLaxMode,
		})
		http.Redirect(w, r, client.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), http.StatusFound)
	}
}

// finishOIDC takes the browser back, checks what the provider says, and begins a session.
func (m *Module) finishOIDC(api *web.API) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, err := m.oidcSettings(r.Context())
		if err != nil {
			api.Fail(w, r, err)
			return
		}
		user, err := m.oidcUser(r, s)
		if err == nil {
			err = m.enterOIDC(w, r, user)
		}
		if auditErr := m.noteOIDC(r, user, err); auditErr != nil {
			api.Fail(w, r, auditErr)
			return
		}
		if err != nil {
			m.refused(w, r, err)
			return
		}
		http.Redirect(w, r, "/", http.StatusFound)
	}
}

func (m *Module) enterOIDC(w http.ResponseWriter, r *http.Request, user id.User) error {
	p, ok := m.Person(user)
	if !ok || !p.Active {
		return fault.New(fault.Unauthorised, "identity.oidc.unknown")
	}
	out, err := m.enter(r.Context(), account{code: string(p.Code), name: p.Name}, "oidc")
	if err != nil {
		return err
	}
	http.SetCookie(w, &out.SetCookie)
	return nil
}

// oidcUser gives the code that the provider vouches for.
func (m *Module) oidcUser(r *http.Request, s storedOIDC) (id.User, error) {
	refused := fault.New(fault.Unauthorised, "identity.oidc.refused")
	cookie, err := r.Cookie(oidcCookie)
	if err != nil {
		return "", refused.Because(err)
	}
	parts := strings.Split(cookie.Value, ".")
	if len(parts) != 3 || !equal(parts[0], r.URL.Query().Get("state")) {
		return "", refused
	}
	provider, client, err := m.oidcClient(r, s)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(r.Context(), &http.Client{Timeout: oidcTimeout}), oidcTimeout)
	defer cancel()
	token, err := client.Exchange(ctx, r.URL.Query().Get("code"), oauth2.VerifierOption(parts[2]))
	if err != nil {
		return "", refused.Because(err)
	}
	raw, _ := token.Extra("id_token").(string)
	idToken, err := provider.Verifier(&oidc.Config{ClientID: s.ClientID, Now: m.clock.Now}).Verify(ctx, raw)
	if err != nil {
		return "", refused.Because(err)
	}
	if !equal(idToken.Nonce, parts[1]) {
		return "", refused
	}
	claims := map[string]any{}
	if err := idToken.Claims(&claims); err != nil {
		return "", refused.Because(err)
	}
	claim := s.Claim
	if claim == "" {
		claim = "preferred_username"
	}
	user, _ := claims[claim].(string)
	if user == "" {
		return "", fault.New(fault.Unauthorised, "identity.oidc.unknown")
	}
	return id.User(user), nil
}

// noteOIDC writes the sign-in into the audit: as a GET it is not written by itself.
func (m *Module) noteOIDC(r *http.Request, user id.User, err error) error {
	e := web.Entry{Action: "GET /api/v1/oidc/callback", Outcome: "ok", Origin: web.OriginOf(r.Context())}
	if err != nil {
		e.Outcome = fault.CodeOf(err)
	}
	if p, ok := m.Person(user); ok {
		e.Detail = map[string]any{"user": string(p.Code)}
	}
	if err := m.Write(context.WithoutCancel(r.Context()), e); err != nil {
		return fault.New(fault.Unavailable, "web.audit.failed").Because(err)
	}
	return nil
}

// refused brings the browser to the login page, which shows the sentence.
func (m *Module) refused(w http.ResponseWriter, r *http.Request, err error) {
	m.log.WarnContext(r.Context(), "signing in elsewhere failed", "error", err)
	code := fault.CodeOf(err)
	if code == "" {
		code = "identity.oidc.refused"
	}
	http.SetCookie(w, &http.Cookie{Name: oidcCookie, Path: "/api/v1/oidc", MaxAge: -1, HttpOnly: true})
	http.Redirect(w, r, "/login?fault="+url.QueryEscape(code), http.StatusFound)
}
