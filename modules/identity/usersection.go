package identity

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

func itoa(i int) string { return strconv.Itoa(i) }

func principalSite(ctx context.Context) id.Site { return web.Principal(ctx).Site }

func loadUsers(ctx context.Context, tx *store.Tx) ([]User, error) {
	return store.All(ctx, tx, `SELECT code, name, site, roles, rank, locale, active FROM identity_user ORDER BY code`,
		func(s store.Scanner) (u User, err error) {
			return u, s.Scan(&u.Code, &u.Name, &u.Site, store.JSON(&u.Roles), &u.Rank, &u.Locale, &u.Active)
		})
}

func (m *Module) checkUser(_ section.Lookup, u User) []section.Problem {
	if u.Password == "" {
		return nil
	}
	err := m.hasher.rule(u.Code, u.Password)
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		p := section.Complaint("password", f.Code)
		p.Params = f.Params
		return []section.Problem{p}
	}
	return nil
}

// sameSecret reports whether configuration has set this password before: the person may have chosen another since,
// which applying the same file again does not undo.
func (m *Module) sameSecret(ctx context.Context, tx *store.Tx, u User) (bool, error) {
	if u.Password == "" {
		return true, nil // must_change alone means nothing
	}
	mark, err := store.One(ctx, tx, `SELECT configured FROM identity_user WHERE code = ? AND password <> ''`, store.Col[string], string(u.Code))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && equal(mark, m.hasher.fingerprint(u.Code, u.Password)), err
}

// putUser writes a user. Nobody makes, or changes, a user who may more than they do.
func (m *Module) putUser(ctx context.Context, tx *store.Tx, u User) error {
	if err := m.mayGrant(ctx, tx, u); err != nil {
		return err
	}
	same, err := m.sameSecret(ctx, tx, u)
	if err != nil {
		return err
	}
	now := m.now()
	_, err = store.Exec(ctx, tx, `INSERT INTO identity_user
			(code, name, site, roles, rank, locale, active, password, configured, must_change, totp, totp_on, totp_step, recovery, created_at, changed_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, '', '', FALSE, '', FALSE, 0, '', ?, 0)
		ON CONFLICT (code) DO UPDATE SET name = excluded.name, site = excluded.site, roles = excluded.roles, rank = excluded.rank,
			locale = excluded.locale, active = excluded.active`,
		string(u.Code), u.Name, string(u.Site), store.JSON(&u.Roles), u.Rank, u.Locale, u.Active, now)
	if err != nil {
		return err
	}
	if !u.Active {
		if err := m.endAll(ctx, tx, u.Code, ""); err != nil {
			return err
		}
	}
	if u.Password != "" && !same {
		must := u.MustChange == nil || *u.MustChange
		m.hashAfter(ctx, tx, u.Code, u.Password)
		if _, err := store.Exec(ctx, tx, `UPDATE identity_user SET password = '', configured = ?, must_change = ?, changed_at = ? WHERE code = ?`,
			m.hasher.fingerprint(u.Code, u.Password), must, now, string(u.Code)); err != nil {
			return err
		}
		if err := m.endAll(ctx, tx, u.Code, ""); err != nil {
			return err
		}
	}
	m.refreshAfter(ctx, tx)
	m.keepOne(tx)
	return nil
}

func (m *Module) dropUser(ctx context.Context, tx *store.Tx, code string) error {
	u := id.User(code)
	if !trusted(ctx) {
		if web.Principal(ctx).User == u {
			return fault.New(fault.Conflict, "identity.user.self")
		}
		if err := m.mayManage(ctx, u); err != nil {
			return err
		}
	}
	for _, text := range []string{
		`DELETE FROM identity_session WHERE user_code = ?`, `DELETE FROM identity_token WHERE user_code = ?`,
		`DELETE FROM identity_link WHERE user_code = ?`,
	} {
		if _, err := store.Exec(ctx, tx, text, code); err != nil {
			return err
		}
	}
	m.refreshAfter(ctx, tx)
	m.keepOne(tx)
	return store.Change(ctx, tx, `DELETE FROM identity_user WHERE code = ?`, code)
}

// mayGrant asks whether the caller holds every right that the user has and is to have.
func (m *Module) mayGrant(ctx context.Context, tx *store.Tx, u User) error {
	if trusted(ctx) {
		return nil
	}
	snap, err := m.load(ctx, tx)
	if err != nil {
		return err
	}
	rights := map[right.Right]bool{}
	if old, ok := snap.people[u.Code]; ok {
		rights = snap.held(old)
	}
	for r := range snap.held(Person{Roles: u.Roles}) {
		rights[r] = true
	}
	return m.outranks(ctx, rights)
}

type hashKey struct{}

// pending are the passwords a transaction sets. They are hashed when it is through: two hundred new users would
// hold the one writer for ten seconds. Until then, and if the process dies before, such a user has no password;
// applying the configuration again sets it.
type pending struct {
	user     []id.User
	password []string
}

func (m *Module) hashAfter(ctx context.Context, tx *store.Tx, u id.User, password string) {
	list, _ := tx.Attach(hashKey{}, func() any {
		p := &pending{}
		tx.AfterCommit(func() { m.hashAll(context.WithoutCancel(ctx), p) })
		return p
	}).(*pending)
	list.user, list.password = append(list.user, u), append(list.password, password)
}

func (m *Module) hashAll(ctx context.Context, p *pending) {
	hashes := make([]string, len(p.user))
	var all sync.WaitGroup
	for i := range p.user {
		all.Go(func() {
			var err error
			if hashes[i], err = m.hasher.hash(ctx, p.password[i]); err != nil {
				m.log.ErrorContext(ctx, "a password could not be hashed", "user", string(p.user[i]), "error", err)
			}
		})
	}
	all.Wait()
	err := m.db.Tx(ctx, func(tx *store.Tx) error {
		for i, u := range p.user {
			// Only if nothing was set meanwhile.
			if _, err := store.Exec(ctx, tx, `UPDATE identity_user SET password = ? WHERE code = ? AND password = '' AND configured = ?`,
				hashes[i], string(u), m.hasher.fingerprint(u, p.password[i])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		m.log.ErrorContext(ctx, "passwords could not be stored: apply the configuration again", "users", len(p.user), "error", err)
	}
}
