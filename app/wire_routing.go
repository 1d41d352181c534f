package app

import (
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/routing"
)

func (h *House) newRouting() *routing.Module {
	d := routing.Deps{
		DB: h.db, Clock: h.clock, Facts: facts{h}, Hours: routingHours{h}, Sites: tree{h}, Changed: h.changed, Log: h.log,
		Leases: brainLease{h}, Desks: &desks{h: h}, Node: h.o.Node, Live: h.live,
		Channels: func(medium contact.Medium) contact.Channel { return h.voice }, // the telephone is the only channel so far
	}
	if h.peers != nil {
		d.Peers, d.Contacts, d.Flush, d.Up = h.peers, h.peers, h.journal.Flush, h.registered
		if !h.o.Cluster.Decide {
			d.Leases = never{}
		}
	}
	return routing.New(d)
}

// routingHours answers whether a queue's calendar is open.
type routingHours struct{ h *House }

func (r routingHours) Open(calendar string, at time.Time) bool {
	state, _, _ := r.h.calendar.IsOpen(calendar, at)
	return state == day.Open
}

// tree answers for the tree of sites.
type tree struct{ h *House }

// Path gives a site and those above it.
func (t tree) Path(site id.Site) []id.Site {
	var out []id.Site
	for len(out) < 10 && site != "" { // deeper than any bureau: a loop in the data must not become ours
		out = append(out, site)
		s, ok := t.h.identity.Site(site)
		if !ok {
			break
		}
		site = s.Parent
	}
	return out
}
