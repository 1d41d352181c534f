package ledger

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
)

// Journal appends for those who must not wait for the disk: the brain and the calls. Facts of one journal are
// kept in the order they were posted. While the disk refuses (full, or a database away) they wait in memory and
// are tried again; only when journalLimit wait is one lost, and that is said aloud.
//
// Facts of a span share a commit, because a commit costs as much as writing dozens of them, and a call says some
// twenty things. The span is short while little happens, and grows with what came in the last one; it stays well
// below what a wallboard may be late (2 s). After a silence a fact goes at once, and Flush waits for no span. What
// waits in memory is what a kill -9 takes with it.
type Journal struct {
	ledger *Ledger
	log    *slog.Logger

	mu      sync.Mutex
	waiting []Fact
	flying  int // facts of the batch on its way
	lost    int
	wake    chan struct{}
	hurry   chan struct{}   // somebody waits for their facts
	idle    []chan struct{} // closed when nothing waits and nothing is on its way
}

const (
	journalLimit = 1 << 20
	journalBatch = 1024
	journalRetry = 100 * time.Millisecond
	journalSlow  = 2 * time.Second // longest pause between two tries

	spanLeast   = 20 * time.Millisecond
	spanMost    = 800 * time.Millisecond
	spanPerFact = 3 * time.Millisecond // above 330 facts a second (15 calls) the span grows to its most
)

// NewJournal makes a journal on the ledger; Run writes it.
func NewJournal(l *Ledger, log *slog.Logger) *Journal {
	return &Journal{ledger: l, log: log, wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1)}
}

// Post takes a fact. It never blocks. ID and At are given here when they are zero, so that a repeated try is
// known as one.
func (j *Journal) Post(f Fact) {
	now := j.ledger.clock.Now()
	if f.At == 0 {
		f.At = now.UnixMilli()
	}
	if f.ID == "" {
		f.ID = id.Fact(id.New(now))
	}
	j.mu.Lock()
	if len(j.waiting) >= journalLimit {
		j.lost++
	} else {
		j.waiting = append(j.waiting, f)
	}
	j.mu.Unlock()
	poke(j.wake)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Waiting gives how many facts wait for the disk, and how many were lost because too many did.
func (j *Journal) Waiting() (waiting, lost int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.waiting) + j.flying, j.lost
}

// Flush returns when everything posted before is kept, or ctx ends.
func (j *Journal) Flush(ctx context.Context) error {
	j.mu.Lock()
	if len(j.waiting) == 0 && j.flying == 0 {
		j.mu.Unlock()
		return nil
	}
	done := make(chan struct{})
	j.idle = append(j.idle, done)
	j.mu.Unlock()
	poke(j.wake)
	poke(j.hurry)
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run writes what is posted until ctx ends, then what still waits, once.
func (j *Journal) Run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-j.wake:
			j.rest(ctx, j.drain(ctx))
		case <-ctx.Done():
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	j.drain(last)
}

// drain writes batch after batch until nothing waits, and gives how many facts that was.
func (j *Journal) drain(ctx context.Context) (written int) {
	for {
		batch := j.take()
		if len(batch) == 0 || !j.write(ctx, batch) {
			return written
		}
		written += len(batch)
	}
}

// rest lets the next facts gather, for a span that grows with how many there were.
func (j *Journal) rest(ctx context.Context, written int) {
	span := j.ledger.clock.NewTimer(min(max(time.Duration(written)*spanPerFact, spanLeast), spanMost))
	defer span.Stop()
	select {
	case <-span.C():
	case <-j.hurry:
	case <-ctx.Done():
	}
}

func (j *Journal) take() []Fact {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := min(len(j.waiting), journalBatch)
	j.flying = n
	if n == 0 {
		for _, done := range j.idle {
			close(done)
		}
		j.idle, j.waiting = nil, nil
		return nil
	}
	batch := j.waiting[:n:n]
	if j.waiting = j.waiting[n:]; len(j.waiting) == 0 {
		j.waiting = make([]Fact, 0, n) // what comes next is about as many
	}
	return batch
}

// write appends a batch, trying again while the fault is one of the moment. False: ctx ended first, and the
// batch is back at the front.
func (j *Journal) write(ctx context.Context, batch []Fact) bool {
	for pause := journalRetry; ; pause = min(2*pause, journalSlow) {
		err := j.ledger.Append(ctx, batch...)
		switch {
		case err == nil:
			return true
		case !transient(err):
			j.one(ctx, batch)
			return true
		}
		if ctx.Err() == nil {
			j.log.Error("facts wait in memory because the ledger does not take them", "facts", len(batch), "err", err)
		}
		timer := j.ledger.clock.NewTimer(pause)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			j.mu.Lock()
			j.waiting = append(batch, j.waiting...)
			j.flying = 0
			j.mu.Unlock()
			return false
		}
	}
}

// one appends the facts of a refused batch one by one, so that only the one at fault is refused.
func (j *Journal) one(ctx context.Context, batch []Fact) {
	for _, f := range batch {
		if err := j.ledger.Append(ctx, f); err != nil {
			j.log.Error("a fact was refused and is lost", "kind", f.Kind, "subject", f.Subject, "err", err)
		}
	}
}
