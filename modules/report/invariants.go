package report

import (
	"context"
	"fmt"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// breachLimit bounds what one invariant names: who breaks a law a thousand times breaks it always.
const breachLimit = 1000

// tolerance is how far two clocks of one contact may differ, in milliseconds: a leg and its contact end in two
// facts.
const tolerance = 1000

// Invariants gives the laws the figures obey, for tests and the doctor. Each names the broken contacts, agents
// or rows.
func (m *Module) Invariants() []ledger.Invariant {
	return []ledger.Invariant{
		{Name: "report.ends", Check: checkEnds},
		{Name: "report.legs", Check: checkLegs},
		{Name: "report.states", Check: m.checkStates},
		{Name: "report.line", Check: m.checkLine},
		{Name: "report.winner", Check: checkWinner},
		{Name: "report.talk", Check: m.checkTalk},
		{Name: "report.recount", Check: m.checkRecount},
		{Name: "report.rates", Check: checkRates},
		{Name: "report.presence", Check: m.checkPresence},
		{Name: "report.paths", Check: m.checkPaths},
	}
}

// breaches runs a statement whose first column is the subject and whose others are params of the given names.
func breaches(ctx context.Context, db *store.DB, text string, names []string, args ...any) ([]ledger.Breach, error) {
	return store.All(ctx, db, text+fmt.Sprintf(` LIMIT %d`, breachLimit), func(r store.Scanner) (b ledger.Breach, err error) {
		values := make([]int64, len(names))
		dest := []any{&b.Subject}
		for i := range values {
			dest = append(dest, &values[i])
		}
		err = r.Scan(dest...)
		b.Params = map[string]any{}
		for i, n := range names {
			b.Params[n] = values[i]
		}
		return b, err
	}, args...)
}

// checkEnds: one start, at most one end; what ended has ended after it started.
func checkEnds(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	return breaches(ctx, db, `SELECT contact, starts, ends FROM report_contact
		WHERE starts <> 1 OR ends > 1 OR (ends = 1 AND ended_at < started_at) ORDER BY contact`, []string{"starts", "ends"})
}

// checkLegs: a leg starts once and ends once, within its contact; its parts are its length; the agents' legs are
// the contact's talk. A contact that was lost took its legs with it.
func checkLegs(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	found, err := breaches(ctx, db, `SELECT l.contact, l.starts, l.ends, l.ended_at - l.started_at, l.ring_ms + l.talk_ms + l.hold_ms
		FROM report_leg l JOIN report_contact c ON c.contact = l.contact
		WHERE c.ended_at > 0 AND c.lost = 0 AND (l.starts <> 1 OR l.ends <> 1
			OR l.started_at < c.started_at - ? OR l.ended_at > c.ended_at + ?
			OR l.ring_ms + l.talk_ms + l.hold_ms - (l.ended_at - l.started_at) > ?
			OR l.ended_at - l.started_at - l.ring_ms - l.talk_ms - l.hold_ms > ?)
		ORDER BY l.contact, l.leg`, []string{"starts", "ends", "length_ms", "parts_ms"}, tolerance, tolerance, tolerance, tolerance)
	if err != nil {
		return nil, err
	}
	sums, err := breaches(ctx, db, `SELECT c.contact, c.talk_ms, c.hold_ms, SUM(l.talk_ms), SUM(l.hold_ms)
		FROM report_contact c JOIN report_leg l ON l.contact = c.contact AND l.role = 'agent'
		GROUP BY c.contact, c.talk_ms, c.hold_ms HAVING c.talk_ms <> SUM(l.talk_ms) OR c.hold_ms <> SUM(l.hold_ms)
		ORDER BY c.contact`, []string{"talk_ms", "hold_ms", "legs_talk_ms", "legs_hold_ms"})
	return append(found, sums...), err
}

// checkWinner: a visit is answered once.
func checkWinner(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	return breaches(ctx, db, `SELECT contact, entered_at, answers FROM report_visit
		WHERE answers > 1 OR (how = 'answered' AND (answers <> 1 OR agent = '')) ORDER BY contact, entered_at`,
		[]string{"entered_at", "answers"})
}

// checkRates: the rates' rows agree on every day: queues, agents and topics have the same visits, and as many
// callers and contacts as these allow.
func checkRates(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	return breaches(ctx, db, `SELECT q.day, q.entered, q.answered,
		COALESCE(a.entered, 0), COALESCE(a.answered, 0), COALESCE(t.entered, 0), COALESCE(t.answered, 0), q.entered_first, q.callers
		FROM (SELECT day, SUM(entered) AS entered, SUM(answered) AS answered, SUM(entered_first) AS entered_first,
			SUM(callers) AS callers, SUM(callers_answered) AS reached FROM report_queue WHERE slot >= 0 GROUP BY day) q
		LEFT JOIN (SELECT day, SUM(entered) AS entered, SUM(answered) AS answered FROM report_agent WHERE slot >= 0 GROUP BY day) a ON a.day = q.day
		LEFT JOIN (SELECT day, SUM(entered) AS entered, SUM(answered) AS answered FROM report_topic GROUP BY day) t ON t.day = q.day
		WHERE q.entered <> COALESCE(a.entered, 0) OR q.entered <> COALESCE(t.entered, 0)
			OR q.answered <> COALESCE(a.answered, 0) OR q.answered <> COALESCE(t.answered, 0)
			OR q.answered > q.entered OR q.callers > q.entered_first OR q.reached > q.callers OR q.reached > q.answered
		ORDER BY q.day`,
		[]string{"queue_entered", "queue_answered", "agent_entered", "agent_answered", "topic_entered", "topic_answered", "first", "callers"})
}

// checkPresence: an open contact is alive somewhere.
func (m *Module) checkPresence(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	if m.deps.Presence == nil {
		return nil, nil
	}
	open, err := store.All(ctx, db, `SELECT contact FROM report_contact WHERE ended_at = 0 ORDER BY contact`, store.Col[id.Contact])
	if err != nil || len(open) == 0 {
		return nil, err
	}
	alive, err := m.deps.Presence.Alive(ctx, open)
	if err != nil {
		return nil, err
	}
	var out []ledger.Breach
	for _, c := range open {
		if alive[c] || len(out) == breachLimit {
			continue
		}
		ended, err := m.endedMeanwhile(ctx, c)
		if err != nil {
			return nil, err
		}
		if !ended {
			out = append(out, ledger.Breach{Subject: string(c)})
		}
	}
	return out, nil
}

// endedMeanwhile asks again for a contact that is not alive: it may have ended between the two questions.
func (m *Module) endedMeanwhile(ctx context.Context, of id.Contact) (bool, error) {
	ended, err := store.One(ctx, m.db, `SELECT ended_at FROM report_contact WHERE contact = ?`, store.Col[int64], string(of))
	return ended != 0, err
}
