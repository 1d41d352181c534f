package identity_test

import (
	"context"
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

// granted says, by post, what each of the shipped roles may. It is written out here, apart from the program, so
// that a change of either is noticed. The administrator may everything.
var granted = map[string]string{
	"leader": `desk.self.use desk.team.see routing.agent.manage report.wallboard.see report.interval.see
		report.interval.export report.contact.see voice.recording.play customer.person.see customer.number.reveal identity.user.see`,
	"agent":   `desk.self.use report.wallboard.see customer.person.see`,
	"quality": `report.wallboard.see report.interval.see report.contact.see voice.recording.play customer.person.see identity.user.see`,
	"manager": `desk.team.see desk.list.manage routing.queue.manage routing.agent.manage routing.skill.manage voice.flow.manage voice.prompt.manage
		voice.recording.play voice.recording.export report.wallboard.see report.interval.see report.interval.export report.contact.see
		customer.person.see customer.number.reveal calendar.day.manage identity.user.see identity.user.manage identity.audit.read
		platform.health.see`,
	"integrator": `desk.list.manage routing.queue.manage routing.skill.manage voice.number.manage voice.trunk.manage voice.phone.manage
		voice.flow.manage voice.prompt.manage calendar.day.manage identity.site.manage identity.token.manage
		platform.health.see platform.config.manage platform.config.see`,
}

// every lists every right asked for in the matrix: by ability and class of data.
const every = `desk.self.use desk.team.see desk.list.manage
	routing.queue.manage routing.agent.manage routing.skill.manage
	voice.number.manage voice.trunk.manage voice.phone.manage voice.flow.manage voice.prompt.manage
	voice.recording.play voice.recording.export
	report.wallboard.see report.interval.see report.interval.export report.contact.see
	customer.person.see customer.number.reveal
	calendar.day.manage platform.health.see platform.config.manage platform.config.see
	identity.user.see identity.user.manage identity.role.manage identity.site.manage identity.token.manage
	identity.oidc.manage identity.audit.read`

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
		rights := strings.Fields(every)
		var list []right.Right
		for _, r := range rights {
			list = append(list, right.Right(r))
		}
		h := people(t, db, func(d *identity.Deps) { d.Demo = true; d.Rights = func() []right.Right { return list } })
		var items []string
		for _, r := range identity.ShippedRoles() {
			var quoted []string
			for _, x := range r.Rights {
				quoted = append(quoted, fmt.Sprintf("%q", x))
			}
			items = append(items, fmt.Sprintf("  - {code: %s, name: %s, rights: [%s]}", r.Code, r.Name, strings.Join(quoted, ", ")))
		}
		file := "roles:\n" + strings.Join(items, "\n") + "\nusers:\n"
		roles := append([]string{"admin"}, slices.Sorted(maps.Keys(granted))...)
		for _, role := range roles {
			for _, site := range slices.Sorted(maps.Keys(covers)) {
				file += fmt.Sprintf("  - {code: %s.%s, name: x, site: %s, roles: [%s]}\n", role, site, site, role)
			}
		}
		h.apply(file)
		// The same house, with the probes beside the module's own routes.
		b := webtest.New(t, h.m, probe{list})

		cases, allows := 0, 0
		for _, role := range roles {
			may := strings.Fields(granted[role])
			if role == "admin" {
				may = rights
			}
			for _, home := range slices.Sorted(maps.Keys(covers)) {
				c := b.Browser()
				c.Post("/api/v1/demo/login", fmt.Sprintf(`{"user":"%s.%s"}`, role, home)).OK()
				for _, r := range rights {
					for _, site := range everySite {
						allow := slices.Contains(may, r) && slices.Contains(covers[home], site)
						a := c.Get("/api/v1/probe/" + r + "/" + string(site))
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
