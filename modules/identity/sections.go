package identity

import (
	"context"
	"slices"

	"github.com/kapok-hotline/kapok/core/fault"
	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/right"
	"github.com/kapok-hotline/kapok/platform/clock"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

// Sections gives what of the configuration is identity's: bureau, sites, seats, roles, users and oidc.
func (m *Module) Sections() []section.Section {
	return []section.Section{
		section.Of(section.Spec[Bureau]{
			Key: "bureau", Order: 10, Right: ManageSites, See: right.Own, Single: true,
			Load: func(ctx context.Context, tx *store.Tx) ([]Bureau, error) { return bureaus.Load(ctx, tx) },
			Put: func(ctx context.Context, tx *store.Tx, b Bureau) error {
				m.refreshAfter(ctx, tx)
				return bureaus.Put(ctx, tx, "bureau", b)
			},
			Check: func(_ section.Lookup, b Bureau) []section.Problem { return checkZone(b.Timezone) },
		}),
		section.Of(section.Spec[Site]{
			Key: "sites", Order: 20, Right: ManageSites, See: right.Own,
			ID:    func(s Site) string { return string(s.Code) },
			Load:  func(ctx context.Context, tx *store.Tx) ([]Site, error) { return sites.Load(ctx, tx) },
			Put:   m.putSite,
			Drop:  m.dropSite,
			Check: checkSite,
		}),
		section.Of(section.Spec[Seat]{
			Key: "seats", Order: 30, Right: ManageSites, See: right.Own,
			ID:   func(s Seat) string { return string(s.Code) },
			Site: func(s Seat) id.Site { return s.Site },
			Load: func(ctx context.Context, tx *store.Tx) ([]Seat, error) { return seats.Load(ctx, tx) },
			Put: func(ctx context.Context, tx *store.Tx, s Seat) error {
				m.refreshAfter(ctx, tx)
				return seats.Put(ctx, tx, string(s.Code), s)
			},
			Drop: func(ctx context.Context, tx *store.Tx, code string) error {
				m.refreshAfter(ctx, tx)
				return seats.Drop(ctx, tx, code)
			},
		}),
		section.Of(section.Spec[Role]{
			Key: "roles", Order: 40, Right: ManageRoles, See: SeeUsers,
			ID:    func(r Role) string { return r.Code },
			Load:  func(ctx context.Context, tx *store.Tx) ([]Role, error) { return roles.Load(ctx, tx) },
			Put:   m.putRole,
			Drop:  m.dropRole,
			Check: m.checkRole,
		}),
		section.Of(section.Spec[User]{
			Key: "users", Order: 50, Right: ManageUsers, See: SeeUsers,
			ID:     func(u User) string { return string(u.Code) },
			Site:   func(u User) id.Site { return u.Site },
			Load:   loadUsers,
			Put:    m.putUser,
			Drop:   m.dropUser,
			Check:  m.checkUser,
			Secret: m.sameSecret,
		}),
		section.Of(section.Spec[OIDC]{
			Key: "oidc", Order: 60, Right: ManageOIDC, Single: true,
			Load: loadOIDC, Put: m.putOIDC, Check: checkOIDC,
		}),
	}
}

type refreshKey struct{}

// refreshAfter reads people and sites again when the transaction is through, once however much it changes.
func (m *Module) refreshAfter(ctx context.Context, tx *store.Tx) {
	tx.Attach(refreshKey{}, func() any {
		tx.AfterCommit(func() {
			ctx := context.WithoutCancel(ctx)
			if err := m.changed(ctx); err != nil {
				m.log.ErrorContext(ctx, "people could not be read again", "error", err)
			}
			if m.sockets != nil {
				m.sockets.Recheck()
			}
		})
		return true
	})
}

func checkZone(name string) []section.Problem {
	if name == "" {
		return nil
	}
	if _, err := clock.Zone(name); err != nil {
		return []section.Problem{section.Complaint("timezone", "identity.timezone.unknown", "timezone", name)}
	}
	return nil
}

func checkSite(all section.Lookup, s Site) []section.Problem {
	at := s
	for range maxDepth {
		if at.Parent == "" {
			return checkZone(s.Timezone)
		}
		item, ok := all.Item("sites", string(at.Parent))
		if !ok {
			return checkZone(s.Timezone) // the reference itself is complained of elsewhere
		}
		at, _ = item.(Site)
		if at.Code == s.Code {
			break
		}
	}
	return []section.Problem{section.Complaint("parent", "identity.site.circle", "site", string(s.Code), "depth", maxDepth)}
}

// Sites have no right of their own subtree in the section's check, because a new one is in no tree yet: the
// place it hangs in is asked for here.
func (m *Module) putSite(ctx context.Context, tx *store.Tx, s Site) error {
	if err := m.maySite(ctx, tx, s.Code); err != nil {
		return err
	}
	if err := m.maySite(ctx, tx, s.Parent); err != nil {
		return err
	}
	m.refreshAfter(ctx, tx)
	return sites.Put(ctx, tx, string(s.Code), s)
}

func (m *Module) dropSite(ctx context.Context, tx *store.Tx, code string) error {
	if err := m.maySite(ctx, tx, id.Site(code)); err != nil {
		return err
	}
	m.refreshAfter(ctx, tx)
	return sites.Drop(ctx, tx, code)
}

// maySite asks whether the caller may change the tree at a site that exists; at the top only who is there.
func (m *Module) maySite(ctx context.Context, tx *store.Tx, site id.Site) error {
	if trusted(ctx) {
		return nil
	}
	snap, err := m.load(ctx, tx)
	if err != nil {
		return err
	}
	caller := principalSite(ctx)
	if _, exists := snap.sites[site]; exists && !snap.within(site, caller) || site == "" && snap.sites[caller].Parent != "" {
		return fault.New(fault.Forbidden, "identity.site.above", "site", string(site))
	}
	return nil
}

func (m *Module) putRole(ctx context.Context, tx *store.Tx, r Role) error {
	if err := m.outranks(ctx, right.Expand(r.Rights, m.rights())); err != nil {
		return err
	}
	m.refreshAfter(ctx, tx)
	m.keepOne(tx)
	return roles.Put(ctx, tx, r.Code, r)
}

func (m *Module) dropRole(ctx context.Context, tx *store.Tx, code string) error {
	m.refreshAfter(ctx, tx)
	m.keepOne(tx)
	return roles.Drop(ctx, tx, code)
}

func (m *Module) checkRole(_ section.Lookup, r Role) []section.Problem {
	var out []section.Problem
	known := m.rights()
	for i, x := range r.Rights {
		if x == right.All || slices.Contains(known, x) {
			continue
		}
		names := make([]string, len(known))
		for i, k := range known {
			names[i] = string(k)
		}
		out = append(out, section.Complaint("rights["+itoa(i)+"]", "identity.right.unknown", "right", string(x), "near", section.Nearest(string(x), names)))
	}
	return out
}

// keepOne refuses a change that locks everybody out: where a user in use could manage users before, one must be
// able to afterwards.
func (m *Module) keepOne(tx *store.Tx) {
	tx.Attach(keepKey{}, func() any {
		if !m.snap.Load().managed() {
			return false
		}
		tx.BeforeCommit(func(ctx context.Context) error { // when the whole change is in
			snap, err := m.load(ctx, tx)
			if err == nil && !snap.managed() {
				err = fault.New(fault.Conflict, "identity.user.last")
			}
			return err
		})
		return true
	})
}

// managed reports whether anybody in use may manage users.
func (s *snapshot) managed() bool {
	for _, p := range s.people {
		if p.Active && s.held(p)[ManageUsers] {
			return true
		}
	}
	return false
}

type keepKey struct{}
