package identity

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Wrong passwords slow down what follows: after five of them in a row an account waits half a minute, then twice
// as long each time, up to a quarter of an hour; an address waits a second, up to half a minute, because a whole
// bureau may come from one. The account's waiting is the same whether it exists or not. It is kept in SQL, so
// that a restart or another node forgets nothing.
const (
	freeAttempts = 5
	attemptKeep  = 24 * time.Hour
)

type attemptKind string

const (
	byUser attemptKind = "user"
	byIP   attemptKind = "ip"
)

// pause is how long to wait after n wrong attempts in a row.
func pause(kind attemptKind, n int64) time.Duration {
	first, longest := 30*time.Second, 15*time.Minute
	if kind == byIP {
		first, longest = time.Second, 30*time.Second
	}
	if n < freeAttempts {
		return 0
	}
	wait := first
	for range min(n-freeAttempts, 20) {
		wait = min(2*wait, longest)
	}
	return wait
}

// attemptName bounds what is stored of what somebody typed.
func attemptName(s string) string {
	s = strings.ToLower(strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), ""))
	if len(s) > 64 {
		s = digest(s)
	}
	return s
}

// allowed is a fault of kind too_many while the account or the address has to wait.
func (m *Module) allowed(ctx context.Context, user, ip string) error {
	now := m.now()
	for _, a := range []struct {
		kind attemptKind
		name string
	}{{byUser, attemptName(user)}, {byIP, attemptName(ip)}} {
		until, err := store.One(ctx, m.db, `SELECT blocked_until FROM identity_attempt WHERE kind = ? AND name = ?`, store.Col[int64], string(a.kind), a.name)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if until > now {
			return fault.New(fault.TooMany, "identity.login.slow", "seconds", (until-now+999)/1000)
		}
	}
	return nil
}

// failed counts a wrong attempt.
func (m *Module) failed(ctx context.Context, user, ip string) error {
	now := m.now()
	return m.db.Tx(ctx, func(tx *store.Tx) error {
		for _, kind := range []attemptKind{byUser, byIP} { // always in this order: rows are locked
			name := attemptName(user)
			if kind == byIP {
				name = attemptName(ip)
			}
			n, err := store.One(ctx, tx, `INSERT INTO identity_attempt (kind, name, failures, failed_at, blocked_until) VALUES (?, ?, 1, ?, 0)
				ON CONFLICT (kind, name) DO UPDATE SET
					failures = CASE WHEN identity_attempt.failed_at < ? THEN 1 ELSE identity_attempt.failures + 1 END,
					failed_at = excluded.failed_at
				RETURNING failures`, store.Col[int64], string(kind), name, now, now-attemptKeep.Milliseconds())
			if err != nil {
				return err
			}
			if wait := pause(kind, n); wait > 0 {
				if _, err := store.Exec(ctx, tx, `UPDATE identity_attempt SET blocked_until = ? WHERE kind = ? AND name = ?`,
					now+wait.Milliseconds(), string(kind), name); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// succeeded forgets the wrong attempts of the account and the address.
func (m *Module) succeeded(ctx context.Context, user, ip string) error {
	n, err := store.One(ctx, m.db, `SELECT COUNT(*) FROM identity_attempt WHERE kind = ? AND name = ? OR kind = ? AND name = ?`, store.Col[int64],
		string(byUser), attemptName(user), string(byIP), attemptName(ip))
	if err != nil || n == 0 {
		return err
	}
	_, err = store.Exec(ctx, m.db, `DELETE FROM identity_attempt WHERE kind = ? AND name = ? OR kind = ? AND name = ?`,
		string(byUser), attemptName(user), string(byIP), attemptName(ip))
	return err
}

// blocked gives until when the account has to wait, 0 when it does not.
func (m *Module) blocked(ctx context.Context, user id.User) (int64, error) {
	until, err := store.One(ctx, m.db, `SELECT blocked_until FROM identity_attempt WHERE kind = ? AND name = ?`, store.Col[int64], string(byUser), attemptName(string(user)))
	if errors.Is(err, store.ErrNotFound) || err == nil && until <= m.now() {
		return 0, nil
	}
	return until, err
}

// release lets an account sign in again at once.
func (m *Module) release(ctx context.Context, user id.User) error {
	_, err := store.Exec(ctx, m.db, `DELETE FROM identity_attempt WHERE kind = ? AND name = ?`, string(byUser), attemptName(string(user)))
	return err
}
