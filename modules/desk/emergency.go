package desk

import (
	"cmp"
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// EmergencyCard is what an agent does when a person is in danger: what to ask and say, and whom one key connects.
type EmergencyCard struct {
	Code   string   `json:"code" minLength:"1" maxLength:"16"`
	Queue  id.Queue `json:"queue,omitempty" ref:"queues" doc:"shown in talks of this queue; empty: of every queue"`
	Number string   `json:"number" pattern:"^[0-9]{3,20}$" doc:"who is called: 110, 119, 120"`
	Name   string   `json:"name" minLength:"1" maxLength:"64"`
	NameEn string   `json:"name_en,omitempty" maxLength:"64"`
	Say    string   `json:"say" maxLength:"2000" doc:"what to ask and what to say, line by line"`
	SayEn  string   `json:"say_en,omitempty" maxLength:"2000"`
	Order  int      `json:"order,omitempty"`
}

var emergencyTable = store.Docs[EmergencyCard]{Table: "desk_emergency"}

type emergencyIn struct {
	ID id.Contact `path:"id"`
}

type emergencyOut struct{ Body []EmergencyCard }

// emergency gives the cards for one of the agent's contacts: those of its queue before those of all.
func (m *Module) emergency(ctx context.Context, in *emergencyIn) (*emergencyOut, error) {
	user, err := m.mine(ctx, in.ID, "talking", "held")
	if err != nil {
		return nil, err
	}
	queue := m.queueOf(user, in.ID)
	out := &emergencyOut{Body: []EmergencyCard{}}
	for _, c := range m.lists.Load().emergency {
		if c.Queue == "" || c.Queue == queue {
			out.Body = append(out.Body, c)
		}
	}
	slices.SortStableFunc(out.Body, func(a, b EmergencyCard) int {
		return cmp.Or(-cmp.Compare(len(a.Queue), len(b.Queue)), cmp.Compare(a.Order, b.Order), cmp.Compare(a.Code, b.Code))
	})
	return out, nil
}

func (m *Module) emergencyRoutes(api *web.API) {
	web.Get(api, "/api/v1/desk/contacts/{id}/emergency", Use, "What to do when a person is in danger", m.emergency)
}
