package desk

import (
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/event"
	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/platform/ledger"
	"github.com/kapok-hotline/kapok/platform/web"
)

// NoteView is what a leader did to an agent's work, as the agent sees it until they have acknowledged it. At is unix ms.
type NoteView struct {
	ID     string      `json:"id"`
	Verb   event.Force `json:"verb" enum:"ready,away,sign_out,release,skills,listen,whisper,barge,take_over,recall"`
	By     string      `json:"by" doc:"the leader's name"`
	Why    string      `json:"why"`
	Reason string      `json:"reason,omitempty" doc:"code of the away reason"`
	At     int64       `json:"at"`
}

// note is one kept for an agent.
type note struct {
	event.AgentForced
	at int64
}

// notesKept bounds what waits for one agent; the oldest goes.
const notesKept = 20

// noted folds the notes of an agent, signed in or not: who was signed out is to see by whom.
func (f *floor) noted(user id.User, fact ledger.Fact) []id.User {
	if f.notes == nil {
		f.notes = map[id.User][]note{}
	}
	if b, ok := body[event.AgentForced](fact); ok && fact.Kind == b.Kind() {
		if slices.ContainsFunc(f.notes[user], func(n note) bool { return n.Note == b.Note }) {
			return nil
		}
		all := append(f.notes[user], note{b, fact.At})
		f.notes[user] = all[max(0, len(all)-notesKept):]
		return []id.User{user}
	}
	b, ok := body[event.AgentNoted](fact)
	if !ok {
		return nil
	}
	left := slices.DeleteFunc(f.notes[user], func(n note) bool { return n.Note == b.Note })
	if len(left) == 0 {
		delete(f.notes, user)
	} else {
		f.notes[user] = left
	}
	return []id.User{user}
}

// notesOf gives the notes of an agent, oldest first. The floor is locked.
func (m *Module) notesOf(user id.User) []NoteView {
	out := make([]NoteView, 0, len(m.floor.notes[user]))
	for _, n := range m.floor.notes[user] {
		name, _, _ := m.deps.Names.User(n.By)
		if name == "" {
			name = string(n.By)
		}
		out = append(out, NoteView{ID: n.Note, Verb: n.Verb, By: name, Why: n.Why, Reason: n.Reason, At: n.at})
	}
	return out
}

// waits says whether an agent has a note, of a verb when one is given.
func (f *floor) waits(user id.User, which func(event.AgentForced) bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.notes[user], func(n note) bool { return which(n.AgentForced) })
}

type notedIn struct {
	ID string `path:"id" maxLength:"80"`
}

// acknowledge takes a note away at the agent's word.
func (m *Module) acknowledge(ctx context.Context, in *notedIn) (*deskOut, error) {
	p := web.Principal(ctx)
	has := func() bool { return m.floor.waits(p.User, func(n event.AgentForced) bool { return n.Note == in.ID }) }
	if has() {
		m.deps.Facts.Post(m.deps.Clock.Now(), m.siteOf(p), string(p.User), string(p.User), event.AgentNoted{Note: in.ID})
	}
	return m.settled(ctx, func(View) bool { return !has() })
}

// mayBeReady refuses ready while a leader's call to come back has not been acknowledged.
func (m *Module) mayBeReady(user id.User) error {
	if m.floor.waits(user, func(n event.AgentForced) bool { return n.Verb == event.Recall }) {
		return fault.New(fault.Conflict, "desk.note.unread")
	}
	return nil
}

// Recall asks who is away for one of the reasons (none: any) at the sites to come back. key tells one asking from
// another: said twice it is one. It gives whom it asked.
func (m *Module) Recall(_ context.Context, key string, site id.Site, reasons []string, by id.User, why string) []id.User {
	m.floor.mu.Lock()
	at := map[id.User]id.Site{}
	for user, s := range m.floor.agents {
		if s.state == event.Away && (len(reasons) == 0 || slices.Contains(reasons, s.reason)) && m.inside(s.site, site) {
			at[user] = s.site
		}
	}
	m.floor.mu.Unlock()
	var asked []id.User
	for user, place := range at {
		asked = append(asked, user)
		m.deps.Facts.Post(m.deps.Clock.Now(), place, string(user), string(by), event.AgentForced{Note: key + "." + string(user), Verb: event.Recall, By: by, Why: why})
	}
	slices.Sort(asked)
	return asked
}

// EndRecall takes back what Recall asked of those who have not acknowledged it.
func (m *Module) EndRecall(_ context.Context, key string, by id.User) {
	m.floor.mu.Lock()
	open := map[id.User]string{}
	for user, notes := range m.floor.notes {
		for _, n := range notes {
			if n.Note == key+"."+string(user) {
				open[user] = n.Note
			}
		}
	}
	m.floor.mu.Unlock()
	for user, n := range open {
		_, site, _ := m.deps.Names.User(user)
		m.deps.Facts.Post(m.deps.Clock.Now(), site, string(user), string(by), event.AgentNoted{Note: n, Withdrawn: true})
	}
}

// Recalled gives how many of those asked have not acknowledged yet.
func (m *Module) Recalled(key string) (open int) {
	m.floor.mu.Lock()
	defer m.floor.mu.Unlock()
	for user, notes := range m.floor.notes {
		for _, n := range notes {
			if n.Note == key+"."+string(user) {
				open++
			}
		}
	}
	return open
}

func (m *Module) inside(site, root id.Site) bool {
	return root == "" || m.deps.Within == nil || m.deps.Within(site, root)
}
