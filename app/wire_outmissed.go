package app

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/missed"
	"github.com/kapok-hotline/kapok/modules/outbound"
	"github.com/kapok-hotline/kapok/platform/store"
)

// outMissed lends outbound's lists the worklist of missed callers.
type outMissed struct {
	missed *missed.Module
	queue  func(id.Queue) (zh, en string)
	person func(ctx context.Context, number string) string // their name, "" where nobody knows
}

// nameAt gives the name of who calls from a number.
func (h *House) nameAt(ctx context.Context, number string) string {
	if pop, err := h.customer.Pop(ctx, number, h.clock.Now()); err == nil && pop.Person != nil {
		return pop.Person.Name
	}
	return ""
}

func (o outMissed) Waiting(ctx context.Context, root id.Site, queue id.Queue) ([]outbound.MissedCaller, error) {
	all, err := o.missed.Waiting(ctx, root, queue)
	out := make([]outbound.MissedCaller, 0, len(all))
	for _, l := range all {
		c := outbound.MissedCaller{Row: l.Row, Number: l.Number, Name: o.person(ctx, l.Number), Kind: string(l.Kind), LastAt: l.LastAt, Attempts: l.Attempts}
		c.Queue, _ = o.queue(l.Queue)
		out = append(out, c)
	}
	return out, err
}

func (o outMissed) Owners(ctx context.Context, q store.Querier, numbers ...string) (map[string]id.User, error) {
	return o.missed.Owners(ctx, q, numbers...)
}

func (o outMissed) Take(ctx context.Context, tx *store.Tx, number string, agent id.User) error {
	return o.missed.Take(ctx, tx, number, agent)
}

func (o outMissed) Leave(ctx context.Context, tx *store.Tx, number string, agent id.User) error {
	return o.missed.Leave(ctx, tx, number, agent)
}

func (o outMissed) Told(ctx context.Context, tx *store.Tx, number string, agent id.User, c id.Contact, result, note string, again int64) error {
	out := missed.Outcome{Result: result, Note: note, Contact: c}
	if again > 0 {
		out.Again = time.UnixMilli(again)
	}
	return o.missed.Told(ctx, tx, number, agent, out)
}
