package report

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// checkPaths: the ways through flows are what the facts say, row by row, and who comes to a node leaves it or is
// still there. Rows that are being counted meanwhile are left for the next time.
func (m *Module) checkPaths(ctx context.Context, db *store.DB) ([]ledger.Breach, error) {
	from, err := m.since(checkDays)
	if err != nil {
		return nil, err
	}
	lead, err := clock.AddDays(from, -leadDays)
	if err != nil {
		return nil, err
	}
	mark, err := pathMark(ctx, db)
	if err != nil {
		return nil, err
	}
	w := newWays()
	err = m.deps.Ledger.Range(ctx, ledger.Span{From: lead, Kinds: pathKinds}, func(f ledger.Fact) error {
		if f.Seq <= mark {
			w.take(&f)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	have, err := pathTables(ctx, db, from)
	if err != nil {
		return nil, err
	}
	if now, err := pathMark(ctx, db); err != nil || now != mark {
		return nil, err
	}
	return append(pathDifferences(w.counted(from), have), w.stuck(from)...), nil
}

// counted gives the rows of the days from the given one on, by a printable key.
func (w *ways) counted(from string) map[string]string {
	out := map[string]string{}
	for k, n := range w.paths {
		if k.Day >= from {
			out[fmt.Sprintf("path %+v", k)] = fmt.Sprint(n)
		}
	}
	for k, c := range w.menus {
		if k.Day >= from {
			out[fmt.Sprintf("menu %+v", k)] = fmt.Sprint(*c)
		}
	}
	return out
}

// pathTables gives the tables' rows in the same form.
func pathTables(ctx context.Context, db *store.DB, from string) (map[string]string, error) {
	out := map[string]string{}
	none := func(struct{}) error { return nil }
	err := store.Each(ctx, db, `SELECT day, site, flow, version, node, what, port, to_node, n FROM report_path WHERE day >= ? AND n <> 0`,
		func(r store.Scanner) (x struct{}, err error) {
			var k pathKey
			var n int64
			err = r.Scan(&k.Day, &k.Site, &k.Flow, &k.Version, &k.Node, &k.What, &k.Port, &k.To, &n)
			out[fmt.Sprintf("path %+v", k)] = fmt.Sprint(n)
			return x, err
		}, none, from)
	if err != nil {
		return nil, err
	}
	err = store.Each(ctx, db, `SELECT day, site, flow, no_menu, contacts, served, left_flow, asked, answered, abandoned, wait_ms, reach_ms
		FROM report_menu WHERE day >= ?`, func(r store.Scanner) (x struct{}, err error) {
		var k menuKey
		var without int64
		var c menuCount
		err = r.Scan(&k.Day, &k.Site, &k.Flow, &without, &c.Contacts, &c.Served, &c.Left, &c.Asked, &c.Answered, &c.Abandoned, &c.WaitMs, &c.ReachMs)
		k.NoMenu = without != 0
		out[fmt.Sprintf("menu %+v", k)] = fmt.Sprint(c)
		return x, err
	}, none, from)
	return out, err
}

func pathDifferences(want, have map[string]string) []ledger.Breach {
	var out []ledger.Breach
	add := func(k string) {
		if want[k] != have[k] && len(out) < breachLimit {
			out = append(out, ledger.Breach{Subject: k, Params: map[string]any{"facts": want[k], "rows": have[k]}})
		}
	}
	for k := range want {
		add(k)
	}
	for k := range have {
		if _, both := want[k]; !both {
			add(k)
		}
	}
	slices.SortFunc(out, func(a, b ledger.Breach) int { return strings.Compare(a.Subject, b.Subject) })
	return out
}

// stuck names the nodes more contacts came to than left or are there.
func (w *ways) stuck(from string) []ledger.Breach {
	in := map[pathKey]int64{}
	at := func(k pathKey) pathKey { k.What, k.Port, k.To = "", "", ""; return k }
	for k, n := range w.paths {
		switch k.What {
		case pathVisit:
			in[at(k)] += n
		case pathTaken, pathReached, pathLeft, pathEnded, pathLost, pathGone:
			in[at(k)] -= n
		}
	}
	for _, c := range w.walks {
		if c != nil && c.Node != "" && c.Day != "" {
			in[pathKey{Day: c.Day, Site: c.Site, Flow: c.Flow, Version: c.Version, Node: c.Node}]--
		}
	}
	var out []ledger.Breach
	for k, n := range in {
		if n != 0 && k.Day >= from {
			out = append(out, ledger.Breach{Subject: fmt.Sprintf("node %+v", k), Params: map[string]any{"more_in_than_out": n}})
		}
	}
	slices.SortFunc(out, func(a, b ledger.Breach) int { return strings.Compare(a.Subject, b.Subject) })
	return out
}
