package routing

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/bus"
)

// leftTry is how long one copy of the bucket may take to catch up; then another is asked.
const leftTry = 3 * time.Second

// left reads what the last brain left, by key. A copy of the bucket may be behind, that of a process that was away
// most of all: so it is read until it tells of mark, the revision at which this brain wrote that it decides. What was
// written before that has then been told, for a copy tells in the order of writing.
func (m *Module) left(ctx context.Context, mark uint64) (map[string]bus.Change, error) {
	for {
		try, cancel := context.WithTimeout(ctx, leftTry)
		out, err := m.leftOnce(try, mark)
		cancel()
		if err == nil || ctx.Err() != nil {
			return out, err
		}
		m.deps.Log.Warn("a copy of live state is behind; it is read again", "err", err)
	}
}

func (m *Module) leftOnce(ctx context.Context, mark uint64) (map[string]bus.Change, error) {
	changes, err := m.deps.Live.Watch(ctx, "")
	if err != nil {
		return nil, err
	}
	out, current, reached := map[string]bus.Change{}, false, false
	for c := range changes {
		switch {
		case c.Current:
			current = true
		case c.Gone:
			delete(out, c.Key)
		default:
			out[c.Key] = c
		}
		reached = reached || c.Key == brainKey && c.Revision >= mark
		if current && reached {
			return out, nil
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return nil, errVacant // the bus is closed
}

// adoptAgents puts this brain's fence on every agent, those of the bucket and those the ledger knows of, which are
// given too: so no agent is lost because a copy of the bucket does not tell of them.
func (t *thinker) adoptAgents(ctx context.Context, left map[string]bus.Change) (revisions map[string]uint64, rows []openAgent, err error) {
	revisions = map[string]uint64{}
	adopt := func(user id.User) error {
		key := keyOf(user)
		n, revision, err := t.adopt(ctx, key, left[key])
		if err == nil && n != nil {
			revisions[key], t.agents[user] = revision, n.presence(user)
		}
		return err
	}
	for key := range left {
		if user, ok := agentOf(key); ok {
			if err := adopt(user); err != nil {
				return nil, nil, err
			}
		}
	}
	if rows, err = t.m.openAgents(ctx); err != nil {
		return nil, nil, err
	}
	for _, a := range rows {
		if t.agents[id.User(a.agent)] == nil {
			if err := adopt(id.User(a.agent)); err != nil {
				return nil, nil, err
			}
		}
	}
	return revisions, rows, nil
}

// adopt puts this brain's fence on one agent, whose note as far as it is known is told; nil: there is none. That there is
// none only a write tells, for reading may ask a copy that is behind.
func (t *thinker) adopt(ctx context.Context, key string, told bus.Change) (*agentNote, uint64, error) {
	live := t.m.deps.Live
	for {
		n, revision, err := &agentNote{}, told.Revision, error(nil)
		if told.Value != nil && told.Read(n) == nil {
			told = bus.Change{}
		} else {
			revision, err = live.Get(ctx, key, n)
		}
		if err == nil && n.SignedInAt != 0 {
			n.Fence = t.fence
			revision, err = live.Update(ctx, key, n, revision)
			if err == nil {
				return n, revision, nil
			}
		} else if errors.Is(err, bus.ErrMissing) {
			revision, err = live.Create(ctx, key, &agentNote{Fence: t.fence})
		}
		if err == nil { // nobody: what says so goes again
			err = live.Delete(ctx, key, revision)
			if err == nil {
				return nil, 0, nil
			}
		}
		if !errors.Is(err, bus.ErrChanged) || ctx.Err() != nil {
			return nil, 0, err
		}
		pause(ctx, t.m, stalePause) // the last brain had one more word, or the copy is behind
	}
}

func (t *thinker) adoptContacts(left map[string]bus.Change) {
	for key, c := range left {
		var n contactNote
		if strings.HasPrefix(key, contactKey) && c.Read(&n) == nil && n.Contact != "" {
			t.contacts[n.Contact] = n.waits(c.Revision)
		}
	}
}
