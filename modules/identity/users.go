package identity

import (
	"context"
	"strings"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

type usersIn struct {
	Q      string  `query:"q" maxLength:"100" doc:"Part of the code or name"`
	Site   id.Site `query:"site" maxLength:"40" doc:"Only this site and those below"`
	Role   string  `query:"role" maxLength:"40"`
	After  string  `query:"after" maxLength:"200" doc:"The next of the page before"`
	Limit  int     `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Active bool    `query:"active" doc:"Only users in use"`
}

// UserView is a user in the directory; roles are shown to holders of identity.user.see.
type UserView struct {
	Code     id.User  `json:"code"`
	Name     string   `json:"name"`
	Site     id.Site  `json:"site"`
	SiteName string   `json:"site_name"`
	Rank     string   `json:"rank"`
	Active   bool     `json:"active"`
	Roles    []string `json:"roles,omitempty"`
}

type usersOut struct {
	Body struct {
		Items []UserView `json:"items"`
		Next  string     `json:"next,omitempty"`
	}
}

func (m *Module) listUsers(ctx context.Context, in *usersIn) (*usersOut, error) {
	snap := m.snap.Load()
	all, err := m.Users(ctx)
	if err != nil {
		return nil, err
	}
	page := store.Page{After: in.After, Limit: in.Limit}
	var after id.User
	if _, err := page.Key(&after); err != nil {
		return nil, err
	}
	rows := []UserView{}
	for _, p := range all {
		if p.Code > after && in.matches(snap, p) && len(rows) <= page.Rows() {
			rows = append(rows, snap.view(ctx, p))
		}
	}
	cut, err := store.Cut(page, rows, func(u UserView) []any { return []any{u.Code} })
	if err != nil {
		return nil, err
	}
	out := &usersOut{}
	out.Body.Items, out.Body.Next = cut.Rows, cut.Next
	return out, nil
}

func (in *usersIn) matches(snap *snapshot, p Person) bool {
	q := strings.ToLower(strings.TrimSpace(in.Q))
	switch {
	case in.Active && !p.Active:
		return false
	case in.Site != "" && !snap.within(p.Site, in.Site):
		return false
	case in.Role != "" && !contains(p.Roles, in.Role):
		return false
	}
	return q == "" || strings.Contains(strings.ToLower(string(p.Code)), q) || strings.Contains(strings.ToLower(p.Name), q)
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func (s *snapshot) view(ctx context.Context, p Person) UserView {
	v := UserView{Code: p.Code, Name: p.Name, Site: p.Site, SiteName: s.sites[p.Site].Name, Rank: p.Rank, Active: p.Active}
	if web.May(ctx, SeeUsers, p.Site) == nil {
		v.Roles = p.Roles
	}
	return v
}

type codeIn struct {
	Code id.User `path:"code" maxLength:"40"`
}

// UserDetail is a user for those who look after users.
type UserDetail struct {
	UserView
	Locale       string        `json:"locale"`
	Rights       []right.Right `json:"rights"`
	HasPassword  bool          `json:"has_password"`
	MustChange   bool          `json:"must_change"`
	TOTP         bool          `json:"totp"`
	BlockedUntil int64         `json:"blocked_until" doc:"After wrong passwords, unix ms; 0: not blocked"`
	SeenAt       int64         `json:"seen_at" doc:"Last use of a session, unix ms; 0: none"`
	CreatedAt    int64         `json:"created_at"`
	Manageable   bool          `json:"manageable" doc:"The caller may reset, unlock and change this user"`
}

type userOut struct{ Body UserDetail }

func (m *Module) getUser(ctx context.Context, in *codeIn) (*userOut, error) {
	snap := m.snap.Load()
	p, ok := snap.people[in.Code]
	if !ok {
		return nil, fault.New(fault.NotFound, "identity.user.missing", "user", string(in.Code))
	}
	if err := web.May(ctx, SeeUsers, p.Site); err != nil {
		return nil, err
	}
	a, err := m.account(ctx, m.db, p.Code)
	if err != nil {
		return nil, err
	}
	d := UserDetail{
		UserView: snap.view(ctx, p), Locale: p.Locale, HasPassword: a.password != "", MustChange: a.mustChange, TOTP: a.totpOn,
		Manageable: m.mayManage(ctx, p.Code) == nil,
	}
	held := snap.held(p)
	for _, r := range m.rights() {
		if held[r] {
			d.Rights = append(d.Rights, r)
		}
	}
	if d.BlockedUntil, err = m.blocked(ctx, p.Code); err != nil {
		return nil, err
	}
	if d.SeenAt, err = store.One(ctx, m.db, `SELECT COALESCE(MAX(seen_at), 0) FROM identity_session WHERE user_code = ?`, store.Col[int64], string(p.Code)); err != nil {
		return nil, err
	}
	d.CreatedAt, err = store.One(ctx, m.db, `SELECT created_at FROM identity_user WHERE code = ?`, store.Col[int64], string(p.Code))
	return &userOut{d}, err
}

func (m *Module) unlock(ctx context.Context, in *codeIn) (*struct{}, error) {
	if err := m.mayManage(ctx, in.Code); err != nil {
		return nil, err
	}
	return nil, m.release(ctx, in.Code)
}

type rightsOut struct {
	Body struct {
		Items []right.Right `json:"items"`
	}
}

func (m *Module) listRights(context.Context, *struct{}) (*rightsOut, error) {
	out := &rightsOut{}
	out.Body.Items = m.rights()
	return out, nil
}

type sitesOut struct {
	Body struct {
		Items []Site `json:"items"`
	}
}

func (m *Module) listSites(context.Context, *struct{}) (*sitesOut, error) {
	out := &sitesOut{}
	out.Body.Items = m.Sites()
	return out, nil
}
