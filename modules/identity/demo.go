package identity

import (
	"context"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/web"
)

// DemoLogin is somebody a visitor of the demo can be.
type DemoLogin struct {
	User id.User `json:"user"`
	Name string  `json:"name"`
	Role string  `json:"role"`
}

type demoLoginsOut struct{ Body []DemoLogin }

// maxDemoLogins keeps the page readable.
const maxDemoLogins = 50

// demoOnly hides the demo's doors from every installation that is none, and from every other machine.
func (m *Module) demoOnly(ctx context.Context) error {
	if !m.deps.Demo || !web.OriginOf(ctx).Local {
		return fault.New(fault.NotFound, "identity.demo.off")
	}
	return nil
}

func (m *Module) demoLogins(ctx context.Context, _ *struct{}) (*demoLoginsOut, error) {
	if err := m.demoOnly(ctx); err != nil {
		return nil, err
	}
	all, err := m.Users(ctx)
	if err != nil {
		return nil, err
	}
	out := &demoLoginsOut{}
	for _, p := range all {
		if p.Active && len(p.Roles) > 0 && len(out.Body) < maxDemoLogins {
			out.Body = append(out.Body, DemoLogin{User: p.Code, Name: p.Name, Role: p.Roles[0]})
		}
	}
	return out, nil
}

type demoLoginIn struct {
	Body struct {
		User id.User `json:"user" minLength:"1" maxLength:"40"`
	}
}

func (m *Module) demoLogin(ctx context.Context, in *demoLoginIn) (*loginOut, error) {
	if err := m.demoOnly(ctx); err != nil {
		return nil, err
	}
	p, ok := m.Person(in.Body.User)
	if !ok || !p.Active {
		return nil, fault.New(fault.NotFound, "identity.user.missing", "user", string(in.Body.User))
	}
	web.Note(ctx, "user", string(p.Code))
	return m.enter(ctx, account{code: string(p.Code), name: p.Name}, "demo")
}
