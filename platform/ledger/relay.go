package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/store"
)

const (
	factSubject  = "fact."       // fact.<kind>: the fact itself
	headSubject  = "ledger.head" // {node, seq}: how far a node has written; wakes the others' followers
	outboxLength = 65536
	relaySave    = 5 * time.Second // how often the position is written down
	relayRetry   = time.Second
)

// headNote is what headSubject carries.
type headNote struct {
	Node id.Node `json:"node"`
	Seq  int64   `json:"seq"`
}

// outbox holds what is committed here and not yet published. What does not fit, and what a crash left behind,
// is read back from the table.
type outbox struct {
	mu    sync.Mutex
	facts []Fact
	lost  int64 // facts of this node up to this seq are to be read from the table, where above sent
	sent  int64 // the newest seq published; the relay's alone
	saved int64
	wake  chan struct{}
}

// openOutbox finds what this node had published when it ended: the rest is published again, so consumers get
// every fact at least once.
func (l *Ledger) openOutbox(ctx context.Context, head int64) (*outbox, error) {
	sent, err := store.One(ctx, l.db, `SELECT seq FROM ledger_relay WHERE node = ?`, store.Col[int64], string(l.node))
	if errors.Is(err, store.ErrNotFound) {
		sent, err = head, nil // a new node has nothing to say about the past
	}
	return &outbox{sent: sent, saved: sent, lost: head, wake: make(chan struct{}, 1)}, err
}

func (o *outbox) add(facts []Fact) {
	o.mu.Lock()
	if len(o.facts)+len(facts) > outboxLength {
		o.lost = facts[len(facts)-1].Seq
		o.facts = nil
	} else {
		o.facts = append(o.facts, facts...)
	}
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// take gives what is to be published next: facts at hand, or the seq up to which to read the table.
func (o *outbox) take() (facts []Fact, lost int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lost > o.sent {
		return nil, o.lost
	}
	facts, o.facts = o.facts, nil
	return facts, 0
}

// relay publishes in order of seq, after the commit, until the ledger closes and all is out.
func (l *Ledger) relay(ctx context.Context) {
	save := time.NewTicker(relaySave)
	defer save.Stop()
	for {
		if err := l.flush(ctx); err != nil && ctx.Err() == nil {
			l.log.Warn("facts wait to be published", slog.Any("error", err))
			l.clockWait(ctx, relayRetry)
			continue
		}
		select {
		case <-l.outbox.wake:
		case <-save.C:
			l.saveRelay(ctx)
		case <-l.closing:
			l.commits.Wait()
			if err := l.flush(ctx); err != nil {
				l.log.Warn("facts are left for the next start to publish", slog.Any("error", err))
			}
			l.saveRelay(ctx)
			return
		case <-ctx.Done():
			return
		}
	}
}

func (l *Ledger) flush(ctx context.Context) error {
	for {
		facts, lost := l.outbox.take()
		if lost > 0 {
			var err error
			facts, err = store.All(ctx, l.db, `SELECT `+columns+` FROM ledger_fact WHERE seq > ? AND seq <= ? AND node = ?
				ORDER BY seq LIMIT 1000`, scanFact, l.outbox.sent, lost, string(l.node))
			if err != nil {
				return err
			}
			if len(facts) == 0 {
				l.outbox.sent = lost
				continue
			}
		}
		if len(facts) == 0 {
			return nil
		}
		if err := l.publish(facts); err != nil {
			l.outbox.mu.Lock()
			l.outbox.lost = max(l.outbox.lost, facts[len(facts)-1].Seq) // what is not out is read again
			l.outbox.mu.Unlock()
			return err
		}
	}
}

func (l *Ledger) publish(facts []Fact) error {
	if l.bus == nil {
		l.outbox.sent = facts[len(facts)-1].Seq
		return nil
	}
	for _, f := range facts {
		if f.Seq <= l.outbox.sent {
			continue
		}
		if err := l.bus.Publish(factSubject+f.Kind, f); err != nil {
			return err
		}
		l.outbox.sent = f.Seq
	}
	return l.bus.Publish(headSubject, headNote{l.node, l.outbox.sent})
}

// saveRelay writes the position down. When nothing waits it is the head itself, past facts that were imported
// without being published.
func (l *Ledger) saveRelay(ctx context.Context) {
	o := l.outbox
	seq := o.sent
	l.writing.Lock()
	o.mu.Lock()
	if len(o.facts) == 0 && o.lost <= o.sent {
		seq = max(seq, l.tail.head())
	}
	o.mu.Unlock()
	l.writing.Unlock()
	if seq == o.saved {
		return
	}
	_, err := store.Exec(ctx, l.db, `INSERT INTO ledger_relay (node, seq) VALUES (?, ?)
		ON CONFLICT (node) DO UPDATE SET seq = excluded.seq`, string(l.node), seq)
	if err != nil {
		l.log.Warn("the relay's position is not saved", slog.Any("error", err))
		return
	}
	o.saved, o.sent = seq, seq
}

// hearHead wakes the followers when another node has written.
func (l *Ledger) hearHead(_ string, data []byte) {
	var note headNote
	if err := json.Unmarshal(data, &note); err != nil || note.Node == l.node {
		return
	}
	l.tail.heard(note.Seq)
	l.pokeFolds()
}

// clockWait waits for d, or less when the ledger closes.
func (l *Ledger) clockWait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.closing:
	case <-ctx.Done():
	}
}
