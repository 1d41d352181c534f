package identity_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/modules/identity"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// applyItems applies identity's part of a set-up as one file (JSON is YAML).
func (h *house) applyItems(ctx context.Context, items identity.SetupItems) error {
	file, err := json.Marshal(items)
	if err != nil {
		return err
	}
	res, err := h.book.Apply(ctx, file, section.Options{By: "setup"})
	if err == nil && len(res.Problems) > 0 {
		err = fmt.Errorf("%v", res.Problems)
	}
	return err
}

func TestApplyingTwiceChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		if res := h.apply(bureau); len(res.Changes) != 0 {
			t.Errorf("%+v", res.Changes)
		}
		// A person's own choice is not undone by the file that gave the first password.
		c := h.signIn("1001")
		c.Put("/api/v1/me/password", `{"old":"1001-Kapok9","new":"Fresh-Start-1"}`).OK()
		h.apply(bureau)
		h.Browser().Post("/api/v1/login", login("1001", "Fresh-Start-1")).OK()
		// A new password in the file is a new password.
		res := h.apply(`users: [{code: "1001", name: 坐席甲, site: gz, roles: [agent], rank: L3, password: Other-Kapok9}]`)
		if len(res.Changes) != 1 {
			t.Errorf("%+v", res.Changes)
		}
		c.Get("/api/v1/me").Fails(401, "web.session.missing")
		has(t, h.Browser().Post("/api/v1/login", login("1001", "Other-Kapok9")).OK().Body, `"must_change":true`)
	})
}

func TestConfigurationProblems(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		for _, c := range []struct{ name, file, code, path string }{
			{"a circle of sites", `sites: [{code: gd, name: x, parent: gz-th}]`, "identity.site.circle", "sites[gd].parent"},
			{"a site that is its own parent", `sites: [{code: gd, name: x, parent: gd}]`, "identity.site.circle", "sites[gd].parent"},
			{"an unknown zone", `sites: [{code: gd, name: x, timezone: Asia/Canton}]`, "identity.timezone.unknown", "sites[gd].timezone"},
			{"an unknown zone of the bureau", `bureau: {name: x, timezone: Mars/Base}`, "identity.timezone.unknown", "bureau.timezone"},
			{"an unknown right", `roles: [{code: r, name: x, rights: [desk.self.use, desk.self.us]}]`, "identity.right.unknown", "roles[r].rights[1]"},
			{"a common password", `users: [{code: u, name: x, site: gz, password: kapok12366}]`, "identity.password.common", "users[u].password"},
			{"a short password", `users: [{code: u, name: x, site: gz, password: ab1}]`, "identity.password.short", "users[u].password"},
			{"an unknown role", `users: [{code: u, name: x, site: gz, roles: [agnt]}]`, "section.ref.near", "users[u].roles[0]"},
			{"an unknown site", `users: [{code: u, name: x, site: gzz}]`, "section.ref.near", "users[u].site"},
			{"OIDC without an issuer", `oidc: {enabled: true, client_id: k}`, "identity.oidc.issuer", "oidc.issuer"},
			{"OIDC in the open", `oidc: {enabled: true, client_id: k, issuer: "http://idp.example"}`, "identity.oidc.issuer", "oidc.issuer"},
		} {
			res, err := h.book.Apply(t.Context(), []byte(c.file), section.Options{})
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			found := false
			for _, p := range res.Problems {
				found = found || p.Code == c.code && p.Path == c.path && p.Line > 0
			}
			if !found {
				t.Errorf("%s: %v, want %s at %s", c.name, res.Problems, c.code, c.path)
			}
		}
	})
}

func TestNobodyLocksEverybodyOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		h.apply(`users: [{code: clerk, name: 人事员, site: gz, roles: [agent]}]`)
		for name, file := range map[string]string{
			"the last one leaves":       `users: [{code: boss, name: x, site: gd, roles: [admin], active: false}]`,
			"the last one is made less": `users: [{code: boss, name: x, site: gd, roles: [agent]}]`,
			"the role is emptied":       `roles: [{code: admin, name: x, rights: [desk.self.use]}]`,
		} {
			_, err := h.book.Apply(t.Context(), []byte(file), section.Options{})
			if err == nil || !strings.Contains(err.Error(), "identity.user.last") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if p, _ := h.m.Person("boss"); !p.Active || p.Roles[0] != "admin" {
			t.Errorf("%+v", p)
		}
		// Handing over in one file is fine.
		h.apply(`
users:
  - {code: boss, name: x, site: gd, roles: [agent]}
  - {code: clerk, name: y, site: gd, roles: [admin]}`)
	})
}

func TestSectionsAtTheAPI(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		h.apply(`
roles: [{code: local, name: 站点管理, rights: [identity.site.manage, identity.user.see]}]
users: [{code: sites, name: 站点员, site: gz, roles: [local], password: sites-Kapok9, must_change: false}]
seats: [{code: A01, site: gz, zone: A}, {code: S01, site: sz}]`)
		boss, sites, agent := h.signIn("boss"), h.signIn("sites"), h.signIn("1001")
		h.Run(
			webtest.Scenario{Name: "users come without secrets", By: boss, URL: "/api/v1/config/users", Status: 200, Want: []string{`"code":"1001"`}, Not: []string{"password", "argon2", "Kapok9"}},
			webtest.Scenario{Name: "an agent sees no users' configuration", By: agent, URL: "/api/v1/config/users", Status: 403},
			webtest.Scenario{Name: "a site below", By: sites, Method: "PUT", URL: "/api/v1/config/sites/gz-hz", Body: `{"code":"gz-hz","name":"海珠区","parent":"gz","kind":"district"}`, Status: 200},
			webtest.Scenario{Name: "a site beside", By: sites, Method: "PUT", URL: "/api/v1/config/sites/sz-ft", Body: `{"code":"sz-ft","name":"x","parent":"sz"}`, Status: 403, Code: "identity.site.above"},
			webtest.Scenario{Name: "a site moved away", By: sites, Method: "PUT", URL: "/api/v1/config/sites/gz-th", Body: `{"code":"gz-th","name":"x","parent":"sz"}`, Status: 403, Code: "identity.site.above"},
			webtest.Scenario{Name: "a site taken over", By: sites, Method: "PUT", URL: "/api/v1/config/sites/sz-ns", Body: `{"code":"sz-ns","name":"x","parent":"gz"}`, Status: 403, Code: "identity.site.above"},
			webtest.Scenario{Name: "a new top", By: sites, Method: "PUT", URL: "/api/v1/config/sites/top", Body: `{"code":"top","name":"x"}`, Status: 403, Code: "identity.site.above"},
			webtest.Scenario{Name: "a seat of one's own", By: sites, Method: "PUT", URL: "/api/v1/config/seats/A02", Body: `{"code":"A02","site":"gz"}`, Status: 200},
			webtest.Scenario{Name: "a seat beside", By: sites, Method: "PUT", URL: "/api/v1/config/seats/S01", Body: `{"code":"S01","site":"gz"}`, Status: 403},
			webtest.Scenario{Name: "a user gone", By: boss, Method: "DELETE", URL: "/api/v1/config/users/2001", Status: 200},
			webtest.Scenario{Name: "the tree", By: agent, URL: "/api/v1/sites", Status: 200, Want: []string{"gz-hz", "南山区"}, Not: []string{"sz-ft"}},
			webtest.Scenario{Name: "directory by part of a name", By: agent, URL: "/api/v1/users?q=%E5%9D%90%E5%B8%AD", Status: 200, Want: []string{`"1001"`, `"1002"`}, Not: []string{`"boss"`, `"roles"`, `"2001"`}},
			webtest.Scenario{Name: "directory of a subtree", By: agent, URL: "/api/v1/users?site=gz-th", Status: 200, Want: []string{`"1002"`}, Not: []string{`"1001"`}},
			webtest.Scenario{Name: "who may, sees roles", By: boss, URL: "/api/v1/users?q=1001", Status: 200, Want: []string{`"roles":["agent"]`}},
			webtest.Scenario{Name: "a user in detail", By: boss, URL: "/api/v1/users/1002", Status: 200, Want: []string{`"must_change":true`, `"manageable":true`, `"has_password":true`}},
			webtest.Scenario{Name: "nobody", By: boss, URL: "/api/v1/users/nobody", Status: 404, Code: "identity.user.missing"},
		)
		var page struct {
			Items []identity.UserView
			Next  string
		}
		seen, url := 0, "/api/v1/users?limit=2"
		for range 10 {
			page.Next = ""
			agent.Get(url).OK().Into(&page)
			seen += len(page.Items)
			if page.Next == "" {
				break
			}
			url = "/api/v1/users?limit=2&after=" + page.Next
		}
		if seen != 6 {
			t.Errorf("%d users in pages", seen)
		}
	})
}

// Two hundred new users must not hold the one writer while their passwords are hashed.
func TestPasswordsAreHashedOutsideTheTransaction(t *testing.T) {
	db := storetest.SQLite(t)
	h := people(t, db, dear)
	file := "users:\n"
	for i := range 20 {
		file += fmt.Sprintf("  - {code: n%d, name: x, site: gz, password: n%d-Kapok99}\n", i, i)
	}
	h.apply(file)
	n, err := store.One(t.Context(), db, `SELECT COUNT(*) FROM identity_user WHERE code LIKE 'n%' AND password LIKE '$argon2id$v=19$m=19456,t=2,p=1$%'`, store.Col[int])
	if err != nil || n != 20 {
		t.Errorf("%d hashed, %v", n, err)
	}
	h.Browser().Post("/api/v1/login", login("n7", "n7-Kapok99")).OK()
}
