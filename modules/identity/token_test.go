package identity_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

func TestTokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		h.apply(`
roles: [{code: tokens, name: 接口, rights: [identity.token.manage, desk.self.use]}]
users: [{code: maker, name: 集成员, site: gz, roles: [tokens], password: maker-Kapok9, must_change: false}]`)
		boss, maker := h.signIn("boss"), h.signIn("maker")
		type made struct{ ID, Token string }
		make := func(by *webtest.Client, body string) (out made) {
			by.Post("/api/v1/tokens", body).OK().Into(&out)
			return out
		}
		whole := make(boss, `{"user":"boss","name":"大屏"}`)
		narrow := make(boss, `{"user":"boss","name":"审计","rights":["identity.audit.read"],"days":30}`)
		agent := make(maker, `{"user":"1001","name":"话务"}`)

		h.Bearer(whole.Token).Get("/api/v1/rights").OK()
		h.Bearer(narrow.Token).Get("/api/v1/rights").Fails(403, "web.right.missing")
		h.Bearer(narrow.Token).Get("/api/v1/audit").OK()
		has(t, h.Bearer(agent.Token).Get("/api/v1/me").OK().Body, `"user":"1001"`)
		h.Bearer(agent.Token).Put("/api/v1/me/password", `{"old":"1001-Kapok9","new":"Fresh-Start-1"}`).Fails(403, "identity.session.required")
		h.Bearer("kapok_nonsense").Get("/api/v1/me").Fails(401, "web.token.invalid")
		basic := h.As("")
		basic.Header = http.Header{"Authorization": {"Basic Zm9vOmJhcg=="}}
		basic.Get("/api/v1/me").Fails(401, "web.token.invalid")

		maker.Post("/api/v1/tokens", `{"user":"boss","name":"x"}`).Fails(403, "web.right.missing")
		maker.Post("/api/v1/tokens", `{"user":"clerk","name":"x"}`).Fails(403, "identity.user.above")
		boss.Post("/api/v1/tokens", `{"user":"1001","name":"x","rights":["identity.audit.read"]}`).Fails(422, "identity.token.right")
		boss.Post("/api/v1/tokens", `{"user":"nobody","name":"x"}`).Fails(404, "identity.user.missing")
		h.signIn("1001").Post("/api/v1/tokens", `{"user":"1001","name":"x"}`).Fails(403, "web.right.missing")

		list := h.signIn("1001").Get("/api/v1/tokens").OK().Body
		has(t, list, agent.ID)
		if n := len(h.signIn("2001").Get("/api/v1/tokens").OK().Body); n > 20 {
			t.Errorf("a stranger sees tokens")
		}
		h.signIn("2001").Delete("/api/v1/tokens/"+agent.ID).Fails(403, "web.right.missing")
		h.signIn("1001").Delete("/api/v1/tokens/" + agent.ID).OK()
		h.Bearer(agent.Token).Get("/api/v1/me").Fails(401, "web.token.invalid")

		h.now.Advance(31 * 24 * time.Hour)
		h.Bearer(narrow.Token).Get("/api/v1/audit").Fails(401, "identity.token.expired")
		h.Bearer(whole.Token).Get("/api/v1/rights").OK()

		if n, err := store.One(t.Context(), db, `SELECT COUNT(*) FROM identity_token WHERE secret = ?`, store.Col[int], whole.Token); err != nil || n != 0 {
			t.Errorf("the token itself is stored: %d %v", n, err)
		}
	})
}
