package app

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/voice"
)

// screenCallers answers a screening's questions with customer, routing and the calendar.
type screenCallers struct{ h *House }

func (c screenCallers) Asked(ctx context.Context, number string, since time.Time, n int) ([]voice.Asked, error) {
	all, err := c.h.customer.Asked(ctx, number, since, c.h.clock.Now(), n)
	out := make([]voice.Asked, 0, len(all))
	for _, a := range all {
		out = append(out, voice.Asked{At: time.UnixMilli(a.At), Queue: a.Queue, Question: a.Question})
	}
	return out, err
}

func (c screenCallers) Open(q id.Queue) bool {
	k, ok := c.h.routing.Queue(q)
	return ok && (k.Calendar == "" || (routingHours{c.h}).Open(k.Calendar, c.h.clock.Now()))
}
