package report

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/store"
)

// paths keeps report_path and report_menu. They are brought up to the newest fact when somebody looks, and every
// minute besides: a call under way pays nothing for them. Several processes may do so at once: the mark goes on
// for one alone, and with it the rows.
type paths struct {
	m  *Module
	mu sync.Mutex // one at a time within the process
}

const (
	pathBatch = 4000            // facts' seqs in one transaction
	pathEvery = time.Minute     // how far behind the rows fall while nobody looks
	pathBound = 8 * time.Second // how long a look waits for facts that are not counted yet
)

// errOvertaken: another process has counted the same facts meanwhile.
var errOvertaken = errors.New("another process has counted these facts")

// run counts every minute until ctx ends.
func (p *paths) run(ctx context.Context) {
	timer := p.m.clock.NewTimer(pathEvery)
	defer timer.Stop()
	for {
		select {
		case <-timer.C():
			if _, err := p.catchUp(ctx); err != nil && ctx.Err() == nil {
				p.m.log.WarnContext(ctx, "the ways through flows are not counted; they are tried again", slog.Any("error", err))
			}
			timer.Reset(pathEvery)
		case <-ctx.Done():
			return
		}
	}
}

// catchUp counts what is not counted yet; behind: ctx ended first, and there is more.
func (p *paths) catchUp(ctx context.Context) (behind bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	head, err := p.m.deps.Ledger.Head(ctx)
	for err == nil {
		var mark int64
		if mark, err = pathMark(ctx, p.m.db); err != nil || mark >= head {
			break
		}
		if err = p.batch(ctx, mark, min(mark+pathBatch, head)); errors.Is(err, errOvertaken) {
			err = nil
		}
	}
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return true, nil
	}
	return false, err
}

func pathMark(ctx context.Context, q store.Querier) (int64, error) {
	return store.One(ctx, q, `SELECT seq FROM report_path_mark WHERE id = 1`, store.Col[int64])
}

// batch counts the facts after from, up to to.
func (p *paths) batch(ctx context.Context, from, to int64) error {
	w := newWays()
	var facts []ledger.Fact
	var met []id.Contact
	seen := map[id.Contact]bool{}
	args := append([]any{from, to}, store.Args(pathKinds)...)
	err := store.Each(ctx, p.m.db, `SELECT at, day, kind, subject, place, body FROM ledger_fact
		WHERE seq > ? AND seq <= ? AND kind IN (`+store.In(len(pathKinds))+`) ORDER BY seq`, scanPathFact, func(f ledger.Fact) error {
		if of := id.Contact(f.Subject); !seen[of] {
			seen[of] = true
			met = append(met, of)
		}
		facts = append(facts, f)
		return nil
	}, args...)
	if err != nil {
		return err
	}
	before, err := loadWalks(ctx, p.m.db, met)
	if err != nil {
		return err
	}
	for of, at := range before {
		w.walks[of] = at
	}
	for i := range facts {
		w.take(&facts[i])
	}
	return p.m.db.Tx(ctx, func(tx *store.Tx) error {
		n, err := store.Exec(ctx, tx, `UPDATE report_path_mark SET seq = ? WHERE id = 1 AND seq = ?`, to, from)
		if err == nil && n == 0 {
			err = errOvertaken
		}
		if err != nil {
			return err
		}
		return w.save(ctx, tx, before)
	})
}

func scanPathFact(r store.Scanner) (f ledger.Fact, err error) {
	var body string
	err = r.Scan(&f.At, &f.Day, &f.Kind, &f.Subject, &f.Place, &body)
	f.Body = []byte(body)
	return f, err
}

// loadWalks gives where contacts stand.
func loadWalks(ctx context.Context, q store.Querier, of []id.Contact) (map[id.Contact]*walk, error) {
	out := map[id.Contact]*walk{}
	for len(of) > 0 {
		n := packSize(len(of), loadPack)
		err := store.Each(ctx, q, `SELECT contact, body FROM report_walk WHERE contact IN (`+store.In(n)+`)`,
			func(r store.Scanner) (c id.Contact, err error) {
				at := &walk{}
				err = r.Scan(&c, store.JSON(at))
				out[c] = at
				return c, err
			}, func(id.Contact) error { return nil }, padded(of, n)...)
		if err != nil {
			return nil, err
		}
		of = of[min(n, len(of)):]
	}
	return out, nil
}

// save books what was added.
func (w *ways) save(ctx context.Context, tx *store.Tx, before map[id.Contact]*walk) error {
	s := pathStatements()
	var rows []any
	for k, n := range w.paths {
		rows = append(rows, k.Day, string(k.Site), string(k.Flow), k.Version, k.Node, k.What, k.Port, k.To, n)
	}
	if err := s.path.run(ctx, tx, rows); err != nil {
		return err
	}
	rows = nil
	for k, c := range w.menus {
		rows = append(rows, k.Day, string(k.Site), string(k.Flow), bit(k.NoMenu), c.Contacts, c.Served, c.Left, c.Asked, c.Answered, c.Abandoned, c.WaitMs, c.ReachMs)
	}
	if err := s.menu.run(ctx, tx, rows); err != nil {
		return err
	}
	rows = nil
	for of, at := range w.walks {
		switch {
		case at != nil:
			rows = append(rows, string(of), store.JSON(at))
		case before[of] != nil:
			if _, err := store.Exec(ctx, tx, `DELETE FROM report_walk WHERE contact = ?`, string(of)); err != nil {
				return err
			}
		}
	}
	return s.walk.run(ctx, tx, rows)
}

type pathTexts struct{ path, menu, walk upsert }

// pathStatements gives the statements of save.
var pathStatements = sync.OnceValue(func() pathTexts {
	keys := []string{"day", "site", "flow", "version", "node", "what", "port", "to_node"}
	sums := []string{"contacts", "served", "left_flow", "asked", "answered", "abandoned", "wait_ms", "reach_ms"}
	return pathTexts{
		path: newUpsert("report_path", append(keys, "n"), "day, site, flow, version, node, what, port, to_node", summed("report_path", []string{"n"})),
		menu: newUpsert("report_menu", append([]string{"day", "site", "flow", "no_menu"}, sums...), "day, site, flow, no_menu", summed("report_menu", sums)),
		walk: newUpsert("report_walk", []string{"contact", "body"}, "contact", replaced([]string{"body"})),
	}
})
