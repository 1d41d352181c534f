package report

import (
	"context"
	"net/url"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Routes registers the module's routes.
func (m *Module) Routes(api *web.API) {
	web.Get(api, "/api/v1/wallboard", SeeWall, "What happens now and today, at a site and below", m.getWallboard)
	m.seatRoutes(api)
	web.Get(api, "/api/v1/reports/measures", SeeReport, "The KPI dictionary", m.getMeasures)
	web.Get(api, "/api/v1/reports/interval", SeeReport, "Figures by interval and queue, agent, site, number, topic, district or tax type", m.getInterval)
	web.Get(api, "/api/v1/reports/interval/export", ExportReport, "The same figures as a file", m.getExport)
	web.Get(api, "/api/v1/reports/interval/contacts", SeeReport, "The rows behind one figure", m.getBehind)
	web.Get(api, "/api/v1/contacts", SeeContact, "Contacts, newest first", m.getContacts)
	web.Get(api, "/api/v1/contacts/{id}", SeeContact, "Everything known of a contact", m.getContact)
	web.Post(api, "/api/v1/contacts/{id}/number", SeeNumber, "The contact's number unmasked, for a reason", m.postReveal)
	m.pathRoutes(api)
	m.giveUpRoutes(api)
}

// body is an answer of T.
type body[T any] struct{ Body T }

// place gives the site a request is about: the one asked for, which must lie in the caller's subtree, else the
// caller's own.
func place(ctx context.Context, r right.Right, site id.Site) (id.Site, error) {
	if site == "" {
		return web.Principal(ctx).Site, nil
	}
	return site, web.May(ctx, r, site)
}

type wallInput struct {
	Site id.Site `query:"site" doc:"Default: the caller's own"`
}

func (m *Module) getWallboard(ctx context.Context, in *wallInput) (*body[*Wallboard], error) {
	site, err := place(ctx, SeeWall, in.Site)
	if err != nil {
		return nil, err
	}
	w, err := m.Wallboard(ctx, site)
	return &body[*Wallboard]{w}, err
}

// IntervalQuery is what the routes of interval reports take; it is exported because huma fills embedded structs only then.
type IntervalQuery struct {
	By     By             `query:"by" enum:"all,queue,agent,site,number,topic,district,tax_type" default:"queue"`
	Step   Step           `query:"step" enum:"15,30,day,month,year" default:"day" doc:"Minutes, or a longer piece"`
	From   string         `query:"from" required:"true" doc:"Local day, 2026-11-01"`
	To     string         `query:"to" required:"true" doc:"Local day, included"`
	Medium contact.Medium `query:"medium" enum:"phone,chat,wechat,weibo,sms,all" default:"phone"`
	Site   id.Site        `query:"site"`
	Queue  id.Queue       `query:"queue"`
	Agent  id.User        `query:"agent"`
	Number id.Number      `query:"number"`
}

func (in *IntervalQuery) query(ctx context.Context) (Query, error) {
	site, err := place(ctx, SeeReport, in.Site)
	return Query{
		By: in.By, Step: in.Step, From: in.From, To: in.To, Medium: in.Medium, Site: site, Queue: in.Queue, Agent: in.Agent,
		Number: in.Number,
	}, err
}

// Interval is a report as the API gives it.
type Interval struct {
	Columns  []string       `json:"columns" doc:"Ids of the measures, in order"`
	Rows     []IntervalLine `json:"rows"`
	Totals   IntervalLine   `json:"totals"`
	Sentence Sentence       `json:"sentence"`
}

// IntervalLine is one row. Shown holds what the screen shows and the exports write, to the digit.
type IntervalLine struct {
	Slot     string              `json:"slot" doc:"2026-11-23T08:30, 2026-11-23, 2026-11 or 2026"`
	Key      string              `json:"key"`
	Name     string              `json:"name"`
	Restated int64               `json:"restated_at" doc:"unix ms at which a late fact last changed the row; 0 never"`
	Measures map[string]*float64 `json:"measures" doc:"Rates 0..1 with three decimals, times in ms, null where there is nothing to divide by"`
	Shown    map[string]string   `json:"shown"`
}

func (m *Module) getInterval(ctx context.Context, in *IntervalQuery) (*body[*Interval], error) {
	t, err := m.asked(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &Interval{Columns: t.columns(), Rows: make([]IntervalLine, 0, len(t.Rows)), Totals: m.line(ctx, t, &t.Total)}
	out.Totals.Name = m.texts.Say(web.Locale(ctx), "report.export.total", nil)
	for i := range t.Rows {
		out.Rows = append(out.Rows, m.line(ctx, t, &t.Rows[i]))
	}
	out.Sentence = m.sentence(ctx, t)
	out.Sentence.Text = m.texts.Say(web.Locale(ctx), out.Sentence.Code, out.Sentence.Params)
	return &body[*Interval]{out}, nil
}

func (m *Module) asked(ctx context.Context, in *IntervalQuery) (*Table, error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	return m.Table(ctx, q)
}

func (m *Module) line(ctx context.Context, t *Table, r *Row) IntervalLine {
	l := IntervalLine{
		Slot: r.Slot, Key: r.Key, Name: m.rowName(ctx, t, r), Restated: r.Restated,
		Measures: map[string]*float64{}, Shown: map[string]string{},
	}
	for _, id := range t.columns() {
		l.Measures[id], l.Shown[id] = m.figure(id, r), m.shown(id, &r.Sums)
	}
	return l
}

type exportInput struct {
	IntervalQuery
	Format string `query:"format" enum:"csv,xlsx" default:"csv"`
}

type fileOutput struct {
	Type        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (m *Module) getExport(ctx context.Context, in *exportInput) (*fileOutput, error) {
	t, err := m.asked(ctx, &in.IntervalQuery)
	if err != nil {
		return nil, err
	}
	f, err := m.Export(ctx, t, in.Format)
	if err != nil {
		return nil, err
	}
	return &fileOutput{Type: f.Type, Disposition: `attachment; filename="` + url.PathEscape(f.Name) + `"`, Body: f.Body}, nil
}

type behindInput struct {
	IntervalQuery
	Measure string `query:"measure" required:"true" doc:"Id of the measure"`
	Slot    string `query:"slot" doc:"Of the row; empty: all intervals"`
	Key     string `query:"key" doc:"Of the row"`
	Total   bool   `query:"total" doc:"All keys: the figure of the total"`
	Cursor  string `query:"cursor"`
	Limit   int    `query:"limit" minimum:"0" maximum:"500"`
}

type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next" doc:"Cursor of the next page, empty at the end"`
}

func (m *Module) getBehind(ctx context.Context, in *behindInput) (*body[page[Behind]], error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	d := Drill{Query: q, Measure: in.Measure, Slot: in.Slot, Key: &in.Key}
	if in.Total {
		d.Key = nil
	}
	s, err := m.Behind(ctx, d, store.Page{After: in.Cursor, Limit: in.Limit})
	return &body[page[Behind]]{page[Behind]{s.Rows, s.Next}}, err
}

type contactsInput struct {
	From    string         `query:"from" doc:"Local day"`
	To      string         `query:"to" doc:"Local day, included"`
	Number  string         `query:"number" doc:"The person's number, or * and its end"`
	Agent   id.User        `query:"agent"`
	Queue   id.Queue       `query:"queue"`
	Site    id.Site        `query:"site"`
	Outcome string         `query:"outcome" enum:",open,answered,served,abandoned,left,turned,failed"`
	Topic   string         `query:"topic"`
	Medium  contact.Medium `query:"medium" enum:",phone,chat,wechat,weibo,sms"`
	Cursor  string         `query:"cursor"`
	Limit   int            `query:"limit" minimum:"0" maximum:"500"`
}

func (m *Module) getContacts(ctx context.Context, in *contactsInput) (*body[page[Contact]], error) {
	site, err := place(ctx, SeeContact, in.Site)
	if err != nil {
		return nil, err
	}
	f := ContactFilter{
		From: in.From, To: in.To, Number: in.Number, Agent: in.Agent, Queue: in.Queue, Site: site, Outcome: in.Outcome,
		Topic: in.Topic, Medium: in.Medium,
	}
	s, err := m.Contacts(ctx, f, store.Page{After: in.Cursor, Limit: in.Limit})
	return &body[page[Contact]]{page[Contact]{s.Rows, s.Next}}, err
}

type contactInput struct {
	ID id.Contact `path:"id" maxLength:"26"`
}

func (m *Module) getContact(ctx context.Context, in *contactInput) (*body[*Detail], error) {
	d, err := m.Detail(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[*Detail]{d}, web.May(ctx, SeeContact, d.Contact.Site)
}

type revealInput struct {
	ID   id.Contact `path:"id" maxLength:"26"`
	Body struct {
		Reason string `json:"reason" minLength:"2" maxLength:"200" doc:"Why; it is kept with the audit"`
	}
}

// Number is a contact's number as it is.
type Number struct {
	From string `json:"from"`
}

func (m *Module) postReveal(ctx context.Context, in *revealInput) (*body[Number], error) {
	c, err := m.contact(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	web.Note(ctx, "reason", in.Body.Reason)
	return &body[Number]{Number{c.From}}, web.May(ctx, SeeNumber, c.Site)
}
