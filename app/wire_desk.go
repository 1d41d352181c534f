package app

import (
	"context"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/desk"
	"github.com/kapok-hotline/kapok/platform/ledger"
)

func (h *House) newDesk() *desk.Module {
	return desk.New(desk.Deps{
		DB: h.db, Clock: h.clock, Facts: facts{h}, Stream: stream{h}, Brain: h.routing, Calls: h.voice, Endpoints: h.voice,
		Names: deskNames{h}, People: people{h}, Day: myDay{h}, Hub: h.web.Hub(), Changed: h.changed, Log: h.log,
	})
}

// stream brings the facts from now on.
type stream struct{ h *House }

func (s stream) Follow(ctx context.Context, begun func(), f func(ledger.Fact)) error {
	head, err := s.h.ledger.Head(ctx)
	if err != nil {
		return err
	}
	begun()
	return s.h.ledger.Follow(ctx, head, f)
}

// deskNames answers with the names people read.
type deskNames struct{ h *House }

func (n deskNames) User(u id.User) (string, id.Site, bool) {
	p, ok := n.h.identity.Person(u)
	return p.Name, p.Site, ok
}

func (n deskNames) Queue(q id.Queue) (name, nameEn string) {
	k, ok := n.h.routing.Queue(q)
	if !ok {
		return string(q), string(q)
	}
	if k.NameEn == "" {
		return k.Name, k.Name
	}
	return k.Name, k.NameEn
}

func (n deskNames) Queues() []id.Queue {
	var out []id.Queue
	for _, q := range n.h.routing.Queues() {
		out = append(out, q.Code)
	}
	return out
}

// Districts gives the sites below the city a site belongs to.
func (n deskNames) Districts(of id.Site) []desk.Place {
	city := of
	for _, s := range (tree{n.h}).Path(of) {
		if site, ok := n.h.identity.Site(s); ok && site.Kind == "city" {
			city = s
			break
		}
	}
	out := []desk.Place{}
	for _, s := range n.h.identity.Sites() {
		if s.Parent == city {
			out = append(out, desk.Place{Code: s.Code, Name: s.Name, NameEn: s.NameEN})
		}
	}
	return out
}

// people answers the screen pop.
type people struct{ h *House }

func (p people) Pop(ctx context.Context, number string, now time.Time) (any, error) {
	return p.h.customer.Pop(ctx, number, now)
}

// myDay answers an agent's figures of today.
type myDay struct{ h *House }

func (d myDay) MyDay(ctx context.Context, agent id.User) (any, error) {
	return d.h.report.MyDay(ctx, agent, "")
}
