package app

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/routing"
	"github.com/kapok-hotline/kapok/platform/bus"
)

// Cluster says how a process stands among those of its house. The zero value is a process alone.
type Cluster struct {
	Listen string   // host:port the others reach this one at
	Join   []string // where the others are reached
	Secret string
	Decide bool // this process may be the one that decides: it plays control
}

func (c Cluster) alone() bool { return c.Listen == "" }

// busConfig is the bus of this process.
func (h *House) busConfig(dir string) bus.Config {
	c := bus.Config{Node: string(h.o.Node), Dir: dir, Clock: h.clock, Log: h.log}
	if k := h.o.Cluster; !k.alone() {
		c.ClusterListen, c.Routes, c.Secret = k.Listen, append([]string{k.Listen}, k.Join...), k.Secret
	}
	return c
}

// joinBound is how long a process waits for a majority of the others when it starts.
const joinBound = 5 * time.Minute

// openLive opens the buckets of live state; in a cluster that needs a majority.
func (h *House) openLive(ctx context.Context) (err error) {
	if !h.o.Cluster.alone() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, joinBound)
		defer cancel()
	}
	if h.live, err = h.bus.Bucket(ctx, "live", bus.BucketConfig{}); err == nil {
		h.presence, err = h.bus.Bucket(ctx, presenceBucket, bus.BucketConfig{TTL: presenceTTL})
	}
	if err != nil && !h.o.Cluster.alone() {
		return fmt.Errorf("a majority of the processes named by --cluster and --join is not there (a new house needs all of them once): %w; start them, and see that the secret is the same", err)
	}
	return err
}

// peers are the other processes of the house: the brain is asked, calls are reached, endpoints are known wherever
// they are.
type peers struct {
	h *House

	mu        sync.Mutex
	endpoints map[string]placed // by key in the bucket
	revisions map[id.Contact]uint64
	signed    map[id.User]bool // who signed in here, and whose desk this process tells of
	rings     farRings
}

func newPeers(h *House) *peers {
	return &peers{
		h: h, endpoints: map[string]placed{}, revisions: map[id.Contact]uint64{}, signed: map[id.User]bool{},
		rings: farRings{of: map[id.Offer]farRing{}, dead: map[id.Offer]time.Time{}},
	}
}

const (
	brainSubject  = "routing.brain.do"
	brainNew      = "routing.brain.new"
	houseNodeKey  = "node."
	nodeBeatEvery = 5 * time.Second
)

// voiceSubject is where one process's calls are asked.
func voiceSubject(node id.Node, what string) string {
	return "voice." + hex.EncodeToString([]byte(node)) + "." + what
}

// run keeps this process known to the others, and the others to this one, until ctx ends. ready is called when what
// there is has been read.
func (p *peers) run(ctx context.Context, ready func()) error {
	stop, err := p.serve()
	if err != nil {
		return err
	}
	defer stop()
	if err := p.clean(ctx); err != nil {
		return err
	}
	var all sync.WaitGroup
	defer all.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	read := make(chan struct{})
	all.Go(func() { p.followEndpoints(ctx, sync.OnceFunc(func() { close(read) })) })
	select {
	case <-read:
	case <-time.After(startBound):
		return errors.New("the live state of the other processes cannot be read")
	case <-ctx.Done():
		return nil
	}
	all.Go(func() { p.followNodes(ctx) })
	all.Go(func() { p.h.followSurge(ctx) })
	ready()
	p.beat(ctx)
	return nil
}

// beat says again and again that this process is there.
func (p *peers) beat(ctx context.Context) {
	timer := p.h.clock.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C():
			if _, err := p.h.presence.Put(ctx, nodeKey(p.h.o.Node), string(p.h.o.Node)); err != nil && ctx.Err() == nil {
				p.h.log.Warn("this process is not told of to the others", "err", err)
			}
			timer.Reset(nodeBeatEvery)
		case <-ctx.Done():
			return
		}
	}
}

func nodeKey(n id.Node) string { return houseNodeKey + hex.EncodeToString([]byte(n)) }

// Ask puts an order to the process that decides.
func (p *peers) Ask(ctx context.Context, o routing.Order) (r routing.Reply, err error) {
	return r, p.h.bus.Ask(ctx, brainSubject, o, &r)
}

// Decide has orders answered here, and tells the others that what another brain rings is no more.
func (p *peers) Decide(answer func(context.Context, routing.Order) (routing.Reply, error)) (func(), error) {
	stop, err := bus.Answer(p.h.bus, brainSubject, answer)
	if err != nil {
		return nil, err
	}
	return stop, p.h.bus.Publish(brainNew, p.h.o.Node)
}

// Channel gives the channel of a contact that another process holds; the telephone is the only one so far.
func (p *peers) Channel(node id.Node, _ contact.Medium) contact.Channel { return farVoice{p, node} }

// never is the right to decide for a process that does not play control.
type never struct{}

// Lease waits in vain.
func (never) Lease(ctx context.Context) (routing.Lease, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

// unreachable is the fault for what another process cannot be asked.
func unreachable(err error) error {
	if fault.CodeOf(err) != "" {
		return err
	}
	return fault.New(fault.Unavailable, "platform.process.gone").Because(err)
}
