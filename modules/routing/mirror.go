package routing

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/platform/bus"
)

// mirror writes the brain's word into the bucket: agents by compare-and-set under the brain's fence, contacts that
// wait no more away. Alone it writes at once, which costs less than a microsecond; in a cluster behind the brain's
// back, where an offer waits for its agent's write, and nothing else does.
type mirror struct {
	live     Live
	shared   bool
	log      func(msg string, args ...any)
	fenced   func() // another brain has written an agent of ours
	pause    time.Duration
	mu       sync.Mutex
	revision map[string]uint64 // of agents, as we wrote or read them last
	fence    uint32
	marking  sync.Mutex    // one at a time asks whether this brain still decides
	mark     uint64        // revision of the key that says who decides
	working  chan struct{} // full while something is being written
	waiting  []writing
	wake     chan struct{}
}

// writing is one key to be written: an agent (note nil: gone), or a contact to be taken away at a revision.
type writing struct {
	key       string
	note      *agentNote
	fence     uint32 // of the brain that says so about an agent
	revision  uint64 // of a contact
	tickets   []chan error
	grantings []*granting
}

// over tells all who wait for a writing how it ended: what hangs on it is said first.
func (w writing) over(err error) {
	for _, g := range w.grantings {
		g.done(err)
	}
	for _, t := range w.tickets {
		t <- err
	}
}

func (w writing) contact() bool { return w.note == nil && w.revision != 0 }

// errFenced says that another brain decides.
var errFenced = error(fault.New(fault.Unavailable, "routing.fenced"))

const (
	mirrorPause = 200 * time.Millisecond
	// A read may come from a copy that is a moment behind; so often it is tried again before it is believed.
	staleTries = 5
	stalePause = 40 * time.Millisecond
)

func (m *mirror) write(w writing) {
	if !m.shared {
		m.done(w, m.try(context.Background(), w))
		return
	}
	m.mu.Lock()
	m.waiting = append(m.waiting, w)
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// cease ends the term before: what its brain still wanted to say of agents is forgotten, and what was just being written
// is written or not when cease returns, unless ctx ends before.
func (m *mirror) cease(ctx context.Context, fence uint32) error {
	m.mu.Lock()
	var kept []writing
	for _, w := range m.waiting {
		if w.contact() {
			kept = append(kept, w)
			continue
		}
		w.over(errFenced)
	}
	m.fence, m.waiting = fence, kept
	m.mu.Unlock()
	select {
	case m.working <- struct{}{}: // a try ends soon, and is not made again under another fence
		<-m.working
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// begin takes over what a new brain has read.
func (m *mirror) begin(mark uint64, revisions map[string]uint64) {
	m.mu.Lock()
	m.mark, m.revision = mark, revisions
	m.mu.Unlock()
}

// adopt goes on under a new fence where this process is alone.
func (m *mirror) adopt(fence uint32) {
	m.mu.Lock()
	m.fence = fence
	m.mu.Unlock()
}

// run writes until ctx ends, then what is left, for a moment.
func (m *mirror) run(ctx context.Context) {
	for {
		select {
		case <-m.wake:
			m.drain(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			m.drain(last)
			cancel()
			return
		}
	}
}

const mirrorAtOnce = 8

// drain writes what waits, the newest word on each key alone, several keys at once.
func (m *mirror) drain(ctx context.Context) {
	for m.batch(ctx) {
	}
}

// batch writes what waits now; false: nothing does.
func (m *mirror) batch(ctx context.Context) bool {
	m.working <- struct{}{}
	defer func() { <-m.working }()
	batch := m.take()
	if len(batch) == 0 {
		return false
	}
	var wg sync.WaitGroup
	room := make(chan struct{}, mirrorAtOnce)
	for _, w := range batch {
		room <- struct{}{}
		wg.Go(func() {
			m.insist(ctx, w)
			<-room
		})
	}
	wg.Wait()
	return true
}

func (m *mirror) take() []writing {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []writing
	at := map[string]int{}
	for _, w := range m.waiting {
		if i, ok := at[w.key]; ok && !w.contact() {
			w.tickets = append(out[i].tickets, w.tickets...)
			w.grantings = append(out[i].grantings, w.grantings...)
			out[i] = w
			continue
		}
		at[w.key] = len(out)
		out = append(out, w)
	}
	m.waiting = nil
	return out
}

// insist tries as long as only the moment is against it.
func (m *mirror) insist(ctx context.Context, w writing) {
	for {
		err := m.try(ctx, w)
		if err == nil || shutOut(err) || fault.KindOf(err) != fault.Unavailable || ctx.Err() != nil {
			m.done(w, err)
			return
		}
		m.log("live state cannot be written and is tried again", "key", w.key, "err", err)
		select {
		case <-time.After(m.pause):
		case <-ctx.Done():
		}
	}
}

func (m *mirror) done(w writing, err error) {
	w.over(err)
	if !shutOut(err) {
		return
	}
	m.mu.Lock()
	now := w.fence == m.fence
	m.mu.Unlock()
	if now {
		m.fenced()
	}
}

func (m *mirror) try(ctx context.Context, w writing) error {
	if w.contact() {
		err := m.live.Delete(ctx, w.key, w.revision)
		if errors.Is(err, bus.ErrChanged) {
			return nil // it has entered anew, or is gone
		}
		return err
	}
	m.mu.Lock()
	revision, fence := m.revision[w.key], m.fence
	m.mu.Unlock()
	if w.fence != fence {
		return errFenced // said in a term before
	}
	r, err := m.set(ctx, w, revision)
	for tries := 0; errors.Is(err, bus.ErrChanged) && tries < staleTries; tries++ {
		if revision, err = m.ours(ctx, w, revision); err == nil {
			r, err = m.set(ctx, w, revision)
		}
		if errors.Is(err, bus.ErrChanged) { // it may have been read from a copy that is a moment behind
			time.Sleep(stalePause)
		}
	}
	if errors.Is(err, bus.ErrChanged) {
		return errFenced
	}
	if err != nil {
		return err
	}
	m.mu.Lock()
	if m.fence == fence {
		m.revision[w.key] = r
		if w.note == nil {
			delete(m.revision, w.key)
		}
	}
	m.mu.Unlock()
	return nil
}

func (m *mirror) set(ctx context.Context, w writing, revision uint64) (uint64, error) {
	switch {
	case w.note == nil && revision == 0:
		return 0, nil
	case w.note == nil:
		return 0, m.live.Delete(ctx, w.key, revision)
	case revision == 0:
		return m.create(ctx, w)
	}
	return m.live.Update(ctx, w.key, w.note, revision)
}

// create writes an agent who is new, and then who decides, as that stood when this brain began: where another has taken
// over meanwhile that is refused, and the agent, whom the other did not see, is taken away again.
func (m *mirror) create(ctx context.Context, w writing) (uint64, error) {
	r, err := m.live.Create(ctx, w.key, w.note)
	if err != nil || !m.shared {
		return r, err
	}
	if err = m.stillDecides(ctx, w.note.Fence); err == nil {
		return r, nil
	}
	if derr := m.live.Delete(ctx, w.key, r); derr != nil {
		m.log("an agent who was not to be written is still there; the next brain sees to it", "key", w.key, "err", derr)
	}
	return 0, err
}

// stillDecides writes who decides, as that stood when this brain began, once more: errFenced where another does.
func (m *mirror) stillDecides(ctx context.Context, fence uint32) error {
	m.marking.Lock()
	defer m.marking.Unlock()
	for tries := 0; ; tries++ {
		m.mu.Lock()
		mark := m.mark
		m.mu.Unlock()
		next, err := m.live.Update(ctx, brainKey, fence, mark)
		if errors.Is(err, bus.ErrChanged) { // by another; or by us, and the answer was lost
			var last uint32
			switch now, gerr := m.live.Get(ctx, brainKey, &last); {
			case gerr != nil || tries == staleTries:
				return errors.Join(errFenced, gerr)
			case now <= mark: // a copy that is behind
				time.Sleep(stalePause)
				continue
			case last != fence:
				return errFenced
			default:
				next = now
			}
		} else if err != nil {
			return err
		}
		m.mu.Lock()
		if m.mark == mark {
			m.mark = next
		}
		m.mu.Unlock()
		if err == nil {
			return nil
		}
	}
}

// ours gives the revision of a key whose newest value is of our fence: a write of ours whose answer was lost. known is
// the revision we knew.
func (m *mirror) ours(ctx context.Context, w writing, known uint64) (uint64, error) {
	var n agentNote
	revision, err := m.live.Get(ctx, w.key, &n)
	switch {
	case errors.Is(err, bus.ErrMissing):
		return 0, nil // deleted by us: only the brain deletes, and a new one would have written it first
	case err != nil:
		return 0, err
	case revision < known:
		return known, nil // a copy that is behind
	case n.Fence == w.fence:
		return revision, nil
	case w.note != nil && w.note.Took != "" && w.note.Took == n.Took:
		return 0, errAdopted
	}
	return 0, errFenced
}
