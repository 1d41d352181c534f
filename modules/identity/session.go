package identity

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

const (
	// sessionIdle ends a session that was not used for so long; every use begins it anew.
	sessionIdle = 12 * time.Hour
	// touchEvery bounds how often a use is written down.
	touchEvery = time.Minute
	// maxSessions is how many one user may have; a further one ends the one unused for longest.
	maxSessions = 20
)

// session is a row of identity_session.
type session struct {
	id, user, device, agent, ip, way string
	createdAt, seenAt                int64
}

const sessionColumns = `id, user_code, device, agent, ip, way, created_at, seen_at`

func scanSession(s store.Scanner) (x session, err error) {
	return x, s.Scan(&x.id, &x.user, &x.device, &x.agent, &x.ip, &x.way, &x.createdAt, &x.seenAt)
}

// Session answers who holds the cookie's secret: it fills web.Identity.
func (m *Module) Session(ctx context.Context, secret string, from web.Origin) (web.Caller, error) {
	x, err := store.One(ctx, m.db, `SELECT `+sessionColumns+` FROM identity_session WHERE secret = ?`, scanSession, digest(secret))
	if errors.Is(err, store.ErrNotFound) {
		return web.Caller{}, fault.New(fault.Unauthorised, "web.session.missing")
	}
	if err != nil {
		return web.Caller{}, err
	}
	now := m.now()
	if now-x.seenAt > sessionIdle.Milliseconds() {
		return web.Caller{}, errors.Join(fault.New(fault.Unauthorised, "identity.session.expired"), m.end(ctx, x.id))
	}
	if x.device != device(from.UserAgent) {
		m.log.WarnContext(ctx, "a session was used from another device and has been ended", "user", x.user, "ip", from.IP)
		return web.Caller{}, errors.Join(fault.New(fault.Unauthorised, "identity.session.device"), m.end(ctx, x.id))
	}
	caller, err := m.caller(ctx, id.User(x.user), x.way)
	if err != nil {
		return web.Caller{}, err
	}
	caller.Session = x.id
	if now-x.seenAt >= touchEvery.Milliseconds() {
		_, err = store.Exec(ctx, m.db, `UPDATE identity_session SET seen_at = ?, ip = ? WHERE id = ?`, now, from.IP, x.id)
	}
	return caller, err
}

// caller gives what an active user who came in by way may do now.
func (m *Module) caller(ctx context.Context, u id.User, way string) (web.Caller, error) {
	snap := m.snap.Load()
	p, ok := snap.people[u]
	if !ok || !p.Active {
		return web.Caller{}, fault.New(fault.Unauthorised, "identity.user.inactive")
	}
	c := web.Caller{Principal: snap.principal(p)}
	if way != "password" { // no password was used: which one it is does not matter
		return c, nil
	}
	must, err := store.One(ctx, m.db, `SELECT must_change FROM identity_user WHERE code = ?`, store.Col[bool], string(u))
	if err == nil && must {
		c.Only = "identity.password.must_change"
	}
	return c, err
}

// begin makes a session and gives the cookie's secret.
func (m *Module) begin(ctx context.Context, u id.User, way string) (secret string, err error) {
	from := web.OriginOf(ctx)
	secret = newSecret()
	now := m.clock.Now()
	err = m.db.Tx(ctx, func(tx *store.Tx) error {
		_, err := store.Exec(ctx, tx, `INSERT INTO identity_session (`+sessionColumns+`, secret) VALUES (`+store.In(9)+`)`,
			id.New(now), string(u), device(from.UserAgent), storable(from.UserAgent), from.IP, way, now.UnixMilli(), now.UnixMilli(), digest(secret))
		if err != nil {
			return err
		}
		old, err := store.All(ctx, tx, `SELECT id FROM identity_session WHERE user_code = ? ORDER BY seen_at DESC, id DESC`, store.Col[string], string(u))
		if err != nil || len(old) <= maxSessions {
			return err
		}
		_, err = store.Exec(ctx, tx, `DELETE FROM identity_session WHERE id IN (`+store.In(len(old)-maxSessions)+`)`, store.Args(old[maxSessions:])...)
		return err
	})
	return secret, err
}

// storable makes text a client sent storable.
func storable(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
}

// end removes a session and its sockets.
func (m *Module) end(ctx context.Context, session string) error {
	_, err := store.Exec(ctx, m.db, `DELETE FROM identity_session WHERE id = ?`, session)
	if err == nil && m.sockets != nil {
		m.sockets.DropSession(session)
	}
	return err
}

// endAll removes a user's sessions but one (which may be empty).
func (m *Module) endAll(ctx context.Context, tx *store.Tx, u id.User, but string) error {
	_, err := store.Exec(ctx, tx, `DELETE FROM identity_session WHERE user_code = ? AND id <> ?`, string(u), but)
	if err == nil && m.sockets != nil {
		tx.AfterCommit(func() { m.sockets.RecheckUser(u) })
	}
	return err
}

// device is what a browser says of itself without the numbers that change when it updates itself.
func device(agent string) string {
	return digest(strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) || r == '.' {
			return -1
		}
		return r
	}, agent))[:16]
}

// SessionView is a session as its owner and administrators see it.
type SessionView struct {
	ID        string  `json:"id"`
	User      id.User `json:"user"`
	Name      string  `json:"name"`
	Agent     string  `json:"agent"`
	IP        string  `json:"ip"`
	Way       string  `json:"way" enum:"password,oidc,demo"`
	CreatedAt int64   `json:"created_at"`
	SeenAt    int64   `json:"seen_at"`
	Current   bool    `json:"current"`
}

type sessionsIn struct {
	User id.User `query:"user" maxLength:"40" doc:"Somebody else's: needs identity.user.manage at their site"`
}

type sessionsOut struct {
	Body struct {
		Items []SessionView `json:"items"`
	}
}

func (m *Module) listSessions(ctx context.Context, in *sessionsIn) (*sessionsOut, error) {
	me := web.CallerOf(ctx)
	user := me.User
	if in.User != "" && in.User != me.User {
		if err := m.mayManage(ctx, in.User); err != nil {
			return nil, err
		}
		user = in.User
	}
	rows, err := store.All(ctx, m.db, `SELECT `+sessionColumns+` FROM identity_session WHERE user_code = ? AND seen_at >= ? ORDER BY seen_at DESC, id`,
		scanSession, string(user), m.now()-sessionIdle.Milliseconds())
	if err != nil {
		return nil, err
	}
	out := &sessionsOut{}
	for _, x := range rows {
		p, _ := m.Person(id.User(x.user))
		out.Body.Items = append(out.Body.Items, SessionView{
			ID: x.id, User: id.User(x.user), Name: p.Name, Agent: x.agent, IP: x.ip, Way: x.way, CreatedAt: x.createdAt, SeenAt: x.seenAt, Current: x.id == me.Session,
		})
	}
	return out, nil
}

type idIn struct {
	ID string `path:"id" maxLength:"40"`
}

func (m *Module) dropSession(ctx context.Context, in *idIn) (*struct{}, error) {
	x, err := store.One(ctx, m.db, `SELECT `+sessionColumns+` FROM identity_session WHERE id = ?`, scanSession, in.ID)
	if err != nil {
		return nil, err
	}
	if owner := id.User(x.user); owner != web.Principal(ctx).User {
		if err := m.mayManage(ctx, owner); err != nil {
			return nil, err
		}
	}
	web.Note(ctx, "user", x.user)
	return nil, m.end(ctx, x.id)
}

// mayManage asks for identity.user.manage at the user's site, and that the user holds no right the caller does
// not: who may reset an administrator's password is one.
func (m *Module) mayManage(ctx context.Context, u id.User) error {
	snap := m.snap.Load()
	p, ok := snap.people[u]
	if !ok {
		return fault.New(fault.NotFound, "identity.user.missing", "user", string(u))
	}
	if err := web.May(ctx, ManageUsers, p.Site); err != nil {
		return err
	}
	return m.outranks(ctx, snap.held(p))
}

// outranks is a fault when rights holds one that the caller lacks.
func (m *Module) outranks(ctx context.Context, rights map[right.Right]bool) error {
	if trusted(ctx) {
		return nil
	}
	own := web.Principal(ctx).Rights
	for r := range rights {
		if !own[r] {
			return fault.New(fault.Forbidden, "identity.user.above", "right", string(r))
		}
	}
	return nil
}

// trusted reports that no person asks: the admin socket, or the house itself (first set-up, demo).
func trusted(ctx context.Context) bool {
	return web.CallerOf(ctx).System || web.OriginOf(ctx).Request == ""
}
