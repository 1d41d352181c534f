package desk

import (
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/web"
)

// The rights of a leader, one for each verb; each holds in the leader's sites.
const (
	ForceState  right.Right = "desk.state.force"
	ForceOut    right.Right = "desk.session.force"
	ReleaseCall right.Right = "desk.call.release"
	SetSkills   right.Right = "desk.skill.force"
	Listen      right.Right = "desk.call.listen"
	Whisper     right.Right = "desk.call.whisper"
	Barge       right.Right = "desk.call.barge"
	TakeOver    right.Right = "desk.call.take_over"
)

// supervisor is the role of a leader's leg that listens: it is no card at their desk.
const supervisor = "supervisor"

func leaderRights() []right.Right {
	return []right.Right{ForceState, ForceOut, ReleaseCall, SetSkills, Listen, Whisper, Barge, TakeOver}
}

// Forces is asked to set states by a leader's word; routing answers.
type Forces interface {
	Force(ctx context.Context, user id.User, ready bool, reason string) error
	ForceOut(ctx context.Context, user id.User) error
}

// Skills gives and sets what an agent knows, level 0–4 by skill, and names the skills there are.
type Skills interface {
	Skills(user id.User) (map[id.Skill]int, []SkillView)
	SetSkills(ctx context.Context, user id.User, skills map[id.Skill]int) error
}

// Supervision takes part in calls; voice answers.
type Supervision interface {
	Supervise(ctx context.Context, c id.Contact, agent id.User, by Leader, mode event.Force) error
	Unsupervise(ctx context.Context, c id.Contact, by id.User) error
	Release(ctx context.Context, c id.Contact, agent id.User, requeue bool) error
}

// Leader is who takes part in a call, and where they are rung. SignedIn: they work at a desk.
type Leader struct {
	User     id.User
	Endpoint contact.Endpoint
	SignedIn bool
}

// LeaderView is a leader who takes part in a call. Since is unix ms.
type LeaderView struct {
	User  id.User     `json:"user"`
	Name  string      `json:"name"`
	Mode  event.Force `json:"mode" enum:"listen,whisper,barge"`
	Since int64       `json:"since"`
}

func (m *Module) leadRoutes(api *web.API) {
	const one = "/api/v1/desk/team/{user}/"
	web.Post(api, one+"state", ForceState, "Set an agent's state", m.forceState)
	web.Post(api, one+"signout", ForceOut, "Sign an agent out, at once or after the talk", m.forceOut)
	web.Post(api, one+"release", ReleaseCall, "Take a call from its agent", m.release)
	web.Get(api, one+"skills", SetSkills, "What an agent knows", m.skillsOf)
	web.Post(api, one+"skills", SetSkills, "Change an agent's skills now", m.setSkills)
	for verb, r := range map[event.Force]right.Right{event.ForceListen: Listen, event.ForceWhisper: Whisper, event.ForceBarge: Barge, event.ForceTakeOver: TakeOver} {
		web.Post(api, one+string(verb), r, "Take part in an agent's call: "+string(verb), m.supervise(verb, r), web.Audited())
	}
	web.Post(api, "/api/v1/desk/team/supervision/end", SeeTeam, "Take part in a call no more", m.unsupervise)
	web.Post(api, "/api/v1/desk/notes/{id}/seen", Use, "I have read what a leader did", m.acknowledge, web.Quiet())
}

// led checks that an agent is signed in where the leader holds the right, and notes the reason for the audit.
func (m *Module) led(ctx context.Context, user id.User, r right.Right, why string) (id.Site, error) {
	site, _, here := m.floor.asking(user)
	if !here || !m.within(site, web.Principal(ctx)) {
		return "", fault.New(fault.NotFound, "desk.agent.not_here", "user", string(user))
	}
	web.Note(ctx, "why", why)
	return site, web.May(ctx, r, site)
}

// tellAgent writes down what was done, for the agent to see.
func (m *Module) tellAgent(ctx context.Context, user id.User, site id.Site, f event.AgentForced) {
	now := m.deps.Clock.Now()
	f.Note, f.By = id.New(now), web.Principal(ctx).User
	m.deps.Facts.Post(now, site, string(user), string(f.By), f)
}

type forceIn struct {
	User id.User `path:"user"`
	Body struct {
		State  string `json:"state" enum:"ready,away"`
		Reason string `json:"reason,omitempty" maxLength:"16" doc:"of away: its code"`
		Why    string `json:"why" minLength:"2" maxLength:"200" doc:"the agent sees it"`
	}
}

func (m *Module) forceState(ctx context.Context, in *forceIn) (*teamOut, error) {
	site, err := m.led(ctx, in.User, ForceState, in.Body.Why)
	if err != nil {
		return nil, err
	}
	ready := in.Body.State == "ready"
	if !ready && !m.knownReason(in.Body.Reason) {
		return nil, fault.New(fault.Invalid, "desk.reason.unknown", "reason", in.Body.Reason).At("reason")
	}
	if err := m.deps.Forces.Force(ctx, in.User, ready, in.Body.Reason); err != nil {
		return nil, err
	}
	m.tellAgent(ctx, in.User, site, event.AgentForced{Verb: event.Force(in.Body.State), Why: in.Body.Why, Reason: in.Body.Reason})
	return m.team(ctx, nil)
}

type whyIn struct {
	User id.User `path:"user"`
	Body struct {
		Why string `json:"why" minLength:"2" maxLength:"200" doc:"the agent sees it"`
	}
}

func (m *Module) forceOut(ctx context.Context, in *whyIn) (*teamOut, error) {
	site, err := m.led(ctx, in.User, ForceOut, in.Body.Why)
	if err != nil {
		return nil, err
	}
	m.tellAgent(ctx, in.User, site, event.AgentForced{Verb: event.ForceSignOut, Why: in.Body.Why})
	if err := m.deps.Forces.ForceOut(ctx, in.User); err != nil {
		return nil, err
	}
	return m.team(ctx, nil)
}

type releaseIn struct {
	User id.User `path:"user"`
	Body struct {
		Contact id.Contact `json:"contact"`
		Requeue bool       `json:"requeue,omitempty" doc:"the caller goes back to the queue, at the place they had; else the call ends"`
		Why     string     `json:"why" minLength:"2" maxLength:"200"`
	}
}

func (m *Module) release(ctx context.Context, in *releaseIn) (*teamOut, error) {
	site, err := m.led(ctx, in.User, ReleaseCall, in.Body.Why)
	if err != nil {
		return nil, err
	}
	web.Note(ctx, "contact", in.Body.Contact)
	if err := m.deps.Supervision.Release(ctx, in.Body.Contact, in.User, in.Body.Requeue); err != nil {
		return nil, err
	}
	m.tellAgent(ctx, in.User, site, event.AgentForced{Verb: event.ForceRelease, Why: in.Body.Why, Contact: in.Body.Contact})
	return m.team(ctx, nil)
}

type skillsOut struct {
	Body struct {
		Skills map[id.Skill]int `json:"skills" doc:"level 0–4 by skill"`
		Known  []SkillView      `json:"known" doc:"the skills there are"`
	}
}

type userIn struct {
	User id.User `path:"user"`
}

func (m *Module) skillsOf(ctx context.Context, in *userIn) (*skillsOut, error) {
	if _, err := m.led(ctx, in.User, SetSkills, ""); err != nil {
		return nil, err
	}
	out := &skillsOut{}
	out.Body.Skills, out.Body.Known = m.deps.Skills.Skills(in.User)
	return out, nil
}

type setSkillsIn struct {
	User id.User `path:"user"`
	Body struct {
		Skills map[id.Skill]int `json:"skills" maxProperties:"64"`
		Why    string           `json:"why" minLength:"2" maxLength:"200"`
	}
}

func (m *Module) setSkills(ctx context.Context, in *setSkillsIn) (*skillsOut, error) {
	site, err := m.led(ctx, in.User, SetSkills, in.Body.Why)
	if err != nil {
		return nil, err
	}
	before, _ := m.deps.Skills.Skills(in.User)
	web.Note(ctx, "before", before)
	web.Note(ctx, "after", in.Body.Skills)
	if err := m.deps.Skills.SetSkills(ctx, in.User, in.Body.Skills); err != nil {
		return nil, err
	}
	m.tellAgent(ctx, in.User, site, event.AgentForced{Verb: event.ForceSkills, Why: in.Body.Why, Skills: in.Body.Skills})
	out := &skillsOut{}
	_, out.Body.Known = m.deps.Skills.Skills(in.User)
	out.Body.Skills = in.Body.Skills
	return out, nil
}

type superviseIn struct {
	User id.User `path:"user"`
	Body struct {
		Contact id.Contact `json:"contact"`
		Phone   id.Phone   `json:"phone,omitempty" doc:"the leader's phone, for who is not signed in at a desk"`
		Why     string     `json:"why" minLength:"2" maxLength:"200" doc:"the agent sees it"`
	}
}

// supervise rings the leader's own endpoint and lets them take part in an agent's call. It answers when they do.
func (m *Module) supervise(mode event.Force, r right.Right) func(context.Context, *superviseIn) (*teamOut, error) {
	return func(ctx context.Context, in *superviseIn) (*teamOut, error) {
		site, err := m.led(ctx, in.User, r, in.Body.Why)
		if err != nil {
			return nil, err
		}
		web.Note(ctx, "contact", in.Body.Contact)
		by, err := m.leader(ctx, in.Body.Phone)
		if err != nil {
			return nil, err
		}
		if err := m.deps.Supervision.Supervise(ctx, in.Body.Contact, in.User, by, mode); err != nil {
			return nil, err
		}
		m.tellAgent(ctx, in.User, site, event.AgentForced{Verb: mode, Why: in.Body.Why, Contact: in.Body.Contact})
		return m.team(ctx, nil)
	}
}

// leader finds where who asks is rung: at their desk, or at a free phone they name.
func (m *Module) leader(ctx context.Context, at id.Phone) (Leader, error) {
	me := web.Principal(ctx).User
	m.floor.mu.Lock()
	seat := m.floor.agents[me]
	m.floor.mu.Unlock()
	if seat != nil {
		e := seat.endpoint
		e.Agent = me
		return Leader{User: me, Endpoint: e, SignedIn: true}, nil
	}
	if at == "" {
		return Leader{}, fault.New(fault.Invalid, "desk.supervise.where").At("phone")
	}
	phones, err := m.deps.Endpoints.Phones(ctx)
	if err != nil {
		return Leader{}, err
	}
	if _, ok := phones[at]; !ok {
		return Leader{}, fault.New(fault.Invalid, "desk.phone.unknown", "phone", string(at)).At("phone")
	}
	if user := m.floor.at(at); user != "" {
		name, _, _ := m.deps.Names.User(user)
		return Leader{}, fault.New(fault.Conflict, "desk.phone.taken", "phone", string(at), "name", name).At("phone")
	}
	return Leader{User: me, Endpoint: contact.Endpoint{Agent: me, Phone: at}}, nil
}

type unsuperviseIn struct {
	Body struct {
		Contact id.Contact `json:"contact"`
	}
}

func (m *Module) unsupervise(ctx context.Context, in *unsuperviseIn) (*teamOut, error) {
	if err := m.deps.Supervision.Unsupervise(ctx, in.Body.Contact, web.Principal(ctx).User); err != nil {
		return nil, err
	}
	return m.team(ctx, nil)
}

// attended folds who takes part in a contact, and names whose desk changed.
func (f *floor) attended(c id.Contact, at int64, leg id.Leg, b event.ContactSupervised) []id.User {
	a := f.contacts[c]
	if a == nil {
		return nil
	}
	a.leaders = slices.DeleteFunc(slices.Clone(a.leaders), func(l attending) bool { return l.leg == leg })
	if b.By != "" && b.Mode != event.ForceTakeOver {
		a.leaders = append(a.leaders, attending{leg, b, at})
	}
	var out []id.User
	for user, s := range f.agents {
		if s.cards[c] != nil {
			s.cards[c].about.leaders = a.leaders
			out = append(out, user)
		}
	}
	return out
}

// attending is a leader who takes part in a contact.
type attending struct {
	leg id.Leg
	event.ContactSupervised
	at int64
}

func (m *Module) leadersOf(a approach) []LeaderView {
	out := make([]LeaderView, 0, len(a.leaders))
	for _, l := range a.leaders {
		name, _, _ := m.deps.Names.User(l.By)
		out = append(out, LeaderView{User: l.By, Name: name, Mode: l.Mode, Since: l.at})
	}
	return out
}
