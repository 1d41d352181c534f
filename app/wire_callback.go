package app

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/routing"
	"github.com/kapok-hotline/kapok/modules/voice"
)

// Place answers how many wait before a contact and how long it may take.
func (q queues) Place(ctx context.Context, c id.Contact) (ahead int, wait time.Duration, ok bool, err error) {
	return q.h.routing.Place(ctx, c)
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
