package app

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/routing"
	"github.com/kapok-hotline/kapok/modules/voice"
)

// Place answers where a contact stands in its queue.
func (q queues) Place(ctx context.Context, c id.Contact) (voice.Standing, bool, error) {
	s, ok, err := q.h.routing.Place(ctx, c)
	return voice.Standing(s), ok, err
}

// Promise takes a contact out of its queue that is to be called back.
func (q queues) Promise(ctx context.Context, c id.Contact) error { return q.h.routing.Promise(ctx, c) }

// callbackOf gives a queue's rule of calling back in the telephone's words.
func callbackOf(k routing.Queue) voice.Callback {
	return voice.Callback{
		After: time.Duration(k.CallbackS) * time.Second, Wait: time.Duration(k.CallbackWaitS) * time.Second,
		Tries: k.CallbackTries, Every: time.Duration(k.CallbackGapS) * time.Second,
	}
}

// knownFor is how long a caller is said to know the agent who answered last.
const knownFor = 7 * 24 * time.Hour

// known gives the agent a caller knows, where the queue lets people wait for that one. It is asked of the database, but
// only for such queues; when that does not answer at once the call goes to anybody.
func (q queues) known(ctx context.Context, queue id.Queue, caller string, at time.Time) id.User {
	if k, ok := q.h.routing.Queue(queue); !ok || k.StickyS <= 0 || caller == "" {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, knownBound)
	defer cancel()
	agent, err := q.h.customer.KnownAgent(ctx, caller, at.Add(-knownFor))
	if err != nil {
		q.h.log.Warn("the agent a caller knows is not found; anybody may answer", "queue", queue, "err", err)
	}
	return agent
}

const knownBound = 200 * time.Millisecond
