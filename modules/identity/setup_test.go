package identity_test

import (
	"context"
	"testing"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/modules/identity"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/store/storetest"
)

func setupBody(token string) map[string]any {
	return map[string]any{
		"token":  token,
		"bureau": map[string]string{"name": "广州市税务局12366", "name_en": "Guangzhou Tax 12366", "timezone": "Asia/Shanghai"},
		"admin":  map[string]string{"user": "admin", "name": "管理员", "password": "First-Kapok9"},
		"hours":  map[string]any{"days": []int{1, 2, 3, 4, 5}, "from": "08:30", "to": "17:30", "lunch_from": "12:00", "lunch_to": "14:00"},
		"number": "12366",
		"agents": []map[string]string{{"user": "1001", "name": "坐席甲", "password": "1001-Kapok9"}},
	}
}

func TestSetup(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var got identity.Setup
		fail := true
		var h *house
		h = build(t, db, func(d *identity.Deps) {
			d.Bootstrap = func(ctx context.Context, s identity.Setup) error {
				got = s
				if fail {
					return fault.New(fault.Invalid, "voice.number.taken").At("number")
				}
				return h.applyItems(ctx, s.Items())
			}
		})
		first, needed, err := h.m.FirstRun(t.Context())
		if err != nil || !needed {
			t.Fatal(needed, err)
		}
		token, _, err := h.m.FirstRun(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b := h.Browser()
		has(t, b.Get("/api/v1/setup").OK().Body, `"needed":true`, `"valid":false`)
		has(t, b.Get("/api/v1/setup?token="+first).OK().Body, `"valid":false`) // a second start ends the first link
		has(t, b.Get("/api/v1/setup?token="+token).OK().Body, `"valid":true`)
		b.Post("/api/v1/setup", setupBody("guess")).Fails(404, "identity.link.invalid")

		weak := setupBody(token)
		weak["agents"] = []map[string]string{{"user": "1001", "name": "x", "password": "12345678"}}
		has(t, b.Post("/api/v1/setup", weak).Fails(422, "identity.password.common").Body, `"field":"agents[0].password"`)
		twice := setupBody(token)
		twice["agents"] = []map[string]string{{"user": "admin", "name": "x", "password": "Other-Kapok9"}}
		b.Post("/api/v1/setup", twice).Fails(422, "identity.user.twice")
		zone := setupBody(token)
		zone["bureau"] = map[string]string{"name": "x", "timezone": "Asia/Nowhere"}
		b.Post("/api/v1/setup", zone).Fails(422, "identity.timezone.unknown")

		// Nothing is kept of a set-up that fails, and its link still works.
		b.Post("/api/v1/setup", setupBody(token)).Fails(422, "voice.number.taken")
		for _, table := range []string{"identity_user", "identity_site", "identity_role", "identity_bureau"} {
			if n, err := store.One(t.Context(), db, `SELECT COUNT(*) FROM `+table, store.Col[int]); err != nil || n != 0 {
				t.Errorf("%s holds %d rows, %v", table, n, err)
			}
		}
		has(t, b.Get("/api/v1/setup?token="+token).OK().Body, `"needed":true`, `"valid":true`)

		fail = false
		has(t, b.Post("/api/v1/setup", setupBody(token)).OK().Body, `"user":"admin"`, `"must_change":false`)
		if got.Number != "12366" || got.Hours.From != "08:30" || len(got.Hours.Days) != 5 || len(got.Agents) != 1 {
			t.Errorf("the app was given %+v", got)
		}
		has(t, b.Get("/api/v1/me").OK().Body, `"roles":["admin"]`, `"name":"广州市税务局12366"`, "identity.user.manage")
		has(t, b.Get("/api/v1/setup?token="+token).OK().Body, `"needed":false`, `"valid":false`)
		b.Post("/api/v1/setup", setupBody(token)).Fails(409, "identity.setup.done")
		agent := h.Browser()
		has(t, agent.Post("/api/v1/login", login("1001", "1001-Kapok9")).OK().Body, `"must_change":true`)
		if _, needed, err := h.m.FirstRun(t.Context()); needed || err != nil {
			t.Error(needed, err)
		}
	})
}

func TestSetupWithoutAnApp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db)
		token, _, err := h.m.FirstRun(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b := h.Browser()
		b.Post("/api/v1/setup", setupBody(token)).OK()
		has(t, b.Get("/api/v1/me").OK().Body, `"site":"main"`, `"timezone":"Asia/Shanghai"`)
		has(t, b.Get("/api/v1/config/roles").OK().Body, `"leader"`, `"integrator"`)
		// Applied as a configuration it would change nothing.
		if err := h.applyItems(t.Context(), identity.Setup{
			Bureau: identity.SetupBureau{Name: "广州市税务局12366", NameEN: "Guangzhou Tax 12366"},
			Admin:  identity.SetupPerson{User: "admin", Name: "管理员", Password: "First-Kapok9"},
			Agents: []identity.SetupAgent{{User: "1001", Name: "坐席甲", Password: "1001-Kapok9"}},
		}.Items()); err != nil {
			t.Fatal(err)
		}
		if v, err := h.book.Version(t.Context()); err != nil || v != 0 {
			t.Errorf("the same items changed something: version %d, %v", v, err)
		}
	})
}

func TestTheLinkEnds(t *testing.T) {
	db := storetest.SQLite(t)
	h := build(t, db)
	token, _, err := h.m.FirstRun(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.now.Advance(8 * 24 * time.Hour)
	h.As("").Post("/api/v1/setup", setupBody(token)).Fails(404, "identity.link.invalid")
}

func TestTheFirstPeopleBeginInTheWizardsLanguage(t *testing.T) {
	for asked, want := range map[string]string{"": "zh", "zh": "zh", "en": "en"} {
		items := identity.Setup{Locale: asked, Agents: []identity.SetupAgent{{User: "1001"}}}.Items()
		for _, u := range items.Users {
			if u.Locale != want {
				t.Errorf("set up in %q, %q begins in %q", asked, u.Code, u.Locale)
			}
		}
	}
}
