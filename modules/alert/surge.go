package alert

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Kind is what a step of a surge plan does.
type Kind string

// The kinds.
const (
	Recall   Kind = "recall"   // asks who is away to come back, by a notice they acknowledge
	Callback Kind = "callback" // people who wait are offered a call back
	Notice   Kind = "notice"   // callers are greeted with a word on the crowd
)

// PlanStep is one step of a plan. Kind says which of the others are read.
type PlanStep struct {
	Kind    Kind       `json:"kind" enum:"recall,callback,notice"`
	Reasons []string   `json:"reasons,omitempty" ref:"reasons" doc:"recall: of those away for one of these; none: for any"`
	Queues  []id.Queue `json:"queues,omitempty" ref:"queues" doc:"callback: where it is offered; none: in every queue of the site"`
	AfterS  int        `json:"after_s,omitempty" minimum:"0" maximum:"3600" doc:"callback: offered after so many seconds of waiting; 0: 60"`
	Prompt  id.Prompt  `json:"prompt,omitempty" ref:"prompts" doc:"notice: what is said"`
}

// Plan is what is done against a crowd of callers: its steps in their order, undone in the opposite one.
type Plan struct {
	Code   string     `json:"code" minLength:"1" maxLength:"32"`
	Name   string     `json:"name" minLength:"1"`
	NameEn string     `json:"name_en,omitempty"`
	Site   id.Site    `json:"site" ref:"sites" doc:"with all below it"`
	Steps  []PlanStep `json:"steps" minItems:"1" maxItems:"16"`
}

// checkPlan refuses steps this hotline cannot do, and those that lack what they need.
func (m *Module) checkPlan(_ section.Lookup, p Plan) []section.Problem {
	var out []section.Problem
	for i, s := range p.Steps {
		path := "steps[" + strconv.Itoa(i) + "]"
		if m.deps.Steps[s.Kind] == nil {
			out = append(out, section.Complaint(path+".kind", "alert.step.unknown", "kind", string(s.Kind)))
		}
		if s.Kind == Notice && s.Prompt == "" {
			out = append(out, section.Complaint(path+".prompt", "alert.step.prompt"))
		}
	}
	return out
}

// Doing is a step of a run, for who carries it out. Key is the same each time the step is done.
type Doing struct {
	Key  string
	Site id.Site
	By   id.User
	Why  string
	Step PlanStep
}

// Step carries out one kind of step. Do is called again after a restart with again: what lasts is put back, what was
// said once is not said twice. Undo takes back what Do did; of a step that never was it is harmless.
type Step interface {
	Do(ctx context.Context, d Doing, again bool) error
	Undo(ctx context.Context, d Doing) error
}

// running is a plan that is on, or being undone.
type running struct {
	Plan    string     `json:"plan"`
	ID      string     `json:"id"`
	Site    id.Site    `json:"site"`
	At      int64      `json:"at" doc:"unix ms"`
	By      id.User    `json:"by"`
	Why     string     `json:"why"`
	Done    int        `json:"done" doc:"steps 1 to done are done"`
	Undoing bool       `json:"undoing"`
	Steps   []PlanStep `json:"steps" doc:"as they were when it began"`
	Fault   string     `json:"fault,omitempty" doc:"why the next step is not done yet; it is tried again"`
}

func (r *running) doing(i int) Doing {
	return Doing{Key: r.ID + "." + strconv.Itoa(i+1), Site: r.Site, By: r.By, Why: r.Why, Step: r.Steps[i]}
}

func (m *Module) loadRuns(ctx context.Context, q store.Querier) ([]*running, error) {
	return store.All(ctx, q, `SELECT plan, id, site, at, by_user, why, done, undoing, body FROM alert_run`, func(s store.Scanner) (*running, error) {
		r, body, undoing := &running{}, "", 0
		if err := s.Scan(&r.Plan, &r.ID, &r.Site, &r.At, &r.By, &r.Why, &r.Done, &undoing, &body); err != nil {
			return nil, err
		}
		r.Undoing = undoing != 0
		return r, json.Unmarshal([]byte(body), &r.Steps)
	})
}

// begin writes a plan down as on; its steps follow.
func (m *Module) begin(ctx context.Context, p Plan, by id.User, why string) error {
	now := m.deps.Clock.Now()
	body, err := json.Marshal(p.Steps)
	if err != nil {
		return err
	}
	err = m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		n, err := store.One(ctx, tx, `SELECT COUNT(*) FROM alert_run WHERE plan = ?`, store.Col[int], p.Code)
		if err != nil {
			return err
		}
		if n > 0 {
			return fault.New(fault.Conflict, "alert.surge.on", "plan", p.Code)
		}
		run := id.New(now)
		if _, err = store.Exec(ctx, tx, `INSERT INTO alert_run (plan, id, site, at, by_user, why, done, undoing, body) VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?)`,
			p.Code, run, string(p.Site), now.UnixMilli(), string(by), why, string(body)); err != nil {
			return err
		}
		return m.deps.Facts.Keep(tx, now, p.Site, run, string(by), event.SurgeStepped{Plan: p.Code, By: by, Why: why})
	})
	m.nudge()
	return err
}

// end writes down that a plan is to be undone.
func (m *Module) end(ctx context.Context, plan string) error {
	err := store.Change(ctx, m.deps.DB, `UPDATE alert_run SET undoing = 1 WHERE plan = ?`, plan)
	m.nudge()
	return err
}

// nudge has the watch look at once.
func (m *Module) nudge() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Standing gives the steps done and not undone of every plan that runs, by whatever process.
func (m *Module) Standing(ctx context.Context) ([]Doing, error) {
	runs, err := m.loadRuns(ctx, m.deps.DB)
	var out []Doing
	for _, r := range runs {
		for i := range r.Done {
			out = append(out, r.doing(i))
		}
	}
	return out, err
}

// resume puts back what lasts of the steps done before a restart, or by the process that watched before.
func (m *Module) resume(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.runs {
		for i := range r.Done {
			if s := m.deps.Steps[r.Steps[i].Kind]; s != nil {
				if err := s.Do(ctx, r.doing(i), true); err != nil {
					m.deps.Log.Error("a step of a surge plan is not put back", "plan", r.Plan, "step", i+1, "err", err)
				}
			}
		}
	}
}

// advance takes every plan that runs as far as it goes: step by step on, or in the opposite order back. A step that
// fails is tried again at the next look; none is passed over.
func (m *Module) advance(ctx context.Context) {
	runs, err := m.loadRuns(ctx, m.deps.DB)
	if err != nil {
		if ctx.Err() == nil {
			m.deps.Log.Error("the surge plans that run could not be read", "err", err)
		}
		return
	}
	on := map[string]*running{}
	for _, r := range runs {
		for m.stepOn(ctx, r) && ctx.Err() == nil {
		}
		if !r.Undoing || r.Done > 0 {
			on[r.Plan] = r
		}
	}
	m.mu.Lock()
	m.runs = on
	m.mu.Unlock()
}

// stepOn does or undoes one step and writes it down; false when there is no more to do now.
func (m *Module) stepOn(ctx context.Context, r *running) bool {
	if !r.Undoing && r.Done == len(r.Steps) {
		return false
	}
	if r.Undoing && r.Done == 0 {
		m.written(ctx, r, 0, `DELETE FROM alert_run WHERE plan = ? AND done = ?`)
		return false
	}
	i := r.Done
	if r.Undoing {
		i--
	}
	s := m.deps.Steps[r.Steps[i].Kind]
	var err error
	switch {
	case s == nil && !r.Undoing:
		err = fault.New(fault.Unavailable, "alert.step.unknown", "kind", string(r.Steps[i].Kind))
	case s == nil:
	case r.Undoing:
		err = s.Undo(ctx, r.doing(i))
	default:
		err = s.Do(ctx, r.doing(i), false)
	}
	if err != nil {
		r.Fault = fault.CodeOf(err)
		m.deps.Log.Warn("a step of a surge plan failed; it is tried again", "plan", r.Plan, "step", i+1, "undoing", r.Undoing, "err", err)
		return false
	}
	if r.Undoing {
		r.Done--
	} else {
		r.Done++
	}
	return m.written(ctx, r, i+1, "")
}

// written writes down how far a plan is, with its fact.
func (m *Module) written(ctx context.Context, r *running, step int, remove string) bool {
	now := m.deps.Clock.Now()
	f := event.SurgeStepped{Plan: r.Plan, Step: step, Undone: r.Undoing, By: r.By}
	err := m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		text, args := `UPDATE alert_run SET done = ? WHERE plan = ?`, []any{r.Done, r.Plan}
		if remove != "" {
			text, args = remove, []any{r.Plan, 0}
		} else {
			f.What = string(r.Steps[step-1].Kind)
		}
		if err := store.Change(ctx, tx, text, args...); err != nil {
			return err
		}
		return m.deps.Facts.Keep(tx, now, r.Site, r.ID, string(r.By), f)
	})
	if err != nil {
		m.deps.Log.Error("how far a surge plan is could not be written down; the step is done again", "plan", r.Plan, "err", err)
		return false
	}
	m.push(r.Site, map[string]any{"surge": r.Plan})
	return true
}
