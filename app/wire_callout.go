package app

import (
	"context"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
)

// CallOut calls a person outside for an agent who is signed in, at the process their endpoint is registered at: for the
// desk, and for every list whose entries are called (a module that asks declares an interface with this method). It
// returns when the agent's own phone is being rung; facts (event.CalloutBegun, CalloutAnswered, CalloutEnded) tell the
// rest, with the purpose and ref that were given.
func (h *House) CallOut(ctx context.Context, o contact.Outcall) (id.Contact, error) {
	if h.peers == nil {
		return h.voice.CallOut(ctx, o)
	}
	at, ok, err := h.routing.SignedIn(ctx, o.Agent)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", fault.New(fault.Conflict, "desk.signed_out")
	}
	if x, far := h.peers.where(at); far && x.Node != h.o.Node && !h.voice.Registered(at) {
		if o.Contact == "" {
			o.Contact = id.Contact(id.New(h.clock.Now()))
		}
		return o.Contact, farVoice{h.peers, x.Node}.ask(ctx, farOrder{Verb: "callout", Outcall: o})
	}
	return h.voice.CallOut(ctx, o)
}
