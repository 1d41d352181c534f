package identity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kapok-hotline/kapok/modules/identity"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

type auditPage struct {
	Items []identity.AuditView
	Next  string
}

func TestWhatIsAudited(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		boss := h.signIn("boss")
		h.Browser().Post("/api/v1/login", login("1001", "nope"))
		h.Browser().Post("/api/v1/login", login("secret-typed-as-user", "nope"))
		h.now.Advance(time.Minute)
		agent := h.signIn("1001")
		agent.Get("/api/v1/users").OK() // looking at the directory is nobody's secret
		agent.Post("/api/v1/users/1002/unlock", nil)
		boss.Post("/api/v1/users/1002/unlock", nil).OK()
		boss.Put("/api/v1/config/users/1002", `{"code":"1002","name":"改名","site":"gz-th","roles":["agent"],"password":"Never-Logged-1"}`).OK()
		boss.Post("/api/v1/tokens", `{"user":"boss","name":"x"}`).OK()

		var page auditPage
		got := boss.Get("/api/v1/audit").OK().Into(&page)
		var lines []string
		for _, e := range page.Items {
			user, _ := e.Detail["user"].(string)
			lines = append(lines, string(e.Actor)+" "+e.Action+" "+e.Outcome+" "+user+e.Subject["code"])
		}
		want := []string{
			"boss POST /api/v1/tokens ok boss",
			"boss PUT /api/v1/config/{section}/{code} ok 1002",
			"boss POST /api/v1/users/{code}/unlock ok 1002",
			"1001 POST /api/v1/users/{code}/unlock web.right.missing 1002",
			"1001 POST /api/v1/login ok 1001",
			" POST /api/v1/login identity.login.wrong ",
			" POST /api/v1/login identity.login.wrong 1001",
			"boss POST /api/v1/login ok boss",
		}
		if d := cmp.Diff(want, lines); d != "" {
			t.Error(d)
		}
		for _, secret := range []string{"Kapok9", "Never-Logged", "secret-typed-as-user", "kapok_"} {
			if strings.Contains(string(got.Body), secret) {
				t.Errorf("the audit holds %q", secret)
			}
		}
		h.Run(
			webtest.Scenario{Name: "failures only", By: boss, URL: "/api/v1/audit?failed=true&actor=1001", Status: 200, Want: []string{"web.right.missing"}, Not: []string{`"outcome":"ok"`}},
			webtest.Scenario{Name: "a word", By: boss, URL: "/api/v1/audit?q=TOKENS", Status: 200, Want: []string{"/api/v1/tokens"}, Not: []string{"/login"}},
			webtest.Scenario{Name: "not for everybody", By: agent, URL: "/api/v1/audit", Status: 403, Code: "web.right.missing"},
			webtest.Scenario{Name: "a bad cursor", By: boss, URL: "/api/v1/audit?after=x", Status: 422, Code: "store.page.invalid"},
		)
	})
}

// Whoever reads the audit in a city sees what people of that city did.
func TestTheAuditIsScoped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		h.apply(`
roles: [{code: auditor, name: 审计, rights: [identity.audit.read]}]
users: [{code: auditor, name: 审计员, site: gz, roles: [auditor], password: auditor-Kapok9, must_change: false}]`)
		h.signIn("1001").Post("/api/v1/logout", nil).OK()
		h.signIn("2001").Post("/api/v1/logout", nil).OK()
		h.signIn("boss").Post("/api/v1/logout", nil).OK()
		a := h.signIn("auditor").Get("/api/v1/audit").OK()
		has(t, a.Body, `"actor":"1001"`)
		for _, other := range []string{`"actor":"2001"`, `"actor":"boss"`, `"actor":""`} {
			if strings.Contains(string(a.Body), other) {
				t.Errorf("the city's auditor sees %s", other)
			}
		}
	})
}

func TestTamperingShowsAtTheAPIAndTheDoctor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		boss := h.signIn("boss")
		boss.Post("/api/v1/users/1002/unlock", nil).OK()
		check := h.m.Invariants()[0]
		if b, err := check.Check(t.Context(), db); err != nil || len(b) != 0 {
			t.Fatalf("%v %v", b, err)
		}
		has(t, boss.Get("/api/v1/audit/verify").OK().Body, `"breaches":[]`, `"heads":[{"node":"n1"`)
		if _, err := store.Exec(t.Context(), db, `UPDATE audit_entry SET subject = '{"code":"1003"}' WHERE subject = '{"code":"1002"}'`); err != nil {
			t.Fatal(err)
		}
		b, err := check.Check(t.Context(), db)
		if err != nil || len(b) != 1 || b[0].Params["what"] != "changed" {
			t.Errorf("%v %v", b, err)
		}
		has(t, boss.Get("/api/v1/audit/verify").OK().Body, `"what":"changed"`)
	})
}
