package identity_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/identity"
	"github.com/kapok-hotline/kapok/platform/audit"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
	"github.com/kapok-hotline/kapok/platform/web/webtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bureau is the configuration the tests start from. Every password is the user's code and "-Kapok9".
const bureau = `
bureau: {name: 广州市税务局12366, name_en: Guangzhou Tax 12366, timezone: Asia/Shanghai, site: gz}
sites:
  - {code: gd, name: 广东省, kind: province}
  - {code: gz, name: 广州, parent: gd, kind: city, area_code: "020"}
  - {code: gz-th, name: 天河区, parent: gz, kind: district}
  - {code: sz, name: 深圳, parent: gd, kind: city}
  - {code: sz-ns, name: 南山区, parent: sz, kind: district}
roles:
  - {code: admin, name: 系统管理员, rights: ["*"]}
  - {code: clerk, name: 人事, rights: [identity.user.see, identity.user.manage, desk.self.use]}
  - {code: agent, name: 坐席员, rights: [desk.self.use]}
users:
  - {code: boss, name: 管理员, site: gd, roles: [admin], password: boss-Kapok9, must_change: false}
  - {code: clerk, name: 人事员, site: gz, roles: [clerk], password: clerk-Kapok9, must_change: false}
  - {code: "1001", name: 坐席甲, site: gz, roles: [agent], rank: L3, password: 1001-Kapok9, must_change: false}
  - {code: "1002", name: 坐席乙, site: gz-th, roles: [agent], password: 1002-Kapok9}
  - {code: "2001", name: 深圳坐席, site: sz, roles: [agent], password: 2001-Kapok9, must_change: false}
  - {code: "3001", name: 离职者, site: gz, roles: [agent], active: false, password: 3001-Kapok9}
`

// house is a module behind a server.
type house struct {
	*webtest.Bench
	t    *testing.T
	db   *store.DB
	m    *identity.Module
	book *section.Book
	now  *clock.Manual
	dear bool // passwords are hashed as in production
}

type change func(*identity.Deps)

// dear asks for hashes as in production.
var dear change

// build makes a house without people.
func build(t *testing.T, db *store.DB, changes ...change) *house {
	t.Helper()
	h := &house{t: t, db: db, dear: len(changes) == 1 && changes[0] == nil, now: clock.NewManual(time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC))}
	deps := identity.Deps{DB: db, Node: "n1", Key: []byte("0123456789abcdef0123456789abcdef"), Clock: h.now}
	for _, c := range changes {
		if c != nil {
			c(&deps)
		}
	}
	h.m = identity.New(deps)
	if !h.dear {
		h.m.CheapHashes()
	}
	if err := db.Migrate(t.Context(), "identity", h.m.Migrations()); err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context(), "audit", audit.Migrations()); err != nil {
		t.Fatal(err)
	}
	var err error
	if h.book, err = section.New(t.Context(), section.Config{DB: db, Clock: h.now}, h.m.Sections()...); err != nil {
		t.Fatal(err)
	}
	if err := h.m.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.Bench = webtest.New(t, h.m, h.book)
	return h
}

// people makes a house with the bureau above.
func people(t *testing.T, db *store.DB, changes ...change) *house {
	t.Helper()
	h := build(t, db, changes...)
	h.apply(bureau)
	return h
}

// apply applies a configuration as the machine's owner.
func (h *house) apply(file string) section.Result {
	h.t.Helper()
	res, err := h.book.Apply(context.Background(), []byte(file), section.Options{By: "test"})
	if err != nil {
		h.t.Fatal(err)
	}
	if len(res.Problems) > 0 {
		h.t.Fatal(res.Problems)
	}
	return res
}

// signIn gives a browser in which the user has signed in.
func (h *house) signIn(user id.User) *webtest.Client {
	h.t.Helper()
	c := h.Browser()
	c.Post("/api/v1/login", map[string]string{"user": string(user), "password": string(user) + "-Kapok9"}).OK()
	return c
}

func login(user, password string) map[string]string {
	return map[string]string{"user": user, "password": password}
}

func TestMigrations(t *testing.T) {
	storetest.Migrations(t, "identity", identity.New(identity.Deps{}).Migrations())
}

func TestTextsAndRoutes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db)
		texts := h.Server.Texts()
		if d := cmp.Diff(texts.Keys("zh"), texts.Keys("en")); d != "" {
			t.Error(d)
		}
		if n := h.CheckRoutes(append(h.m.Rights(), section.Rights()...)...); n < 40 {
			t.Errorf("%d routes", n)
		}
		for _, r := range h.m.Rights() {
			if !r.Valid() {
				t.Errorf("right %q", r)
			}
		}
	})
}

func TestPeople(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := people(t, db)
		for _, c := range []struct {
			site, root id.Site
			want       bool
		}{
			{"gz", "gz", true},
			{"gz-th", "gz", true},
			{"gz-th", "gd", true},
			{"gz", "gz-th", false},
			{"sz", "gz", false},
			{"gd", "gz", false},
			{"nowhere", "gd", false},
			{"nowhere", "nowhere", false},
			{"gz", "", false},
			{"", "", false},
		} {
			if got := h.m.Within(c.site, c.root); got != c.want {
				t.Errorf("Within(%q, %q) = %v", c.site, c.root, got)
			}
		}
		if got := h.m.Subtree("gz"); !slices.Equal(got, []id.Site{"gz", "gz-th"}) {
			t.Errorf("subtree %v", got)
		}
		if p, ok := h.m.Person("1001"); !ok || p.Name != "坐席甲" || p.Site != "gz" || p.Rank != "L3" || !p.Active {
			t.Errorf("%+v", p)
		}
		if names := h.m.Names("1001", "nobody"); len(names) != 1 || names["1001"] != "坐席甲" {
			t.Errorf("%v", names)
		}
		if all, err := h.m.Users(t.Context()); err != nil || len(all) != 6 || all[0].Code != "1001" {
			t.Errorf("%v %v", all, err)
		}
		if z := h.m.Timezone("gz-th"); z != "Asia/Shanghai" {
			t.Errorf("zone %q", z)
		}
	})
}

// Start follows what another process changed.
func TestStartFollowsOtherProcesses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		bus := &wire{}
		h := people(t, db, func(d *identity.Deps) { d.Bus = bus })
		other := identity.New(identity.Deps{DB: db, Node: "n2", Bus: bus, Clock: h.now})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- other.Start(ctx) }()
		<-other.Ready()
		if p, _ := other.Person("1001"); p.Name != "坐席甲" {
			t.Errorf("%+v", p)
		}
		h.apply(`users: [{code: "1001", name: 改名, site: gz, roles: [agent]}]`)
		for range 200 {
			if p, _ := other.Person("1001"); p.Name == "改名" {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if p, _ := other.Person("1001"); p.Name != "改名" {
			t.Error("the other process did not hear of it")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// wire is a bus within the test.
type wire struct{ hear []func(string, []byte) }

func (w *wire) Publish(subject string, _ any) error {
	for _, f := range w.hear {
		f(subject, nil)
	}
	return nil
}

func (w *wire) Hear(_ string, f func(string, []byte)) (func(), error) {
	w.hear = append(w.hear, f)
	return func() {}, nil
}

func has(t *testing.T, body []byte, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(string(body), p) {
			t.Errorf("%s is not in %s", p, body)
		}
	}
}
