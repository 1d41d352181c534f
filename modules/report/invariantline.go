package report

import (
	"context"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// checkLine: an agent's states are one line without gaps: each change leaves the state the one before began, from the
// moment it began to the moment of the change. A change that only notes what comes next, or a reason, lasts no time and
// moves nothing.
func (m *Module) checkLine(ctx context.Context, _ *store.DB) ([]ledger.Breach, error) {
	from, err := m.since(checkDays)
	if err != nil {
		return nil, err
	}
	type moment struct {
		state event.AgentState
		since int64
	}
	now := map[string]moment{}
	var out []ledger.Breach
	err = m.deps.Ledger.Range(ctx, ledger.Span{From: from, Kinds: []string{"agent.changed"}}, func(f ledger.Fact) error {
		b, readable := ledger.Read[event.AgentChanged](&f)
		if !readable || b.Was == b.State && b.WasMs == 0 {
			return nil
		}
		before, known := now[f.Subject]
		now[f.Subject] = moment{b.State, f.At}
		what := ""
		switch {
		case known && b.Was != before.state:
			what = "was " + string(before.state) + ", and leaves " + string(b.Was)
		case b.Was == event.SignedOut: // nothing is counted while nobody is there
		case known && b.WasSince != before.since:
			what = "a gap before " + string(b.State)
		case b.WasSince+b.WasMs != f.At:
			what = string(b.Was) + " is not as long as it lasted"
		}
		if what != "" && len(out) < breachLimit {
			out = append(out, ledger.Breach{Subject: f.Subject, Params: map[string]any{"what": what, "at": f.At}})
		}
		return nil
	})
	return out, err
}
