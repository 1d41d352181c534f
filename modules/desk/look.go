package desk

import (
	"cmp"
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/platform/web"
)

// DirectoryEntry is somebody or something a contact can be transferred to.
type DirectoryEntry struct {
	Kind    string           `json:"kind" enum:"agent,queue"`
	Code    string           `json:"code"`
	Name    string           `json:"name"`
	NameEn  string           `json:"name_en,omitempty"`
	State   event.AgentState `json:"state,omitempty" enum:"ready,ringing,talking,wrapup,away"`
	Reason  string           `json:"reason,omitempty"`
	Since   int64            `json:"since,omitempty"`
	Waiting int              `json:"waiting,omitempty"`
}

type directoryOut struct{ Body []DirectoryEntry }

// directory lists the signed-in agents but oneself, and the queues.
func (m *Module) directory(ctx context.Context, _ *none) (*directoryOut, error) {
	out := &directoryOut{Body: []DirectoryEntry{}}
	me := web.Principal(ctx).User
	m.floor.mu.Lock()
	waiting := map[id.Queue]int{}
	for _, a := range m.floor.contacts {
		if a.waiting {
			waiting[a.queue]++
		}
	}
	for user, s := range m.floor.agents {
		if user != me {
			name, _, _ := m.deps.Names.User(user)
			out.Body = append(out.Body, DirectoryEntry{Kind: "agent", Code: string(user), Name: name, State: s.state, Reason: s.reason, Since: s.since})
		}
	}
	m.floor.mu.Unlock()
	slices.SortFunc(out.Body, func(a, b DirectoryEntry) int { return cmp.Compare(a.Code, b.Code) })
	for _, q := range m.deps.Names.Queues() {
		name, nameEn := m.deps.Names.Queue(q)
		out.Body = append(out.Body, DirectoryEntry{Kind: "queue", Code: string(q), Name: name, NameEn: nameEn, Waiting: waiting[q]})
	}
	return out, nil
}

type listsOut struct {
	Body struct {
		Topics    []Topic   `json:"topics"`
		TaxTypes  []TaxType `json:"tax_types"`
		Districts []Place   `json:"districts"`
	}
}

// Place is a district of the bureau.
type Place struct {
	Code   id.Site `json:"code"`
	Name   string  `json:"name"`
	NameEn string  `json:"name_en,omitempty"`
}

func (m *Module) listsOut(ctx context.Context, _ *none) (*listsOut, error) {
	l := m.lists.Load()
	out := &listsOut{}
	out.Body.Topics, out.Body.TaxTypes = slices.Clone(l.topics), slices.Clone(l.taxTypes)
	out.Body.Districts = m.deps.Names.Districts(m.siteOf(web.Principal(ctx)))
	return out, nil
}

type phonesOut struct {
	Body []PhoneEntry
}

// PhoneEntry is a desk phone one can sign in at.
type PhoneEntry struct {
	Code       id.Phone `json:"code"`
	Registered bool     `json:"registered"`
	Outside    bool     `json:"outside,omitempty" doc:"a mobile or landline outside the house"`
	TakenBy    string   `json:"taken_by,omitempty"`
}

func (m *Module) phones(ctx context.Context, _ *none) (*phonesOut, error) {
	all, err := m.deps.Endpoints.Phones(ctx)
	if err != nil {
		return nil, err
	}
	out := &phonesOut{Body: []PhoneEntry{}}
	for code := range all {
		at := contact.Endpoint{Phone: code}
		e := PhoneEntry{Code: code, Registered: m.deps.Endpoints.Registered(at), Outside: m.deps.Endpoints.Outside(at)}
		if user := m.floor.at(code); user != "" {
			e.TakenBy, _, _ = m.deps.Names.User(user)
		}
		out.Body = append(out.Body, e)
	}
	slices.SortFunc(out.Body, func(a, b PhoneEntry) int { return cmp.Compare(a.Code, b.Code) })
	return out, nil
}

type dayOut struct{ Body Day }

func (m *Module) day(ctx context.Context, _ *none) (*dayOut, error) {
	d, err := m.deps.Day.MyDay(ctx, web.Principal(ctx).User)
	return &dayOut{Body: d}, err
}

type popOut struct{ Body Pop }

// pop says who is calling: only for a contact the agent has.
func (m *Module) pop(ctx context.Context, in *onContact) (*popOut, error) {
	user := web.Principal(ctx).User
	m.floor.mu.Lock()
	number, ok := "", false
	if s := m.floor.agents[user]; s != nil && s.cards[in.ID] != nil {
		number, ok = s.cards[in.ID].about.from, true
	}
	m.floor.mu.Unlock()
	if !ok {
		return nil, fault.New(fault.NotFound, "desk.contact.not_yours", "contact", string(in.ID))
	}
	p, err := m.deps.People.Pop(ctx, number, m.deps.Clock.Now())
	return &popOut{Body: p}, err
}

// cityOf names the city of a fixed number; empty for mobiles and numbers from elsewhere.
func cityOf(number string) string {
	city, _ := phone.CityOf(phone.Parse(number, "").Area)
	return city.Name
}

// Topic names a topic; both texts are the same: topics are kept in the bureau's language.
func (m *Module) Topic(code string) (zh, en string) {
	for _, t := range m.lists.Load().topics {
		if t.Code == code {
			name := t.Level1 + " › " + t.Level2
			return name, name
		}
	}
	return "", ""
}

// TaxType names a tax type.
func (m *Module) TaxType(code string) (zh, en string) {
	for _, t := range m.lists.Load().taxTypes {
		if t.Code == code {
			return t.Name, t.Name
		}
	}
	return "", ""
}

// CountsAsWork says whether being away for the reason is working time.
func (m *Module) CountsAsWork(reason string) bool {
	for _, r := range m.lists.Load().reasons {
		if r.Code == reason {
			return r.Work
		}
	}
	return false
}
