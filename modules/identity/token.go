package identity

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// tokenPrefix makes a token known for what it is when it turns up where it should not.
const tokenPrefix = "kapok_"

// TokenView is an API token; its secret is shown once, when it is made.
type TokenView struct {
	ID        string        `json:"id"`
	User      id.User       `json:"user" doc:"In whose name it acts"`
	Name      string        `json:"name"`
	Rights    []right.Right `json:"rights" doc:"What it may of the user's rights; empty: all"`
	CreatedBy id.User       `json:"created_by"`
	CreatedAt int64         `json:"created_at"`
	SeenAt    int64         `json:"seen_at"`
	ExpiresAt int64         `json:"expires_at" doc:"unix ms; 0: never"`
}

const tokenColumns = `id, user_code, name, rights, created_by, created_at, seen_at, expires_at`

func scanToken(s store.Scanner) (t TokenView, err error) {
	return t, s.Scan(&t.ID, &t.User, &t.Name, store.JSON(&t.Rights), &t.CreatedBy, &t.CreatedAt, &t.SeenAt, &t.ExpiresAt)
}

// Token answers who holds an API token: it fills web.Identity.
func (m *Module) Token(ctx context.Context, secret string, _ web.Origin) (web.Caller, error) {
	invalid := fault.New(fault.Unauthorised, "web.token.invalid")
	if !strings.HasPrefix(secret, tokenPrefix) {
		return web.Caller{}, invalid
	}
	t, err := store.One(ctx, m.db, `SELECT `+tokenColumns+` FROM identity_token WHERE secret = ?`, scanToken, digest(secret))
	if errors.Is(err, store.ErrNotFound) {
		return web.Caller{}, invalid
	}
	if err != nil {
		return web.Caller{}, err
	}
	now := m.now()
	if t.ExpiresAt > 0 && now >= t.ExpiresAt {
		return web.Caller{}, fault.New(fault.Unauthorised, "identity.token.expired")
	}
	snap := m.snap.Load()
	p, ok := snap.people[t.User]
	if !ok || !p.Active {
		return web.Caller{}, fault.New(fault.Unauthorised, "identity.user.inactive")
	}
	c := web.Caller{Principal: snap.principal(p), Token: t.ID}
	if len(t.Rights) > 0 {
		narrowed := map[right.Right]bool{}
		for _, r := range t.Rights {
			if c.Rights[r] {
				narrowed[r] = true
			}
		}
		c.Rights = narrowed
	}
	if now-t.SeenAt >= touchEvery.Milliseconds() {
		_, err = store.Exec(ctx, m.db, `UPDATE identity_token SET seen_at = ? WHERE id = ?`, now, t.ID)
	}
	return c, err
}

type makeTokenIn struct {
	Body struct {
		User   id.User       `json:"user" minLength:"1" maxLength:"40"`
		Name   string        `json:"name" minLength:"1" maxLength:"100" doc:"What it is for"`
		Rights []right.Right `json:"rights,omitempty" maxItems:"200" doc:"Only these of the user's rights"`
		Days   int           `json:"days,omitempty" minimum:"0" maximum:"3650" doc:"0: until revoked"`
	}
}

type makeTokenOut struct {
	Body struct {
		ID    string `json:"id"`
		Token string `json:"token" doc:"Shown this once"`
	}
}

func (m *Module) makeToken(ctx context.Context, in *makeTokenIn) (*makeTokenOut, error) {
	snap := m.snap.Load()
	p, ok := snap.people[in.Body.User]
	if !ok {
		return nil, fault.New(fault.NotFound, "identity.user.missing", "user", string(in.Body.User)).At("user")
	}
	if err := web.May(ctx, ManageTokens, p.Site); err != nil {
		return nil, err
	}
	held := snap.held(p)
	granted := held
	if len(in.Body.Rights) > 0 {
		granted = right.Expand(in.Body.Rights, nil)
	}
	for r := range granted {
		if !held[r] {
			return nil, fault.New(fault.Invalid, "identity.token.right", "right", string(r), "user", string(p.Code)).At("rights")
		}
	}
	// A token is a person's power in another's hand: nobody makes one that can do more than they can.
	if err := m.outranks(ctx, granted); err != nil {
		return nil, err
	}
	now := m.clock.Now()
	t := TokenView{ID: id.New(now), User: p.Code, Name: in.Body.Name, Rights: in.Body.Rights, CreatedBy: web.Principal(ctx).User, CreatedAt: now.UnixMilli()}
	if in.Body.Days > 0 {
		t.ExpiresAt = now.Add(time.Duration(in.Body.Days) * 24 * time.Hour).UnixMilli()
	}
	secret := tokenPrefix + newSecret()
	_, err := store.Exec(ctx, m.db, `INSERT INTO identity_token (`+tokenColumns+`, secret) VALUES (`+store.In(9)+`)`,
		t.ID, string(t.User), t.Name, store.JSON(&t.Rights), string(t.CreatedBy), t.CreatedAt, 0, t.ExpiresAt, digest(secret))
	if err != nil {
		return nil, err
	}
	web.Note(ctx, "token", t.ID)
	web.Note(ctx, "user", string(t.User))
	out := &makeTokenOut{}
	out.Body.ID, out.Body.Token = t.ID, secret
	return out, nil
}

type tokensOut struct {
	Body struct {
		Items []TokenView `json:"items"`
	}
}

// listTokens gives the caller's own tokens and those of users they may manage tokens of.
func (m *Module) listTokens(ctx context.Context, _ *struct{}) (*tokensOut, error) {
	all, err := store.All(ctx, m.db, `SELECT `+tokenColumns+` FROM identity_token ORDER BY id`, scanToken)
	if err != nil {
		return nil, err
	}
	out := &tokensOut{}
	for _, t := range all {
		if m.mayToken(ctx, t) == nil {
			out.Body.Items = append(out.Body.Items, t)
		}
	}
	return out, nil
}

func (m *Module) mayToken(ctx context.Context, t TokenView) error {
	if t.User == web.Principal(ctx).User {
		return nil
	}
	p, _ := m.Person(t.User) // of a user who is gone: whoever manages tokens anywhere
	return web.May(ctx, ManageTokens, p.Site)
}

func (m *Module) dropToken(ctx context.Context, in *idIn) (*struct{}, error) {
	t, err := store.One(ctx, m.db, `SELECT `+tokenColumns+` FROM identity_token WHERE id = ?`, scanToken, in.ID)
	if err != nil {
		return nil, err
	}
	if err := m.mayToken(ctx, t); err != nil {
		return nil, err
	}
	web.Note(ctx, "user", string(t.User))
	return nil, store.Change(ctx, m.db, `DELETE FROM identity_token WHERE id = ?`, in.ID)
}
