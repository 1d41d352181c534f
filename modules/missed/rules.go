package missed

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Rules say how the list is kept.
type Rules struct {
	ShortS   int `json:"short_s" minimum:"0" maximum:"300" default:"5" doc:"who gave up sooner is not on the list: they dialled wrongly, or thought better of it"`
	Tries    int `json:"tries" minimum:"1" maximum:"20" default:"5" doc:"calls nobody answered after which a caller is given up"`
	KeepDays int `json:"keep_days" minimum:"1" maximum:"90" default:"7" doc:"days after the last attempt on which an open row lapses"`
}

func defaultRules() Rules { return Rules{ShortS: 5, Tries: 5, KeepDays: 7} }

var rulesTable = store.Docs[Rules]{Table: "missed_rules"}

// Sections gives what can be configured.
func (m *Module) Sections() []section.Section {
	return []section.Section{section.Of(section.Spec[Rules]{
		Key: "missed_rules", Order: 97, Right: Manage, Single: true,
		Load: func(ctx context.Context, tx *store.Tx) ([]Rules, error) { return loadRules(ctx, tx) },
		Put: func(ctx context.Context, tx *store.Tx, r Rules) error {
			return rulesTable.Put(ctx, tx, "missed_rules", r)
		},
	})}
}

func loadRules(ctx context.Context, q store.Querier) ([]Rules, error) {
	r, err := rulesTable.Load(ctx, q)
	if err == nil && len(r) == 0 {
		r = []Rules{defaultRules()}
	}
	return r, err
}

func (m *Module) reload(ctx context.Context) error {
	r, err := loadRules(ctx, m.deps.DB)
	if err == nil {
		m.rules.Store(&r[0])
	}
	return err
}

// tidyEvery is how often rows that are too old are looked for.
const tidyEvery = time.Hour

// Start closes rows that are too old until ctx ends.
func (m *Module) Start(ctx context.Context) error {
	if err := m.reload(ctx); err != nil {
		return err
	}
	if m.deps.Changed != nil {
		m.deps.Changed(func() {
			if err := m.reload(ctx); err != nil && ctx.Err() == nil {
				m.deps.Log.Error("missed callers are kept by the rules there were", "err", err)
			}
		})
	}
	close(m.ready)
	defer m.quiet()
	timer := m.deps.Clock.NewTimer(tidyEvery)
	defer timer.Stop()
	for {
		if err := m.tidy(ctx); err != nil && ctx.Err() == nil {
			m.deps.Log.Error("old missed callers stay on the list; it is tried again in an hour", "err", err)
		}
		timer.Reset(tidyEvery)
		select {
		case <-timer.C():
		case <-ctx.Done():
			return nil
		}
	}
}

// quiet drops a word to the pages that is not said yet.
func (m *Module) quiet() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.later != nil {
		m.later.Stop()
	}
}

// tidyMost bounds one pass.
const tidyMost = 1000

// tidy closes the rows whose last attempt is older than the house keeps them. The fact changes nothing where another
// process was first.
func (m *Module) tidy(ctx context.Context) error {
	days := m.rules.Load().KeepDays
	now := m.deps.Clock.Now()
	before := now.AddDate(0, 0, -days).UnixMilli()
	old, err := store.All(ctx, m.deps.DB, `SELECT id, site FROM missed_row WHERE state = 'open' AND last_at < ? AND again_at < ? ORDER BY last_at LIMIT ?`,
		func(r store.Scanner) (v [2]string, err error) { return v, r.Scan(&v[0], &v[1]) }, before, now.UnixMilli(), tidyMost)
	if err != nil || len(old) == 0 {
		return err
	}
	return m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		for _, o := range old {
			if err := m.deps.Facts.Keep(tx, now, id.Site(o[1]), o[0], "", event.MissedLapsed{Days: days}); err != nil {
				return err
			}
		}
		return nil
	})
}
