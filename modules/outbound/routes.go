package outbound

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

type none struct{}

// body answers with a value.
type body[T any] struct{ Body T }

// Routes registers the module's requests.
func (m *Module) Routes(api *web.API) {
	m.api = api
	const lists = "/api/v1/outbound/lists"
	web.Get(api, lists, Manage, "Lists of people to call, and how far they are", m.getLists)
	web.Post(api, lists+"/{list}/start", Manage, "Begin to work a list off", m.start)
	web.Post(api, lists+"/{list}/pause", Manage, "Call nobody of a list for the time being", m.stop)
	web.Post(api, lists+"/{list}/import", Manage, "People of a list from XLSX or CSV", m.importPeople, web.MaxBody(section.MaxUpload))
	web.Post(api, lists+"/{list}/fill", Manage, "People of a list from past contacts", m.postFill)
	web.Post(api, lists+"/{list}/missed", Manage, "Missed callers onto a list", m.postMissed)
	web.Get(api, lists+"/{list}/people", Manage, "People of a list", m.getPeople)
	web.Post(api, "/api/v1/outbound/people/{id}/remove", Manage, "Take a person off their list", m.remove)
	web.Get(api, "/api/v1/outbound/figures", Manage, "Dialled, reached, refused", m.getFigures)
	m.neverRoutes(api)
	m.agentRoutes(api)
}

// ListProgress is a list and how far it is.
type ListProgress struct {
	List
	On       bool           `json:"on"`
	Shut     string         `json:"shut,omitempty" doc:"why nobody may be called now: hours, lunch, holiday, closed"`
	People   int            `json:"people"`
	States   map[string]int `json:"states" doc:"people by state"`
	Outcomes map[string]int `json:"outcomes" doc:"closed people by how"`
}

type runOut struct {
	Body struct {
		Lists []ListProgress `json:"lists"`
	}
}

func (m *Module) getLists(ctx context.Context, _ *none) (*runOut, error) {
	type count struct {
		list, state, how string
		n                int
	}
	all, err := store.All(ctx, m.deps.DB, `SELECT list, state, CASE WHEN state = 'closed' THEN how ELSE '' END AS why, COUNT(*) FROM outbound_person GROUP BY list, state, why`,
		func(r store.Scanner) (c count, err error) { return c, r.Scan(&c.list, &c.state, &c.how, &c.n) })
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	lists, on := slices.Clone(m.lists), m.on
	m.mu.Unlock()
	out := &runOut{}
	out.Body.Lists = []ListProgress{}
	now := m.now()
	for _, l := range lists {
		if web.May(ctx, Manage, l.Site) != nil {
			continue
		}
		v := ListProgress{List: l, On: on[l.Code], States: map[string]int{}, Outcomes: map[string]int{}}
		v.Shut, _ = m.open(l, now)
		for _, c := range all {
			if c.list == l.Code {
				v.People += c.n
				v.States[c.state] += c.n
				if c.how != "" {
					v.Outcomes[c.how] += c.n
				}
			}
		}
		out.Body.Lists = append(out.Body.Lists, v)
	}
	slices.SortFunc(out.Body.Lists, func(a, b ListProgress) int { return cmp.Compare(a.Code, b.Code) })
	return out, nil
}

type onList struct {
	List string `path:"list" maxLength:"32"`
}

// managed gives a list the caller may manage.
func (m *Module) managed(ctx context.Context, code string) (List, error) {
	l, ok := m.list(code)
	if !ok {
		return l, fault.New(fault.NotFound, "outbound.list.none", "list", code)
	}
	return l, web.May(ctx, Manage, l.Site)
}

func (m *Module) start(ctx context.Context, in *onList) (*runOut, error) {
	return m.turn(ctx, in.List, `INSERT INTO outbound_run (list, by_user, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, true)
}

func (m *Module) stop(ctx context.Context, in *onList) (*runOut, error) {
	return m.turn(ctx, in.List, `DELETE FROM outbound_run WHERE list = ?`, false)
}

func (m *Module) turn(ctx context.Context, code, text string, on bool) (*runOut, error) {
	l, err := m.managed(ctx, code)
	if err != nil {
		return nil, err
	}
	args := []any{l.Code}
	if on {
		args = append(args, string(web.Principal(ctx).User), m.now().UnixMilli())
	}
	if _, err := store.Exec(ctx, m.deps.DB, text, args...); err != nil {
		return nil, err
	}
	if err := m.reload(ctx); err != nil {
		return nil, err
	}
	if m.deps.Tell != nil {
		m.deps.Tell()
	}
	return m.getLists(ctx, nil)
}

type importIn struct {
	List    string `path:"list" maxLength:"32"`
	DryRun  bool   `query:"dry_run"`
	Type    string `header:"Content-Type"`
	RawBody []byte `contentType:"application/octet-stream"`
}

func (m *Module) importPeople(ctx context.Context, in *importIn) (*body[PeopleTaken], error) {
	l, err := m.managed(ctx, in.List)
	if err != nil {
		return nil, err
	}
	file, err := section.Upload(in.Type, in.RawBody)
	if err != nil {
		return nil, fault.New(fault.Invalid, "outbound.table.none").Because(err)
	}
	all, flaws, err := m.table(file, l)
	if err != nil {
		return nil, err
	}
	if len(flaws) > 0 {
		return &body[PeopleTaken]{PeopleTaken{Flaws: m.say(ctx, flaws), DryRun: in.DryRun}}, nil
	}
	out, err := m.add(ctx, l, all, in.DryRun)
	web.Note(ctx, "added", out.Added)
	return &body[PeopleTaken]{out}, err
}

// flawsShown is how many flaws of a table are told.
const flawsShown = 200

// say gives flaws their sentences.
func (m *Module) say(ctx context.Context, flaws []TableFlaw) []TableFlaw {
	for i := range flaws {
		flaws[i].Say = m.api.Texts().Say(web.Locale(ctx), "fault."+flaws[i].Code, flaws[i].Params)
	}
	return flaws[:min(len(flaws), flawsShown)]
}

type fillIn struct {
	List   string `path:"list" maxLength:"32"`
	DryRun bool   `query:"dry_run"`
	Body   PastFilter
}

func (m *Module) postFill(ctx context.Context, in *fillIn) (*body[PeopleTaken], error) {
	l, err := m.managed(ctx, in.List)
	if err != nil {
		return nil, err
	}
	in.Body.Site = cmp.Or(in.Body.Site, l.Site)
	if err := web.May(ctx, Manage, in.Body.Site); err != nil {
		return nil, err
	}
	out, err := m.fill(ctx, l, in.Body, in.DryRun)
	web.Note(ctx, "added", out.Added)
	return &body[PeopleTaken]{out}, err
}

type missedIn struct {
	List   string `path:"list" maxLength:"32"`
	DryRun bool   `query:"dry_run"`
}

func (m *Module) postMissed(ctx context.Context, in *missedIn) (*body[PeopleTaken], error) {
	l, err := m.managed(ctx, in.List)
	if err != nil {
		return nil, err
	}
	out, err := m.fillMissed(ctx, l, in.DryRun)
	web.Note(ctx, "added", out.Added)
	return &body[PeopleTaken]{out}, err
}

// ListPerson is a person of a list as leaders see them.
type ListPerson struct {
	ID        string    `json:"id"`
	Number    string    `json:"number" doc:"masked"`
	Name      string    `json:"name"`
	Note      string    `json:"note"`
	More      []OwnCell `json:"more"`
	State     State     `json:"state" enum:"pending,shown,calling,dialled,reached,closed"`
	Since     int64     `json:"since"`
	Due       int64     `json:"due" doc:"unix ms"`
	Tries     int       `json:"tries"`
	Agent     id.User   `json:"agent,omitempty"`
	AgentName string    `json:"agent_name,omitempty"`
	How       string    `json:"how,omitempty" doc:"how the last attempt ended, or why they are not called any more"`
}

type peopleIn struct {
	List  string `path:"list" maxLength:"32"`
	State string `query:"state" enum:"pending,shown,calling,dialled,reached,closed"`
	After string `query:"after"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (m *Module) getPeople(ctx context.Context, in *peopleIn) (*body[store.Slice[ListPerson]], error) {
	l, err := m.managed(ctx, in.List)
	if err != nil {
		return nil, err
	}
	page := store.Page{After: in.After, Limit: in.Limit}
	where, args := `list = ?`, []any{l.Code}
	if in.State != "" {
		where, args = where+` AND state = ?`, append(args, in.State)
	}
	var last string
	more, err := page.Key(&last)
	if err != nil {
		return nil, err
	}
	if more {
		where, args = where+` AND id > ?`, append(args, last)
	}
	all, err := people(ctx, m.deps.DB, where+` ORDER BY id LIMIT ?`, append(args, page.Rows()+1)...)
	if err != nil {
		return nil, err
	}
	rows := make([]ListPerson, 0, len(all))
	for i := range all {
		p := &all[i]
		rows = append(rows, ListPerson{
			ID: p.id, Number: phone.Mask(p.number), Name: p.name, Note: p.note, More: p.more, State: p.state, Since: p.since, Due: p.due, Tries: p.tries,
			Agent: p.agent, AgentName: m.deps.Staff.AgentName(p.agent), How: p.how,
		})
	}
	s, err := store.Cut(page, rows, func(v ListPerson) []any { return []any{v.ID} })
	return &body[store.Slice[ListPerson]]{s}, err
}

type onPerson struct {
	ID string `path:"id" maxLength:"40"`
}

// remove takes a person off who is not being called.
func (m *Module) remove(ctx context.Context, in *onPerson) (*body[none], error) {
	p, err := personByID(ctx, m.deps.DB, in.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.New(fault.NotFound, "outbound.card.gone")
	}
	if err != nil {
		return nil, err
	}
	l, err := m.managed(ctx, p.list)
	if err != nil {
		return nil, err
	}
	if p.state != Pending && p.state != Shown {
		return nil, fault.New(fault.Conflict, "outbound.person.busy")
	}
	agent := p.agent
	err = m.deps.DB.Tx(ctx, func(tx *store.Tx) error { return m.shut(ctx, tx, l, &p, p.state, "removed", m.now()) })
	m.show(agent)
	return &body[none]{}, err
}

type figuresIn struct {
	By   string  `query:"by" enum:"list,agent,day" default:"list"`
	From string  `query:"from" required:"true" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" doc:"local day, 2026-11-01"`
	To   string  `query:"to" required:"true" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" doc:"local day, included"`
	Site id.Site `query:"site"`
}

func (m *Module) getFigures(ctx context.Context, in *figuresIn) (*body[*AttemptReport], error) {
	root := cmp.Or(in.Site, web.Principal(ctx).Site)
	if err := web.May(ctx, Manage, root); err != nil {
		return nil, err
	}
	f, err := m.figures(ctx, in.By, in.From, in.To, root)
	return &body[*AttemptReport]{f}, err
}
