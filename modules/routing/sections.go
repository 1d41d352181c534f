package routing

import (
	"context"
	"strconv"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

// The rights of routing.
const (
	ManageSkills right.Right = "routing.skill.manage"
	ManageQueues right.Right = "routing.queue.manage"
	ManageAgents right.Right = "routing.agent.manage"
)

// Rights gives the rights routing declares.
func (m *Module) Rights() []right.Right {
	return []right.Right{ManageSkills, ManageQueues, ManageAgents}
}

// Sections gives what of routing can be configured.
func (m *Module) Sections() []section.Section {
	return []section.Section{
		section.Of(section.Spec[Skill]{
			Key: "skills", Order: 30, Right: ManageSkills,
			ID:   func(s Skill) string { return string(s.Code) },
			Load: func(ctx context.Context, tx *store.Tx) ([]Skill, error) { return skillTable.Load(ctx, tx) },
			Put: func(ctx context.Context, tx *store.Tx, s Skill) error {
				return skillTable.Put(ctx, tx, string(s.Code), s)
			},
			Drop: func(ctx context.Context, tx *store.Tx, code string) error { return skillTable.Drop(ctx, tx, code) },
		}),
		section.Of(section.Spec[Queue]{
			Key: "queues", Order: 70, Right: ManageQueues,
			ID:   func(q Queue) string { return string(q.Code) },
			Site: func(q Queue) id.Site { return q.Site },
			Load: func(ctx context.Context, tx *store.Tx) ([]Queue, error) { return queueTable.Load(ctx, tx) },
			Put: func(ctx context.Context, tx *store.Tx, q Queue) error {
				return queueTable.Put(ctx, tx, string(q.Code), q)
			},
			Drop:  func(ctx context.Context, tx *store.Tx, code string) error { return queueTable.Drop(ctx, tx, code) },
			Check: checkQueue,
		}),
		section.Of(section.Spec[Agent]{
			Key: "agents", Order: 80, Right: ManageAgents, IDField: "user",
			ID:   func(a Agent) string { return string(a.User) },
			Load: func(ctx context.Context, tx *store.Tx) ([]Agent, error) { return agentTable.Load(ctx, tx) },
			Put: func(ctx context.Context, tx *store.Tx, a Agent) error {
				return agentTable.Put(ctx, tx, string(a.User), a)
			},
			Drop:  func(ctx context.Context, tx *store.Tx, code string) error { return agentTable.Drop(ctx, tx, code) },
			Check: checkAgent,
		}),
		section.Of(section.Spec[Rules]{
			Key: "rules", Order: 85, Right: ManageQueues, Single: true,
			Load:  loadRules,
			Put:   func(ctx context.Context, tx *store.Tx, r Rules) error { return rulesTable.Put(ctx, tx, "rules", r) },
			Check: func(_ section.Lookup, r Rules) []section.Problem { return checkWeights(r) },
		}),
	}
}

func loadRules(ctx context.Context, tx *store.Tx) ([]Rules, error) {
	r, err := rulesTable.Load(ctx, tx)
	if err == nil && len(r) == 0 {
		r = []Rules{defaultRules()}
	}
	return r, err
}

// checkQueue wants widening rings in order, and a rule for each limit: nobody may be left in silence.
func checkQueue(_ section.Lookup, q Queue) []section.Problem {
	var out []section.Problem
	for i := 1; i < len(q.Rings); i++ {
		if q.Rings[i].AfterS <= q.Rings[i-1].AfterS {
			out = append(out, section.Complaint("rings["+strconv.Itoa(i)+"].after_s", "routing.rings.order"))
		}
	}
	if q.MaxLength > 0 && q.OnFull == "" {
		out = append(out, section.Complaint("on_full", "routing.rule.missing", "limit", "max_length"))
	}
	if q.MaxWaitS > 0 && q.OnMaxWait == "" {
		out = append(out, section.Complaint("on_max_wait", "routing.rule.missing", "limit", "max_wait_s"))
	}
	return out
}

// checkAgent wants known skills at levels 0 to 4.
func checkAgent(all section.Lookup, a Agent) []section.Problem {
	var out []section.Problem
	for skill, level := range a.Skills {
		path := "skills." + string(skill)
		out = append(out, all.Need(path, "skills", string(skill))...)
		if level < 0 || level > 4 {
			out = append(out, section.Complaint(path, "routing.level.range", "level", level))
		}
	}
	return out
}
