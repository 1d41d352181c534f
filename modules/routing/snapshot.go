package routing

import (
	"context"
	"slices"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/engine/acd"
	"github.com/kapok-hotline/kapok/platform/store"
)

// snapshot is the configuration as one value: replaced whole when it changes.
type snapshot struct {
	skills map[id.Skill]Skill
	queues map[id.Queue]Queue
	order  []id.Queue
	agents map[id.User]Agent
	rules  Rules
}

var (
	skillTable = store.Docs[Skill]{Table: "routing_skill"}
	queueTable = store.Docs[Queue]{Table: "routing_queue"}
	agentTable = store.Docs[Agent]{Table: "routing_agent"}
	rulesTable = store.Docs[Rules]{Table: "routing_rules"}
)

// defaultRules hold until somebody sets them.
func defaultRules() Rules { return Rules{MissedLimit: 2} }

func (m *Module) reload(ctx context.Context) error {
	s, err := load(ctx, m.deps.DB)
	if err == nil {
		m.snap.Store(s)
	}
	return err
}

func load(ctx context.Context, q store.Querier) (*snapshot, error) {
	s := &snapshot{skills: map[id.Skill]Skill{}, queues: map[id.Queue]Queue{}, agents: map[id.User]Agent{}, rules: defaultRules()}
	skills, err := skillTable.Load(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, k := range skills {
		s.skills[k.Code] = k
	}
	queues, err := queueTable.Load(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, k := range queues {
		s.queues[k.Code] = k
		s.order = append(s.order, k.Code)
	}
	agents, err := agentTable.Load(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, a := range agents {
		s.agents[a.User] = a
	}
	rules, err := rulesTable.Load(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(rules) > 0 {
		s.rules = rules[0]
	}
	return s, nil
}

// brainQueue says a queue in the brain's words; the rules' names are the flows that carry them out.
func brainQueue(q Queue, closed bool) *acd.Queue {
	b := &acd.Queue{
		ID: q.Code, RelaxEvery: seconds(q.RelaxAfterS), Priority: q.Priority, Sticky: seconds(q.StickyS), RedialBonus: q.RedialMin,
		Ringing: seconds(q.RingS), WrapUp: seconds(q.WrapupS),
		MaxWait: seconds(q.MaxWaitS), MaxWaitRule: acd.Rule(q.OnMaxWait),
		MaxLength: q.MaxLength, FullRule: acd.Rule(q.OnFull),
		NoAgentAfter: seconds(q.NoAgentsS), NoAgentRule: acd.Rule(q.OnNoAgents),
		Closed: closed, ClosedRule: acd.Rule(q.OnClosing), ClosingRule: acd.Rule(q.OnClosing),
	}
	if q.WrapupS < 0 {
		b.WrapUp = acd.Manual
	}
	for _, n := range q.Needs {
		b.Needs = append(b.Needs, acd.Need{Skill: n.Skill, Level: uint8(n.Level)})
	}
	for _, r := range q.Rings {
		b.Rings = append(b.Rings, acd.Ring{After: seconds(r.AfterS), OnWait: seconds(r.WaitS), Sites: r.Sites})
	}
	return b
}

// phoneChannel is the telephone in the brain's words.
const phoneChannel = acd.Channel(contact.Phone)

// brainAgent says an agent in the brain's words, skills in order so that the same input gives the same brain.
func brainAgent(user id.User, a Agent, sites []id.Site) *acd.Agent {
	b := &acd.Agent{ID: user, Sites: sites}
	for skill, level := range a.Skills {
		b.Skills = append(b.Skills, acd.Skill{Skill: skill, Level: uint8(level)})
	}
	slices.SortFunc(b.Skills, func(x, y acd.Skill) int { return compare(x.Skill, y.Skill) })
	phone := a.Capacity[string(contact.Phone)]
	if phone > 1 {
		b.Capacity = phone * phoneWeight // an agent takes one call's weight unless more calls are meant
	}
	b.Slots = []acd.Slots{{Channel: acd.Channel(contact.Phone), Max: max(phone, 1)}}
	for _, medium := range media()[1:] { // who writes
		if n := a.Capacity[string(medium)]; n > 0 {
			b.Slots = append(b.Slots, acd.Slots{Channel: acd.Channel(medium), Max: n})
		}
	}
	return b
}

// phoneWeight is what a call weighs: as much as an agent carries at once.
const phoneWeight = 100

// brainSettings are the brain's settings under the rules.
func brainSettings(r Rules) acd.Settings {
	s := acd.Defaults()
	s.Slack, s.Channels = offerSlack.Milliseconds(), nil
	for _, medium := range media() { // always in this order: a channel's number is in every record of the brain
		s.Channels = append(s.Channels, acd.ChannelRule{Channel: acd.Channel(medium), Weight: r.weight(medium), Endpoint: medium == contact.Phone})
	}
	s.MissedLimit = r.MissedLimit
	if r.MissedLimit == 0 {
		s.MissedLimit = -1
	}
	return s
}

// offerSlack is how long an answer given in the last moment of the ringing may be on its way to us. The caller of a
// call nobody took waits it out, so it is short.
const offerSlack = 500 * time.Millisecond

func seconds(s int) int64 { return int64(s) * acd.Second }

func compare[T ~string](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
