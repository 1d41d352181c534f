package identity_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/modules/identity"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

func TestLogin(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		post := func(name, user, password string, status int, code string, want ...string) webtest.Scenario {
			return webtest.Scenario{Name: name, By: h.Browser(), Method: "POST", URL: "/api/v1/login", Body: login(user, password), Status: status, Code: code, Want: want}
		}
		h.Run(
			post("right", "1001", "1001-Kapok9", 200, "", `"user":"1001"`, `"name":"坐席甲"`, `"must_change":false`),
			post("wrong password", "1001", "nope", 401, "identity.login.wrong", "工号或口令不正确"),
			post("unknown user, same words", "nobody", "nope", 401, "identity.login.wrong", "工号或口令不正确"),
			post("left the bureau, same words", "3001", "3001-Kapok9", 401, "identity.login.wrong"),
			post("bytes no database takes", "a\x00b", "x\x00", 401, "identity.login.wrong"),
			post("first password has to be changed", "1002", "1002-Kapok9", 200, "", `"must_change":true`),
			webtest.Scenario{Name: "without a body", By: h.Browser(), Method: "POST", URL: "/api/v1/login", Body: `{}`, Status: 422, Code: "web.input.required"},
		)
		c := h.signIn("1001")
		me := c.Get("/api/v1/me").OK()
		has(t, me.Body, `"site_name":"广州"`, `"roles":["agent"]`, `"rights":["desk.self.use"]`, `"rank":"L3"`, `"demo":false`,
			`"bureau":{"name":"广州市税务局12366","name_en":"Guangzhou Tax 12366"`)
		c.Put("/api/v1/me/locale", `{"locale":"en"}`).OK()
		has(t, c.Get("/api/v1/nothing").Body, "web.route.unknown")
		has(t, c.Get("/api/v1/me").OK().Body, `"locale":"en"`)
		has(t, c.Get("/api/v1/users/1001").Fails(403, "web.right.missing").Body, "You do not hold the right")
		c.Post("/api/v1/logout", nil).OK()
		c.Get("/api/v1/me").Fails(401, "web.session.missing")
	})
}

func TestTheCookieIsHidden(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		a := h.Browser().Post("/api/v1/login", login("1001", "1001-Kapok9")).OK()
		set := a.Header.Get("Set-Cookie")
		for _, want := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
			if !strings.Contains(set, want) {
				t.Errorf("cookie %s", set)
			}
		}
		c, err := http.ParseSetCookie(set)
		if err != nil || len(c.Value) < 43 {
			t.Fatalf("%v %v", c, err)
		}
		n, err := store.One(t.Context(), db, `SELECT COUNT(*) FROM identity_session WHERE secret = ? OR id = ?`, store.Col[int], c.Value, c.Value)
		if err != nil || n != 0 {
			t.Errorf("the secret itself is stored: %d %v", n, err)
		}
	})
}

func TestWrongPasswordsSlowDown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		boss := h.signIn("boss")
		try := func(user, password string) *webtest.Answer {
			return h.Browser().Post("/api/v1/login", login(user, password))
		}
		for range 5 {
			try("1001", "nope").Fails(401, "identity.login.wrong")
		}
		has(t, try("1001", "1001-Kapok9").Fails(429, "identity.login.slow").Body, `"seconds":30`)
		h.now.Advance(2 * time.Second)
		try("2001", "2001-Kapok9").OK() // the address waits for a second only
		h.now.Advance(29 * time.Second)
		try("1001", "nope").Fails(401, "identity.login.wrong") // the sixth: a minute
		h.now.Advance(59 * time.Second)
		has(t, try("1001", "1001-Kapok9").Fails(429, "identity.login.slow").Body, `"seconds":1`)
		h.now.Advance(time.Second)
		try("1001", "1001-Kapok9").OK()
		h.now.Advance(time.Minute)
		try("1001", "nope").Fails(401, "identity.login.wrong") // counting has begun anew

		for range 5 {
			h.now.Advance(time.Second)
			try("1001", "nope")
		}
		h.now.Advance(2 * time.Second)
		has(t, boss.Get("/api/v1/users/1001").OK().Body, `"blocked_until":1`)
		boss.Post("/api/v1/users/1001/unlock", nil).OK()
		try("1001", "1001-Kapok9").OK()

		// An account that does not exist waits alike.
		for range 5 {
			h.now.Advance(40 * time.Second)
			try("nobody", "nope").Fails(401, "identity.login.wrong")
		}
		h.now.Advance(2 * time.Second)
		try("nobody", "nope").Fails(429, "identity.login.slow")
	})
}

func TestAnAddressSlowsDown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		for i := range 5 {
			h.Browser().Post("/api/v1/login", login("guess"+string(rune('a'+i)), "nope")).Fails(401, "identity.login.wrong")
		}
		h.Browser().Post("/api/v1/login", login("1001", "1001-Kapok9")).Fails(429, "identity.login.slow")
		h.now.Advance(time.Second)
		h.Browser().Post("/api/v1/login", login("1001", "1001-Kapok9")).OK()
	})
}

// The answer for an unknown user must take as long as for a known one: both hash once.
func TestUnknownUsersTakeAsLong(t *testing.T) {
	db := storetest.SQLite(t)
	h := people(t, db, dear)
	took := func(user string) time.Duration {
		best := time.Hour
		for range 3 {
			start := time.Now()
			h.Browser().Post("/api/v1/login", login(user, "nope"))
			best = min(best, time.Since(start))
			h.now.Advance(time.Hour)
		}
		return best
	}
	known, unknown := took("1001"), took("nobody")
	if unknown < known/3 {
		t.Errorf("unknown %v, known %v", unknown, known)
	}
}

func TestSessions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)

		c := h.signIn("1001")
		for range 30 { // used every hour it lives longer than its twelve hours
			h.now.Advance(time.Hour)
			c.Get("/api/v1/me").OK()
		}
		h.now.Advance(12*time.Hour + time.Second)
		c.Get("/api/v1/me").Fails(401, "identity.session.expired")
		c.Get("/api/v1/me").Fails(401, "web.session.missing")

		one, two := h.signIn("1001"), h.signIn("1001")
		var list struct {
			Items []identity.SessionView
		}
		one.Get("/api/v1/sessions").OK().Into(&list)
		if len(list.Items) != 2 {
			t.Fatalf("%+v", list)
		}
		for _, s := range list.Items {
			if !s.Current {
				one.Delete("/api/v1/sessions/" + s.ID).OK()
			}
		}
		two.Get("/api/v1/me").Fails(401, "web.session.missing")
		one.Get("/api/v1/me").OK()

		one.Header = http.Header{"User-Agent": {"Mozilla/5.0 Chrome/131.0"}}
		one.Get("/api/v1/me").Fails(401, "identity.session.device")
		one.Header = nil
		one.Get("/api/v1/me").Fails(401, "web.session.missing")

		browser := h.Browser()
		browser.Header = http.Header{"User-Agent": {"Mozilla/5.0 Chrome/131.0"}}
		browser.Post("/api/v1/login", login("1001", "1001-Kapok9")).OK()
		browser.Header = http.Header{"User-Agent": {"Mozilla/5.0 Chrome/132.1"}} // it updated itself
		browser.Get("/api/v1/me").OK()

		clerk := h.signIn("clerk")
		clerk.Get("/api/v1/sessions?user=boss").Fails(403, "web.right.missing")
		clerk.Get("/api/v1/sessions?user=1001").OK().Into(&list)
		clerk.Delete("/api/v1/sessions/" + list.Items[0].ID).OK()
		browser.Get("/api/v1/me").Fails(401, "web.session.missing")
		h.signIn("1001").Delete("/api/v1/sessions/nothing").Fails(404, "store.row.missing")
	})
}

func TestAUserWhoLeavesIsOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		c := h.signIn("1001")
		socket := c.Socket("desk")
		h.apply(`users: [{code: "1001", name: 坐席甲, site: gz, roles: [agent], active: false}]`)
		c.Get("/api/v1/me").Fails(401, "web.session.missing")
		if _, err := socket.Read(5 * time.Second); err == nil {
			t.Error("the socket stays open")
		}
	})
}

func TestSessionsAreBounded(t *testing.T) {
	db := storetest.SQLite(t)
	h := people(t, db, func(d *identity.Deps) { d.Demo = true })
	for range 25 {
		h.now.Advance(time.Second)
		h.Browser().Post("/api/v1/demo/login", `{"user":"1001"}`).OK()
	}
	if n, err := store.One(t.Context(), db, `SELECT COUNT(*) FROM identity_session`, store.Col[int]); err != nil || n != 20 {
		t.Errorf("%d sessions, %v", n, err)
	}
}

func TestChangingThePassword(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		c, elsewhere := h.Browser(), h.Browser()
		c.Post("/api/v1/login", login("1002", "1002-Kapok9")).OK()
		elsewhere.Post("/api/v1/login", login("1002", "1002-Kapok9")).OK()
		has(t, c.Get("/api/v1/me").OK().Body, `"must_change":true`)
		c.Get("/api/v1/rights").Fails(403, "identity.password.must_change")
		put := func(old, password string) *webtest.Answer {
			return c.Put("/api/v1/me/password", map[string]string{"old": old, "new": password})
		}
		put("nope", "Fresh-Start-1").Fails(422, "identity.password.wrong")
		put("1002-Kapok9", "1002-Kapok9").Fails(422, "identity.password.same")
		put("1002-Kapok9", "short").Fails(422, "identity.password.short")
		put("1002-Kapok9", "password123").Fails(422, "identity.password.common")
		put("1002-Kapok9", "Fresh-Start-1").OK()
		has(t, c.Get("/api/v1/me").OK().Body, `"must_change":false`)
		elsewhere.Get("/api/v1/me").Fails(401, "web.session.missing")
		h.Browser().Post("/api/v1/login", login("1002", "1002-Kapok9")).Fails(401, "identity.login.wrong")
		h.Browser().Post("/api/v1/login", login("1002", "Fresh-Start-1")).OK()
	})
}

func TestResetLink(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		clerk := h.signIn("clerk")
		user := h.signIn("1001")
		link := func(by *webtest.Client, code string) string {
			var out struct{ Link string }
			by.Post("/api/v1/users/"+code+"/reset-link", nil).OK().Into(&out)
			return strings.TrimPrefix(out.Link, "/reset?token=")
		}
		clerk.Post("/api/v1/users/boss/reset-link", nil).Fails(403, "web.right.missing") // above in the tree
		clerk.Post("/api/v1/users/2001/reset-link", nil).Fails(403, "web.right.missing") // beside
		clerk.Post("/api/v1/users/nobody/reset-link", nil).Fails(404, "identity.user.missing")
		user.Post("/api/v1/users/1002/reset-link", nil).Fails(403, "web.right.missing")

		first := link(clerk, "1001")
		token := link(clerk, "1001")
		nobody := h.As("")
		reset := func(token, password string) *webtest.Answer {
			return nobody.Post("/api/v1/password/reset", map[string]string{"token": token, "password": password})
		}
		reset(first, "Fresh-Start-1").Fails(404, "identity.link.invalid") // a newer one ends it
		has(t, nobody.Get("/api/v1/password/reset?token="+token).OK().Body, `"name":"坐席甲"`)
		reset(token, "1001-1001").Fails(422, "identity.password.code")
		reset(token, "Fresh-Start-1").OK()
		reset(token, "Fresh-Start-2").Fails(404, "identity.link.invalid")
		user.Get("/api/v1/me").Fails(401, "web.session.missing")
		h.Browser().Post("/api/v1/login", login("1001", "Fresh-Start-1")).OK()

		late := link(clerk, "1001")
		h.now.Advance(25 * time.Hour)
		nobody.Get("/api/v1/password/reset?token="+late).Fails(404, "identity.link.invalid")
	})
}

// Who may manage users must not become an administrator by it.
func TestNobodyManagesWhoMayMore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		h.apply(`users: [{code: local, name: 本地管理员, site: gz, roles: [admin], password: local-Kapok9, must_change: false}]`)
		clerk := h.signIn("clerk")
		clerk.Post("/api/v1/users/local/reset-link", nil).Fails(403, "identity.user.above")
		clerk.Put("/api/v1/config/users/1001", `{"code":"1001","name":"坐席甲","site":"gz","roles":["agent"],"rank":"L4"}`).OK()
		clerk.Put("/api/v1/config/users/1001", `{"code":"1001","name":"坐席甲","site":"gz","roles":["admin"]}`).Fails(403, "identity.user.above")
		clerk.Put("/api/v1/config/users/clerk", `{"code":"clerk","name":"人事员","site":"gz","roles":["admin"]}`).Fails(403, "identity.user.above")
		clerk.Put("/api/v1/config/users/local", `{"code":"local","name":"x","site":"gz","roles":["agent"]}`).Fails(403, "identity.user.above")
		clerk.Put("/api/v1/config/users/2001", `{"code":"2001","name":"x","site":"gz","roles":["agent"]}`).Fails(403, "web.right.missing")
		clerk.Put("/api/v1/config/users/1001", `{"code":"1001","name":"x","site":"sz","roles":["agent"]}`).Fails(403, "web.right.missing")
		clerk.Delete("/api/v1/config/users/clerk").Fails(409, "identity.user.self")
		clerk.Put("/api/v1/config/roles/agent", `{"code":"agent","name":"x","rights":["*"]}`).Fails(403, "web.right.missing")
	})
}
