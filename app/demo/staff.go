package demo

import (
	"slices"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
)

// turn is one agent's time at a seat.
type turn struct {
	*agent
	from, to int // minutes of the day
	rest     int // minute a break begins, 0: none
	restMs   int64
	reason   string
}

// shifts deals the day's turns: a seat is held for a quarter of the day, one of each group by somebody of the upper
// ranks, and nobody sits down again within half an hour.
func (h *History) shifts(s season, morning, afternoon int) []turn {
	r := h.rand(5)
	pool := h.agents[s.fresh:]
	deck := r.Perm(len(pool))
	seniors := slices.DeleteFunc(slices.Clone(deck), func(i int) bool { return pool[i].skills["cit"] == 0 })
	busy := map[id.User]int{}
	next := func(deck *[]int, from int) *agent {
		for i, at := range *deck {
			if a := pool[at]; busy[a.user] == 0 || busy[a.user]+30 < from {
				*deck = append(slices.Delete(*deck, i, i+1), at)
				return a
			}
		}
		return nil
	}
	var out []turn
	for _, part := range []struct{ from, to, n int }{{510, 615, morning}, {615, 720, morning}, {840, 945, afternoon}, {945, 1050, afternoon}} {
		for i := range part.n {
			group := &deck
			if i == 0 {
				group = &seniors
			}
			a := next(group, part.from)
			if a == nil {
				continue
			}
			busy[a.user] = part.to
			t := turn{agent: a, from: part.from, to: part.to}
			if r.Float64() < .5 {
				t.rest, t.restMs, t.reason = part.from+20+r.IntN(60), int64(1000*(180+r.IntN(420))), []string{"REST", "REST", "WC", "KB"}[r.IntN(4)]
			}
			out = append(out, t)
		}
	}
	return out
}

// staff puts the turns on the day's list.
func (d *day) staff(turns []turn) {
	for _, t := range turns {
		p := &present{agent: t.agent, state: event.SignedOut, restMs: t.restMs, restReason: t.reason}
		if t.rest > 0 {
			p.rest = d.minute(t.rest)
		}
		d.later(d.minute(t.from)-60_000, happening{what: signsIn, agent: p})
		d.later(d.minute(t.from), happening{what: begins, agent: p})
		d.later(d.minute(t.to), happening{what: leaves, agent: p})
	}
}

func (d *day) signIn(p *present) {
	p.signedIn, p.since = d.now, d.now
	d.staffed = append(d.staffed, p)
	if d.emit {
		d.about(d.now, string(p.user), p.user, event.AgentSignedIn{Endpoint: contact.Endpoint{Agent: p.user, Phone: p.phone}, Seat: p.seat})
	}
	d.stand(p, event.Away, "", nil, 0)
}

func (d *day) ready(p *present) {
	if p.state != event.Away {
		return
	}
	if p.leaving {
		d.signOut(p)
		return
	}
	d.stand(p, event.Ready, "", nil, 0)
	d.dispatch()
}

// leave ends a turn: at once, or after the contact being served.
func (d *day) leave(p *present) {
	p.leaving = true
	if p.state == event.Ready || p.state == event.Away {
		d.signOut(p)
	}
}

// free is what an agent does who has nothing in hand any more.
func (d *day) free(p *present) {
	switch {
	case p.leaving:
		d.signOut(p)
	case p.rest != 0 && d.now >= p.rest:
		p.rest = 0
		d.stand(p, event.Away, p.restReason, nil, 0)
		d.later(d.now+p.restMs, happening{what: returns, agent: p})
	default:
		d.stand(p, event.Ready, "", nil, 0)
	}
}

// wrapUp ends an agent's wrap-up with what was written.
func (d *day) wrapUp(p *present) {
	if d.emit {
		d.fact(d.now, p.work, p.user, d.note(p, p.work))
	}
	d.free(p)
	d.dispatch()
}

func (d *day) signOut(p *present) {
	d.staffed = slices.DeleteFunc(d.staffed, func(o *present) bool { return o == p })
	d.stand(p, event.SignedOut, "", nil, 0)
	if d.emit {
		d.about(d.now, string(p.user), p.user, event.AgentSignedOut{Ms: d.now - p.signedIn})
	}
}

// stand changes an agent's state; the one left is closed to the millisecond.
func (d *day) stand(p *present, to event.AgentState, reason string, c *call, until int64) {
	was := event.AgentChanged{State: to, Reason: reason, Was: p.state, WasReason: p.reason, WasSince: p.since, Until: until, By: "agent"}
	if p.state != event.SignedOut {
		was.WasMs = d.now - p.since
	}
	if p.work != nil {
		was.Contact = p.work.contact
		if p.state == event.Talking || p.state == event.Wrapup {
			was.Queue, was.EnteredAt = p.queue, p.entered
		}
	}
	if c != nil {
		was.With = c.contact
	}
	if to == event.Ringing || to == event.Wrapup {
		was.By = "brain"
	}
	p.state, p.reason, p.since, p.work = to, reason, d.now, c
	if d.emit {
		d.about(d.now, string(p.user), p.user, was)
	}
}
