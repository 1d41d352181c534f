package outbound

import (
	"context"

	"github.com/kapok-hotline/kapok/platform/web"
)

func (m *Module) agentRoutes(api *web.API) {
	const mine = "/api/v1/outbound/mine"
	web.Get(api, mine, Use, "My lists, and whom I have to call", m.getMine)
	web.Post(api, mine+"/next", Use, "Show me the next person", m.postNext, web.Quiet())
	web.Post(api, mine+"/{id}/dial", Use, "Call the person I look at", m.postDial, web.Quiet())
	web.Post(api, mine+"/{id}/skip", Use, "Let the person I look at be, for now", m.postSkip, web.Quiet())
	web.Post(api, mine+"/{id}/result", Use, "Say what came of a talk", m.postResult, web.Quiet())
}

func (m *Module) getMine(ctx context.Context, _ *none) (*body[MyOutbound], error) {
	return m.answer(ctx, nil)
}

// answer gives the agent's page as it is after what was done.
func (m *Module) answer(ctx context.Context, err error) (*body[MyOutbound], error) {
	if err != nil {
		return nil, err
	}
	mine, err := m.mine(ctx, web.Principal(ctx).User)
	return &body[MyOutbound]{mine}, err
}

type nextIn struct {
	Body struct {
		List string `json:"list,omitempty" maxLength:"32" doc:"empty: any of mine"`
	}
}

func (m *Module) postNext(ctx context.Context, in *nextIn) (*body[MyOutbound], error) {
	return m.answer(ctx, m.nextFor(ctx, web.Principal(ctx).User, in.Body.List))
}

func (m *Module) postDial(ctx context.Context, in *onPerson) (*body[MyOutbound], error) {
	return m.answer(ctx, m.dial(ctx, web.Principal(ctx).User, in.ID))
}

type skipIn struct {
	ID   string `path:"id" maxLength:"40"`
	Body struct {
		Why string `json:"why" minLength:"2" maxLength:"200"`
	}
}

func (m *Module) postSkip(ctx context.Context, in *skipIn) (*body[MyOutbound], error) {
	return m.answer(ctx, m.skip(ctx, web.Principal(ctx).User, in.ID, in.Body.Why))
}

type resultIn struct {
	ID   string `path:"id" maxLength:"40"`
	Body TalkResult
}

func (m *Module) postResult(ctx context.Context, in *resultIn) (*body[MyOutbound], error) {
	return m.answer(ctx, m.result(ctx, web.Principal(ctx).User, in.ID, in.Body))
}
