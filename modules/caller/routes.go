package caller

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

type none struct{}

// body answers with a value.
type body[T any] struct{ Body T }

// Routes registers the module's requests.
func (m *Module) Routes(api *web.API) {
	const requests = "/api/v1/callers/requests"
	web.Get(api, "/api/v1/callers", See, "Marks on callers, what was asked for, and what the rules came to", m.getBoard)
	web.Get(api, "/api/v1/callers/state", Ask, "Whether there is a rule about any caller at all", m.getState)
	web.Get(api, "/api/v1/callers/of/{contact}", Ask, "What the rules say of the caller of a call of mine", m.getOf)
	web.Post(api, requests, Ask, "Ask that the caller of a call be marked", m.postRequest)
	web.Post(api, requests+"/{id}/approve", Approve, "Mark a caller as was asked", m.postApprove)
	web.Post(api, requests+"/{id}/refuse", Approve, "Do not mark a caller", m.postRefuse)
	web.Post(api, "/api/v1/callers/marks/{code}/lift", Approve, "End a mark now", m.postLift)
}

// tell brings open pages up to date.
func (m *Module) tell() {
	if m.deps.Hub == nil || !m.deps.Hub.Heard("callers") {
		return
	}
	if err := m.deps.Hub.Publish("callers", web.Holders(Ask, ""), map[string]any{"changed": true}); err != nil {
		m.deps.Log.Error("pages could not be told of the rules about callers", "err", err)
	}
}

func (m *Module) name(u id.User) string {
	if m.deps.User != nil && u != "" {
		if n := m.deps.User(u); n != "" {
			return n
		}
	}
	return string(u)
}

// Marked is a mark as the page shows it.
type Marked struct {
	Code     string   `json:"code"`
	Number   string   `json:"number" doc:"masked"`
	Begins   bool     `json:"begins"`
	Reason   string   `json:"reason"`
	From     int64    `json:"from"`
	Until    int64    `json:"until"`
	Do       string   `json:"do" enum:"message,last,skill,notice"`
	Skill    id.Skill `json:"skill"`
	Asked    string   `json:"asked_name"`
	Approved string   `json:"approved_name"`
	State    string   `json:"state" enum:"active,soon,over" doc:"soon: it begins later"`
	Held     int      `json:"held" doc:"calls it held for within the last 30 days"`
}

// Count is how often a rule held.
type Count struct {
	By string `json:"by" enum:"often,mark"`
	Do string `json:"do" enum:"message,last,skill,notice"`
	N  int    `json:"n"`
}

// Board is what leaders see.
type Board struct {
	Rules    Rules     `json:"rules"`
	Marks    []Marked  `json:"marks" doc:"those in force first, then by when they end"`
	Requests []Request `json:"requests" doc:"open ones first, then the newest; at most 200"`
	Held     []Count   `json:"held" doc:"calls a rule held for within the last 30 days"`
	Turned   int       `json:"turned" doc:"of these turned away by a message: in no rate of a queue"`
}

// boardDays is how far back the board counts.
const boardDays = 30

func (m *Module) getBoard(ctx context.Context, _ *none) (*body[Board], error) {
	b, now := m.rules.Load(), m.deps.Clock.Now().UnixMilli()
	out := Board{Rules: b.often, Marks: []Marked{}, Requests: []Request{}, Held: []Count{}}
	by, err := m.held(ctx, &out, now)
	if err != nil {
		return nil, err
	}
	for _, k := range b.marks {
		if k.Until < now-keepDays*dayMs {
			continue
		}
		v := Marked{
			Code: k.Code, Number: phone.Mask(k.Number), Begins: k.Begins, Reason: k.Reason, From: k.From, Until: k.Until, Do: k.Do, Skill: k.Skill,
			Asked: m.name(k.Asked), Approved: m.name(k.Approved), State: "active", Held: by[k.Code],
		}
		if k.Begins {
			v.Number = k.Number + "…"
		}
		switch {
		case k.From > now:
			v.State = "soon"
		case k.Until <= now:
			v.State = "over"
		}
		out.Marks = append(out.Marks, v)
	}
	slices.SortStableFunc(out.Marks, func(x, y Marked) int {
		if (x.State == "over") != (y.State == "over") {
			if x.State == "over" {
				return 1
			}
			return -1
		}
		return int(min(max(y.Until-x.Until, -1), 1))
	})
	all, err := store.All(ctx, m.deps.DB, `SELECT `+requestColumns+` FROM caller_request ORDER BY CASE WHEN state = 'open' THEN 0 ELSE 1 END, asked_at DESC LIMIT 200`, scanRequest)
	for i := range all {
		if m.within(ctx, all[i].Site) {
			out.Requests = append(out.Requests, *m.dress(&all[i]))
		}
	}
	return &body[Board]{out}, err
}

// held counts the calls a rule held for of late, by mark too.
func (m *Module) held(ctx context.Context, out *Board, now int64) (map[string]int, error) {
	day, _ := clock.Local(now-boardDays*dayMs, time.UTC)
	facts, err := store.All(ctx, m.deps.DB, `SELECT body FROM ledger_fact WHERE day >= ? AND kind = 'contact.limited'`, store.Col[string], day)
	by, sum := map[string]int{}, map[[2]string]int{}
	for _, f := range facts {
		b := as[event.ContactLimited](f)
		sum[[2]string{b.By, b.Do}]++
		if b.Mark != "" {
			by[b.Mark]++
		}
		if b.Do == contact.LimitMessage {
			out.Turned++
		}
	}
	for k, n := range sum {
		out.Held = append(out.Held, Count{By: k[0], Do: k[1], N: n})
	}
	slices.SortFunc(out.Held, func(x, y Count) int { return strings.Compare(y.By+x.Do, x.By+y.Do) })
	return by, err
}

func (m *Module) dress(v *Request) *Request {
	v.Number, v.AskedName, v.DecidedBy = phone.Mask(v.number), m.name(v.Asked), m.name(v.Decided)
	return v
}

// within says whether a site is the reader's business.
func (m *Module) within(ctx context.Context, site id.Site) bool {
	return site == "" || web.May(ctx, See, site) == nil
}

// State says whether pages need ask about a caller at all.
type State struct {
	On bool `json:"on" doc:"there is a rule, or a mark"`
}

func (m *Module) getState(context.Context, *none) (*body[State], error) {
	return &body[State]{State{m.rules.Load().any}}, nil
}

// Standing is what the rules say of the caller of a call.
type Standing struct {
	Reason  string `json:"reason" doc:"of the mark in force; empty: none"`
	Do      string `json:"do" enum:",message,last,skill,notice"`
	Until   int64  `json:"until"`
	Talks   int    `json:"talks" doc:"with agents within the rule's time"`
	Within  int    `json:"within_min"`
	Often   bool   `json:"often" doc:"more than the rule lets pass"`
	Pending bool   `json:"pending" doc:"somebody has asked for a mark"`
	May     bool   `json:"may" doc:"a mark can be asked for"`
}

type ofIn struct {
	Contact id.Contact `path:"contact" maxLength:"40"`
}

func (m *Module) getOf(ctx context.Context, in *ofIn) (*body[Standing], error) {
	me := web.Principal(ctx).User
	k, err := m.read(ctx, in.Contact)
	if err != nil {
		return nil, err
	}
	if k.secret || !k.agents[me] && web.May(ctx, SeeContacts, k.site) != nil {
		return nil, fault.New(fault.NotFound, "caller.contact.none")
	}
	out := Standing{}
	if k.number == "" {
		return &body[Standing]{out}, nil
	}
	b, now := m.rules.Load(), m.deps.Clock.Now()
	x, marked := b.markOf(k.number, now.UnixMilli())
	out.Reason, out.Do, out.Until = x.Reason, x.Do, x.Until
	if r := b.often; r.Calls > 0 && !b.exempted(k.number) {
		out.Within = r.WithinMin
		out.Talks = m.talks.since(k.number, now.Add(-time.Duration(r.WithinMin)*time.Minute).UnixMilli())
		out.Often = out.Talks >= r.Calls
	}
	n, err := store.One(ctx, m.deps.DB, `SELECT COUNT(*) FROM caller_request WHERE number = ? AND state = 'open'`, store.Col[int], k.number)
	out.Pending = n > 0
	out.May = !marked && n == 0
	return &body[Standing]{out}, err
}

type requestIn struct {
	Body struct {
		Contact id.Contact `json:"contact" minLength:"1" maxLength:"40"`
		Reason  string     `json:"reason" minLength:"2" maxLength:"300"`
	}
}

func (m *Module) postRequest(ctx context.Context, in *requestIn) (*body[Request], error) {
	k, err := m.read(ctx, in.Body.Contact)
	if err != nil {
		return nil, err
	}
	p := web.Principal(ctx)
	v, err := m.Ask(ctx, in.Body.Contact, p.User, in.Body.Reason, web.May(ctx, SeeContacts, k.site) == nil)
	if err != nil {
		return nil, err
	}
	web.Note(ctx, "number", phone.Mask(v.number))
	web.Note(ctx, "reason", v.Reason)
	return &body[Request]{*m.dress(&v)}, nil
}

// mine checks that a request is of a site whose requests the reader may decide.
func (m *Module) mine(ctx context.Context, code string) error {
	v, err := m.request(ctx, code)
	if err == nil && web.May(ctx, Approve, v.Site) != nil {
		err = fault.New(fault.NotFound, "caller.request.none")
	}
	return err
}

type approveIn struct {
	ID   string `path:"id" maxLength:"40"`
	Body struct {
		Do    string   `json:"do" enum:"message,last,skill,notice"`
		Skill id.Skill `json:"skill,omitempty" maxLength:"32" doc:"of skill"`
		Days  int      `json:"days,omitempty" minimum:"0" maximum:"366" doc:"0: 30"`
	}
}

func (m *Module) postApprove(ctx context.Context, in *approveIn) (*body[Request], error) {
	if err := m.mine(ctx, in.ID); err != nil {
		return nil, err
	}
	v, err := m.Approve(ctx, in.ID, web.Principal(ctx).User, Decision{in.Body.Do, in.Body.Skill, in.Body.Days})
	if err != nil {
		return nil, err
	}
	web.Note(ctx, "number", phone.Mask(v.number))
	web.Note(ctx, "do", in.Body.Do)
	web.Note(ctx, "days", in.Body.Days)
	return &body[Request]{*m.dress(&v)}, nil
}

type refuseIn struct {
	ID   string `path:"id" maxLength:"40"`
	Body struct {
		Reason string `json:"reason" minLength:"2" maxLength:"300"`
	}
}

func (m *Module) postRefuse(ctx context.Context, in *refuseIn) (*body[Request], error) {
	if err := m.mine(ctx, in.ID); err != nil {
		return nil, err
	}
	v, err := m.Refuse(ctx, in.ID, web.Principal(ctx).User, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	web.Note(ctx, "reason", in.Body.Reason)
	return &body[Request]{*m.dress(&v)}, nil
}

type liftIn struct {
	Code string `path:"code" maxLength:"40"`
	Body struct {
		Reason string `json:"reason" minLength:"2" maxLength:"300" doc:"it is kept with the audit"`
	}
}

func (m *Module) postLift(ctx context.Context, in *liftIn) (*body[none], error) {
	web.Note(ctx, "reason", in.Body.Reason)
	return &body[none]{}, m.Lift(ctx, in.Code, web.Principal(ctx).User)
}
