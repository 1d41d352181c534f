package alert

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

type none struct{}

// SurgeView is a surge plan, whether it runs and how far.
type SurgeView struct {
	Plan
	Run *running `json:"run,omitempty" doc:"absent: it is off"`
}

type boardOut struct {
	Body struct {
		Open    []View      `json:"open" doc:"those that stand, newest first"`
		Past    []View      `json:"past" doc:"those that are over, newest first"`
		Plans   []SurgeView `json:"plans"`
		Offered []Kind      `json:"offered" doc:"what a step of a plan can do here"`
	}
}

// Routes registers the module's requests.
func (m *Module) Routes(api *web.API) {
	web.Get(api, "/api/v1/alerts", See, "Alerts of my sites and surge plans", m.board)
	web.Post(api, "/api/v1/alerts/{id}/handled", Handle, "I have taken care of an alert", m.handled)
	web.Post(api, "/api/v1/surge/{plan}/start", Run, "Begin a surge plan", m.start)
	web.Post(api, "/api/v1/surge/{plan}/stop", Run, "Undo a surge plan", m.stop)
}

// pastShown is how many alerts that are over a page shows.
const pastShown = 200

func (m *Module) board(ctx context.Context, _ *none) (*boardOut, error) {
	out := &boardOut{}
	root := web.Principal(ctx).Site
	for _, q := range []struct {
		into  *[]View
		where string
	}{{&out.Body.Open, `cleared_at = 0`}, {&out.Body.Past, `cleared_at > 0`}} {
		*q.into = []View{}
		all, err := store.All(ctx, m.deps.DB, `SELECT `+columns+` FROM alert_log WHERE `+q.where+` ORDER BY raised_at DESC LIMIT 1000`, scan)
		if err != nil {
			return nil, err
		}
		for _, v := range all {
			if m.within(v.Site, root) && len(*q.into) < pastShown {
				if n := m.deps.Names; n != nil {
					v.Where, v.WhereEn = n.Where(v.Site, v.Queue)
					v.By = n.Person(v.Handled)
				}
				*q.into = append(*q.into, v)
			}
		}
	}
	runs, err := m.loadRuns(ctx, m.deps.DB)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	out.Body.Plans, out.Body.Offered = []SurgeView{}, slices.Sorted(maps.Keys(m.deps.Steps))
	for _, p := range m.plans {
		if !m.within(p.Site, root) {
			continue
		}
		v := SurgeView{Plan: p}
		for _, r := range runs {
			if r.Plan == p.Code {
				v.Run = r
				if known := m.runs[p.Code]; known != nil && known.ID == r.ID && known.Done == r.Done {
					r.Fault = known.Fault
				}
			}
		}
		out.Body.Plans = append(out.Body.Plans, v)
	}
	slices.SortFunc(out.Body.Plans, func(a, b SurgeView) int { return cmp.Compare(a.Code, b.Code) })
	return out, nil
}

func (m *Module) within(site, root id.Site) bool {
	return root == "" || site == root || m.deps.Within == nil || m.deps.Within(site, root)
}

type handledIn struct {
	ID string `path:"id" maxLength:"40"`
}

func (m *Module) handled(ctx context.Context, in *handledIn) (*boardOut, error) {
	by := web.Principal(ctx).User
	v, err := store.One(ctx, m.deps.DB, `SELECT `+columns+` FROM alert_log WHERE id = ?`, scan, in.ID)
	if errors.Is(err, store.ErrNotFound) || err == nil && !m.within(v.Site, web.Principal(ctx).Site) {
		return nil, fault.New(fault.NotFound, "alert.alert.none")
	}
	if err == nil && v.Handled == "" {
		err = m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
			if _, err := store.Exec(ctx, tx, `UPDATE alert_log SET handled_by = ? WHERE id = ? AND handled_by = ''`, string(by), v.ID); err != nil {
				return err
			}
			return m.deps.Facts.Keep(tx, m.deps.Clock.Now(), v.Site, v.ID, string(by), event.AlertHandled{By: by})
		})
		m.push(v.Site, map[string]any{"handled": v.ID})
	}
	if err != nil {
		return nil, err
	}
	return m.board(ctx, nil)
}

type startIn struct {
	Plan string `path:"plan" maxLength:"32"`
	Body struct {
		Why string `json:"why" minLength:"2" maxLength:"200" doc:"agents who are asked back see it"`
	}
}

// plan finds a plan where the caller may run it.
func (m *Module) plan(ctx context.Context, code string) (Plan, error) {
	m.mu.Lock()
	i := slices.IndexFunc(m.plans, func(p Plan) bool { return p.Code == code })
	var p Plan
	if i >= 0 {
		p = m.plans[i]
	}
	m.mu.Unlock()
	if i < 0 || !m.within(p.Site, web.Principal(ctx).Site) {
		return p, fault.New(fault.NotFound, "alert.surge.none", "plan", code)
	}
	return p, web.May(ctx, Run, p.Site)
}

func (m *Module) start(ctx context.Context, in *startIn) (*boardOut, error) {
	p, err := m.plan(ctx, in.Plan)
	if err != nil {
		return nil, err
	}
	web.Note(ctx, "why", in.Body.Why)
	if err := m.begin(ctx, p, web.Principal(ctx).User, in.Body.Why); err != nil {
		return nil, err
	}
	return m.board(ctx, nil)
}

type stopIn struct {
	Plan string `path:"plan" maxLength:"32"`
}

func (m *Module) stop(ctx context.Context, in *stopIn) (*boardOut, error) {
	if _, err := m.plan(ctx, in.Plan); err != nil {
		return nil, err
	}
	if err := m.end(ctx, in.Plan); errors.Is(err, store.ErrNotFound) {
		return nil, fault.New(fault.Conflict, "alert.surge.off", "plan", in.Plan)
	} else if err != nil {
		return nil, err
	}
	return m.board(ctx, nil)
}
