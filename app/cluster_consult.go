package app

import (
	"context"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
)

// Consult is desk.Asking's.
func (a anyVoice) Consult(ctx context.Context, c id.Contact, by id.User, to contact.Target, join bool) error {
	return a.do(ctx, farOrder{Verb: "consult", Contact: c, By: by, To: to, Join: join}, func() error { return a.Module.Consult(ctx, c, by, to, join) })
}

// ConsultTurn is desk.Asking's.
func (a anyVoice) ConsultTurn(ctx context.Context, c id.Contact, by id.User, with string) error {
	return a.do(ctx, farOrder{Verb: "consult_turn", Contact: c, By: by, With: with}, func() error { return a.Module.ConsultTurn(ctx, c, by, with) })
}

// ConsultEnd is desk.Asking's.
func (a anyVoice) ConsultEnd(ctx context.Context, c id.Contact, by id.User) error {
	return a.do(ctx, farOrder{Verb: "consult_end", Contact: c, By: by}, func() error { return a.Module.ConsultEnd(ctx, c, by) })
}

// ConsultComplete is desk.Asking's.
func (a anyVoice) ConsultComplete(ctx context.Context, c id.Contact, by id.User) error {
	return a.do(ctx, farOrder{Verb: "consult_complete", Contact: c, By: by}, func() error { return a.Module.ConsultComplete(ctx, c, by) })
}

// PartyDrop is desk.Asking's.
func (a anyVoice) PartyDrop(ctx context.Context, c id.Contact, by id.User, leg id.Leg) error {
	return a.do(ctx, farOrder{Verb: "party_drop", Contact: c, By: by, Leg: leg}, func() error { return a.Module.PartyDrop(ctx, c, by, leg) })
}

// PartyMute is desk.Asking's.
func (a anyVoice) PartyMute(ctx context.Context, c id.Contact, by id.User, leg id.Leg, muted bool) error {
	return a.do(ctx, farOrder{Verb: "party_mute", Contact: c, By: by, Leg: leg, Hold: muted}, func() error { return a.Module.PartyMute(ctx, c, by, leg, muted) })
}
