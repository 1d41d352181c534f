package report

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// checkDays is how many days back the laws that read the facts themselves go: what is older was checked before.
const checkDays = 31

// since gives the first day such a law looks at.
func (m *Module) since(days int) (string, error) { return clock.AddDays(m.today(), -days) }

// checkStates: from sign-in to sign-out the states' times add up, to the millisecond.
func (m *Module) checkStates(ctx context.Context, _ *store.DB) ([]ledger.Breach, error) {
	from, err := m.since(checkDays)
	if err != nil {
		return nil, err
	}
	type turn struct {
		in  bool
		sum int64
	}
	turns := map[string]*turn{}
	var out []ledger.Breach
	span := ledger.Span{From: from, Kinds: []string{"agent.signed_in", "agent.changed", "agent.signed_out"}}
	err = m.deps.Ledger.Range(ctx, span, func(f ledger.Fact) error {
		t := turns[f.Subject]
		if t == nil {
			t = &turn{}
			turns[f.Subject] = t
		}
		switch f.Kind {
		case "agent.signed_in":
			*t = turn{in: true}
		case "agent.changed":
			var b event.AgentChanged
			if json.Unmarshal(f.Body, &b) == nil && b.Was != event.SignedOut {
				t.sum += b.WasMs
			}
		default:
			var b event.AgentSignedOut
			if json.Unmarshal(f.Body, &b) == nil && t.in && b.Ms != t.sum && len(out) < breachLimit {
				out = append(out, ledger.Breach{Subject: f.Subject, Params: map[string]any{"day": f.Day, "signed_in_ms": b.Ms, "states_ms": t.sum}})
			}
			*t = turn{}
		}
		return nil
	})
	return out, err
}

// talkSlack is how long after its leg an agent's talking state may last, in milliseconds.
const talkSlack = 2000

// checkTalk: an agent's talking time on a contact is the talk and hold of the agent's legs on it, whether they
// served the person, were asked by who did, or listened to it.
func (m *Module) checkTalk(ctx context.Context, _ *store.DB) ([]ledger.Breach, error) {
	from, err := m.since(checkDays)
	if err != nil {
		return nil, err
	}
	type key struct{ contact, agent string }
	type pair struct{ state, legs, n int64 }
	pairs := map[key]*pair{}
	at := func(contact, agent string) *pair {
		k := key{contact, agent}
		if pairs[k] == nil {
			pairs[k] = &pair{}
		}
		return pairs[k]
	}
	err = m.deps.Ledger.Range(ctx, ledger.Span{From: from, Kinds: []string{"leg.ended", "agent.changed"}}, func(f ledger.Fact) error {
		switch f.Kind {
		case "leg.ended":
			var b event.LegEnded
			if json.Unmarshal(f.Body, &b) == nil && (b.Role == "agent" || b.Role == "consult" || b.Role == "supervisor") && b.Agent != "" && b.TalkMs > 0 {
				p := at(f.Subject, string(b.Agent))
				p.legs += b.TalkMs + b.HoldMs
				p.n++
			}
		case "agent.changed":
			var b event.AgentChanged
			if json.Unmarshal(f.Body, &b) == nil && b.Was == event.Talking && b.Contact != "" {
				at(string(b.Contact), f.Subject).state += b.WasMs
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []ledger.Breach
	for k, p := range pairs {
		if p.n > 0 && p.state > 0 && p.state-p.legs > talkSlack*p.n {
			out = append(out, ledger.Breach{Subject: k.contact, Params: map[string]any{"agent": k.agent, "talking_ms": p.state, "legs_ms": p.legs}})
		}
	}
	slices.SortFunc(out, func(a, b ledger.Breach) int { return strings.Compare(a.Subject, b.Subject) })
	return out[:min(len(out), breachLimit)], nil
}
