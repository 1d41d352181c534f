package identity

import (
	"context"
	"errors"
	"net/http"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// account is what signing in needs of a user.
type account struct {
	code, name, password, totp, recovery string
	active, mustChange, totpOn           bool
	totpStep                             int64
}

const accountColumns = `code, name, password, totp, recovery, active, must_change, totp_on, totp_step`

func scanAccount(s store.Scanner) (a account, err error) {
	return a, s.Scan(&a.code, &a.name, &a.password, &a.totp, &a.recovery, &a.active, &a.mustChange, &a.totpOn, &a.totpStep)
}

func (m *Module) account(ctx context.Context, q store.Querier, u id.User) (account, error) {
	if storable(string(u)) != string(u) { // bytes no code holds
		return account{}, store.ErrNotFound
	}
	return store.One(ctx, q, `SELECT `+accountColumns+` FROM identity_user WHERE code = ?`, scanAccount, string(u))
}

type loginIn struct {
	Body struct {
		User     string `json:"user" minLength:"1" maxLength:"100"`
		Password string `json:"password" minLength:"1" maxLength:"512"`
		Code     string `json:"code,omitempty" maxLength:"20" doc:"Of the authenticator app, or a recovery code"`
	}
}

// LoginView tells who signed in.
type LoginView struct {
	User       id.User `json:"user"`
	Name       string  `json:"name"`
	MustChange bool    `json:"must_change" doc:"Another password has to be chosen before anything else"`
}

type loginOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      LoginView
}

func (m *Module) login(ctx context.Context, in *loginIn) (*loginOut, error) {
	from := web.OriginOf(ctx)
	user := in.Body.User
	if err := m.allowed(ctx, user, from.IP); err != nil {
		return nil, err
	}
	a, err := m.account(ctx, m.db, id.User(user))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if a.code != "" { // what an unknown user typed may be a password in the wrong field
		web.Note(ctx, "user", a.code)
	}
	hash := a.password
	if !a.active {
		hash = ""
	}
	ok, err := m.hasher.check(ctx, hash, in.Body.Password)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errors.Join(fault.New(fault.Unauthorised, "identity.login.wrong"), m.failed(ctx, user, from.IP))
	}
	if a.totpOn {
		if in.Body.Code == "" {
			return nil, fault.New(fault.Unauthorised, "identity.code.required").At("code")
		}
		if err := m.spend(ctx, id.User(a.code), in.Body.Code); err != nil {
			if fault.CodeOf(err) == "identity.code.wrong" {
				err = errors.Join(err, m.failed(ctx, user, from.IP))
			}
			return nil, err
		}
	}
	if err := m.succeeded(ctx, user, from.IP); err != nil {
		return nil, err
	}
	return m.enter(ctx, a, "password")
}

// enter begins a session for somebody who has proved who they are.
func (m *Module) enter(ctx context.Context, a account, way string) (*loginOut, error) {
	if old := web.CallerOf(ctx).Session; old != "" { // signing in on top of a session replaces it
		if err := m.end(ctx, old); err != nil {
			return nil, err
		}
	}
	secret, err := m.begin(ctx, id.User(a.code), way)
	if err != nil {
		return nil, err
	}
	if p, ok := m.Person(id.User(a.code)); ok {
		web.Became(ctx, m.snap.Load().principal(p))
	}
	return &loginOut{
		SetCookie: web.SessionCookie(ctx, secret),
		Body:      LoginView{User: id.User(a.code), Name: a.name, MustChange: a.mustChange && way == "password"},
	}, nil
}

type logoutOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (m *Module) logout(ctx context.Context, _ *struct{}) (*logoutOut, error) {
	if s := web.CallerOf(ctx).Session; s != "" {
		if err := m.end(ctx, s); err != nil {
			return nil, err
		}
	}
	return &logoutOut{SetCookie: web.SessionCookie(ctx, "")}, nil
}
