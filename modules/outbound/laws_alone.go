package outbound

import (
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// fromLists are the purposes of calls out whose person is chosen by a list, here or in the worklist of missed callers. Of
// a number an agent dials of their own will nobody else can know.
var fromLists = [...]string{purpose, "missed"}

// apart is what the clocks of two processes may differ by, in milliseconds.
const apart = 1000

// ringing is the time in which a person is being called, from the ledger.
type ringing struct {
	contact, number string
	from, to        int64 // unix ms; to 0: it has not ended
}

// alone finds calls from lists to a number that was being called from a list already: two rang the same person.
func (m *Module) alone(ctx context.Context, _ *store.DB) ([]ledger.Breach, error) {
	begun, ended, answered := event.CalloutBegun{}.Kind(), event.CalloutEnded{}.Kind(), event.CalloutAnswered{}.Kind()
	of := map[string]*ringing{}
	err := m.deps.Ledger.Range(ctx, ledger.Span{Kinds: []string{begun, ended, answered, event.ContactLost{}.Kind()}}, func(f ledger.Fact) error {
		if r := of[f.Subject]; r != nil && r.to == 0 && f.Kind != begun {
			r.to = f.At
		}
		if b, ok := ledger.Read[event.CalloutBegun](&f); ok && f.Kind == begun && slices.Contains(fromLists[:], b.Purpose) {
			of[f.Subject] = &ringing{contact: f.Subject, number: b.Number, from: f.At}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	by := map[string][]*ringing{}
	for _, r := range of {
		by[r.number] = append(by[r.number], r)
	}
	var out []ledger.Breach
	for _, all := range by {
		slices.SortFunc(all, func(a, b *ringing) int { return int(a.from - b.from) })
		for i := 1; i < len(all); i++ {
			if was := all[i-1]; was.to == 0 || was.to-all[i].from > apart {
				out = append(out, ledger.Breach{Subject: all[i].contact})
			}
		}
	}
	return out, nil
}
