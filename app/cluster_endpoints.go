package app

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/bus"
)

// placed is where an endpoint is registered, as the bucket of live state has it: written by the process it registered
// at, taken away by it, or by any other when that one is gone.
type placed struct {
	Node     id.Node          `json:"node"`
	Endpoint contact.Endpoint `json:"endpoint"`
	URI      string           `json:"uri,omitempty"`   // where another process reaches it
	Relay    string           `json:"relay,omitempty"` // else: where the process reaches it for others
	revision uint64
}

const endpointKey = "endpoint."

func keyOfEndpoint(at contact.Endpoint) string {
	name := "p" + string(at.Phone)
	if at.Browser() {
		name = "b" + string(at.Agent)
	}
	return endpointKey + hex.EncodeToString([]byte(name))
}

// noteEndpoint tells the other processes that an endpoint came or went here.
func (h *House) noteEndpoint(ctx context.Context, at contact.Endpoint, up bool) {
	if h.peers == nil {
		return
	}
	key, err := keyOfEndpoint(at), error(nil)
	if up {
		x := placed{Node: h.o.Node, Endpoint: at}
		if uri, ok := h.voice.PhoneAddress(at); ok {
			x.URI = uri.String()
		} else {
			x.Relay = h.relayAddress()
		}
		x.revision, err = h.live.Put(ctx, key, x)
		if err == nil {
			h.peers.place(key, x)
		}
	} else if x, ok := h.peers.where(at); ok && x.Node == h.o.Node {
		err = h.live.Delete(ctx, key, x.revision)
		h.peers.unplace(key, x.revision)
	}
	if err != nil && !errors.Is(err, bus.ErrChanged) {
		h.log.Error("the other processes are not told of an endpoint", "endpoint", at, "up", up, "err", err)
	}
}

// registered says whether an endpoint can be rung, from whatever process.
func (h *House) registered(at contact.Endpoint) bool {
	if h.voice.Registered(at) {
		return true
	}
	if h.peers == nil {
		return false
	}
	x, ok := h.peers.where(at)
	return ok && x.Node != h.o.Node
}

func (p *peers) where(at contact.Endpoint) (placed, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x, ok := p.endpoints[keyOfEndpoint(at)]
	return x, ok
}

func (p *peers) place(key string, x placed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if x.revision > p.endpoints[key].revision {
		p.endpoints[key] = x
	}
}

func (p *peers) unplace(key string, revision uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.endpoints[key].revision <= revision {
		delete(p.endpoints, key)
	}
}

// clean takes away what an earlier life of this process left: phones register again.
func (p *peers) clean(ctx context.Context) error {
	keys, err := p.h.live.Keys(ctx, endpointKey)
	if err != nil {
		return err
	}
	for _, key := range keys {
		var x placed
		revision, err := p.h.live.Get(ctx, key, &x)
		if err == nil && x.Node == p.h.o.Node {
			err = p.h.live.Delete(ctx, key, revision)
		}
		if err != nil && !errors.Is(err, bus.ErrMissing) && !errors.Is(err, bus.ErrChanged) {
			return err
		}
	}
	return nil
}

// followEndpoints keeps where endpoints are, until ctx ends. read is called when all there are have been read.
func (p *peers) followEndpoints(ctx context.Context, read func()) {
	for ctx.Err() == nil {
		changes, err := p.h.live.Watch(ctx, endpointKey)
		if err != nil {
			p.h.log.Warn("endpoints of other processes are not seen for a moment", "err", err)
			p.pause(ctx)
			continue
		}
		for c := range changes {
			var x placed
			switch {
			case c.Current:
				read()
			case c.Gone:
				p.unplace(c.Key, c.Revision)
			case c.Read(&x) == nil:
				x.revision = c.Revision
				p.place(c.Key, x)
			}
		}
	}
}

func (p *peers) pause(ctx context.Context) {
	timer := p.h.clock.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-timer.C():
	case <-ctx.Done():
	}
}

// followNodes takes away the endpoints of processes that are gone, and tells the brain.
func (p *peers) followNodes(ctx context.Context) {
	for ctx.Err() == nil {
		changes, err := p.h.presence.Watch(ctx, houseNodeKey)
		if err != nil {
			p.h.log.Warn("other processes are not seen for a moment", "err", err)
			p.pause(ctx)
			continue
		}
		there := map[id.Node]bool{p.h.o.Node: true}
		for c := range changes {
			name, err := hex.DecodeString(strings.TrimPrefix(c.Key, houseNodeKey))
			node := id.Node(name)
			switch {
			case c.Current:
				p.mu.Lock()
				lost := map[id.Node]bool{}
				for _, x := range p.endpoints {
					lost[x.Node] = !there[x.Node]
				}
				p.mu.Unlock()
				for n, gone := range lost {
					if gone {
						p.bury(ctx, n)
					}
				}
			case err != nil || node == "":
			case c.Gone && node != p.h.o.Node:
				delete(there, node)
				p.bury(ctx, node)
			default:
				there[node] = true
			}
		}
	}
}

// bury takes away the endpoints of a process that is gone; who wins the taking away tells the brain.
func (p *peers) bury(ctx context.Context, node id.Node) {
	p.mu.Lock()
	var gone []placed
	for _, x := range p.endpoints {
		if x.Node == node {
			gone = append(gone, x)
		}
	}
	p.mu.Unlock()
	if len(gone) > 0 {
		p.h.log.Warn("a process is gone; its phones and browsers cannot be rung until they register again", "node", node, "endpoints", len(gone))
	}
	for _, x := range gone {
		key := keyOfEndpoint(x.Endpoint)
		err := p.h.live.Delete(ctx, key, x.revision)
		p.unplace(key, x.revision)
		if err != nil {
			continue // another process does it, or it registered again
		}
		told, cancel := context.WithTimeout(ctx, 10*time.Second)
		if agent, err := p.h.routing.EndpointChanged(told, x.Endpoint, false); err != nil {
			p.h.log.Error("the brain was not told of an endpoint", "endpoint", x.Endpoint, "err", err)
		} else if agent != "" {
			p.h.desk.EndpointChanged(agent)
		}
		cancel()
	}
}
