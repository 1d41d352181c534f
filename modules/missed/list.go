package missed

import (
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Filter narrows the list. Zero fields do not narrow.
type Filter struct {
	View  string // due (open, to be rung today or before), open, mine (open), closed
	User  id.User
	Queue id.Queue
	Kind  Kind
	Site  id.Site // with all below it
	End   string  // of the number
	Today string
}

// Views of the list.
const (
	ViewDue    = "due"
	ViewOpen   = "open"
	ViewMine   = "mine"
	ViewClosed = "closed"
)

type where struct {
	text string
	args []any
}

func (w *where) and(text string, args ...any) {
	w.text += " AND " + text
	w.args = append(w.args, args...)
}

// sites narrows to a site and all below it; "" is every site.
func (m *Module) sites(w *where, root id.Site) {
	if root == "" {
		return
	}
	list := []id.Site{root}
	if m.deps.Subtree != nil {
		list = m.deps.Subtree(root)
	}
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = string(s)
	}
	if len(names) == 0 {
		w.and("1 = 0")
		return
	}
	w.and("site IN ("+store.In(len(names))+")", store.Args(names)...)
}

// long leaves out who gave up too soon to be called back.
func (m *Module) long(w *where) { w.and("longest_ms >= ?", int64(m.rules.Load().ShortS)*1000) }

func (m *Module) scope(f Filter) where {
	var w where
	m.sites(&w, f.Site)
	m.long(&w)
	switch f.View {
	case ViewDue:
		w.and("state = 'open' AND ring_day <= ?", f.Today)
	case ViewMine:
		w.and("state = 'open' AND owner = ?", string(f.User))
	case ViewClosed:
		w.and("state <> 'open'")
	default:
		w.and("state = 'open'")
	}
	if f.Queue != "" {
		w.and("queue = ?", string(f.Queue))
	}
	if f.Kind != "" {
		w.and("kind = ?", string(f.Kind))
	}
	if f.End != "" {
		w.and(`number LIKE ? ESCAPE '\'`, "%"+store.Escape(f.End))
	}
	return w
}

// List gives the missed callers in the order they are to be called: those whose day it is or was first, of them who
// tried at least three times (a cry for help), then who waits longest. Closed ones come newest first.
func (m *Module) List(ctx context.Context, f Filter, page store.Page) (store.Slice[Row], error) {
	w := m.scope(f)
	order := `ring_day, CASE WHEN attempts >= 3 THEN 0 ELSE 1 END, again_at, last_at, id`
	if f.View == ViewClosed {
		order = `closed_at DESC, id DESC`
	}
	var skip int
	if _, err := page.Key(&skip); err != nil {
		return store.Slice[Row]{}, err
	}
	n := page.Rows()
	rows, err := store.All(ctx, m.deps.DB, `SELECT `+columns+` FROM missed_row WHERE 1 = 1`+w.text+` ORDER BY `+order+` LIMIT ? OFFSET ?`, scanRow,
		slices.Concat(w.args, []any{n + 1, skip})...)
	if err != nil {
		return store.Slice[Row]{}, err
	}
	for i := range rows {
		m.dress(ctx, &rows[i])
	}
	return store.Cut(page, rows, func(Row) []any { return []any{skip + n} })
}

// Day says how the callers due on a day fared.
type Day struct {
	Due      int      `json:"due" doc:"missed callers who were to be rung by the end of the day"`
	Rung     int      `json:"rung" doc:"of them: rung in time, whether or not they answered"`
	CameBack int      `json:"came_back" doc:"of them: called again in time and were answered"`
	Open     int      `json:"open" doc:"of them: neither yet"`
	Share    *float64 `json:"share" doc:"rung or come back in time, of those due; absent: nobody was due"`
	Late     int      `json:"late" doc:"open rows whose day is over"`
}

// Day counts the callers due on a local day at a site and below.
func (m *Module) Day(ctx context.Context, day string, site id.Site) (Day, error) {
	var w where
	m.sites(&w, site)
	m.long(&w)
	const rung = `(first_day <> '' AND first_day <= due_day OR state = 'reached' AND closed_day <= due_day)`
	const back = `(state = 'came_back' AND closed_day <= due_day)`
	d, err := store.One(ctx, m.deps.DB, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN `+rung+` THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN NOT `+rung+` AND `+back+` THEN 1 ELSE 0 END), 0) FROM missed_row WHERE due_day = ?`+w.text,
		func(r store.Scanner) (d Day, err error) { return d, r.Scan(&d.Due, &d.Rung, &d.CameBack) }, slices.Concat([]any{day}, w.args)...)
	if err != nil {
		return d, err
	}
	d.Open = d.Due - d.Rung - d.CameBack
	if d.Due > 0 {
		s := float64(d.Rung+d.CameBack) / float64(d.Due)
		d.Share = &s
	}
	d.Late, err = store.One(ctx, m.deps.DB, `SELECT COUNT(*) FROM missed_row WHERE state = 'open' AND ring_day < ?`+w.text, store.Col[int], slices.Concat([]any{day}, w.args)...)
	return d, err
}
