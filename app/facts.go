package app

import (
	"context"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/ledger"
)

// facts hands what the modules say to the journal.
type facts struct{ h *House }

// Post writes a fact behind the caller's back, in order.
func (f facts) Post(at time.Time, place id.Site, subject, actor string, body event.Body) {
	fact := ledger.From(body, subject, actor, string(place))
	fact.At = at.UnixMilli()
	f.h.posts.post(fact)
}

// Facts of a span share a commit, because a commit costs as much as writing dozens of them, and a call says some
// twenty things. The span is short while little happens, and grows with what came in the last one; it stays well
// below what a wallboard may be late (2 s). After a silence a fact goes at once, and a desk that asked for something
// does not wait: it has its facts flushed.
const (
	spanLeast   = 20 * time.Millisecond
	spanMost    = 400 * time.Millisecond
	spanPerFact = 3 * time.Millisecond // above 330 facts a second the span grows to its most
)

// posts holds facts back while the last commit is younger than the span. It never blocks who posts.
type posts struct {
	journal *ledger.Journal
	clock   clock.Clock

	mu      sync.Mutex
	waiting []ledger.Fact
	wake    chan struct{}
}

func newPosts(j *ledger.Journal, c clock.Clock) *posts {
	return &posts{journal: j, clock: c, wake: make(chan struct{}, 1)}
}

func (p *posts) post(f ledger.Fact) {
	p.mu.Lock()
	p.waiting = append(p.waiting, f)
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// keep has facts written until ctx ends, then what is left.
func (p *posts) keep(ctx context.Context) {
	written, stop := context.WithCancel(context.WithoutCancel(ctx))
	var journal sync.WaitGroup
	journal.Go(func() { p.journal.Run(written) })
	p.run(ctx)
	p.handOver()
	stop()
	journal.Wait()
}

// run hands over until ctx ends.
func (p *posts) run(ctx context.Context) {
	pause := p.clock.NewTimer(spanLeast)
	defer pause.Stop()
	for {
		select {
		case <-p.wake:
		case <-ctx.Done():
			return
		}
		span := time.Duration(p.handOver()) * spanPerFact
		pause.Reset(min(max(span, spanLeast), spanMost))
		select {
		case <-pause.C():
		case <-ctx.Done():
			return
		}
	}
}

// handOver gives everything held back to the journal, in order, and says how much it was.
func (p *posts) handOver() int {
	p.mu.Lock()
	defer p.mu.Unlock() // the order of two who hand over at once is that of posting
	for _, f := range p.waiting {
		p.journal.Post(f)
	}
	n := len(p.waiting)
	clear(p.waiting)
	p.waiting = p.waiting[:0]
	return n
}

// waits gives how many facts are not on the disk yet, held back here or in the journal, and how many were lost.
func (p *posts) waits() (waiting, lost int) {
	waiting, lost = p.journal.Waiting()
	p.mu.Lock()
	defer p.mu.Unlock()
	return waiting + len(p.waiting), lost
}

// flush returns when everything posted before is kept, or ctx ends.
func (p *posts) flush(ctx context.Context) error {
	p.handOver()
	return p.journal.Flush(ctx)
}
