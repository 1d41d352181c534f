package ledger

import (
	"sort"
	"sync"
)

// tailKeep is how many of the newest facts, at least, are kept in memory for followers: five seconds of 40 calls/s.
const tailKeep = 4096

// tail holds the newest facts written here, so that a follower that keeps up needs no database, and wakes the
// followers. Its facts have no gap in seq: what another node writes in between starts it afresh. They are held as the
// groups that were committed: copying them would cost as much as all else that is done for a follower.
type tail struct {
	mu     sync.Mutex
	groups [][]Fact // none is empty
	kept   int
	known  int64         // the newest seq we have heard of
	wake   chan struct{} // closed and replaced at every change
}

func newTail(head int64) *tail { return &tail{known: head, wake: make(chan struct{})} }

// add takes what was committed here; nobody changes it afterwards.
func (t *tail) add(facts []Fact) {
	if len(facts) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.groups); n > 0 && newest(t.groups[n-1])+1 != facts[0].Seq {
		t.groups, t.kept = nil, 0
	}
	t.groups = append(t.groups, facts)
	t.kept += len(facts)
	for t.kept-len(t.groups[0]) >= tailKeep {
		t.kept -= len(t.groups[0])
		t.groups[0] = nil // the array keeps its place until it grows
		t.groups = t.groups[1:]
	}
	t.reach(newest(facts))
}

func newest(facts []Fact) int64 { return facts[len(facts)-1].Seq }

// heard takes word of a seq that another node has written.
func (t *tail) heard(seq int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reach(seq)
}

// head gives the newest seq there is, as far as is known here.
func (t *tail) head() int64 {
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

// after gives facts that follow seq without a gap and are at hand, the rest of a group: whoever has read them asks
// again. nil with ask true when the database has to be asked, and with ask false when there are none. wake is closed
// when that changes.
func (t *tail) after(seq int64) (facts []Fact, ask bool, wake <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if seq >= t.known {
		return nil, false, t.wake
	}
	i := sort.Search(len(t.groups), func(i int) bool { return newest(t.groups[i]) > seq })
	if i == len(t.groups) || t.groups[i][0].Seq > seq+1 {
		return nil, true, t.wake
	}
	g := t.groups[i]
	return g[seq+1-g[0].Seq : len(g) : len(g)], false, t.wake
}
