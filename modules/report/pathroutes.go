package report

import (
	"context"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
	"github.com/kapok-hotline/kapok/platform/web"
)

func (m *Module) pathRoutes(api *web.API) {
	web.Get(api, "/api/v1/reports/paths", SeeReport, "What happened at the nodes of a flow: visits, keys, silence, ways taken, who left", m.getPaths)
	web.Get(api, "/api/v1/reports/menu", SeeReport, "Contacts with and without menus side by side", m.getMenus)
}

// PathQuery is what both routes of ways take; it is exported because huma fills embedded structs only then.
type PathQuery struct {
	From string  `query:"from" required:"true" doc:"Local day, 2026-11-01"`
	To   string  `query:"to" required:"true" doc:"Local day, included"`
	Site id.Site `query:"site"`
	Flow id.Flow `query:"flow"`
}

// where gives the conditions of the query, and brings the rows up to the newest fact first.
func (m *Module) where(ctx context.Context, in *PathQuery) (f filter, behind bool, err error) {
	site, err := place(ctx, SeeReport, in.Site)
	if err != nil {
		return f, false, err
	}
	q := Query{By: ByAll, Step: Day, From: in.From, To: in.To, Site: site}
	if err := q.span(); err != nil {
		return f, false, err
	}
	bounded, stop := context.WithTimeout(ctx, pathBound)
	defer stop()
	if behind, err = m.paths.catchUp(bounded); err != nil {
		return f, false, err
	}
	f.text, f.args = "day >= ? AND day <= ?", []any{in.From, in.To}
	if in.Flow != "" {
		f.and("flow = ?", string(in.Flow))
	}
	sites, err := m.deps.subtree(ctx, site)
	if err == nil {
		f.sites("site", sites)
	}
	return f, behind, err
}

type pathInput struct {
	PathQuery
	Version int `query:"version" doc:"0 or none: all versions"`
}

// Paths is what happened in a flow. What goes into a node is what comes out of it: visits are the sum of taken,
// reached, left, ended, lost, gone and of those still there.
type Paths struct {
	Behind   bool      `json:"behind" doc:"Older facts are still being counted: ask again"`
	Versions []int     `json:"versions" doc:"Those met in the span"`
	Rows     []PathRow `json:"rows"`
}

// PathRow is one count.
type PathRow struct {
	Node string `json:"node"`
	What string `json:"what" enum:"entered,visit,pressed,timeout,invalid,unheard,deaf,served,taken,reached,left,ended,lost,gone"`
	Port string `json:"port" doc:"key:1, timeout, invalid or the port's name; empty where the flow itself tells it"`
	To   string `json:"to" doc:"Of taken: the node; of gone: the flow"`
	N    int64  `json:"n"`
}

func (m *Module) getPaths(ctx context.Context, in *pathInput) (*body[*Paths], error) {
	f, behind, err := m.where(ctx, &in.PathQuery)
	if err != nil {
		return nil, err
	}
	out := &Paths{Behind: behind, Versions: []int{}, Rows: []PathRow{}}
	versions, err := store.All(ctx, m.db, `SELECT DISTINCT version FROM report_path WHERE `+f.text+` ORDER BY version DESC`, store.Col[int64], f.args...)
	if err != nil {
		return nil, err
	}
	for _, v := range versions {
		out.Versions = append(out.Versions, int(v))
	}
	if in.Version != 0 {
		f.and("version = ?", in.Version)
	}
	rows, err := store.All(ctx, m.db, `SELECT node, what, port, to_node, SUM(n) FROM report_path WHERE `+f.text+`
		GROUP BY node, what, port, to_node ORDER BY node, what, port, to_node`, func(r store.Scanner) (p PathRow, err error) {
		return p, r.Scan(&p.Node, &p.What, &p.Port, &p.To, &p.N)
	}, f.args...)
	out.Rows = append(out.Rows, rows...)
	return &body[*Paths]{out}, err
}

// Menus compares ended contacts that met menus with those that were sent past them.
type Menus struct {
	Behind  bool     `json:"behind"`
	Menu    MenuSide `json:"menu"`
	Without MenuSide `json:"without"`
}

// MenuSide is one of the two ways. A rate or time is null where there is nothing to divide by.
type MenuSide struct {
	Contacts   int64    `json:"contacts"`
	Served     int64    `json:"served" doc:"Helped by the machine, without an agent"`
	Left       int64    `json:"left" doc:"Hung up before asking for an agent"`
	Asked      int64    `json:"asked"`
	Answered   int64    `json:"answered"`
	Abandoned  int64    `json:"abandoned"`
	AnswerRate *float64 `json:"answer_rate" doc:"Answered of those who asked, 0..1"`
	WaitMs     *int64   `json:"wait_ms" doc:"In the queue, of those answered, in the mean"`
	ReachMs    *int64   `json:"reach_ms" doc:"From the first ring to the agent, in the mean"`
}

func (m *Module) getMenus(ctx context.Context, in *PathQuery) (*body[*Menus], error) {
	f, behind, err := m.where(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &Menus{Behind: behind}
	type row struct {
		noMenu bool
		menuCount
	}
	err = store.Each(ctx, m.db, `SELECT no_menu, SUM(contacts), SUM(served), SUM(left_flow), SUM(asked), SUM(answered), SUM(abandoned), SUM(wait_ms), SUM(reach_ms)
		FROM report_menu WHERE `+f.text+` GROUP BY no_menu`, func(r store.Scanner) (x row, err error) {
		var without int64
		err = r.Scan(&without, &x.Contacts, &x.Served, &x.Left, &x.Asked, &x.Answered, &x.Abandoned, &x.WaitMs, &x.ReachMs)
		x.noMenu = without != 0
		return x, err
	}, func(x row) error {
		if x.noMenu {
			out.Without = sideOf(&x.menuCount)
		} else {
			out.Menu = sideOf(&x.menuCount)
		}
		return nil
	}, f.args...)
	return &body[*Menus]{out}, err
}

func sideOf(c *menuCount) MenuSide {
	s := MenuSide{Contacts: c.Contacts, Served: c.Served, Left: c.Left, Asked: c.Asked, Answered: c.Answered, Abandoned: c.Abandoned}
	if c.Asked > 0 {
		rate := float64(c.Answered) / float64(c.Asked)
		s.AnswerRate = &rate
	}
	if c.Answered > 0 {
		wait, reach := c.WaitMs/c.Answered, c.ReachMs/c.Answered
		s.WaitMs, s.ReachMs = &wait, &reach
	}
	return s
}
