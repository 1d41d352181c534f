package app

import (
	"context"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/desk"
)

// parking gives the slots as desks see them: of this process, or of all.
func (h *House) parking() desk.Parking {
	if h.peers == nil {
		return h.voice
	}
	return anyVoice{h.voice, h.peers}
}

// Park is desk.Parking's; which slot it was is told by the facts.
func (a anyVoice) Park(ctx context.Context, c id.Contact, by id.User) (slot int, err error) {
	err = a.do(ctx, farOrder{Verb: "park", Contact: c, By: by}, func() (e error) {
		slot, e = a.Module.Park(ctx, c, by)
		return e
	})
	return slot, err
}

// Unpark is desk.Parking's.
func (a anyVoice) Unpark(ctx context.Context, c id.Contact, by id.User) error {
	return a.do(ctx, farOrder{Verb: "unpark", Contact: c, By: by}, func() error { return a.Module.Unpark(ctx, c, by) })
}
