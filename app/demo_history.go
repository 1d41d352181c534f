package app

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/kapok-hotline/kapok/app/demo"
	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
)

const (
	historyChunk = 10   // days between two notes of how far the loading is
	historyBatch = 4000 // facts of a commit
	historyAhead = 4    // days made ahead of the database
)

// historyOptions say which history the marker stands for.
func (h *House) historyOptions(m *marker) (demo.Options, error) {
	zone := h.zone(demoSite)
	if zone == nil {
		zone = time.Local
	}
	last, err := time.ParseInLocation(time.DateOnly, m.Last, zone)
	if err != nil {
		return demo.Options{}, fmt.Errorf("%s in the data folder is damaged: %w; begin anew with --fresh", markerName, err)
	}
	return demo.Options{
		Seed: m.Seed, Last: last, Node: id.Node(demoNode), From: m.From, Until: m.Until,
		Works: func(at time.Time) bool {
			state, _, _ := h.calendar.IsOpen("office", at)
			return state == day.Open
		},
	}, nil
}

// demoNode is where the facts of the invented history say they happened.
const demoNode = "history"

// demoSite is the bureau's site.
const demoSite = "gz"

// loadHistory writes the demo's history through the ledger and every fold. It goes on where a start before it
// broke off: days are made again the same, and facts that are there are kept once.
func (h *House) loadHistory(ctx context.Context, m *marker, tell func(done, of int)) (demo.Sum, error) {
	var sum demo.Sum
	o, err := h.historyOptions(m)
	if err != nil {
		return sum, err
	}
	story, err := demo.New(o)
	if err != nil {
		return sum, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	days := make(chan demo.Made, historyAhead)
	go func() { // the story is made on one core while the other writes it down
		defer close(days)
		for {
			d, ok := story.Next()
			if !ok {
				return
			}
			select {
			case days <- d:
			case <-ctx.Done():
				return
			}
		}
	}()
	until := o.Until
	if until == 0 {
		until = demo.Days
	}
	for from := o.From; from < until; from += historyChunk {
		to := min(from+historyChunk, until)
		if _, err := h.ledger.Import(ctx, someDays(days, to-from, from >= m.Done, func(d demo.Made) {
			sum.Add(d.Sum)
			tell(d.Day+1-o.From, until-o.From)
		}), historyBatch); err != nil {
			return sum, err
		}
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		m.Done = max(m.Done, to)
		if err := m.write(); err != nil {
			return sum, err
		}
	}
	m.Loaded = true
	return sum, m.write()
}

// someDays gives the facts of the next n days; none of days that are in the ledger already.
func someDays(days <-chan demo.Made, n int, fresh bool, made func(demo.Made)) iter.Seq[ledger.Fact] {
	return func(yield func(ledger.Fact) bool) {
		for range n {
			d, ok := <-days
			if !ok {
				return
			}
			made(d)
			if !fresh {
				continue
			}
			for _, f := range d.Facts {
				if !yield(f) {
					return
				}
			}
		}
	}
}

// progress is the line that says how far the loading is. On a terminal it is written over, elsewhere a line comes
// every quarter.
type progress struct {
	out      io.Writer
	terminal bool
	words    demoWords
	began    time.Time
	now      func() time.Time
	shown    time.Time
	quarter  int
}

func (p *progress) tell(done, of int) {
	now := p.now()
	if p.terminal {
		if done < of && now.Sub(p.shown) < 200*time.Millisecond {
			return
		}
	} else if q := 4 * done / of; q == p.quarter {
		return
	} else {
		p.quarter = q
	}
	p.shown = now
	left := now.Sub(p.began) * time.Duration(of-done) / time.Duration(max(done, 1))
	line := fmt.Sprintf(p.words.loading, 100*done/of, int(left.Seconds()+.5))
	if p.terminal {
		fmt.Fprintf(p.out, "\r\x1b[K%s", line)
		if done == of {
			fmt.Fprintln(p.out)
		}
		return
	}
	fmt.Fprintln(p.out, line)
}
