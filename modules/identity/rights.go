package identity

import (
	"slices"

	"github.com/kapok-hotline/kapok/core/right"
)

// The rights identity asks for.
const (
	SeeUsers     right.Right = "identity.user.see"
	ManageUsers  right.Right = "identity.user.manage"
	ManageRoles  right.Right = "identity.role.manage"
	ManageSites  right.Right = "identity.site.manage"
	ManageTokens right.Right = "identity.token.manage"
	ManageOIDC   right.Right = "identity.oidc.manage"
	ReadAudit    right.Right = "identity.audit.read"
)

// Rights lists the rights of this module.
func (m *Module) Rights() []right.Right {
	return []right.Right{right.Own, SeeUsers, ManageUsers, ManageRoles, ManageSites, ManageTokens, ManageOIDC, ReadAudit}
}

// rights gives every right there is, sorted: those declared, and those the shipped roles speak of, whose module
// may not run in this process.
func (m *Module) rights() []right.Right {
	all := m.Rights()
	if m.deps.Rights != nil {
		all = append(all, m.deps.Rights()...)
	}
	for _, role := range right.Shipped() {
		all = append(all, role.Rights...)
	}
	all = slices.DeleteFunc(all, func(r right.Right) bool { return !r.Valid() })
	slices.Sort(all)
	return slices.Compact(all)
}
