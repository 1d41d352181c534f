package outbound

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/platform/store"
)

// The results an agent gives.
const (
	ResultDone    = "done"    // what was to be said is said
	ResultAgain   = "again"   // wants to be called later
	ResultRefused = "refused" // does not want to talk
	ResultMachine = "machine" // an answering machine: called again
	ResultWrong   = "wrong"   // not this person
	ResultNever   = "never"   // wants never to be called
)

// CallCard is a person as their agent sees them.
type CallCard struct {
	ID      string        `json:"id"`
	List    string        `json:"list"`
	Name    string        `json:"list_name"`
	NameEn  string        `json:"list_name_en,omitempty"`
	Kind    string        `json:"kind" enum:"visit,missed,correction,other"`
	Mode    string        `json:"mode" enum:"preview,progressive"`
	Script  string        `json:"script,omitempty"`
	State   State         `json:"state" enum:"shown,calling,dialled,reached"`
	Since   int64         `json:"since" doc:"unix ms"`
	Number  string        `json:"number" doc:"masked"`
	Person  string        `json:"name"`
	Note    string        `json:"note"`
	More    []OwnCell     `json:"more"`
	Source  id.Contact    `json:"source,omitempty" doc:"the contact they were taken from"`
	Try     int           `json:"try" doc:"this attempt, 1 the first"`
	Tries   int           `json:"tries" doc:"at most"`
	Contact id.Contact    `json:"contact,omitempty"`
	Last    []LastAttempt `json:"last" doc:"earlier attempts, newest first"`
}

// LastAttempt is an earlier attempt.
type LastAttempt struct {
	At     int64  `json:"at"`
	How    string `json:"how"`
	Result string `json:"result,omitempty"`
	Note   string `json:"note,omitempty"`
}

// OfferedList is a list an agent may work on.
type OfferedList struct {
	Code   string `json:"code"`
	Name   string `json:"name"`
	NameEn string `json:"name_en,omitempty"`
	Mode   string `json:"mode" enum:"preview,progressive"`
	Due    int    `json:"due" doc:"people who can be called now"`
	Shut   string `json:"shut,omitempty" doc:"why nobody may be called now: hours, lunch, holiday, closed"`
}

// MyOutbound is what an agent has to do with outbound calls.
type MyOutbound struct {
	Lists []OfferedList `json:"lists"`
	Cards []CallCard    `json:"cards" doc:"the one being looked at or called, and those without a result, oldest first"`
}

// serves says whether a list is an agent's to work on.
func (m *Module) serves(l List, agent id.User) bool {
	site := m.deps.Staff.SiteOf(agent)
	return m.deps.Staff.Within(site, l.Site) && m.deps.Staff.Serves(agent, l.Queue)
}

// mine gives an agent's lists and cards.
func (m *Module) mine(ctx context.Context, agent id.User) (MyOutbound, error) {
	now := m.now()
	out := MyOutbound{Lists: []OfferedList{}, Cards: []CallCard{}}
	for _, l := range m.running("") {
		if !m.serves(l, agent) {
			continue
		}
		o := OfferedList{Code: l.Code, Name: l.Name, NameEn: l.NameEn, Mode: l.Mode}
		o.Shut, _ = m.open(l, now)
		var err error
		if o.Due, err = store.One(ctx, m.deps.DB, `SELECT COUNT(*) FROM outbound_person WHERE list = ? AND state = 'pending' AND due_at <= ?`, store.Col[int], l.Code, now.UnixMilli()); err != nil {
			return out, err
		}
		out.Lists = append(out.Lists, o)
	}
	all, err := people(ctx, m.deps.DB, `agent = ? AND state IN ('shown', 'calling', 'dialled', 'reached') ORDER BY since`, string(agent))
	if err != nil {
		return out, err
	}
	for i := range all {
		c, err := m.card(ctx, &all[i])
		if err != nil {
			return out, err
		}
		out.Cards = append(out.Cards, c)
	}
	return out, nil
}

func (m *Module) card(ctx context.Context, p *person) (c CallCard, err error) {
	l, _ := m.list(p.list)
	c = CallCard{
		ID: p.id, List: p.list, Name: l.Name, NameEn: l.NameEn, Kind: l.Kind, Mode: l.Mode, Script: l.Script, State: p.state, Since: p.since, Number: phone.Mask(p.number),
		Person: p.name, Note: p.note, More: p.more, Source: p.source, Try: max(p.tries, 1), Tries: l.Tries, Contact: p.contact,
	}
	if p.state == Shown || p.state == Calling {
		c.Try, c.Contact = p.tries+1, ""
	}
	c.Last, err = store.All(ctx, m.deps.DB, `SELECT at, how, result, note FROM outbound_try WHERE person = ? AND how <> '' AND contact <> ? ORDER BY at DESC LIMIT 5`,
		func(r store.Scanner) (l LastAttempt, err error) { return l, r.Scan(&l.At, &l.How, &l.Result, &l.Note) }, p.id, string(c.Contact))
	if c.Last == nil {
		c.Last = []LastAttempt{}
	}
	return c, err
}

// show brings an agent's page up to date.
func (m *Module) show(agent id.User) {
	if m.deps.Hub == nil || agent == "" {
		return
	}
	err := m.deps.Hub.PublishTo("outbound", agent, func() any {
		ctx, cancel := context.WithTimeout(context.Background(), writeBound)
		defer cancel()
		mine, err := m.mine(ctx, agent)
		if err != nil {
			m.deps.Log.Error("an agent's outbound calls could not be read", "agent", agent, "err", err)
		}
		return mine
	})
	if err != nil {
		m.deps.Log.Error("an agent's page could not be brought up to date", "agent", agent, "err", err)
	}
}

// nextFor shows an agent the next person of a list, or of any of theirs; who is shown already is shown again.
func (m *Module) nextFor(ctx context.Context, agent id.User, code string) error {
	now := m.now()
	busy, err := people(ctx, m.deps.DB, `agent = ? AND state IN ('shown', 'calling', 'dialled')`, string(agent))
	if err != nil || len(busy) > 0 {
		return err
	}
	var shut error
	for _, l := range m.running(Preview) {
		if code != "" && l.Code != code || !m.serves(l, agent) {
			continue
		}
		if why, ok := m.open(l, now); !ok {
			shut = fault.New(fault.Conflict, "outbound.shut."+why, "list", l.Name)
			continue
		}
		_, waiting, err := m.deps.Staff.Spare(ctx, l.Queue)
		if err != nil {
			return err
		}
		if waiting > 0 {
			shut = fault.New(fault.Conflict, "outbound.callers.wait", "n", waiting)
			continue
		}
		ok, err := m.showNext(ctx, l, agent, now)
		if ok || err != nil {
			return err
		}
	}
	if shut != nil {
		return shut
	}
	return fault.New(fault.NotFound, "outbound.nobody")
}

func (m *Module) showNext(ctx context.Context, l List, agent id.User, now time.Time) (bool, error) {
	for range 10 {
		p, ok, err := m.next(ctx, l, agent, now)
		if err != nil || !ok {
			return false, err
		}
		p.agent = agent
		p.move(Shown, now)
		err = m.claim(ctx, Pending, p.contact, &p)
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) || fault.KindOf(err) == fault.Conflict {
			continue // another was quicker
		}
		return err == nil, err
	}
	return false, nil
}

// held gives a person who is at an agent in one of the states.
func (m *Module) held(ctx context.Context, agent id.User, code string, states ...State) (person, List, error) {
	p, err := personByID(ctx, m.deps.DB, code)
	if err == nil && p.agent == agent {
		for _, s := range states {
			if p.state == s {
				l, ok := m.list(p.list)
				if !ok {
					return p, l, fault.New(fault.NotFound, "outbound.list.none", "list", p.list)
				}
				return p, l, nil
			}
		}
	}
	if err == nil || errors.Is(err, store.ErrNotFound) {
		err = fault.New(fault.Conflict, "outbound.card.gone")
	}
	return p, List{}, err
}

// dial calls the person an agent looks at.
func (m *Module) dial(ctx context.Context, agent id.User, code string) error {
	p, l, err := m.held(ctx, agent, code, Shown)
	if err != nil {
		return err
	}
	now := m.now()
	if why, ok := m.open(l, now); !ok {
		return fault.New(fault.Conflict, "outbound.shut."+why, "list", l.Name)
	}
	if never, err := m.never(ctx, m.deps.DB, p.number, now); err != nil || never {
		return cmp.Or(err, error(fault.New(fault.Conflict, "outbound.never")))
	}
	err = m.begin(ctx, l, p, agent)
	if errors.Is(err, store.ErrNotFound) {
		err = fault.New(fault.Conflict, "outbound.card.gone")
	}
	return err
}

// skip lets a person be whom an agent was shown; they are due again after the list's usual time.
func (m *Module) skip(ctx context.Context, agent id.User, code, why string) error {
	p, l, err := m.held(ctx, agent, code, Shown)
	if err != nil {
		return err
	}
	now := m.now()
	p.agent, p.due = "", now.Add(gap(l)).UnixMilli()
	p.move(Pending, now)
	err = m.deps.DB.Tx(ctx, func(tx *store.Tx) error {
		if err := put(ctx, tx, Shown, p.contact, &p); err != nil {
			return err
		}
		if err := m.leaves(ctx, tx, &p, agent); err != nil {
			return err
		}
		return m.deps.Facts.Keep(tx, now, l.Site, p.id, string(agent), event.OutboundSkipped{List: l.Code, Agent: agent, Why: why})
	})
	m.show(agent)
	return err
}
