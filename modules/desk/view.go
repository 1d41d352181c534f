package desk

import (
	"slices"
	"strings"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
)

// View is an agent's desk: what GET /api/v1/desk answers and the topic desk brings on every change.
type View struct {
	SignedIn bool         `json:"signed_in"`
	State    StateView    `json:"state"`
	Endpoint EndpointView `json:"endpoint"`
	Calls    []CallView   `json:"calls"`
	RingMs   int64        `json:"ring_timeout_ms,omitempty" doc:"how long the present offer rings"`
	Wrapup   *WrapupView  `json:"wrapup,omitempty"`
	Reasons  []Reason     `json:"reasons"`
	Help     HelpView     `json:"help"`
	Notes    []NoteView   `json:"notes" doc:"what leaders did, until acknowledged"`
	Parked   []ParkedView `json:"parked" doc:"people in slots the agent may take back"`
	Holder   string       `json:"holder,omitempty" doc:"login session the agent signed in from last; another one than ours: the desk was taken over"`
	SIP      *SIPView     `json:"sip,omitempty"`
}

// StateView is the agent's state; times are unix ms. Next is the reason of an away that waits for the talk's end.
type StateView struct {
	State  event.AgentState `json:"state" enum:"signed_out,ready,ringing,talking,wrapup,away"`
	Reason string           `json:"reason,omitempty"`
	Since  int64            `json:"since"`
	Next   string           `json:"next_away,omitempty"`
}

// EndpointView is where the agent is rung.
type EndpointView struct {
	Kind       string   `json:"kind" enum:"browser,phone,"`
	Phone      id.Phone `json:"phone,omitempty"`
	Registered bool     `json:"registered"`
	Outside    bool     `json:"outside,omitempty" doc:"a mobile or landline outside the house, where calls are taken by a key"`
}

// CallView is one contact at the agent.
type CallView struct {
	Contact     id.Contact        `json:"contact"`
	Number      string            `json:"number"` // masked
	City        string            `json:"city,omitempty"`
	Direction   contact.Direction `json:"direction"`
	Queue       id.Queue          `json:"queue,omitempty"`
	QueueName   string            `json:"queue_name,omitempty"`
	QueueNameEn string            `json:"queue_name_en,omitempty"`
	WaitedMs    int64             `json:"waited_ms"`
	Phase       string            `json:"phase" enum:"ringing,dialing,talking,held,wrapup" doc:"dialing: the agent has answered, the person called has not yet"`
	Since       int64             `json:"since"`
	Answer      string            `json:"answer" enum:"browser,handset,outside" doc:"outside: a mobile or landline, where the call is taken by a key"`
	Quality     *QualityView      `json:"quality,omitempty"`
	Skills      []SkillView       `json:"skills,omitempty" doc:"what the queue asks for"`
	Leaders     []LeaderView      `json:"leaders,omitempty" doc:"who takes part"`
	Why         *WhyView          `json:"why,omitempty" doc:"why this agent was offered it"`
	Screened    *ScreenedView     `json:"screened,omitempty" doc:"of a line that sorts its callers: what this one was taken for"`
	Consult     *ConsultView      `json:"consult,omitempty" doc:"who is being asked"`
	Parties     []PartyView       `json:"parties,omitempty" doc:"who talks with caller and agent: a three-party call, or a conference"`
	Unasked     string            `json:"unasked,omitempty" doc:"why the last one asked did not answer: a fault's code"`
	Out         *OutView          `json:"out,omitempty" doc:"of a call out"`
	Own         bool              `json:"own,omitempty" doc:"the agent asked for it, by a call out or out of a slot: their own phone rings, a browser takes it by itself"`
	Recalled    int               `json:"recalled,omitempty" doc:"times the agent was reminded of this hold"`
}

// QualityView is the agent's line: MOS by ITU-T G.107 (1.0–4.5), loss as a share.
type QualityView struct {
	MOS  float64 `json:"mos"`
	Loss float64 `json:"loss"`
}

// WrapupView says which contact is being wrapped up and until when (unix ms; 0: until the agent is done).
type WrapupView struct {
	Contact  id.Contact `json:"contact"`
	Deadline int64      `json:"deadline"`
}

// HelpView says whether help has been asked for, about which contact, and that nobody has taken care of it yet.
type HelpView struct {
	Asked   bool       `json:"asked"`
	Contact id.Contact `json:"contact,omitempty"`
}

// SIPView is what a browser registers with.
type SIPView struct {
	User   string `json:"user"`
	Secret string `json:"secret"`
	Realm  string `json:"realm"`
	Path   string `json:"ws_path"`
}

// view makes an agent's desk as of now.
func (m *Module) view(user id.User) View {
	v := View{State: StateView{State: event.SignedOut}, Calls: []CallView{}, Parked: []ParkedView{}, Reasons: m.reasons()}
	m.floor.mu.Lock()
	defer m.floor.mu.Unlock()
	v.Notes = m.notesOf(user)
	s := m.floor.agents[user]
	if s == nil {
		return v
	}
	v.SignedIn = true
	v.State = StateView{State: s.state, Reason: s.reason, Since: s.since, Next: s.next}
	if s.help != nil {
		v.Help = HelpView{Asked: true, Contact: s.help.contact}
	}
	v.Holder = m.holders.get(user)
	v.Parked = m.parkedFor(user)
	if s.state == event.Ringing && s.until > s.since {
		v.RingMs = s.until - s.since
	}
	v.Endpoint = EndpointView{Kind: "phone", Phone: s.endpoint.Phone, Registered: m.deps.Endpoints.Registered(s.endpoint), Outside: m.deps.Endpoints.Outside(s.endpoint)}
	if s.endpoint.Browser() {
		v.Endpoint.Kind = "browser"
		name, secret, realm := m.deps.Endpoints.Browser(user)
		v.SIP = &SIPView{User: name, Secret: secret, Realm: realm, Path: "/sip"}
	}
	for _, k := range s.sorted() {
		v.Calls = append(v.Calls, m.callView(s, k))
		if k.phase == "wrapup" && v.Wrapup == nil {
			v.Wrapup = &WrapupView{Contact: k.contact, Deadline: s.until}
		}
	}
	return v
}

func (m *Module) callView(s *seat, k *card) CallView {
	c := CallView{
		Contact: k.contact, Number: phone.Mask(k.about.from), City: cityOf(k.about.from), Direction: k.about.direction,
		Queue: k.queue, WaitedMs: k.waitMs, Phase: k.phase, Since: k.since, Answer: "handset", Why: whyOf(k.offered),
	}
	c.Consult, c.Unasked, c.Recalled = m.consultView(k.asks), k.unasked, k.recalled
	c.Parties = m.partyViews(k.parties)
	if k.about.out != nil {
		out := *k.about.out
		c.Out = &out
	}
	c.Own = k.own && k.phase == "ringing"
	c.QueueName, c.QueueNameEn = m.deps.Names.Queue(k.queue)
	c.Leaders = m.leadersOf(k.about)
	if m.deps.Needs != nil {
		c.Skills = m.deps.Needs(k.queue)
	}
	c.Screened = m.screenedView(k)
	switch {
	case s.endpoint.Browser():
		c.Answer = "browser"
	case m.deps.Endpoints.Outside(s.endpoint):
		c.Answer = "outside"
	}
	if mos, loss, ok := m.deps.Calls.Quality(k.contact); ok && (k.phase == "talking" || k.phase == "held") {
		c.Quality = &QualityView{MOS: mos, Loss: loss}
	}
	return c
}

func (m *Module) reasons() []Reason {
	r := slices.Clone(m.lists.Load().reasons)
	slices.SortStableFunc(r, func(a, b Reason) int {
		if a.Order != b.Order {
			return a.Order - b.Order
		}
		return strings.Compare(a.Code, b.Code)
	})
	return r
}

// publish brings an agent's pages up to date.
func (m *Module) publish(user id.User) {
	if err := m.deps.Hub.PublishTo("desk", user, func() any { return m.view(user) }); err != nil {
		m.deps.Log.Error("a desk could not be brought up to date", "agent", user, "err", err)
	}
}

// EndpointChanged tells the desk that an agent's endpoint came or went.
func (m *Module) EndpointChanged(user id.User) { m.publish(user) }
