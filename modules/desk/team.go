package desk

import (
	"cmp"
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/web"
)

// ask is a call for help that nobody has taken care of yet.
type ask struct {
	contact id.Contact
	note    string
	at      int64
}

// TeamHelp is a call for help; At is unix ms.
type TeamHelp struct {
	Contact id.Contact `json:"contact,omitempty"`
	Note    string     `json:"note,omitempty"`
	At      int64      `json:"at"`
}

// TeamCall is a contact at an agent; the number is masked, Since is unix ms.
type TeamCall struct {
	Contact     id.Contact `json:"contact"`
	Number      string     `json:"number"`
	Queue       id.Queue   `json:"queue,omitempty"`
	QueueName   string     `json:"queue_name,omitempty"`
	QueueNameEn string     `json:"queue_name_en,omitempty"`
	Phase       string     `json:"phase" enum:"ringing,talking,held,wrapup"`
	Since       int64      `json:"since"`

	Secret  bool         `json:"secret,omitempty" doc:"nobody may listen: the number is not shown either"`
	Leaders []LeaderView `json:"leaders,omitempty" doc:"who takes part"`
}

// TeamAgent is a signed-in agent as a team leader sees them; Since is unix ms.
type TeamAgent struct {
	User     id.User          `json:"user"`
	Name     string           `json:"name"`
	Site     id.Site          `json:"site"`
	State    event.AgentState `json:"state" enum:"ready,ringing,talking,wrapup,away"`
	Reason   string           `json:"reason,omitempty" doc:"code of the away reason"`
	Label    string           `json:"reason_name,omitempty"`
	LabelEn  string           `json:"reason_name_en,omitempty"`
	Since    int64            `json:"since"`
	LimitMs  int64            `json:"limit_ms,omitempty" doc:"how long the state may last: an away reason's limit, a wrap-up's time; absent: no limit"`
	NextAway string           `json:"next_away,omitempty"`
	Calls    []TeamCall       `json:"calls"`
	Help     *TeamHelp        `json:"help,omitempty"`
	Notes    int              `json:"notes,omitempty" doc:"what leaders did that the agent has not acknowledged"`
}

type teamOut struct {
	Body struct {
		At     int64       `json:"at"`
		Agents []TeamAgent `json:"agents"`
	}
}

func (m *Module) teamRoutes(api *web.API) {
	web.Get(api, "/api/v1/desk/team", SeeTeam, "The signed-in agents of my sites", m.team)
	web.Post(api, "/api/v1/desk/team/{user}/helped", SeeTeam, "I have taken care of a call for help", m.helped, web.Quiet())
}

// team lists the signed-in agents of the caller's sites: who asks for help first, then by name.
func (m *Module) team(ctx context.Context, _ *none) (*teamOut, error) {
	p := web.Principal(ctx)
	out := &teamOut{}
	out.Body.At, out.Body.Agents = m.deps.Clock.Now().UnixMilli(), []TeamAgent{}
	m.floor.mu.Lock()
	defer m.floor.mu.Unlock()
	for user, s := range m.floor.agents {
		if m.within(s.site, p) {
			out.Body.Agents = append(out.Body.Agents, m.teamAgent(user, s))
		}
	}
	slices.SortFunc(out.Body.Agents, func(a, b TeamAgent) int {
		if (a.Help != nil) != (b.Help != nil) {
			if a.Help != nil {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.User, b.User))
	})
	return out, nil
}

// within says whether a site lies where the caller's rights hold.
func (m *Module) within(site id.Site, p right.Principal) bool {
	return m.deps.Within == nil || m.deps.Within(site, p.Site)
}

func (m *Module) teamAgent(user id.User, s *seat) TeamAgent {
	name, _, _ := m.deps.Names.User(user)
	a := TeamAgent{User: user, Name: name, Site: s.site, State: s.state, Reason: s.reason, Since: s.since, NextAway: s.next, Calls: []TeamCall{}}
	switch s.state {
	case event.Away:
		for _, r := range m.lists.Load().reasons {
			if r.Code == s.reason {
				a.Label, a.LabelEn, a.LimitMs = r.Name, r.NameEn, int64(r.MaxMinutes)*60_000
			}
		}
	case event.Wrapup:
		a.LimitMs = max(0, s.until-s.since)
	}
	for _, k := range s.sorted() {
		c := TeamCall{Contact: k.contact, Number: phone.Mask(k.about.from), Queue: k.queue, Phase: k.phase, Since: k.since}
		c.QueueName, c.QueueNameEn = m.deps.Names.Queue(k.queue)
		c.Leaders = m.leadersOf(k.about)
		if m.deps.Secret != nil && m.deps.Secret(k.about.number, k.queue) {
			c.Secret, c.Number = true, ""
		}
		a.Calls = append(a.Calls, c)
	}
	a.Notes = len(m.floor.notes[user])
	if s.help != nil {
		a.Help = &TeamHelp{Contact: s.help.contact, Note: s.help.note, At: s.help.at}
	}
	return a
}

type helpedIn struct {
	User id.User `path:"user"`
}

// helped ends an agent's call for help, for every team leader.
func (m *Module) helped(ctx context.Context, in *helpedIn) (*teamOut, error) {
	p := web.Principal(ctx)
	site, asked, here := m.floor.asking(in.User)
	if !here || !m.within(site, p) {
		return nil, fault.New(fault.NotFound, "desk.agent.not_here", "user", string(in.User))
	}
	if asked {
		m.deps.Facts.Post(m.deps.Clock.Now(), site, string(in.User), string(p.User), event.AgentHelped{By: p.User})
		if err := m.until(ctx, func() bool {
			_, still, _ := m.floor.asking(in.User)
			return !still
		}); err != nil {
			return nil, err
		}
	}
	return m.team(ctx, nil)
}

// until waits until something has been folded, at most as long as a request waits for its own facts.
func (m *Module) until(ctx context.Context, done func() bool) error {
	deadline := m.deps.Clock.NewTimer(settleBound)
	defer deadline.Stop()
	for {
		changed := m.floor.changed()
		if done() {
			return nil
		}
		select {
		case <-changed:
		case <-deadline.C():
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// asking says at which site an agent is, whether they wait for help, and whether they are signed in.
func (f *floor) asking(user id.User) (site id.Site, asked, signedIn bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.agents[user]
	if s == nil {
		return "", false, false
	}
	return s.site, s.help != nil, true
}

// tell brings the team leaders' pages up to date when a call for help came or went, and when an away that may
// last only so long begins or ends: the pages count it down themselves. The message says which; the pages read the
// list anew.
func (m *Module) tell(f ledger.Fact, asked bool) {
	switch f.Kind {
	case event.AgentAskedHelp{}.Kind(), event.AgentHelped{}.Kind():
	case event.AgentSignedOut{}.Kind():
		if !asked {
			return
		}
	case event.AgentChanged{}.Kind():
		b, ok := body[event.AgentChanged](f)
		if !ok || !(b.State == event.Away && m.limited(b.Reason) || b.Was == event.Away && m.limited(b.WasReason)) {
			return
		}
	default:
		return
	}
	said := map[string]any{"user": f.Subject, "kind": f.Kind, "at": f.At}
	if err := m.deps.Hub.Publish("help", web.Holders(SeeTeam, id.Site(f.Place)), said); err != nil {
		m.deps.Log.Error("team leaders could not be told", "agent", f.Subject, "kind", f.Kind, "err", err)
	}
}

// limited says whether an away for the reason may last only so long.
func (m *Module) limited(reason string) bool {
	return slices.ContainsFunc(m.lists.Load().reasons, func(r Reason) bool { return r.Code == reason && r.MaxMinutes > 0 })
}
