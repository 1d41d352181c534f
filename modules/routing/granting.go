package routing

import (
	"errors"
	"sync"

	"github.com/kapok-hotline/kapok/core/fault"
)

// granting is an answer that the brain has granted and that is not written down in the bucket yet. Among several
// processes it may still come to nothing: a brain that was shut out just then finds it out by that very writing. The
// caller is not joined then, and the next brain, which goes by the bucket, gives the caller to an agent. So nothing is
// said of the answer before the writing is done, nor of its agent after it: what the ledger has of an answer is so.
type granting struct {
	mu    sync.Mutex
	facts []func()
	over  bool // the writing is done
	void  bool // and came to nothing
}

// say posts a fact by f: when the writing is done, if it is at all.
func (g *granting) say(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case !g.over:
		g.facts = append(g.facts, f)
	case !g.void:
		f()
	}
}

// done says how the writing ended.
func (g *granting) done(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return
	}
	g.over, g.void = true, err != nil
	for _, f := range g.facts {
		if !g.void {
			f()
		}
	}
	g.facts = nil
}

// errAdopted says that another brain decides, and that the answer we wanted to write down is in its hands: it was written,
// and we did not hear of it. The next brain says the rest.
var errAdopted = error(fault.New(fault.Unavailable, "routing.fenced"))

// shutOut tells whether a writing failed because another brain decides.
func shutOut(err error) bool { return errors.Is(err, errFenced) || errors.Is(err, errAdopted) }

// grants says whether a writing that ended so makes an answer count.
func grants(err error) bool { return err == nil || errors.Is(err, errAdopted) }
