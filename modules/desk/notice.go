package desk

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// PostNotice is the right to tell those at one's sites something, and to see who has read it. Everybody who works at a
// desk may leave a note for the next shift.
const PostNotice right.Right = "desk.notice.post"

// The kinds of notice.
const (
	KindNotice   = "notice"
	KindHandover = "handover" // of one shift to the next
)

// NoticeItem is something told to those who work at a site and below. Times are unix ms.
type NoticeItem struct {
	ID     string  `json:"id"`
	Kind   string  `json:"kind" enum:"notice,handover"`
	Site   id.Site `json:"site"`
	By     id.User `json:"by"`
	ByName string  `json:"by_name"`
	At     int64   `json:"at"`
	Until  int64   `json:"until"`
	Must   bool    `json:"must" doc:"to be read before one can be ready"`
	Title  string  `json:"title"`
	Text   string  `json:"text"`
	Read   int64   `json:"read,omitempty" doc:"when I read it"`
	Reads  int     `json:"reads" doc:"how many have"`
}

// NoticeReader is who works at a notice's site now or has read it; At is unix ms, 0: not read.
type NoticeReader struct {
	User id.User `json:"user"`
	Name string  `json:"name"`
	At   int64   `json:"at"`
}

func (m *Module) noticeRoutes(api *web.API) {
	const all = "/api/v1/desk/notices"
	web.Get(api, all, Use, "What is told to me, the unread first", m.notices)
	web.Post(api, all, Use, "Leave a note for the next shift, or post a notice", m.postNotice)
	web.Post(api, all+"/{id}/read", Use, "I have read it", m.readNotice, web.Quiet())
	web.Post(api, all+"/{id}/withdraw", Use, "Withdraw what I posted, or what was posted at my sites", m.withdrawNotice)
	web.Get(api, all+"/{id}/readers", PostNotice, "Who has read it, and who of those at work has not", m.noticeReaders)
}

const noticeColumns = `n.id, n.kind, n.site, n.author, n.at, n.until, n.must, n.title, n.text,
	COALESCE((SELECT r.at FROM desk_notice_read r WHERE r.notice = n.id AND r.reader = ?), 0),
	(SELECT COUNT(*) FROM desk_notice_read r WHERE r.notice = n.id)`

func scanNotice(r store.Scanner) (n NoticeItem, err error) {
	var must int64
	err = r.Scan(&n.ID, &n.Kind, &n.Site, &n.By, &n.At, &n.Until, &must, &n.Title, &n.Text, &n.Read, &n.Reads)
	n.Must = must != 0
	return n, err
}

// noticesFor gives what is told to a user now: at their site, or above it.
func (m *Module) noticesFor(ctx context.Context, user id.User) ([]NoticeItem, error) {
	all, err := store.All(ctx, m.deps.DB, `SELECT `+noticeColumns+` FROM desk_notice n WHERE n.until > ? ORDER BY n.at DESC, n.id DESC LIMIT 200`,
		scanNotice, string(user), m.deps.Clock.Now().UnixMilli())
	if err != nil {
		return nil, err
	}
	_, site, _ := m.deps.Names.User(user)
	all = slices.DeleteFunc(all, func(n NoticeItem) bool { return n.By != user && !m.inside(site, n.Site) })
	for i := range all {
		all[i].ByName, _, _ = m.deps.Names.User(all[i].By)
	}
	slices.SortStableFunc(all, func(a, b NoticeItem) int { return rankOfNotice(a, user) - rankOfNotice(b, user) })
	return all, nil
}

// rankOfNotice: what must be read comes first, then what is not read, then the rest.
func rankOfNotice(n NoticeItem, user id.User) int {
	switch {
	case n.Read != 0 || n.By == user:
		return 2
	case n.Must:
		return 0
	}
	return 1
}

type noticesOut struct{ Body []NoticeItem }

func (m *Module) notices(ctx context.Context, _ *none) (*noticesOut, error) {
	all, err := m.noticesFor(ctx, web.Principal(ctx).User)
	if all == nil {
		all = []NoticeItem{}
	}
	return &noticesOut{Body: all}, err
}

type postNoticeIn struct {
	Body struct {
		Kind  string  `json:"kind" enum:"notice,handover"`
		Site  id.Site `json:"site,omitempty" doc:"empty: my own"`
		Title string  `json:"title" minLength:"2" maxLength:"80"`
		Text  string  `json:"text" maxLength:"4000"`
		Must  bool    `json:"must,omitempty" doc:"to be read before one can be ready"`
		Hours int     `json:"hours,omitempty" minimum:"0" maximum:"720" doc:"how long it stands; 0: 24"`
	}
}

// postNotice tells those at a site something. A note for the next shift takes no right but to work there; a notice, and
// what must be read, takes PostNotice.
func (m *Module) postNotice(ctx context.Context, in *postNoticeIn) (*noticesOut, error) {
	p, b := web.Principal(ctx), in.Body
	if b.Site == "" {
		b.Site = m.siteOf(p)
	}
	if b.Kind != KindHandover || b.Must || b.Site != m.siteOf(p) {
		if err := web.May(ctx, PostNotice, b.Site); err != nil {
			return nil, err
		}
	}
	if b.Hours == 0 {
		b.Hours = 24
	}
	now, must := m.deps.Clock.Now(), 0
	if b.Must {
		must = 1
	}
	_, err := store.Exec(ctx, m.deps.DB, `INSERT INTO desk_notice (id, kind, site, author, at, until, must, title, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		id.New(now), b.Kind, string(b.Site), string(p.User), now.UnixMilli(), now.Add(time.Duration(b.Hours)*time.Hour).UnixMilli(), must,
		strings.TrimSpace(b.Title), strings.TrimSpace(b.Text))
	if err != nil {
		return nil, err
	}
	m.noticeChanged(b.Site)
	return m.notices(ctx, nil)
}

// noticeChanged has the pages of those who work at a desk read the notices anew.
func (m *Module) noticeChanged(site id.Site) {
	if err := m.deps.Hub.Publish("notice", web.Holders(Use, site), map[string]any{"site": site}); err != nil {
		m.deps.Log.Warn("pages learn of a notice at their next look", "err", err)
	}
}

type noticeIn struct {
	ID string `path:"id" maxLength:"40"`
}

// one gives a notice the user is told.
func (m *Module) oneNotice(ctx context.Context, of string, user id.User) (NoticeItem, error) {
	all, err := m.noticesFor(ctx, user)
	if err != nil {
		return NoticeItem{}, err
	}
	if i := slices.IndexFunc(all, func(n NoticeItem) bool { return n.ID == of }); i >= 0 {
		return all[i], nil
	}
	return NoticeItem{}, fault.New(fault.NotFound, "desk.notice.gone", "notice", of)
}

func (m *Module) readNotice(ctx context.Context, in *noticeIn) (*noticesOut, error) {
	user := web.Principal(ctx).User
	if _, err := m.oneNotice(ctx, in.ID, user); err != nil {
		return nil, err
	}
	_, err := store.Exec(ctx, m.deps.DB, `INSERT INTO desk_notice_read (notice, reader, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
		in.ID, string(user), m.deps.Clock.Now().UnixMilli())
	if err != nil {
		return nil, err
	}
	return m.notices(ctx, nil)
}

// withdrawNotice ends a notice now; who read it stays known.
func (m *Module) withdrawNotice(ctx context.Context, in *noticeIn) (*noticesOut, error) {
	p := web.Principal(ctx)
	n, err := m.oneNotice(ctx, in.ID, p.User)
	if err != nil {
		return nil, err
	}
	if n.By != p.User {
		if err := web.May(ctx, PostNotice, n.Site); err != nil {
			return nil, err
		}
	}
	if _, err := store.Exec(ctx, m.deps.DB, `UPDATE desk_notice SET until = ? WHERE id = ?`, m.deps.Clock.Now().UnixMilli(), in.ID); err != nil {
		return nil, err
	}
	m.noticeChanged(n.Site)
	return m.notices(ctx, nil)
}

type noticeReadersOut struct{ Body []NoticeReader }

// noticeReaders lists who of those at work has not read a notice, and then who has.
func (m *Module) noticeReaders(ctx context.Context, in *noticeIn) (*noticeReadersOut, error) {
	n, err := m.oneNotice(ctx, in.ID, web.Principal(ctx).User)
	if err != nil {
		return nil, err
	}
	if err := web.May(ctx, PostNotice, n.Site); err != nil {
		return nil, err
	}
	read, err := store.All(ctx, m.deps.DB, `SELECT reader, at FROM desk_notice_read WHERE notice = ? ORDER BY at`, func(r store.Scanner) (x NoticeReader, err error) {
		return x, r.Scan(&x.User, &x.At)
	}, in.ID)
	if err != nil {
		return nil, err
	}
	out := &noticeReadersOut{Body: []NoticeReader{}}
	m.floor.mu.Lock()
	for user, s := range m.floor.agents {
		if user != n.By && m.inside(s.site, n.Site) && !slices.ContainsFunc(read, func(x NoticeReader) bool { return x.User == user }) {
			out.Body = append(out.Body, NoticeReader{User: user})
		}
	}
	m.floor.mu.Unlock()
	slices.SortFunc(out.Body, func(a, b NoticeReader) int { return strings.Compare(string(a.User), string(b.User)) })
	out.Body = append(out.Body, read...)
	for i := range out.Body {
		out.Body[i].Name, _, _ = m.deps.Names.User(out.Body[i].User)
	}
	return out, nil
}

// mustRead refuses ready while there is a notice that must be read before.
func (m *Module) mustRead(ctx context.Context, user id.User) error {
	all, err := m.noticesFor(ctx, user)
	if err != nil {
		return err
	}
	for _, n := range all {
		if rankOfNotice(n, user) == 0 {
			return fault.New(fault.Conflict, "desk.notice.unread", "title", n.Title)
		}
	}
	return nil
}
