package report

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
)

const (
	// pace is the shortest time between two pictures of a site.
	pace = time.Second
	// beat is the longest: a wall whose newest picture is older has lost its connection, and says so.
	beat = 2 * time.Second
)

// board is what the publisher remembers of each site.
type board struct{ sites map[id.Site]*shown }

// shown is a site's last picture: when, with which figures of the day, and whether there was nothing on it.
type shown struct {
	at      int64 // unix ms
	figures *dayFigures
	empty   bool
}

// publish pushes the picture of every site with something to show: at most once a pace where facts came, at
// least once a beat elsewhere.
func (l *live) publish(ctx context.Context) {
	if l.m.deps.Hub == nil {
		return
	}
	l.board.sites = map[id.Site]*shown{}
	timer := l.m.clock.NewTimer(pace)
	defer timer.Stop()
	for {
		select {
		case <-timer.C():
		case <-ctx.Done():
			return
		}
		if !l.m.deps.Hub.Heard(wallTopic) { // a wall that comes asks for its first picture itself
			timer.Reset(pace)
			continue
		}
		if err := l.round(ctx); err != nil && ctx.Err() == nil {
			l.m.log.WarnContext(ctx, "the wallboard is not pushed and will be tried again", slog.Any("error", err))
		}
		timer.Reset(pace)
	}
}

// round publishes what is due.
func (l *live) round(ctx context.Context) error {
	sites, err := l.sites(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	dirty := l.dirty
	l.dirty = map[id.Site]bool{}
	l.mu.Unlock()
	for _, site := range sites {
		if err := l.show(ctx, site, dirty); err != nil {
			return err
		}
	}
	return nil
}

// sites gives every site there is; without a tree the whole house is one. The picture of "" is for whoever may
// see any site, so a house with sites never sends it.
func (l *live) sites(ctx context.Context) ([]id.Site, error) {
	if l.m.deps.Sites == nil {
		return []id.Site{""}, nil
	}
	sites, err := l.m.deps.Sites.Subtree(ctx, "")
	if err != nil || len(sites) > 0 {
		return slices.DeleteFunc(slices.Clone(sites), func(s id.Site) bool { return s == "" }), err
	}
	if l.m.deps.Floor != nil { // a tree that cannot tell its root: the sites that have queues
		queues, err := l.m.deps.Floor.Queues(ctx)
		if err != nil {
			return nil, err
		}
		for _, q := range queues {
			if q.Site != "" && !slices.Contains(sites, q.Site) {
				sites = append(sites, q.Site)
			}
		}
	}
	return sites, nil
}

// show publishes one site's picture when it is due.
func (l *live) show(ctx context.Context, site id.Site, dirty map[id.Site]bool) error {
	below, err := l.m.deps.subtree(ctx, site)
	if err != nil {
		return err
	}
	changed := below == nil && len(dirty) > 0
	for _, s := range below {
		changed = changed || dirty[s]
	}
	now := l.m.clock.Now().UnixMilli()
	last := l.board.sites[site]
	if !changed && last != nil && (last.empty || now-last.at < beat.Milliseconds()) {
		return nil
	}
	next := &shown{at: now}
	if last != nil && !changed && last.figures.day == l.m.today() {
		next.figures = last.figures
	} else if next.figures, err = l.m.dayFigures(ctx, site); err != nil {
		return err
	}
	w, err := l.m.wallboard(ctx, site, next.figures)
	if err != nil {
		return err
	}
	next.empty = len(w.Queues)+len(w.Agents) == 0
	l.board.sites[site] = next
	if next.empty {
		return nil // nothing happens there, and nobody works there
	}
	return l.m.deps.Hub.Publish(wallTopic, holders(site), w)
}
