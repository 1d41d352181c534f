package report

import (
	"context"
	"strconv"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/web"
)

// SheetQuery is what the exports of seats, satisfaction and screening take; it is exported because huma fills embedded
// structs only then.
type SheetQuery struct {
	From   string  `query:"from" required:"true" doc:"Local day, 2026-11-01"`
	To     string  `query:"to" required:"true" doc:"Local day, included; at most a quarter"`
	Site   id.Site `query:"site"`
	Format string  `query:"format" enum:"csv,xlsx" default:"csv"`
}

type seatsFileIn struct {
	SheetQuery
	By string `query:"by" enum:"seat,site,agent" default:"site"`
}

type satisfactionFileIn struct {
	SheetQuery
	By string `query:"by" enum:"agent,queue,site,day" default:"agent"`
}

type sortingFileIn struct {
	SheetQuery
	By string `query:"by" enum:"line,day,as" default:"line"`
}

func (m *Module) sheetRoutes(api *web.API) {
	web.Get(api, "/api/v1/reports/screening", SeeReport, "How the screening of lines did: screened, unsure, moved", m.getSorting)
	web.Get(api, "/api/v1/reports/seats/export", ExportReport, "The figures of seats, sites or agents as a file", m.getSeatsFile)
	web.Get(api, "/api/v1/reports/satisfaction/export", ExportReport, "What callers said of the service as a file", m.getSatisfactionFile)
	web.Get(api, "/api/v1/reports/screening/export", ExportReport, "How the screening of lines did as a file", m.getSortingFile)
}

func (in *SheetQuery) sheet(what, by string) *sheet {
	return &sheet{name: "kapok-" + what + "-" + by + "-" + in.From + "-" + in.To}
}

func (m *Module) getSeatsFile(ctx context.Context, in *seatsFileIn) (*fileOutput, error) {
	site, err := place(ctx, ExportReport, in.Site)
	if err != nil {
		return nil, err
	}
	r, err := m.seatReport(ctx, in.By, in.From, in.To, site)
	if err != nil {
		return nil, err
	}
	s := in.sheet("seats", in.By)
	s.head = m.heads(ctx, "rank", "code", "name", "seats", "agents", "signed", "busy", "talk", "offered", "answered", "rate", "share", "per_hour", "cost", "cost_a_call")
	line := func(l *SeatLine, rank, name string) {
		s.rows = append(s.rows, []sheetCell{
			textCell(rank), textCell(l.Key), textCell(name), countCell(int64(l.Seats)), countCell(int64(l.Agents)), timeCell(l.SignedMs), timeCell(l.BusyMs), timeCell(l.TalkMs),
			countCell(l.Offered), countCell(l.Answered), numberCell(cellRate, l.Rate), numberCell(cellRate, l.Share), numberCell(cellFixed, l.PerHour), numberCell(cellFixed, l.Cost), numberCell(cellFixed, l.CostACall),
		})
	}
	for i := range r.Rows {
		line(&r.Rows[i], strconv.Itoa(r.Rows[i].Rank), r.Rows[i].Name)
	}
	line(&r.Total, "", m.totalName(ctx))
	return s.file(in.Format)
}

func (m *Module) getSatisfactionFile(ctx context.Context, in *satisfactionFileIn) (*fileOutput, error) {
	site, err := place(ctx, ExportReport, in.Site)
	if err != nil {
		return nil, err
	}
	r, err := m.satisfaction(ctx, in.By, in.From, in.To, site)
	if err != nil {
		return nil, err
	}
	s := in.sheet("satisfaction", in.By)
	s.head = m.heads(ctx, "code", "name", "asked", "rated", "grade5", "grade4", "grade3", "grade2", "grade1", "satisfied", "mean")
	line := func(l *SatisfactionLine, name string) {
		cells := []sheetCell{textCell(l.Key), textCell(name), countCell(l.Asked), countCell(l.Answered)}
		for g := 5; g >= 1; g-- {
			cells = append(cells, countCell(l.Grades[g-1]))
		}
		s.rows = append(s.rows, append(cells, numberCell(cellRate, l.Rate), numberCell(cellFixed, l.Mean)))
	}
	for i := range r.Rows {
		line(&r.Rows[i], r.Rows[i].Name)
	}
	line(&r.Total, m.totalName(ctx))
	return s.file(in.Format)
}

func (m *Module) getSortingFile(ctx context.Context, in *sortingFileIn) (*fileOutput, error) {
	site, err := place(ctx, ExportReport, in.Site)
	if err != nil {
		return nil, err
	}
	r, err := m.sorting(ctx, in.By, in.From, in.To, site)
	if err != nil {
		return nil, err
	}
	s := in.sheet("screening", in.By)
	s.head = m.heads(ctx, "code", "name", "screened", "unsure", "moved", "moved_rate", "right")
	line := func(l *SortingLine, name string) {
		s.rows = append(s.rows, []sheetCell{
			textCell(l.Key), textCell(name), countCell(l.Screened), countCell(l.Unsure), countCell(l.Moved), numberCell(cellRate, l.Rate), numberCell(cellRate, l.Right),
		})
	}
	for i := range r.Rows {
		line(&r.Rows[i], r.Rows[i].Name)
	}
	line(&r.Total, m.totalName(ctx))
	return s.file(in.Format)
}
