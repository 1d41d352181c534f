package app

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/desk"
	"github.com/kapok-hotline/kapok/modules/routing"
	"github.com/kapok-hotline/kapok/modules/voice"
	"github.com/kapok-hotline/kapok/platform/section"
)

// skillBook gives what agents know, and changes it as any change of the configuration: with its version and audit.
type skillBook struct{ h *House }

func (b skillBook) Skills(user id.User) (map[id.Skill]int, []desk.SkillView) {
	a, _ := b.h.routing.Agent(user)
	known := []desk.SkillView{}
	for _, s := range b.h.routing.Skills() {
		known = append(known, desk.SkillView{Skill: s.Code, Name: s.Name, NameEn: s.NameEn})
	}
	slices.SortFunc(known, func(x, y desk.SkillView) int { return cmp.Compare(x.Skill, y.Skill) })
	skills := a.Skills
	if skills == nil {
		skills = map[id.Skill]int{}
	}
	return skills, known
}

func (b skillBook) SetSkills(ctx context.Context, user id.User, skills map[id.Skill]int) error {
	a, ok := b.h.routing.Agent(user)
	if !ok {
		a = routing.Agent{User: user}
	}
	a.Skills = skills
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	res, err := b.h.book.Put(ctx, "agents", string(user), body, section.Options{})
	if err == nil && len(res.Problems) > 0 {
		p := res.Problems[0]
		return fault.New(fault.Invalid, "desk.skills.wrong", "field", p.Path)
	}
	return err
}

// secret says whether nobody may listen to calls of a number or queue.
func (h *House) secret(n id.Number, q id.Queue) bool {
	k, _ := h.routing.Queue(q)
	return k.Secret || h.voice.Secret(n)
}

// supervision takes part in calls, of this process or of all.
func (h *House) supervision() desk.Supervision { return supervision{h} }

type supervision struct{ h *House }

func (s supervision) do(ctx context.Context, o farOrder, local func() error) error {
	if s.h.peers == nil {
		return local()
	}
	return anyVoice{s.h.voice, s.h.peers}.do(ctx, o, local)
}

func (s supervision) Supervise(ctx context.Context, c id.Contact, agent id.User, by desk.Leader, mode event.Force) error {
	l := voice.Leader(by)
	ctx, cancel := context.WithTimeout(ctx, farRinging) // the leader's endpoint is rung meanwhile
	defer cancel()
	return s.do(ctx, farOrder{Verb: "supervise", Contact: c, By: agent, Leader: l, Mode: mode}, func() error {
		return s.h.voice.Supervise(ctx, c, agent, l, mode)
	})
}

func (s supervision) Unsupervise(ctx context.Context, c id.Contact, by id.User) error {
	return s.do(ctx, farOrder{Verb: "unsupervise", Contact: c, By: by}, func() error { return s.h.voice.Unsupervise(ctx, c, by) })
}

func (s supervision) Release(ctx context.Context, c id.Contact, agent id.User, requeue bool) error {
	return s.do(ctx, farOrder{Verb: "release", Contact: c, By: agent, Hold: requeue}, func() error {
		return s.h.voice.Release(ctx, c, agent, requeue)
	})
}
