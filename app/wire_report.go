package app

import (
	"context"
	"errors"
	"strings"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/modules/report"
)

func (h *House) newReport() *report.Module {
	return report.New(report.Deps{
		Ledger: h.ledger, Clock: h.clock, Zone: h.zone, Hub: h.web.Hub(), Names: reportNames{h}, Floor: floor{h}, Sites: subtrees{h},
		Ladder: ladders{h}, Presence: presence{h}, Log: h.log,
	})
}

// reportNames names what a code stands for.
type reportNames struct{ h *House }

func (n reportNames) Name(_ context.Context, kind report.Kind, code string) (zh, en string) {
	switch kind {
	case report.KindQueue:
		return deskNames{n.h}.Queue(id.Queue(code))
	case report.KindAgent:
		p, _ := n.h.identity.Person(id.User(code))
		return p.Name, p.Name
	case report.KindSite, report.KindDistrict:
		s, _ := n.h.identity.Site(id.Site(code))
		return s.Name, s.NameEN
	case report.KindTopic:
		return n.h.desk.Topic(code)
	case report.KindTaxType:
		return n.h.desk.TaxType(code)
	case report.KindNumber:
		return n.h.voice.NumberName(id.Number(code))
	}
	return "", ""
}

// floor tells how the hotline is set up.
type floor struct{ h *House }

func (f floor) Queues(context.Context) ([]report.Queue, error) {
	var out []report.Queue
	for _, q := range f.h.routing.Queues() {
		out = append(out, report.Queue{Code: q.Code, Site: q.Site, Target: q.Target})
	}
	return out, nil
}

func (f floor) Serves(_ context.Context, agent id.User) []id.Queue { return f.h.routing.Serves(agent) }

func (f floor) Work(_ context.Context, reason string) bool { return f.h.desk.CountsAsWork(reason) }

// subtrees answers for sites and those below them.
type subtrees struct{ h *House }

func (s subtrees) Subtree(_ context.Context, root id.Site) ([]id.Site, error) {
	if root == "" {
		var all []id.Site
		for _, site := range s.h.identity.Sites() {
			all = append(all, site.Code)
		}
		return all, nil
	}
	return s.h.identity.Subtree(root), nil
}

// ladders gives the SIP messages of a contact.
type ladders struct{ h *House }

func (l ladders) Ladder(ctx context.Context, c id.Contact) ([]report.Message, error) {
	all, err := l.h.voice.Ladders(ctx, c)
	if err != nil {
		return nil, err
	}
	out := []report.Message{}
	for _, call := range all {
		for _, m := range call.Messages {
			first, _, _ := strings.Cut(m.Text, "\r\n")
			x := report.Message{At: m.At, From: m.Peer, To: "kapok", Text: first, Raw: m.Text}
			if m.Out {
				x.From, x.To = x.To, x.From
			}
			out = append(out, x)
		}
	}
	return out, nil
}

// presence says which contacts are alive somewhere.
type presence struct{ h *House }

func (p presence) Alive(ctx context.Context, contacts []id.Contact) (map[id.Contact]bool, error) {
	out := map[id.Contact]bool{}
	if p.h.peers != nil {
		out, err := p.h.peers.alive(ctx, contacts)
		return out, errors.Join(err, p.h.journal.Flush(ctx))
	}
	for _, c := range contacts {
		out[c] = p.h.voice.Alive(c)
	}
	return out, p.h.journal.Flush(ctx) // who has just ended is in the ledger when it is asked again
}
