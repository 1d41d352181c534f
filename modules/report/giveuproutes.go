package report

import (
	"context"
	"net/url"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// giveUpRoutes registers who gave up and who came back.
func (m *Module) giveUpRoutes(api *web.API) {
	web.Get(api, "/api/v1/reports/give-ups", SeeReport, "Who gave up waiting, who called again, who was answered at last", m.getGiveUps)
	web.Get(api, "/api/v1/reports/give-ups/list", SeeReport, "The contacts behind it", m.getGiveUpList)
	web.Get(api, "/api/v1/reports/give-ups/export", ExportReport, "The same figures as a file", m.getGiveUpExport)
}

// GiveUpIn is what these routes take; exported because huma fills embedded structs only then.
type GiveUpIn struct {
	By    string   `query:"by" enum:"queue,site,day,all" default:"queue"`
	From  string   `query:"from" required:"true" doc:"Local day, 2026-11-01"`
	To    string   `query:"to" required:"true" doc:"Local day, included; at most two months"`
	Site  id.Site  `query:"site"`
	Queue id.Queue `query:"queue"`
}

func (in *GiveUpIn) query(ctx context.Context) (GiveUpQuery, error) {
	site, err := place(ctx, SeeReport, in.Site)
	return GiveUpQuery{From: in.From, To: in.To, Site: site, Queue: in.Queue}, err
}

func (m *Module) getGiveUps(ctx context.Context, in *GiveUpIn) (*body[*GiveUpReport], error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	r, err := m.GiveUps(ctx, in.By, q)
	return &body[*GiveUpReport]{r}, err
}

type giveUpListIn struct {
	GiveUpIn
	Key    string `query:"key" doc:"Of a row: only those"`
	Back   Back   `query:"back" enum:",soon,day,week,no,unknown"`
	Met    Met    `query:"met" enum:",came,called,no,unknown"`
	Class  int    `query:"class" minimum:"0" maximum:"16" doc:"Class of waits, from 1; 0: all"`
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit" minimum:"0" maximum:"500"`
}

// getGiveUpList lists the contacts behind a figure, the newest first.
func (m *Module) getGiveUpList(ctx context.Context, in *giveUpListIn) (*body[page[GiveUp]], error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	all, err := m.giveUps(ctx, q)
	if err != nil {
		return nil, err
	}
	p := store.Page{After: in.Cursor, Limit: in.Limit}
	skip := 0
	if _, err := p.Key(&skip); err != nil {
		return nil, err
	}
	some := []GiveUp{}
	for i := len(all) - 1; i >= 0 && len(some) <= p.Rows(); i-- {
		g := all[i]
		key := map[string]string{"queue": string(g.Queue), "site": string(g.Site), "day": g.day}[in.By]
		if in.Key != "" && key != in.Key || in.Back != "" && g.Back != in.Back || in.Met != "" && g.Met != in.Met || in.Class > 0 && classOf(g.WaitMs) != in.Class-1 {
			continue
		}
		if skip--; skip >= 0 {
			continue
		}
		g.Number, g.QueueName = phone.Mask(g.number), m.spoken(ctx, KindQueue, string(g.Queue))
		some = append(some, g)
	}
	first := 0
	_, _ = p.Key(&first) // read above
	s, err := store.Cut(p, some, func(GiveUp) []any { return []any{first + p.Rows()} })
	return &body[page[GiveUp]]{page[GiveUp]{s.Rows, s.Next}}, err
}

type giveUpExportIn struct {
	GiveUpIn
	Format string `query:"format" enum:"csv,xlsx" default:"csv"`
}

func (m *Module) getGiveUpExport(ctx context.Context, in *giveUpExportIn) (*fileOutput, error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	r, err := m.GiveUps(ctx, in.By, q)
	if err != nil {
		return nil, err
	}
	f, err := m.exportGiveUps(ctx, in.By, q, r, in.Format)
	if err != nil {
		return nil, err
	}
	return &fileOutput{Type: f.Type, Disposition: `attachment; filename="` + url.PathEscape(f.Name) + `"`, Body: f.Body}, nil
}
