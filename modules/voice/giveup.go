package voice

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/id"
)

// GiveUp ends a call out whose person has not answered yet; its end carries the code why. One who talks is let alone.
func (m *Module) GiveUp(ctx context.Context, cid id.Contact, why string) error {
	c := m.find(cid)
	if c == nil || !c.ask(ctx, func() {
		if c.seeking() && c.owed.out != nil {
			c.owed.why = why
			c.end(contact.BySystem, "callout "+why)
		}
	}) {
		return notHere(cid)
	}
	return nil
}

// ring is how long the person's telephone may ring.
func (b *owed) ring() time.Duration {
	if b.out != nil && b.out.RingS > 0 {
		return time.Duration(b.out.RingS) * time.Second
	}
	return callbackRing
}

// Area gives the area code of the city a site belongs to: what numbers written without one are of.
func (m *Module) Area(site id.Site) string {
	if city, ok := m.snap.Load().atlas.of(m.up(site)); ok && city.Area != "" {
		return city.Area
	}
	return homeArea
}
