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
		DB: h.db, Clock: h.clock, Facts: facts{h}, Stream: stream{h}, Brain: h.decider(), Calls: h.calls(), Endpoints: h.calls(),
		Names: deskNames{h}, People: people{h}, Day: myDay{h}, Seats: seats{h}, Needs: h.needs,
		Forces: h.routing, Skills: skillBook{h}, Supervision: h.supervision(), Dialler: h, Parking: h.parking(), Secret: h.secret, Within: h.identity.Within,
		Flush: h.journal.Flush, Presence: &desks{h: h}, Hub: h.web.Hub(), Changed: h.changed, Log: h.log,
	})
}

// needs gives the skills a queue asks for.
func (h *House) needs(q id.Queue) []desk.SkillView {
	k, _ := h.routing.Queue(q)
	var out []desk.SkillView
	for _, n := range k.Needs {
		v := desk.SkillView{Skill: n.Skill, Name: string(n.Skill), Level: n.Level}
		if s, ok := h.routing.Skill(n.Skill); ok {
			v.Name, v.NameEn = s.Name, s.NameEn
		}
		out = append(out, v)
	}
	return out
}

// stream brings the facts from now on.
type stream struct{ h *House }

func (s stream) Follow(ctx context.Context, begun func(), f func(ledger.Fact)) error {
	head, err := s.h.ledger.Head(ctx)
	if err != nil {
		return err
	}
	if s.h.peers != nil {
		if err := s.h.peers.before(ctx, head, f); err != nil {
			return err
		}
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

func (p people) Pop(ctx context.Context, number string, now time.Time) (desk.Pop, error) {
	k, err := p.h.customer.Pop(ctx, number, now)
	out := desk.Pop{Number: k.Number, City: k.City, ContactsToday: k.ContactsToday, History: []desk.PopPast{}}
	if k.Person != nil {
		person := desk.PopPerson(*k.Person)
		out.Person = &person
	}
	for _, past := range k.History {
		out.History = append(out.History, desk.PopPast(past))
	}
	return out, err
}

// myDay answers an agent's figures of today.
type myDay struct{ h *House }

func (d myDay) MyDay(ctx context.Context, agent id.User) (desk.Day, error) {
	day, err := d.h.report.MyDay(ctx, agent, "")
	if err != nil {
		return desk.Day{}, err
	}
	return desk.Day(*day), nil
}
