package identity

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// MeView is what a page needs to know of who uses it.
type MeView struct {
	User       id.User       `json:"user"`
	Name       string        `json:"name"`
	Site       id.Site       `json:"site"`
	SiteName   string        `json:"site_name"`
	Rank       string        `json:"rank"`
	Roles      []string      `json:"roles"`
	Rights     []right.Right `json:"rights" doc:"Everything the user may, within their site and those below"`
	Locale     string        `json:"locale"`
	MustChange bool          `json:"must_change"`
	TOTP       bool          `json:"totp" doc:"Signing in needs a code"`
	Demo       bool          `json:"demo"`
	Session    string        `json:"session,omitempty" doc:"Id of the login session, to tell this page from another computer's"`
	Bureau     BureauView    `json:"bureau"`
}

// BureauView is the organisation's name.
type BureauView struct {
	Name     string `json:"name"`
	NameEN   string `json:"name_en"`
	Timezone string `json:"timezone"`
}

type meOut struct{ Body MeView }

func (m *Module) me(ctx context.Context, _ *struct{}) (*meOut, error) {
	c := web.CallerOf(ctx)
	snap := m.snap.Load()
	p := snap.people[c.User]
	out := &meOut{Body: MeView{
		User: c.User, Name: c.Name, Site: c.Site, SiteName: snap.sites[c.Site].Name, Rank: p.Rank, Roles: p.Roles,
		Rights: slices.Sorted(maps.Keys(c.Rights)), Locale: web.Locale(ctx), MustChange: c.Only != "", Demo: m.deps.Demo, Session: c.Session,
		Bureau: BureauView{Name: snap.bureau.Name, NameEN: snap.bureau.NameEN, Timezone: snap.bureau.Timezone},
	}}
	on, err := store.One(ctx, m.db, `SELECT totp_on FROM identity_user WHERE code = ?`, store.Col[bool], string(c.User))
	if err != nil && !errors.Is(err, store.ErrNotFound) { // the system has no row
		return nil, err
	}
	out.Body.TOTP = on
	return out, nil
}

type localeIn struct {
	Body struct {
		Locale string `json:"locale" enum:"zh,en"`
	}
}

func (m *Module) setLocale(ctx context.Context, in *localeIn) (*struct{}, error) {
	err := store.Change(ctx, m.db, `UPDATE identity_user SET locale = ? WHERE code = ?`, in.Body.Locale, string(web.Principal(ctx).User))
	if err != nil {
		return nil, err
	}
	return nil, m.changed(ctx)
}

type passwordIn struct {
	Body struct {
		Old string `json:"old" minLength:"1" maxLength:"512"`
		New string `json:"new" minLength:"1" maxLength:"512"`
	}
}

// setPassword changes the caller's own password and ends their other sessions.
func (m *Module) setPassword(ctx context.Context, in *passwordIn) (*struct{}, error) {
	c := web.CallerOf(ctx)
	from := web.OriginOf(ctx)
	if c.Session == "" {
		return nil, fault.New(fault.Forbidden, "identity.session.required")
	}
	if err := m.allowed(ctx, string(c.User), from.IP); err != nil {
		return nil, err
	}
	a, err := m.account(ctx, m.db, c.User)
	if err != nil {
		return nil, err
	}
	ok, err := m.hasher.check(ctx, a.password, in.Body.Old)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errors.Join(fault.New(fault.Invalid, "identity.password.wrong").At("old"), m.failed(ctx, string(c.User), from.IP))
	}
	if in.Body.Old == in.Body.New {
		return nil, fault.New(fault.Invalid, "identity.password.same").At("new")
	}
	return nil, m.choose(ctx, c.User, in.Body.New, "new", c.Session)
}

// choose stores a password its owner chose and ends their sessions but one.
func (m *Module) choose(ctx context.Context, u id.User, password, field, keep string) error {
	if err := m.hasher.rule(u, password); err != nil {
		var f *fault.Fault
		if errors.As(err, &f) {
			f.At(field)
		}
		return err
	}
	hash, err := m.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	return m.db.Tx(ctx, func(tx *store.Tx) error {
		if err := store.Change(ctx, tx, `UPDATE identity_user SET password = ?, must_change = FALSE, changed_at = ? WHERE code = ?`,
			hash, m.now(), string(u)); err != nil {
			return err
		}
		return m.endAll(ctx, tx, u, keep)
	})
}
