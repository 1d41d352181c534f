package report

import (
	"context"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report/tally"
)

// AgentDay is an agent's own day, for the desk. The figures are those of the report by agent of that day.
type AgentDay struct {
	Day        string   `json:"day"`
	Answered   int64    `json:"answered"`
	Offered    int64    `json:"offered"`
	Missed     int64    `json:"missed"`
	AnswerRate *float64 `json:"answer_rate" doc:"Answered of the offers made, 0..1"`
	AHTMs      *float64 `json:"aht_ms" doc:"Mean handling time: talk, hold, wrap-up"`
	TalkMs     int64    `json:"talk_ms"`
	HoldMs     int64    `json:"hold_ms"`
	WrapMs     int64    `json:"wrap_ms"`
	ReadyMs    int64    `json:"ready_ms"`
	AwayMs     int64    `json:"away_ms"`
	SignedInMs int64    `json:"signed_in_ms"`
}

// MyDay gives the agent's figures of the local day; "" is today.
func (m *Module) MyDay(ctx context.Context, agent id.User, day string) (*AgentDay, error) {
	if day == "" {
		day = m.today()
	}
	t, err := m.Table(ctx, Query{By: ByAgent, Step: Day, From: day, To: day, Agent: agent, Medium: "all"})
	if err != nil {
		return nil, err
	}
	r := &t.Total
	return &AgentDay{
		Day: day, Answered: r.Counts[tally.Answered], Offered: r.Counts[tally.Offered], Missed: r.Counts[tally.Missed],
		AnswerRate: m.figure("ACC", r), AHTMs: m.figure("AHT", r), TalkMs: r.Counts[tally.TalkMs], HoldMs: r.Counts[tally.HoldMs],
		WrapMs: r.Counts[tally.WrapMs], ReadyMs: r.Spent[tally.ReadyMs], AwayMs: r.Spent[tally.AwayMs], SignedInMs: r.SignedInMs(),
	}, nil
}
