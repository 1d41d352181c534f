package identity

import (
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
)

// Up gives the site and those above it, nearest first; a site nobody knows alone.
func (m *Module) Up(site id.Site) []id.Site {
	s := m.snap.Load()
	out := []id.Site{site}
	for range maxDepth {
		x, ok := s.sites[site]
		if !ok || x.Parent == "" {
			break
		}
		site = x.Parent
		out = append(out, site)
	}
	return out
}

// SiteOf gives the site a user belongs to, "" for a user nobody knows.
func (m *Module) SiteOf(u id.User) id.Site {
	p, _ := m.Person(u)
	return p.Site
}

// Holds tells whether an active user holds a right at a site.
func (m *Module) Holds(u id.User, r right.Right, at id.Site) bool {
	s := m.snap.Load()
	p, ok := s.people[u]
	return ok && p.Active && s.held(p)[r] && s.within(at, p.Site)
}
