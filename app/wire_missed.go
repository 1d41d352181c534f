package app

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/day"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/missed"
)

func (h *House) newMissed() *missed.Module {
	return missed.New(missed.Deps{
		DB: h.db, Clock: h.clock, Facts: facts{h}, Names: missedNames{h}, Calls: h, Sounds: h.voice, Due: h.missedDue, Secret: h.secret, Rung: func(ctx context.Context, number string) (bool, error) { return h.outbound.Rings(ctx, number) }, May: h.mayCallBack,
		Zone: h.zone, Subtree: h.identity.Subtree, Hub: h.web.Hub(), Changed: h.changed, Log: h.log,
	})
}

// missedNames names what a missed caller's row holds.
type missedNames struct{ h *House }

func (n missedNames) Queue(q id.Queue) (zh, en string) { return deskNames{n.h}.Queue(q) }

func (n missedNames) User(u id.User) string {
	p, _ := n.h.identity.Person(u)
	return p.Name
}

func (n missedNames) Site(s id.Site) (zh, en string) {
	x, _ := n.h.identity.Site(s)
	return x.Name, x.NameEN
}

// missedDue gives the moment by whose day somebody is to be called back: that of the call while the line was open, else
// the next opening, which is what the shipped prompts promise.
func (h *House) missedDue(c missed.Call) time.Time {
	k, _ := h.routing.Queue(c.Queue)
	calendar := k.Calendar
	if calendar == "" {
		calendar = h.voice.NumberCalendar(c.Number)
	}
	state, _, next := h.calendar.IsOpen(calendar, c.At)
	if state == day.Open || next.IsZero() {
		return c.At
	}
	return next
}

// mayCallBack says whether a user can be given missed callers of a site: one at work within whose subtree it lies.
func (h *House) mayCallBack(u id.User, site id.Site) bool {
	p, ok := h.identity.Person(u)
	return ok && p.Active && h.identity.Within(site, p.Site)
}
