package ledger

import "sync"

const (
	tailKeep = 8192         // newest facts kept in memory for followers
	tailTrim = 2 * tailKeep // length at which the older half goes
)

// tail holds the newest facts written here, so that a follower that keeps up needs no database, and wakes the
// followers. Its facts have no gap in seq: what another node writes in between starts it afresh.
type tail struct {
	mu    sync.Mutex
	facts []Fact
	known int64         // the newest seq we have heard of
	wake  chan struct{} // closed and replaced at every change
}

func newTail(head int64) *tail { return &tail{known: head, wake: make(chan struct{})} }

// add takes what was committed here.
func (t *tail) add(facts []Fact) {
	if len(facts) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.facts); n > 0 && t.facts[n-1].Seq+1 != facts[0].Seq {
		t.facts = nil
	}
	t.facts = append(t.facts, facts...)
	if len(t.facts) > tailTrim { // into a new array: followers hold parts of the old one
		t.facts = append(make([]Fact, 0, tailTrim), t.facts[len(t.facts)-tailKeep:]...)
	}
	t.reach(facts[len(facts)-1].Seq)
}

// heard takes word of a seq that another node has written.
func (t *tail) heard(seq int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reach(seq)
}

// newest gives the newest seq there is, as far as is known here.
func (t *tail) newest() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known
}

func (t *tail) reach(seq int64) {
	if seq > t.known {
		t.known = seq
		close(t.wake)
		t.wake = make(chan struct{})
	}
}

// after gives the facts with a seq above seq that are at hand; nil with ask true when the database has to be
// asked, and with ask false when there are none. wake is closed when that changes.
func (t *tail) after(seq int64) (facts []Fact, ask bool, wake <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if seq >= t.known {
		return nil, false, t.wake
	}
	if len(t.facts) > 0 {
		first, last := t.facts[0].Seq, t.facts[len(t.facts)-1].Seq
		if seq+1 >= first && seq < last {
			return t.facts[seq+1-first : len(t.facts) : len(t.facts)], false, t.wake
		}
	}
	return nil, true, t.wake
}
