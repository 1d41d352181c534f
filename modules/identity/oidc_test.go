package identity_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// provider is an OpenID provider of a few lines: it vouches for whoever the test says, and checks PKCE.
type provider struct {
	*httptest.Server
	t         *testing.T
	key       *rsa.PrivateKey
	now       *clock.Manual
	user      string
	nonce     string
	audience  string
	challenge string
	secret    string
}

func newProvider(t *testing.T) *provider {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{t: t, key: key, audience: "kapok", secret: "s3cret-of-client"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.json(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		p.json(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) json(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	if r.FormValue("code") != "good" || base64.RawURLEncoding.EncodeToString(sum[:]) != p.challenge || id != "kapok" || secret != p.secret {
		w.WriteHeader(http.StatusBadRequest)
		p.json(w, map[string]string{"error": "invalid_grant"})
		return
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.key, KeyID: "k1"}}, nil)
	if err != nil {
		p.t.Error(err)
		return
	}
	now := p.now.Now()
	raw, err := jwt.Signed(signer).Claims(map[string]any{
		"iss": p.URL, "sub": "subject", "aud": p.audience, "nonce": p.nonce, "preferred_username": p.user,
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}).Serialize()
	if err != nil {
		p.t.Error(err)
	}
	p.json(w, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": raw, "expires_in": 60})
}

// visit goes to the provider and comes back; change may spoil what the provider answers.
func (p *provider) visit(c *webtest.Client, change func(back url.Values)) *webtest.Answer {
	p.t.Helper()
	a := c.Get("/api/v1/oidc/start")
	if a.Status != http.StatusFound {
		p.t.Fatalf("%d %s", a.Status, a.Body)
	}
	to, err := url.Parse(a.Header.Get("Location"))
	if err != nil {
		p.t.Fatal(err)
	}
	q := to.Query()
	p.nonce, p.challenge = q.Get("nonce"), q.Get("code_challenge")
	back := url.Values{"state": {q.Get("state")}, "code": {"good"}}
	if change != nil {
		change(back)
	}
	return c.Get("/api/v1/oidc/callback?" + back.Encode())
}

func TestOIDC(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		p := newProvider(t)
		p.now = h.now
		has(t, h.Browser().Get("/api/v1/oidc").OK().Body, `"enabled":false`)
		h.Browser().Get("/api/v1/oidc/start").Fails(404, "identity.oidc.off")
		h.Browser().Get("/api/v1/oidc/callback").Fails(404, "identity.oidc.off")

		file := `oidc: {enabled: true, name: 金税统一认证, issuer: "` + p.URL + `", client_id: kapok, client_secret: ` + p.secret + `}`
		h.apply(file)
		has(t, h.Browser().Get("/api/v1/oidc").OK().Body, `"enabled":true`, `"name":"金税统一认证"`)
		if a := h.signIn("boss").Get("/api/v1/config/oidc").OK(); strings.Contains(string(a.Body), p.secret) || strings.Contains(string(a.Body), "sealed") {
			t.Errorf("the secret is shown: %s", a.Body)
		}
		if n, err := store.One(t.Context(), db, `SELECT COUNT(*) FROM identity_oidc WHERE body LIKE '%'||?||'%'`, store.Col[int], p.secret); err != nil || n != 0 {
			t.Errorf("the secret lies open: %d %v", n, err)
		}
		// Another field changes, the secret stays.
		h.apply(`oidc: {enabled: true, name: 统一认证, issuer: "` + p.URL + `", client_id: kapok}`)

		p.user = "1001"
		c := h.Browser()
		if a := p.visit(c, nil); a.Status != http.StatusFound || a.Header.Get("Location") != "/" {
			t.Fatalf("%d %v %s", a.Status, a.Header, a.Body)
		}
		has(t, c.Get("/api/v1/me").OK().Body, `"user":"1001"`)
		has(t, c.Get("/api/v1/sessions").OK().Body, `"way":"oidc"`)

		for _, bad := range []struct {
			name, user, want string
			change           func(url.Values)
		}{
			{"another's state", "1001", "identity.oidc.refused", func(v url.Values) { v.Set("state", "x") }},
			{"a made-up code", "1001", "identity.oidc.refused", func(v url.Values) { v.Set("code", "bad") }},
			{"another's nonce", "1001", "identity.oidc.refused", func(url.Values) { p.nonce = "x" }},
			{"a stolen code without the verifier", "1001", "identity.oidc.refused", func(url.Values) { p.challenge = "x" }},
			{"a token for somebody else", "1001", "identity.oidc.refused", func(url.Values) { p.audience = "other" }},
			{"who is no user here", "stranger", "identity.oidc.unknown", nil},
			{"who left", "3001", "identity.oidc.unknown", nil},
			{"nobody", "", "identity.oidc.unknown", nil},
		} {
			p.user, p.audience = bad.user, "kapok"
			c := h.Browser()
			a := p.visit(c, bad.change)
			if a.Status != http.StatusFound || a.Header.Get("Location") != "/login?fault="+bad.want {
				t.Errorf("%s: %d %s", bad.name, a.Status, a.Header.Get("Location"))
			}
			if !h.Server.Texts().Has("en", "fault."+bad.want) {
				t.Errorf("no text for %s", bad.want)
			}
			c.Get("/api/v1/me").Fails(401, "web.session.missing")
		}
		if a := h.Browser().Get("/api/v1/oidc/callback?state=&code=good"); a.Header.Get("Location") != "/login?fault=identity.oidc.refused" {
			t.Errorf("without a cookie: %v", a.Header)
		}
		has(t, h.signIn("boss").Get("/api/v1/audit?q=oidc").OK().Body, `"outcome":"identity.oidc.refused"`, `"user":"1001"`)

		h.apply(`oidc: {enabled: true, issuer: "http://127.0.0.1:1/nothing", client_id: kapok}`)
		if a := h.Browser().Get("/api/v1/oidc/start"); a.Header.Get("Location") != "/login?fault=identity.oidc.unreachable" {
			t.Errorf("%d %v %s", a.Status, a.Header, a.Body)
		}
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
}
