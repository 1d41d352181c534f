package identity

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Setup is what the first administrator fills in, on one page.
type Setup struct {
	Bureau SetupBureau  `json:"bureau"`
	Admin  SetupPerson  `json:"admin"`
	Hours  SetupHours   `json:"hours,omitempty" required:"false"`
	Number string       `json:"number,omitempty" maxLength:"20" pattern:"^[0-9*#+]*$" doc:"The hotline's number, 12366"`
	Agents []SetupAgent `json:"agents,omitempty" maxItems:"500"`
	Locale string       `json:"locale,omitempty" enum:"zh,en" doc:"Language of the page it was filled in on; the first people begin in it (zh without it)"`
}

// SetupBureau is the organisation.
type SetupBureau struct {
	Name     string `json:"name" minLength:"1" maxLength:"100"`
	NameEN   string `json:"name_en,omitempty" maxLength:"100"`
	Timezone string `json:"timezone,omitempty" maxLength:"60" doc:"Asia/Shanghai without it"`
}

// SetupPerson is the first administrator.
type SetupPerson struct {
	User     id.User `json:"user" minLength:"1" maxLength:"40" pattern:"^[A-Za-z0-9_.@-]+$"`
	Name     string  `json:"name" minLength:"1" maxLength:"100"`
	Password string  `json:"password" minLength:"1" maxLength:"512"`
}

// SetupAgent is one of the first agents; they choose another password when they first sign in.
type SetupAgent SetupPerson

// SetupHours are the opening hours: days 1 (Monday) to 7, "08:30".
type SetupHours struct {
	Days      []int  `json:"days,omitempty" maxItems:"7"`
	From      string `json:"from,omitempty" maxLength:"5"`
	To        string `json:"to,omitempty" maxLength:"5"`
	LunchFrom string `json:"lunch_from,omitempty" maxLength:"5"`
	LunchTo   string `json:"lunch_to,omitempty" maxLength:"5"`
}

// SetupSite is the code of the site the first set-up makes.
const SetupSite id.Site = "main"

const setupLife = 7 * 24 * time.Hour

// FirstRun reports whether nobody has a login yet and, if so, gives the token of a new one-time link
// (/setup?token=…) for the first administrator; links given before end.
func (m *Module) FirstRun(ctx context.Context) (token string, needed bool, err error) {
	if needed, err = m.empty(ctx); err != nil || !needed {
		return "", false, err
	}
	token, _, err = m.newLink(ctx, setupLink, "", setupLife)
	return token, true, err
}

func (m *Module) empty(ctx context.Context) (bool, error) {
	n, err := store.One(ctx, m.db, `SELECT COUNT(*) FROM identity_user`, store.Col[int64])
	return n == 0, err
}

type lookSetupIn struct {
	Token string `query:"token" maxLength:"100"`
}

type lookSetupOut struct {
	Body struct {
		Needed bool `json:"needed" doc:"Nobody has a login yet"`
		Valid  bool `json:"valid" doc:"The token opens the set-up"`
	}
}

func (m *Module) lookSetup(ctx context.Context, in *lookSetupIn) (*lookSetupOut, error) {
	out := &lookSetupOut{}
	var err error
	if out.Body.Needed, err = m.empty(ctx); err != nil || !out.Body.Needed || in.Token == "" {
		return out, err
	}
	_, err = m.linkUser(ctx, m.db, setupLink, in.Token)
	if fault.KindOf(err) == fault.NotFound {
		return out, nil
	}
	out.Body.Valid = err == nil
	return out, err
}

type setupIn struct {
	Body struct {
		Token string `json:"token" minLength:"1" maxLength:"100"`
		Setup
	}
}

// setup makes bureau, site, roles and users, and by Bootstrap the rest, or nothing of it. The administrator is
// signed in by it. The link is taken first and given back when the set-up fails, so that two pages cannot both
// get through.
func (m *Module) setup(ctx context.Context, in *setupIn) (*loginOut, error) {
	s := in.Body.Setup
	needed, err := m.empty(ctx)
	if err != nil {
		return nil, err
	}
	if !needed {
		return nil, fault.New(fault.Conflict, "identity.setup.done")
	}
	if _, err := m.linkUser(ctx, m.db, setupLink, in.Body.Token); err != nil {
		return nil, err
	}
	if err := m.checkSetup(s); err != nil {
		return nil, err
	}
	if err := m.db.Tx(ctx, func(tx *store.Tx) error { return useLink(ctx, tx, in.Body.Token) }); err != nil {
		return nil, err
	}
	web.Note(ctx, "admin", string(s.Admin.User))
	if err := m.bootstrap(ctx, s); err != nil {
		_, back := store.Exec(context.WithoutCancel(ctx), m.db, `INSERT INTO identity_link (secret, kind, user_code, created_by, created_at, expires_at) VALUES (?, ?, '', '', ?, ?)`,
			digest(in.Body.Token), string(setupLink), m.now(), m.now()+setupLife.Milliseconds())
		return nil, errors.Join(err, back)
	}
	a, err := m.account(ctx, m.db, s.Admin.User)
	if err != nil {
		return nil, err
	}
	return m.enter(ctx, a, "password")
}

func (m *Module) checkSetup(s Setup) error {
	if len(checkZone(s.Bureau.Timezone)) > 0 {
		return fault.New(fault.Invalid, "identity.timezone.unknown", "timezone", s.Bureau.Timezone).At("bureau.timezone")
	}
	seen := map[id.User]bool{}
	for i, p := range append([]SetupAgent{SetupAgent(s.Admin)}, s.Agents...) {
		at := "admin"
		if i > 0 {
			at = "agents[" + itoa(i-1) + "]"
		}
		if seen[p.User] {
			return fault.New(fault.Invalid, "identity.user.twice", "user", string(p.User)).At(at + ".user")
		}
		seen[p.User] = true
		if err := m.hasher.rule(p.User, p.Password); err != nil {
			if f, ok := errors.AsType[*fault.Fault](err); ok {
				return f.At(at + ".password")
			}
			return err
		}
	}
	return nil
}

// bootstrap writes everything in one transaction: the app's, through the configuration, or identity's own part
// when there is no app.
func (m *Module) bootstrap(ctx context.Context, s Setup) error {
	// The house itself acts: the caller, who is nobody yet, has shown the link.
	ctx = web.As(ctx, web.Caller{System: true, Principal: right.Principal{User: web.SystemUser, Name: web.SystemUser}})
	if m.deps.Bootstrap != nil {
		return m.deps.Bootstrap(ctx, s)
	}
	items := s.Items()
	return m.db.Tx(ctx, func(tx *store.Tx) error {
		if err := bureaus.Put(ctx, tx, "bureau", items.Bureau); err != nil {
			return err
		}
		for _, x := range items.Sites {
			if err := sites.Put(ctx, tx, string(x.Code), x); err != nil {
				return err
			}
		}
		for _, x := range items.Roles {
			if err := roles.Put(ctx, tx, x.Code, x); err != nil {
				return err
			}
		}
		for _, x := range items.Users {
			if err := m.putUser(ctx, tx, x); err != nil {
				return err
			}
		}
		return nil
	})
}

// SetupItems is identity's part of the configuration a set-up makes, in the form of its sections.
type SetupItems struct {
	Bureau Bureau `json:"bureau"`
	Sites  []Site `json:"sites"`
	Roles  []Role `json:"roles"`
	Users  []User `json:"users"`
}

// Items gives bureau, site, the shipped roles, the administrator and the agents. The app adds hours, number and
// queues, and applies all of it as one file.
func (s Setup) Items() SetupItems {
	zone := s.Bureau.Timezone
	if zone == "" {
		zone = "Asia/Shanghai"
	}
	locale := cmp.Or(s.Locale, "zh")
	out := SetupItems{
		Bureau: Bureau{Name: s.Bureau.Name, NameEN: s.Bureau.NameEN, Timezone: zone, Site: SetupSite},
		Sites:  []Site{{Code: SetupSite, Name: s.Bureau.Name, NameEN: s.Bureau.NameEN, Kind: "city"}},
		Roles:  ShippedRoles(),
	}
	kept := false
	out.Users = append(out.Users, User{
		Code: s.Admin.User, Name: s.Admin.Name, Site: SetupSite, Roles: []string{"admin"}, Locale: locale, Active: true,
		Password: s.Admin.Password, MustChange: &kept,
	})
	for _, a := range s.Agents {
		out.Users = append(out.Users, User{
			Code: a.User, Name: a.Name, Site: SetupSite, Roles: []string{"agent"}, Locale: locale, Active: true, Password: a.Password,
		})
	}
	return out
}

// ShippedRoles gives the roles every installation starts with, as items of the section.
func ShippedRoles() []Role {
	var out []Role
	for _, r := range right.Shipped() {
		out = append(out, Role{Code: r.Code, Name: r.Name, NameEN: r.NameEN, Rights: r.Rights})
	}
	return out
}
