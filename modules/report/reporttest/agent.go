package reporttest

import (
	"fmt"
	"time"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
)

type agent struct {
	w      *world
	code   id.User
	site   id.Site
	queues map[id.Queue]bool

	state    event.AgentState
	reason   string
	since    int64
	signedIn int64
	home     bool // goes home after this contact
	visit    *visit
}

func newAgent(w *world, i int) *agent {
	a := &agent{w: w, code: id.User(fmt.Sprintf("1%03d", i)), site: "gz", state: event.SignedOut, queues: map[id.Queue]bool{}}
	if i%2 == 1 {
		a.site = "sz"
	}
	for k, q := range w.queues { // its own site's, and every third agent helps out at the other
		if k%2 == i%2 || i%3 == 0 || len(w.queues) == 1 {
			a.queues[q] = true
		}
	}
	return a
}

func (a *agent) signIn() {
	if a.state != event.SignedOut {
		return
	}
	a.signedIn, a.home = a.w.now, false
	a.w.fact(event.AgentSignedIn{Endpoint: contact.Endpoint{Agent: a.code}}, string(a.code), string(a.code), a.site)
	a.since = a.w.now
	a.change(event.Ready, "")
	a.w.after(a.w.long(2*time.Hour), a.rest)
	a.w.dispatch()
}

// change tells the state left and enters the next.
func (a *agent) change(to event.AgentState, reason string) {
	f := event.AgentChanged{
		State: to, Reason: reason, Was: a.state, WasReason: a.reason, WasSince: a.since, WasMs: a.w.now - a.since, By: "agent",
	}
	if a.visit != nil && (a.state == event.Talking || a.state == event.Wrapup) {
		f.Contact, f.Queue, f.EnteredAt = a.visit.contact.id, a.visit.queue, a.visit.entered
	}
	a.w.fact(f, string(a.code), string(a.code), a.site)
	a.state, a.reason, a.since = to, reason, a.w.now
}

func (a *agent) rest() {
	if a.state != event.Ready {
		return
	}
	a.change(event.Away, []string{"REST", "MEAL", "TRAIN"}[a.w.rng.IntN(3)])
	a.w.after(a.w.between(60, 1800), func() { a.back() })
}

func (a *agent) back() {
	if a.state != event.Away {
		return
	}
	a.change(event.Ready, "")
	a.w.after(a.w.long(2*time.Hour), a.rest)
	a.w.dispatch()
}

func (a *agent) goHome() {
	if a.state != event.Ready && a.state != event.Away {
		a.home = true
		return
	}
	a.change(event.SignedOut, "")
	a.w.fact(event.AgentSignedOut{Ms: a.w.now - a.signedIn}, string(a.code), string(a.code), a.site)
}

// wrapUp follows a talk.
func (a *agent) wrapUp() {
	a.change(event.Wrapup, "")
	v := a.visit
	a.w.after(a.w.between(5, 70), func() {
		if a.w.chance(90) {
			a.w.fact(event.WrapupSaved{
				Agent: a.code, Queue: v.queue, Topic: fmt.Sprintf("01%02d", 1+a.w.rng.IntN(8)),
				TaxType: []string{"vat", "cit", "iit"}[a.w.rng.IntN(3)], District: []string{"", "th", "yx"}[a.w.rng.IntN(3)], Final: true,
			}, string(v.contact.id), string(a.code), v.contact.site)
		}
		if a.w.chance(8) {
			a.change(event.Away, "REST")
			a.w.after(a.w.between(60, 900), a.back)
		} else {
			a.change(event.Ready, "")
		}
		a.visit = nil
		if a.home {
			a.goHome()
		}
		a.w.dispatch()
	})
}
