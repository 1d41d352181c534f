package identity

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// resetLife is how long a link to choose a password holds; it works once.
const resetLife = 24 * time.Hour

type linkKind string

const (
	resetLink linkKind = "reset"
	setupLink linkKind = "setup"
)

type linkOut struct {
	Body struct {
		Link      string `json:"link" doc:"Path and query, to be put behind this server's address"`
		ExpiresAt int64  `json:"expires_at"`
	}
}

// makeResetLink makes the one link that lets a user choose a password; an earlier one ends. There is no mail
// server to need: whoever made it hands it over.
func (m *Module) makeResetLink(ctx context.Context, in *codeIn) (*linkOut, error) {
	if err := m.mayManage(ctx, in.Code); err != nil {
		return nil, err
	}
	secret, until, err := m.newLink(ctx, resetLink, in.Code, resetLife)
	if err != nil {
		return nil, err
	}
	out := &linkOut{}
	out.Body.Link = "/reset?token=" + url.QueryEscape(secret)
	out.Body.ExpiresAt = until
	return out, nil
}

func (m *Module) newLink(ctx context.Context, kind linkKind, user id.User, life time.Duration) (secret string, until int64, err error) {
	secret, until = newSecret(), m.now()+life.Milliseconds()
	err = m.db.Tx(ctx, func(tx *store.Tx) error {
		if _, err := store.Exec(ctx, tx, `DELETE FROM identity_link WHERE kind = ? AND user_code = ?`, string(kind), string(user)); err != nil {
			return err
		}
		_, err := store.Exec(ctx, tx, `INSERT INTO identity_link (secret, kind, user_code, created_by, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)`,
			digest(secret), string(kind), string(user), string(web.Principal(ctx).User), m.now(), until)
		return err
	})
	return secret, until, err
}

// linkUser gives whom a link is for.
func (m *Module) linkUser(ctx context.Context, q store.Querier, kind linkKind, secret string) (id.User, error) {
	u, err := store.One(ctx, q, `SELECT user_code FROM identity_link WHERE secret = ? AND kind = ? AND expires_at >= ?`, store.Col[id.User],
		digest(secret), string(kind), m.now())
	if errors.Is(err, store.ErrNotFound) {
		return "", fault.New(fault.NotFound, "identity.link.invalid").At("token")
	}
	return u, err
}

// useLink takes a link, so that it works once.
func useLink(ctx context.Context, tx *store.Tx, secret string) error {
	err := store.Change(ctx, tx, `DELETE FROM identity_link WHERE secret = ?`, digest(secret))
	if errors.Is(err, store.ErrNotFound) {
		return fault.New(fault.NotFound, "identity.link.invalid").At("token")
	}
	return err
}

type lookResetIn struct {
	Token string `query:"token" required:"true" maxLength:"100"`
}

type lookResetOut struct {
	Body struct {
		User id.User `json:"user"`
		Name string  `json:"name"`
		Min  int     `json:"min" doc:"Characters a password needs"`
	}
}

func (m *Module) lookReset(ctx context.Context, in *lookResetIn) (*lookResetOut, error) {
	u, err := m.linkUser(ctx, m.db, resetLink, in.Token)
	if err != nil {
		return nil, err
	}
	p, _ := m.Person(u)
	out := &lookResetOut{}
	out.Body.User, out.Body.Name, out.Body.Min = u, p.Name, minPassword
	return out, nil
}

type resetIn struct {
	Body struct {
		Token    string `json:"token" minLength:"1" maxLength:"100"`
		Password string `json:"password" minLength:"1" maxLength:"512"`
	}
}

func (m *Module) reset(ctx context.Context, in *resetIn) (*struct{}, error) {
	u, err := m.linkUser(ctx, m.db, resetLink, in.Body.Token)
	if err != nil {
		return nil, err
	}
	web.Note(ctx, "user", string(u))
	if err := m.hasher.rule(u, in.Body.Password); err != nil {
		return nil, err
	}
	hash, err := m.hasher.hash(ctx, in.Body.Password)
	if err != nil {
		return nil, err
	}
	err = m.db.Tx(ctx, func(tx *store.Tx) error {
		if err := useLink(ctx, tx, in.Body.Token); err != nil {
			return err
		}
		if err := store.Change(ctx, tx, `UPDATE identity_user SET password = ?, must_change = FALSE, changed_at = ? WHERE code = ?`,
			hash, m.now(), string(u)); err != nil {
			return err
		}
		return m.endAll(ctx, tx, u, "")
	})
	if err != nil {
		return nil, err
	}
	return nil, m.release(ctx, u)
}
