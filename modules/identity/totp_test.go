package identity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

func TestTOTP(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		c := h.signIn("1001")
		var begun struct{ Secret, URI string }
		c.Put("/api/v1/me/totp", `{"code":"123456"}`).Fails(409, "identity.code.not_begun")
		c.Post("/api/v1/me/totp", nil).OK().Into(&begun)
		if !strings.HasPrefix(begun.URI, "otpauth://totp/Kapok%20Guangzhou%20Tax%2012366:1001?secret="+begun.Secret) {
			t.Error(begun.URI)
		}
		if n, err := store.One(t.Context(), db, `SELECT COUNT(*) FROM identity_user WHERE totp = ?`, store.Col[int], begun.Secret); err != nil || n != 0 {
			t.Errorf("the secret lies open in the database: %d %v", n, err)
		}
		code := func(shift time.Duration) string {
			s, err := totp.GenerateCode(begun.Secret, h.now.Now().Add(shift))
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		in := func(code string) *webtest.Answer {
			return h.Browser().Post("/api/v1/login", map[string]string{"user": "1001", "password": "1001-Kapok9", "code": code})
		}
		in("").OK() // begun is not on
		c.Put("/api/v1/me/totp", map[string]string{"code": code(time.Hour)}).Fails(401, "identity.code.wrong")
		var on struct{ Recovery []string }
		c.Put("/api/v1/me/totp", map[string]string{"code": code(0)}).OK().Into(&on)
		if len(on.Recovery) != 10 {
			t.Fatalf("%d recovery codes", len(on.Recovery))
		}
		has(t, c.Get("/api/v1/me").OK().Body, `"totp":true`)
		c.Post("/api/v1/me/totp", nil).Fails(409, "identity.code.on")

		in("").Fails(401, "identity.code.required")
		in(code(0)).Fails(401, "identity.code.wrong") // it was used to confirm
		h.now.Advance(30 * time.Second)
		in(code(0)).OK()
		in(code(0)).Fails(401, "identity.code.wrong") // a code works once
		h.now.Advance(time.Minute)
		in(code(-30 * time.Second)).OK() // a clock that is late
		in(code(time.Minute)).Fails(401, "identity.code.wrong")
		in("000000").Fails(401, "identity.code.wrong")

		in(strings.ToUpper(strings.ReplaceAll(on.Recovery[3], "-", " "))).OK() // as people type it
		in(on.Recovery[3]).Fails(401, "identity.code.wrong")
		in(on.Recovery[4]).OK()

		// A wrong code counts as a wrong password does.
		for range 5 {
			h.now.Advance(time.Second)
			in("000000")
		}
		h.now.Advance(2 * time.Second)
		in(on.Recovery[5]).Fails(429, "identity.login.slow")
		h.now.Advance(time.Hour)

		c.Post("/api/v1/me/totp/remove", `{"code":"000000"}`).Fails(401, "identity.code.wrong")
		h.now.Advance(time.Minute)
		c.Post("/api/v1/me/totp/remove", map[string]string{"code": code(0)}).OK()
		in("").OK()

		c.Post("/api/v1/me/totp", nil).OK().Into(&begun)
		h.now.Advance(time.Minute)
		c.Put("/api/v1/me/totp", map[string]string{"code": code(0)}).OK()
		h.signIn("clerk").Delete("/api/v1/users/1001/totp").OK() // lost the app
		in("").OK()
		h.As("agent").Post("/api/v1/me/totp", nil)
	})
}
