package app

import (
	"encoding/json"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/modules/alert"
	"github.com/kapok-hotline/kapok/modules/caller"
	"github.com/kapok-hotline/kapok/modules/customer"
	"github.com/kapok-hotline/kapok/modules/desk"
	"github.com/kapok-hotline/kapok/modules/identity"
	"github.com/kapok-hotline/kapok/modules/missed"
	"github.com/kapok-hotline/kapok/modules/outbound"
	"github.com/kapok-hotline/kapok/modules/report"
	"github.com/kapok-hotline/kapok/modules/routing"
	"github.com/kapok-hotline/kapok/modules/voice"
	"github.com/kapok-hotline/kapok/platform/audit"
	"github.com/kapok-hotline/kapok/platform/calendar"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

// open to everybody: what is needed before anybody has signed in, what tells nothing, and phones, which have a
// password of their own.
var public = []string{
	"GET /api/openapi.json", "GET /healthz", "POST /api/v1/login", "POST /api/v1/logout", "GET /api/v1/password/reset", "POST /api/v1/password/reset",
	"GET /api/v1/setup", "POST /api/v1/setup", "GET /api/v1/demo/logins", "POST /api/v1/demo/login",
	"GET /api/v1/oidc", "GET /api/v1/oidc/start", "GET /api/v1/oidc/callback", "GET /sip",
}

// rights of the administrator alone, who holds all.
var adminOnly = []right.Right{"identity.role.manage", "identity.oidc.manage", "platform.house.run", "voice.secret.play"}

// TestHouseConforms holds the house as a whole against the rules every module keeps.
func TestHouseConforms(t *testing.T) {
	h := openTest(t)
	t.Run("every route names a right", func(t *testing.T) { routesNameRights(t, h) })
	t.Run("every right is declared, granted and named", func(t *testing.T) { rightsAreGranted(t, h) })
	t.Run("every section and field has a title", func(t *testing.T) { sectionsHaveTitles(t, h) })
	t.Run("every invariant has a name and holds", func(t *testing.T) { invariantsHaveNames(t, h) })
}

func routesNameRights(t *testing.T, h *House) {
	declared := h.rights()
	seen := map[string]bool{}
	for _, r := range h.web.API().Routes() {
		name := strings.TrimSpace(r.Method + " " + r.Path)
		if seen[name] {
			t.Errorf("%s is there twice", name)
		}
		seen[name] = true
		switch {
		case r.Right == right.Public:
			if !slices.Contains(public, name) {
				t.Errorf("%s is open to everybody", name)
			}
		case !slices.Contains(declared, r.Right):
			t.Errorf("%s asks for %s, which nobody declares", name, r.Right)
		}
	}
	if len(seen) < 50 {
		t.Errorf("only %d routes", len(seen))
	}
}

func rightsAreGranted(t *testing.T, h *House) {
	texts := sentences(t)
	granted := map[right.Right]bool{right.Own: true}
	for _, role := range right.Shipped() {
		for _, r := range role.Rights {
			granted[r] = true
		}
	}
	declared := h.rights()
	for _, r := range declared {
		if !r.Valid() {
			t.Errorf("%s is no right", r)
		}
		if granted[r] == slices.Contains(adminOnly, r) {
			t.Errorf("%s: granted by a shipped role is %v", r, granted[r])
		}
		for lang := range texts {
			if r != right.Own && texts[lang]["right."+string(r)] == "" {
				t.Errorf("%s: no name for the right %s", lang, r)
			}
		}
	}
	for r := range maps.Keys(granted) {
		if r != right.All && !slices.Contains(declared, r) {
			t.Errorf("a shipped role grants %s, which nobody declares", r)
		}
	}
}

// field is what the pages get of a section's field.
type field struct {
	Title                string
	Properties           map[string]*field
	Items                *field
	AdditionalProperties *field
}

func sectionsHaveTitles(t *testing.T, h *House) {
	for _, lang := range []string{"zh_CN.UTF-8", "en_GB.UTF-8"} {
		t.Setenv("LC_ALL", lang)
		b, err := newAdmin(h.o.Data).do(t.Context(), http.MethodGet, "/api/v1/config", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		var list []struct {
			Key, Title string
			Schema     *field
		}
		if err := json.Unmarshal(b, &list); err != nil {
			t.Fatal(err)
		}
		if len(list) < 15 {
			t.Errorf("only %d sections", len(list))
		}
		for _, s := range list {
			if s.Title == "" || s.Title == s.Key {
				t.Errorf("%s: the section %s has no title", lang, s.Key)
			}
			untitled(t, lang, "section."+s.Key, s.Schema)
		}
	}
}

func untitled(t *testing.T, lang, path string, f *field) {
	if f == nil {
		return
	}
	untitled(t, lang, path, f.Items)
	untitled(t, lang, path, f.AdditionalProperties)
	for name, p := range f.Properties {
		if p.Title == "" {
			t.Errorf("%s: no text %s.%s", lang, path, name)
		}
		untitled(t, lang, path+"."+name, p)
	}
}

func invariantsHaveNames(t *testing.T, h *House) {
	texts := sentences(t)
	d := h.diagnose(t.Context())
	if len(d.Findings) < 8 || len(d.Errors) > 0 || !d.Healthy {
		t.Errorf("the doctor says %+v", d)
	}
	for _, f := range d.Findings {
		for lang := range texts {
			if texts[lang][f.Name] == "" {
				t.Errorf("%s: no sentence for the invariant %s", lang, f.Name)
			}
		}
	}
}

// TestEveryModuleMigrates makes all tables, twice over, on both databases, in one of each.
func TestEveryModuleMigrates(t *testing.T) {
	sets := map[string]fs.FS{"audit": audit.Migrations(), "calendar": calendar.Migrations(), "section": section.Migrations()}
	for _, m := range []interface {
		module
		hasMigrations
	}{
		(*identity.Module)(nil), (*customer.Module)(nil), (*report.Module)(nil), (*routing.Module)(nil),
		(*voice.Module)(nil), (*desk.Module)(nil), (*alert.Module)(nil), (*missed.Module)(nil), (*outbound.Module)(nil), (*caller.Module)(nil),
	} {
		sets[m.Name()] = m.Migrations()
	}
	for name, files := range sets {
		storetest.Migrations(t, name, files)
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for range 2 {
			for _, name := range slices.Sorted(maps.Keys(sets)) {
				if err := db.Migrate(t.Context(), name, sets[name]); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	})
}
