package identity_test

import (
	"net/http"
	"testing"

	"github.com/kapok-hotline/kapok/modules/identity"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

func TestDemoLogins(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		demo := people(t, db, func(d *identity.Deps) { d.Demo = true })
		proxied := demo.Browser()
		proxied.Header = http.Header{"X-Forwarded-For": {"203.0.113.5"}}
		demo.Run(
			webtest.Scenario{Name: "who one can be", By: demo.Browser(), URL: "/api/v1/demo/logins", Status: 200, Want: []string{`{"user":"1001","name":"坐席甲","role":"agent"}`}, Not: []string{"3001"}},
			webtest.Scenario{Name: "from elsewhere there is no demo", By: proxied, URL: "/api/v1/demo/logins", Status: 404, Code: "identity.demo.off"},
			webtest.Scenario{Name: "nor a way in", By: proxied, Method: "POST", URL: "/api/v1/demo/login", Body: `{"user":"boss"}`, Status: 404, Code: "identity.demo.off"},
			webtest.Scenario{Name: "nobody by that name", By: demo.Browser(), Method: "POST", URL: "/api/v1/demo/login", Body: `{"user":"nobody"}`, Status: 404, Code: "identity.user.missing"},
			webtest.Scenario{Name: "who left is not to be had", By: demo.Browser(), Method: "POST", URL: "/api/v1/demo/login", Body: `{"user":"3001"}`, Status: 404},
		)
		c := demo.Browser()
		c.Post("/api/v1/demo/login", `{"user":"1002"}`).OK()
		has(t, c.Get("/api/v1/me").OK().Body, `"demo":true`, `"must_change":false`)
		has(t, c.Get("/api/v1/sessions").OK().Body, `"way":"demo"`)
		c.Put("/api/v1/me/password", `{"old":"x","new":"Fresh-Start-1"}`).Fails(422, "identity.password.wrong")
	})
}

func TestNoDemoNoLogins(t *testing.T) {
	db := storetest.SQLite(t)
	h := people(t, db)
	h.Browser().Get("/api/v1/demo/logins").Fails(404, "identity.demo.off")
	h.Browser().Post("/api/v1/demo/login", `{"user":"boss"}`).Fails(404, "identity.demo.off")
}
