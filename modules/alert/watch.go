package alert

import (
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// View is an alert as pages show it. Times are unix ms; cleared_at 0: it stands. Rates are 0–1, waits seconds.
type View struct {
	ID      string   `json:"id"`
	Rule    string   `json:"rule"`
	Name    string   `json:"name"`
	NameEn  string   `json:"name_en,omitempty"`
	Site    id.Site  `json:"site"`
	Figure  Figure   `json:"figure" enum:"waiting,longest,rate,away,staffed"`
	Queue   id.Queue `json:"queue,omitempty"`
	Value   float64  `json:"value" doc:"when it was raised"`
	Limit   float64  `json:"limit"`
	Plan    string   `json:"plan,omitempty" doc:"the surge plan proposed"`
	Raised  int64    `json:"raised_at"`
	Cleared int64    `json:"cleared_at,omitempty"`
	Handled id.User  `json:"handled_by,omitempty"`

	Where   string `json:"where,omitempty" doc:"name of the queue, or of the site"`
	WhereEn string `json:"where_en,omitempty"`
	By      string `json:"handled_name,omitempty"`
}

const columns = `id, rule, name, name_en, site, figure, queue, value, bound, plan, raised_at, cleared_at, handled_by`

func scan(r store.Scanner) (v View, err error) {
	return v, r.Scan(&v.ID, &v.Rule, &v.Name, &v.NameEn, &v.Site, &v.Figure, &v.Queue, &v.Value, &v.Limit, &v.Plan, &v.Raised, &v.Cleared, &v.Handled)
}

// load reads what stands: a restart raises nothing twice.
func (m *Module) load(ctx context.Context) error {
	open, err := store.All(ctx, m.deps.DB, `SELECT `+columns+` FROM alert_log WHERE cleared_at = 0`, scan)
	if err != nil {
		return err
	}
	runs, err := m.loadRuns(ctx, m.deps.DB)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.on, m.runs = map[string]*watched{}, map[string]*running{}
	for _, v := range open {
		m.on[v.Rule] = &watched{open: v.ID, raised: v.Raised}
	}
	for _, r := range runs {
		m.runs[r.Plan] = r
	}
	return nil
}

// look holds every rule against the figures of now.
func (m *Module) look(ctx context.Context) {
	m.mu.Lock()
	rules := slices.Clone(m.rules)
	m.mu.Unlock()
	type seen struct {
		all    State
		queues map[id.Queue]State
		err    error
	}
	sites, alive := map[id.Site]seen{}, map[string]bool{}
	for i := range rules {
		r := &rules[i]
		if r.Off {
			continue
		}
		alive[r.Code] = true
		s, ok := sites[r.Site]
		if !ok {
			s.all, s.queues, s.err = m.deps.Figures.Look(ctx, r.Site)
			sites[r.Site] = s
		}
		if s.err != nil {
			if ctx.Err() == nil {
				m.deps.Log.Warn("a rule's figures are not known", "rule", r.Code, "err", s.err)
			}
			continue
		}
		state, known := s.all, true
		if r.Queue != "" {
			state, known = s.queues[r.Queue]
		}
		v, there := state.of(r.Figure)
		m.judge(ctx, r, v, known && there)
	}
	m.mu.Lock()
	var gone []string
	for rule, w := range m.on {
		if !alive[rule] && w.open != "" {
			gone = append(gone, rule)
		}
	}
	m.mu.Unlock()
	for _, rule := range gone {
		m.clear(ctx, rule, 0, "removed")
	}
}

// judge takes one rule a step on.
func (m *Module) judge(ctx context.Context, r *Rule, v float64, known bool) {
	m.mu.Lock()
	w := m.on[r.Code]
	if w == nil {
		w = &watched{}
		m.on[r.Code] = w
	}
	raise, clear := w.step(r, v, known, m.deps.Clock.Now().UnixMilli())
	m.mu.Unlock()
	switch {
	case raise:
		m.raise(ctx, r, v)
	case clear:
		m.clear(ctx, r.Code, v, "")
	}
}

func (m *Module) raise(ctx context.Context, r *Rule, v float64) {
	now := m.deps.Clock.Now()
	a := View{ID: id.New(now), Rule: r.Code, Name: r.Name, NameEn: r.NameEn, Site: r.Site, Figure: r.Figure, Queue: r.Queue, Value: v, Limit: r.Raise, Plan: r.Plan, Raised: now.UnixMilli()}
	err := m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		if _, err := store.Exec(ctx, tx, `INSERT INTO alert_log (`+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '')`,
			a.ID, a.Rule, a.Name, a.NameEn, string(a.Site), string(a.Figure), string(a.Queue), a.Value, a.Limit, a.Plan, a.Raised); err != nil {
			return err
		}
		return m.deps.Facts.Keep(tx, now, r.Site, a.ID, "", event.AlertRaised{Rule: r.Code, Figure: string(r.Figure), Queue: r.Queue, Value: v, Limit: r.Raise})
	})
	if err != nil {
		m.deps.Log.Error("an alert could not be written down; it is tried again", "rule", r.Code, "err", err)
		return
	}
	m.mu.Lock()
	m.on[r.Code].open, m.on[r.Code].raised = a.ID, a.Raised
	m.mu.Unlock()
	m.push(a.Site, map[string]any{"raised": a})
}

func (m *Module) clear(ctx context.Context, rule string, v float64, why string) {
	now := m.deps.Clock.Now()
	m.mu.Lock()
	w := *m.on[rule]
	m.mu.Unlock()
	var a View
	err := m.deps.DB.Tx(ctx, func(tx *store.Tx) (err error) {
		if err = store.Change(ctx, tx, `UPDATE alert_log SET cleared_at = ? WHERE id = ?`, now.UnixMilli(), w.open); err != nil {
			return err
		}
		if a, err = store.One(ctx, tx, `SELECT `+columns+` FROM alert_log WHERE id = ?`, scan, w.open); err != nil {
			return err
		}
		return m.deps.Facts.Keep(tx, now, a.Site, a.ID, "", event.AlertCleared{Rule: rule, Value: v, Ms: now.UnixMilli() - w.raised, Why: why})
	})
	if err != nil {
		m.deps.Log.Error("an alert's end could not be written down; it is tried again", "rule", rule, "err", err)
		return
	}
	m.mu.Lock()
	m.on[rule] = &watched{}
	m.mu.Unlock()
	m.push(a.Site, map[string]any{"cleared": a})
}

// push brings the leaders' pages up to date.
func (m *Module) push(site id.Site, said any) {
	if m.deps.Hub == nil {
		return
	}
	if err := m.deps.Hub.Publish("alerts", web.Holders(See, site), said); err != nil {
		m.deps.Log.Error("leaders could not be told of an alert", "site", site, "err", err)
	}
}
