package desk

import (
	"encoding/json"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
)

// WhyView says why an offer came to this agent, out of the trace the brain left with it.
type WhyView struct {
	Cause     string `json:"cause" enum:"contact,agent,sticky" doc:"the contact came while the agent was free; the agent became free while it waited; it was kept for this agent"`
	IdleMs    int64  `json:"idle_ms,omitempty" doc:"how long the agent had been without a contact"`
	Relax     int    `json:"relax,omitempty" doc:"skill levels given way"`
	Ring      int    `json:"ring,omitempty" doc:"widening ring of sites"`
	BestSkill bool   `json:"best_skill,omitempty" doc:"the queue gives to the best, not to the longest idle"`
}

// SkillView is a skill a queue asks for, and at least how much of it.
type SkillView struct {
	Skill  id.Skill `json:"skill"`
	Name   string   `json:"name"`
	NameEn string   `json:"name_en,omitempty"`
	Level  int      `json:"level"`
}

// whyOf reads the trace of a contact.offered; nil when the offer has none, or there was no offer.
func whyOf(offered ledger.Fact) *WhyView {
	if len(offered.Body) == 0 {
		return nil
	}
	var b struct {
		Agent id.User `json:"agent"`
		Relax int     `json:"relax"`
		Ring  int     `json:"ring"`
		Trace *struct {
			Cause      string `json:"cause"`
			BestSkill  bool   `json:"best_skill"`
			Candidates []struct {
				Agent     id.User `json:"agent"`
				IdleSince int64   `json:"idle_since"`
			} `json:"candidates"`
		} `json:"trace"`
	}
	if json.Unmarshal(offered.Body, &b) != nil || b.Trace == nil || b.Trace.Cause == "" {
		return nil
	}
	w := &WhyView{Cause: b.Trace.Cause, Relax: b.Relax, Ring: b.Ring, BestSkill: b.Trace.BestSkill}
	for _, c := range b.Trace.Candidates {
		if c.Agent == b.Agent && c.IdleSince > 0 {
			w.IdleMs = max(0, offered.At-c.IdleSince)
		}
	}
	return w
}
