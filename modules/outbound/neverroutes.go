package outbound

import (
	"context"
	"errors"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

func (m *Module) neverRoutes(api *web.API) {
	const path = "/api/v1/outbound/never"
	web.Get(api, path, Manage, "Numbers that are not called", m.getNever)
	web.Post(api, path, Manage, "Put a number among those not called", m.postNever)
	web.Post(api, path+"/import", Manage, "Numbers not to be called from XLSX or CSV", m.importNever, web.MaxBody(section.MaxUpload))
	web.Post(api, path+"/{id}/remove", Manage, "Let a number be called again", m.removeNever)
}

type neverIn struct {
	Number string `query:"number" doc:"whole; empty: the newest" maxLength:"32"`
	After  string `query:"after"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

// getNever lists the numbers, newest first.
func (m *Module) getNever(ctx context.Context, in *neverIn) (*body[store.Slice[NeverCalled]], error) {
	page := store.Page{After: in.After, Limit: in.Limit}
	where, args := `1 = 1`, []any{}
	if in.Number != "" {
		number, err := m.readNumber(in.Number, web.Principal(ctx).Site)
		if err != nil {
			return nil, err
		}
		where, args = `number = ?`, append(args, number)
	}
	var at int64
	var last string
	more, err := page.Key(&at, &last)
	if err != nil {
		return nil, err
	}
	if more {
		where, args = where+` AND (at < ? OR at = ? AND number < ?)`, append(args, at, at, last)
	}
	all, err := store.All(ctx, m.deps.DB, `SELECT number, id, reason, until_at, at, by_user FROM outbound_never WHERE `+where+` ORDER BY at DESC, number DESC LIMIT ?`,
		func(r store.Scanner) (n NeverCalled, err error) {
			return n, r.Scan(&n.Number, &n.ID, &n.Reason, &n.Until, &n.At, &n.By)
		}, append(args, page.Rows()+1)...)
	if err != nil {
		return nil, err
	}
	s, err := store.Cut(page, all, func(n NeverCalled) []any { return []any{n.At, n.Number} })
	for i := range s.Rows {
		s.Rows[i].Number = phone.Mask(s.Rows[i].Number)
	}
	return &body[store.Slice[NeverCalled]]{s}, err
}

type neverPost struct {
	Body struct {
		Number string `json:"number" minLength:"3" maxLength:"32"`
		Reason string `json:"reason" minLength:"2" maxLength:"200"`
		Until  int64  `json:"until,omitempty" doc:"unix ms; 0: for good"`
	}
}

func (m *Module) postNever(ctx context.Context, in *neverPost) (*body[none], error) {
	p := web.Principal(ctx)
	number, err := m.readNumber(in.Body.Number, p.Site)
	if err != nil {
		return nil, fault.New(fault.Invalid, fault.CodeOf(err), "number", in.Body.Number).At("number")
	}
	now := m.now()
	if in.Body.Until != 0 && in.Body.Until <= now.UnixMilli() {
		return nil, fault.New(fault.Invalid, "outbound.due.wrong").At("until")
	}
	web.Note(ctx, "number", phone.Mask(number))
	return &body[none]{}, forbid(ctx, m.deps.DB, number, in.Body.Reason, in.Body.Until, p.User, now)
}

type neverImport struct {
	DryRun  bool   `query:"dry_run"`
	Type    string `header:"Content-Type"`
	RawBody []byte `contentType:"application/octet-stream"`
}

// importNever takes all numbers of a table, or none.
func (m *Module) importNever(ctx context.Context, in *neverImport) (*body[PeopleTaken], error) {
	file, err := section.Upload(in.Type, in.RawBody)
	if err != nil {
		return nil, fault.New(fault.Invalid, "outbound.table.none").Because(err)
	}
	rows, err := section.Rows(file)
	if err != nil {
		return nil, err
	}
	p := web.Principal(ctx)
	all, flaws := m.neverRows(rows, p.Site)
	out := PeopleTaken{Added: len(all), Flaws: m.say(ctx, flaws), DryRun: in.DryRun}
	if out.Flaws == nil {
		out.Flaws = []TableFlaw{}
	}
	if len(flaws) > 0 {
		out.Added = 0
	}
	if len(flaws) > 0 || in.DryRun {
		return &body[PeopleTaken]{out}, nil
	}
	now := m.now()
	err = m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		for _, n := range all {
			if err := forbid(ctx, tx, n.Number, n.Reason, n.Until, p.User, now); err != nil {
				return err
			}
		}
		return nil
	})
	web.Note(ctx, "added", out.Added)
	return &body[PeopleTaken]{out}, err
}

func (m *Module) removeNever(ctx context.Context, in *onPerson) (*body[none], error) {
	number, err := store.One(ctx, m.deps.DB, `SELECT number FROM outbound_never WHERE id = ?`, store.Col[string], in.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.New(fault.NotFound, "outbound.number.free")
	}
	if err != nil {
		return nil, err
	}
	web.Note(ctx, "number", phone.Mask(number))
	_, err = store.Exec(ctx, m.deps.DB, `DELETE FROM outbound_never WHERE id = ?`, in.ID)
	return &body[none]{}, err
}
