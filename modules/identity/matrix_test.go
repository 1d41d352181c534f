package identity_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/modules/identity"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

// matrix gives the rights asked for, and what each of the shipped roles holds of them: the roles are data, and what
// they say is what the API has to do. Rights no role names but the administrator's are among them.
func matrix() (rights []right.Right, roles map[string][]right.Right) {
	roles = map[string][]right.Right{}
	rights = identity.New(identity.Deps{}).Rights()
	for _, role := range right.Shipped() {
		rights = append(rights, role.Rights...)
		roles[role.Code] = role.Rights
	}
	rights = append(rights, "platform.house.run", "ticket.tipoff.see")
	slices.Sort(rights)
	rights = slices.DeleteFunc(slices.Compact(rights), func(r right.Right) bool { return r == right.All || r == right.Own })
	return rights, roles
}

// covers says which sites a person's rights reach, by where the person is.
var covers = map[id.Site][]id.Site{
	"gd":    {"gd", "gz", "gz-th", "sz", "sz-ns"},
	"gz":    {"gz", "gz-th"},
	"sz-ns": {"sz-ns"},
}

var everySite = []id.Site{"gd", "gz", "gz-th", "sz", "sz-ns", "nowhere"}

// probe has one route per right: something of that class of data at a site.
type probe struct{ rights []right.Right }

func (p probe) Routes(api *web.API) {
	for _, r := range p.rights {
		web.Get(api, "/api/v1/probe/"+string(r)+"/{site}", r, "Probe", func(ctx context.Context, in *struct {
			Site id.Site `path:"site"`
		},
		) (*struct{}, error) {
			return &struct{}{}, web.May(ctx, r, in.Site)
		})
	}
}

// TestMatrix makes an allow or deny case of every role × place × right × site, with real people and sessions,
// and asks each at the API.
func TestMatrix(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		rights, roles := matrix()
		h := people(t, db, func(d *identity.Deps) { d.Demo = true; d.Rights = func() []right.Right { return rights } })
		names := slices.Sorted(maps.Keys(roles))
		var users []identity.User
		for _, role := range names {
			for _, site := range slices.Sorted(maps.Keys(covers)) {
				users = append(users, identity.User{Code: id.User(role + "." + string(site)), Name: "x", Site: site, Roles: []string{role}, Active: true})
			}
		}
		file, err := json.Marshal(map[string]any{"roles": identity.ShippedRoles(), "users": users})
		if err != nil {
			t.Fatal(err)
		}
		h.apply(string(file))
		// The same house, with the probes beside the module's own routes.
		b := webtest.New(t, h.m, probe{rights})

		cases, allows := 0, 0
		for _, role := range names {
			may := roles[role]
			if slices.Contains(may, right.All) {
				may = rights
			}
			for _, home := range slices.Sorted(maps.Keys(covers)) {
				c := b.Browser()
				c.Post("/api/v1/demo/login", fmt.Sprintf(`{"user":"%s.%s"}`, role, home)).OK()
				for _, r := range rights {
					for _, site := range everySite {
						allow := slices.Contains(may, r) && slices.Contains(covers[home], site)
						a := c.Get("/api/v1/probe/" + string(r) + "/" + string(site))
						cases++
						switch {
						case allow && a.Status != 204:
							t.Errorf("%s at %s is refused %s at %s: %d %s", role, home, r, site, a.Status, a.Body)
						case !allow && (a.Status != 403 || a.Code() != "web.right.missing"):
							t.Errorf("%s at %s is let through to %s at %s: %d", role, home, r, site, a.Status)
						}
						if allow {
							allows++
						}
					}
				}
			}
		}
		if cases < 600 || allows < 100 || cases-allows < 100 {
			t.Errorf("%d cases, %d of them allowed", cases, allows)
		}
		t.Logf("%d cases: %d allowed, %d denied", cases, allows, cases-allows)
	})
}

// TestEveryRouteIsClosed asks every route of the house without a session, and with one that holds no right.
func TestEveryRouteIsClosed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		h.apply(`users: [{code: new, name: 新人, site: gz, password: new-Kapok99, must_change: false}]`)
		signedIn := h.Browser()
		signedIn.Post("/api/v1/login", login("new", "new-Kapok99")).OK()
		closed := 0
		for _, r := range h.Server.API().Routes() {
			if r.Right == right.Public {
				continue
			}
			url := strings.NewReplacer("{code}", "1001", "{id}", "x", "{section}", "users").Replace(r.Path)
			if a := h.As("").Do(r.Method, url, nil); a.Status != 401 {
				t.Errorf("%s %s answers nobody with %d", r.Method, r.Path, a.Status)
			}
			if r.Right != right.Own {
				signedIn.Do(r.Method, url, nil).Fails(403, "web.right.missing")
			}
			closed++
		}
		if closed < 25 {
			t.Errorf("only %d routes ask for a right", closed)
		}
	})
}
