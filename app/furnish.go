package app

import (
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"github.com/kapok-hotline/kapok/platform/audit"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// migrate brings every table to its newest form.
func (h *House) migrate(ctx context.Context) error {
	type set struct {
		name  string
		files fs.FS
	}
	sets := []set{{"audit", audit.Migrations()}}
	for _, m := range h.all {
		if x, ok := m.(hasMigrations); ok {
			sets = append(sets, set{m.Name(), x.Migrations()})
		}
	}
	for _, s := range sets {
		if err := h.db.Migrate(ctx, s.name, s.files); err != nil {
			return fmt.Errorf("tables of %s: %w", s.name, err)
		}
	}
	return nil
}

// routes opens the house's door: who answers for callers, and every module's requests.
func (h *House) routes() error {
	h.web.Identify(h.identity)
	h.web.Record(h.identity)
	for _, files := range houseTexts() {
		if err := h.web.Texts().Add(files); err != nil {
			return err
		}
	}
	api := h.web.API()
	for _, m := range h.all {
		if x, ok := m.(hasRoutes); ok {
			x.Routes(api)
		}
	}
	h.calendar.Routes(api, h.book, h.clock)
	h.book.Routes(api)
	h.houseRoutes(api)
	return nil
}

// auditChange writes each change of the configuration into the audit, in the change's own transaction.
func (h *House) auditChange(ctx context.Context, tx *store.Tx, c section.Change) error {
	caller, origin := web.CallerOf(ctx), web.OriginOf(ctx)
	return h.identity.Audit().AppendTx(ctx, tx, audit.Entry{
		At: h.clock.Now().UnixMilli(), Actor: caller.User, Site: caller.Site, IP: origin.IP, Session: caller.Session,
		Action: "config." + c.Kind, Subject: map[string]string{"section": c.Section, "code": c.Code}, Outcome: "ok",
		Detail: map[string]any{"fields": c.Fields}, Request: origin.Request,
	})
}

// devServer is a Vite server the pages are taken from while somebody works on them.
func devServer() *url.URL {
	u, err := url.Parse(os.Getenv("KAPOK_UI_DEV"))
	if err != nil || u.Host == "" {
		return nil
	}
	return u
}
