package identity

import (
	"context"
	"maps"
	"slices"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/store"
)

// snapshot is who there is and what they may do, at one moment; it is replaced whole.
type snapshot struct {
	bureau Bureau
	people map[id.User]Person
	sites  map[id.Site]Site
	seats  map[id.Seat]Seat
	roles  map[string]Role
	rights map[string]map[right.Right]bool // by role, All expanded
}

func newSnapshot(people []Person, sites []Site, seats []Seat, roles []Role, bureau Bureau, all []right.Right) *snapshot {
	s := &snapshot{
		bureau: bureau, people: map[id.User]Person{}, sites: map[id.Site]Site{}, seats: map[id.Seat]Seat{},
		roles: map[string]Role{}, rights: map[string]map[right.Right]bool{},
	}
	for _, p := range people {
		s.people[p.Code] = p
	}
	for _, x := range sites {
		s.sites[x.Code] = x
	}
	for _, x := range seats {
		s.seats[x.Code] = x
	}
	for _, r := range roles {
		s.roles[r.Code] = r
		s.rights[r.Code] = right.Expand(r.Rights, all)
	}
	return s
}

var (
	bureaus = store.Docs[Bureau]{Table: "identity_bureau"}
	sites   = store.Docs[Site]{Table: "identity_site"}
	seats   = store.Docs[Seat]{Table: "identity_seat"}
	roles   = store.Docs[Role]{Table: "identity_role"}
)

// load reads a snapshot; q may be a transaction that is not committed yet.
func (m *Module) load(ctx context.Context, q store.Querier) (*snapshot, error) {
	people, err := store.All(ctx, q, `SELECT code, name, site, roles, rank, locale, active FROM identity_user ORDER BY code`, scanPerson)
	if err != nil {
		return nil, err
	}
	ss, err := sites.Load(ctx, q)
	if err != nil {
		return nil, err
	}
	st, err := seats.Load(ctx, q)
	if err != nil {
		return nil, err
	}
	rs, err := roles.Load(ctx, q)
	if err != nil {
		return nil, err
	}
	bs, err := bureaus.Load(ctx, q)
	if err != nil {
		return nil, err
	}
	return newSnapshot(people, ss, st, rs, append(bs, Bureau{})[0], m.rights()), nil
}

func scanPerson(s store.Scanner) (p Person, err error) {
	return p, s.Scan(&p.Code, &p.Name, &p.Site, store.JSON(&p.Roles), &p.Rank, &p.Locale, &p.Active)
}

// Refresh reads people, roles and sites again.
func (m *Module) Refresh(ctx context.Context) error {
	m.loading.Lock() // a later read must not be overtaken by an earlier one
	defer m.loading.Unlock()
	s, err := m.load(ctx, m.db)
	if err == nil {
		m.snap.Store(s)
	}
	return err
}

// Person gives what is known of a user.
func (m *Module) Person(u id.User) (Person, bool) {
	p, ok := m.snap.Load().people[u]
	return p, ok
}

// Names gives the names of the users that exist.
func (m *Module) Names(users ...id.User) map[id.User]string {
	s := m.snap.Load()
	out := make(map[id.User]string, len(users))
	for _, u := range users {
		if p, ok := s.people[u]; ok {
			out[u] = p.Name
		}
	}
	return out
}

// Users gives every user, by code.
func (m *Module) Users(context.Context) ([]Person, error) {
	s := m.snap.Load()
	out := make([]Person, 0, len(s.people))
	for _, code := range slices.Sorted(maps.Keys(s.people)) {
		out = append(out, s.people[code])
	}
	return out, nil
}

// Bureau gives the organisation.
func (m *Module) Bureau() Bureau { return m.snap.Load().bureau }

// Site gives a site.
func (m *Module) Site(code id.Site) (Site, bool) {
	s, ok := m.snap.Load().sites[code]
	return s, ok
}

// Sites gives every site, by code.
func (m *Module) Sites() []Site {
	s := m.snap.Load()
	out := make([]Site, 0, len(s.sites))
	for _, code := range slices.Sorted(maps.Keys(s.sites)) {
		out = append(out, s.sites[code])
	}
	return out
}

// Seat gives a seat.
func (m *Module) Seat(code id.Seat) (Seat, bool) {
	s, ok := m.snap.Load().seats[code]
	return s, ok
}

// Timezone gives the name of a site's time zone: its own, the nearest above, or the bureau's.
func (m *Module) Timezone(site id.Site) string {
	s := m.snap.Load()
	for range maxDepth {
		x, ok := s.sites[site]
		if !ok {
			break
		}
		if x.Timezone != "" {
			return x.Timezone
		}
		site = x.Parent
	}
	return s.bureau.Timezone
}

// maxDepth bounds the tree; a configuration that is deeper, or runs in a circle, is refused.
const maxDepth = 16

// Within reports whether site lies in the subtree of root; a site lies in its own. Unknown sites lie nowhere.
func (m *Module) Within(site, root id.Site) bool { return m.snap.Load().within(site, root) }

func (s *snapshot) within(site, root id.Site) bool {
	for range maxDepth {
		x, ok := s.sites[site]
		if !ok {
			return false
		}
		if site == root {
			return true
		}
		site = x.Parent
	}
	return false
}

// Subtree gives root and every site below it, by code.
func (m *Module) Subtree(root id.Site) []id.Site {
	s := m.snap.Load()
	out := []id.Site{}
	for code := range s.sites {
		if s.within(code, root) {
			out = append(out, code)
		}
	}
	slices.Sort(out)
	return out
}

// held gives the rights of a person: the union over their roles.
func (s *snapshot) held(p Person) map[right.Right]bool {
	out := map[right.Right]bool{}
	for _, role := range p.Roles {
		maps.Copy(out, s.rights[role])
	}
	return out
}

// principal gives who u is to the rest of the house.
func (s *snapshot) principal(p Person) right.Principal {
	return right.Principal{User: p.Code, Name: p.Name, Site: p.Site, Rights: s.held(p), Locale: p.Locale}
}
