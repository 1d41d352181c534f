package customer

import (
	"context"
	"strings"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Routes registers the module's API.
func (m *Module) Routes(api *web.API) {
	web.Get(api, "/api/v1/people", See, "Look people up by number, tax ID or name", m.handleFind)
	web.Get(api, "/api/v1/people/{id}", See, "A person with identifiers and history", m.handlePerson)
	web.Post(api, "/api/v1/people/{id}/reveal", Reveal, "Show a person's identifiers in full, for a reason", m.handleRevealPerson)
	web.Post(api, "/api/v1/contacts/{id}/reveal", Reveal, "Show a contact's number in full, for a reason", m.handleRevealContact)
}

type findIn struct {
	Q     string `query:"q" maxLength:"64" doc:"number, tax ID, or at least two characters of the name; empty: those seen last"`
	After string `query:"cursor" maxLength:"200"`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

type findOut struct {
	Body struct {
		Items []Someone `json:"items"`
		Next  string    `json:"next,omitempty"`
	}
}

func (m *Module) handleFind(ctx context.Context, in *findIn) (*findOut, error) {
	s, err := m.find(ctx, in.Q, store.Page{After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &findOut{}
	out.Body.Items, out.Body.Next = s.Rows, s.Next
	if out.Body.Items == nil {
		out.Body.Items = []Someone{}
	}
	return out, nil
}

type personIn struct {
	ID     string `path:"id" maxLength:"26"`
	Before int64  `query:"before" doc:"history before this moment, unix ms; 0: the newest"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

type personOut struct{ Body Whole }

func (m *Module) handlePerson(ctx context.Context, in *personIn) (*personOut, error) {
	before := in.Before
	if before <= 0 {
		before = m.deps.Clock.Now().UnixMilli() + 1
	}
	w, err := m.whole(ctx, in.ID, before, in.Limit)
	if err != nil {
		return nil, err
	}
	return &personOut{Body: w}, nil
}

type revealIn struct {
	ID   string `path:"id" maxLength:"26"`
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"why it must be seen; kept in the audit"`
	}
}

// because takes the reason into the audit; one of blanks is none.
func (in *revealIn) because(ctx context.Context) error {
	reason := strings.TrimSpace(in.Body.Reason)
	if reason == "" {
		return fault.New(fault.Invalid, "customer.reveal.reason").At("reason")
	}
	web.Note(ctx, "reason", reason)
	return nil
}

type revealed struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

type revealOut struct {
	Body struct {
		Identifiers []revealed `json:"identifiers"`
	}
}

func (m *Module) handleRevealPerson(ctx context.Context, in *revealIn) (*revealOut, error) {
	if err := in.because(ctx); err != nil {
		return nil, err
	}
	if _, err := store.One(ctx, m.deps.DB, sqlPerson, scanPerson, in.ID); err != nil {
		return nil, gone(err, in.ID)
	}
	list, err := store.All(ctx, m.deps.DB, sqlIdentifiers, scanHeld, in.ID)
	if err != nil {
		return nil, err
	}
	out := &revealOut{}
	out.Body.Identifiers = []revealed{}
	for _, h := range list {
		if h.kind != organisation {
			out.Body.Identifiers = append(out.Body.Identifiers, revealed{h.kind, h.show()})
		}
	}
	return out, nil
}

type numberOut struct {
	Body struct {
		Number string `json:"number" doc:"as people write it; empty when it was withheld"`
	}
}

func (m *Module) handleRevealContact(ctx context.Context, in *revealIn) (*numberOut, error) {
	if err := in.because(ctx); err != nil {
		return nil, err
	}
	type where struct {
		key
		place string
	}
	w, err := store.One(ctx, m.deps.DB, `SELECT kind, value, place FROM customer_contact WHERE contact = ?`, func(r store.Scanner) (w where, err error) {
		return w, r.Scan(&w.kind, &w.value, &w.place)
	}, in.ID)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			err = fault.New(fault.NotFound, "customer.contact.missing", "id", in.ID)
		}
		return nil, err
	}
	if err := web.May(ctx, Reveal, id.Site(w.place)); err != nil {
		return nil, err
	}
	out := &numberOut{}
	if w.value != "" {
		out.Body.Number = w.show()
	}
	return out, nil
}
