package app

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/routing"
	"github.com/kapok-hotline/kapok/platform/bus"
)

// brainLease gives the right to decide: one brain among all processes.
type brainLease struct{ h *House }

// Lease waits for the right.
func (b brainLease) Lease(ctx context.Context) (routing.Lease, error) {
	l, err := b.h.bus.Lease(ctx, "brain", string(b.h.o.Node))
	if err != nil {
		return nil, err
	}
	return heldLease{l}, nil
}

type heldLease struct{ *bus.Lease }

// Fence gives the number that rises with every taking, in the brain's unit: unix ms at its least.
func (l heldLease) Fence() int64 { return l.Lease.Fence / 1000 }

// desks keeps which agents' desks are there, in the bucket of all that is there: what is not renewed expires.
type desks struct{ h *House }

const (
	presenceBucket = "presence"
	presenceTTL    = 15 * time.Second
	deskKey        = "agent."
)

// keyOf writes a user's code, which may hold dots and more, as a word of a key.
func keyOf(u id.User) string { return deskKey + hex.EncodeToString([]byte(u)) }

func agentOf(key string) id.User {
	u, err := hex.DecodeString(strings.TrimPrefix(key, deskKey))
	if err != nil {
		return "" // not one of ours
	}
	return id.User(u)
}

// Assert says that an agent's desk is there. Among several processes the one that has it says so.
func (d *desks) Assert(ctx context.Context, agent id.User) error {
	if d.h.peers != nil && !d.h.peers.asserts(ctx, agent) {
		return nil
	}
	return d.h.assertDesk(ctx, agent)
}

// assertDesk writes down that an agent's desk is at this process.
func (h *House) assertDesk(ctx context.Context, agent id.User) error {
	_, err := h.presence.Put(ctx, keyOf(agent), desknote{h.o.Node, h.web.Hub().Present(agent)})
	return err
}

// Watch tells of desks that lapse and come back.
func (d *desks) Watch(ctx context.Context, f func(id.User, bool)) error {
	b := d.h.presence
	changes, err := b.Watch(ctx, deskKey)
	if err != nil {
		return err
	}
	gone := map[string]bool{}
	for c := range changes {
		switch {
		case c.Current:
		case c.Gone:
			if _, err := b.Get(ctx, c.Key, nil); errors.Is(err, bus.ErrMissing) { // not asserted again meanwhile
				gone[c.Key] = true
				f(agentOf(c.Key), false)
			}
		case gone[c.Key]:
			delete(gone, c.Key)
			f(agentOf(c.Key), true)
		}
	}
	return nil
}
