package missed

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

// Routes registers the module's requests.
func (m *Module) Routes(api *web.API) {
	m.api = api
	web.Get(api, "/api/v1/missed", See, "Missed callers of my sites", m.getList)
	web.Get(api, "/api/v1/missed/{id}", See, "A missed caller with every attempt", m.getOne)
	web.Post(api, "/api/v1/missed/{id}/claim", Work, "Take a missed caller", m.postClaim)
	web.Post(api, "/api/v1/missed/{id}/release", Work, "Put a missed caller back", m.postRelease)
	web.Post(api, "/api/v1/missed/{id}/assign", Assign, "Give a missed caller to somebody", m.postAssign)
	web.Post(api, "/api/v1/missed/{id}/call", Work, "Call a missed caller from my desk", m.postCall)
	web.Post(api, "/api/v1/missed/{id}/result", Work, "What came of calling back", m.postResult)
	web.Post(api, "/api/v1/missed/{id}/number", Reveal, "The number unmasked, for a reason", m.postNumber)
	api.Handle("GET /api/v1/missed/{id}/messages/{recording}", Work, http.HandlerFunc(m.getMessage), web.Audited(), web.Stream())
}

type listIn struct {
	View   string   `query:"view" enum:"due,open,mine,closed" default:"due"`
	Queue  id.Queue `query:"queue"`
	Kind   Kind     `query:"kind" enum:",abandoned,turned,failed,voicemail,callback"`
	Site   id.Site  `query:"site"`
	Number string   `query:"number" maxLength:"32" doc:"how the number ends"`
	Cursor string   `query:"cursor"`
	Limit  int      `query:"limit" minimum:"0" maximum:"200"`
}

// Listed is a page of the list with the day's figures.
type Listed struct {
	Items   []Row  `json:"items"`
	Next    string `json:"next" doc:"cursor of the next page, empty at the end"`
	Today   string `json:"today" doc:"the local day"`
	Day     Day    `json:"day" doc:"how those due today fare"`
	CanCall bool   `json:"can_call" doc:"callers can be rung from here"`
	CanHear bool   `json:"can_hear" doc:"spoken messages can be heard from here"`
	Tries   int    `json:"tries" doc:"so many calls nobody answered close a row"`
}

type listOut struct{ Body Listed }

func (m *Module) getList(ctx context.Context, in *listIn) (*listOut, error) {
	p := web.Principal(ctx)
	site := p.Site
	if in.Site != "" {
		site = in.Site
		if err := web.May(ctx, See, site); err != nil {
			return nil, err
		}
	}
	today := m.day(m.deps.Clock.Now(), site)
	s, err := m.List(ctx, Filter{
		View: in.View, User: p.User, Queue: in.Queue, Kind: in.Kind, Site: site, End: strings.Trim(in.Number, "* "), Today: today,
	}, store.Page{After: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &listOut{Listed{Items: s.Rows, Next: s.Next, Today: today, CanCall: m.deps.Calls != nil && web.May(ctx, Dial, site) == nil, CanHear: m.deps.Sounds != nil, Tries: m.rules.Load().Tries}}
	if out.Body.Items == nil {
		out.Body.Items = []Row{}
	}
	out.Body.Day, err = m.Day(ctx, today, site)
	return out, err
}

type oneIn struct {
	ID string `path:"id" maxLength:"40"`
}

// Whole is a missed caller with every attempt.
type Whole struct {
	Row
	Missed []Attempt `json:"missed" doc:"every attempt, newest first, at most 50"`
}

type oneOut struct{ Body Whole }

// mine gives a row where the person asking holds the right.
func (m *Module) mine(ctx context.Context, row string, r right.Right) (Row, error) {
	v, err := m.row(ctx, m.deps.DB, row)
	if err != nil {
		return v, err
	}
	if web.May(ctx, See, v.Site) != nil {
		return v, fault.New(fault.NotFound, "missed.row.none")
	}
	return v, web.May(ctx, r, v.Site)
}

func (m *Module) getOne(ctx context.Context, in *oneIn) (*oneOut, error) {
	v, err := m.mine(ctx, in.ID, See)
	if err != nil {
		return nil, err
	}
	m.dress(ctx, &v)
	all, err := m.attempts(ctx, v.ID)
	return &oneOut{Whole{v, all}}, err
}

type rowOut struct{ Body Row }

func (m *Module) shown(ctx context.Context, v Row, err error) (*rowOut, error) {
	if err != nil {
		return nil, err
	}
	m.dress(ctx, &v)
	return &rowOut{v}, nil
}

// others says whether the person asking may take rows from others.
func others(ctx context.Context, v Row) bool { return web.May(ctx, Assign, v.Site) == nil }

func (m *Module) postClaim(ctx context.Context, in *oneIn) (*rowOut, error) {
	v, err := m.mine(ctx, in.ID, Work)
	if err != nil {
		return nil, err
	}
	me := web.Principal(ctx).User
	v, err = m.Give(ctx, v.ID, me, me, others(ctx, v))
	return m.shown(ctx, v, err)
}

func (m *Module) postRelease(ctx context.Context, in *oneIn) (*rowOut, error) {
	v, err := m.mine(ctx, in.ID, Work)
	if err != nil {
		return nil, err
	}
	v, err = m.Give(ctx, v.ID, web.Principal(ctx).User, "", others(ctx, v))
	return m.shown(ctx, v, err)
}

// Assigned says whose a missed caller is to be.
type Assigned struct {
	Owner id.User `json:"owner" minLength:"1" maxLength:"64"`
}

type assignIn struct {
	ID   string `path:"id" maxLength:"40"`
	Body Assigned
}

func (m *Module) postAssign(ctx context.Context, in *assignIn) (*rowOut, error) {
	v, err := m.mine(ctx, in.ID, Assign)
	if err != nil {
		return nil, err
	}
	if m.deps.May != nil && !m.deps.May(in.Body.Owner, v.Site) {
		return nil, fault.New(fault.Invalid, "missed.owner.none", "owner", string(in.Body.Owner)).At("owner")
	}
	v, err = m.Give(ctx, v.ID, web.Principal(ctx).User, in.Body.Owner, true)
	return m.shown(ctx, v, err)
}

// Placed is a missed caller who is being called.
type Placed struct {
	Row
	Contact id.Contact `json:"contact" doc:"the call"`
}

type callOut struct{ Body Placed }

func (m *Module) postCall(ctx context.Context, in *oneIn) (*callOut, error) {
	v, err := m.mine(ctx, in.ID, Work)
	if err == nil {
		err = web.May(ctx, Dial, web.Principal(ctx).Site)
	}
	if err != nil {
		return nil, err
	}
	v, c, err := m.Ring(ctx, v.ID, web.Principal(ctx).User, others(ctx, v))
	if err != nil {
		return nil, err
	}
	m.dress(ctx, &v)
	return &callOut{Placed{v, c}}, nil
}

// Result says what came of calling back.
type Result struct {
	Result  string     `json:"result" enum:"reached,no_answer,not_wanted,wrong_number"`
	AgainAt int64      `json:"again_at,omitempty" doc:"of no_answer: try again at, unix ms; 0: as soon as anybody can"`
	Note    string     `json:"note,omitempty" maxLength:"500"`
	Contact id.Contact `json:"contact,omitempty" maxLength:"40" doc:"the call-out, where it was made from here"`
}

type resultIn struct {
	ID   string `path:"id" maxLength:"40"`
	Body Result
}

func (m *Module) postResult(ctx context.Context, in *resultIn) (*rowOut, error) {
	v, err := m.mine(ctx, in.ID, Work)
	if err != nil {
		return nil, err
	}
	o := Outcome{Result: in.Body.Result, Note: in.Body.Note, Contact: in.Body.Contact}
	if in.Body.AgainAt > 0 {
		o.Again = time.UnixMilli(in.Body.AgainAt)
	}
	v, err = m.Tried(ctx, v.ID, web.Principal(ctx).User, o, others(ctx, v))
	return m.shown(ctx, v, err)
}

// Reason says why a number must be seen.
type Reason struct {
	Reason string `json:"reason" minLength:"2" maxLength:"200" doc:"why; it is kept with the audit"`
}

type numberIn struct {
	ID   string `path:"id" maxLength:"40"`
	Body Reason
}

// Shown is a number as people write it.
type Shown struct {
	Number string `json:"number"`
}

type numberOut struct{ Body Shown }

func (m *Module) postNumber(ctx context.Context, in *numberIn) (*numberOut, error) {
	v, err := m.mine(ctx, in.ID, Reveal)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(in.Body.Reason) == "" {
		return nil, fault.New(fault.Invalid, "missed.number.reason").At("reason")
	}
	web.Note(ctx, "reason", in.Body.Reason)
	return &numberOut{Shown{phone.Parse(v.number, "").Show()}}, nil
}

// getMessage lets a message of a row be heard by who works on the list; every look is in the audit.
func (m *Module) getMessage(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	v, err := m.mine(ctx, r.PathValue("id"), Work)
	if err == nil {
		var n int
		n, err = store.One(ctx, m.deps.DB, `SELECT COUNT(*) FROM missed_miss WHERE row_id = ? AND recording = ? AND recording <> ''`, store.Col[int], v.ID, r.PathValue("recording"))
		if err == nil && (n == 0 || m.deps.Sounds == nil) {
			err = fault.New(fault.NotFound, "missed.message.none")
		}
	}
	if err != nil {
		m.api.Fail(w, r, err)
		return
	}
	m.deps.Sounds.ServeMessage(w, r, r.PathValue("recording"))
}
