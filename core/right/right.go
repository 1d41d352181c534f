// Package right holds the words of permission: a right is a constant `<module>.<noun>.<verb>` declared by the
// module that asks for it; a role is a set of rights; a person holds roles within a subtree of sites.
package right

import (
	"strings"

	"github.com/kapok-hotline/kapok/core/id"
)

// Right is one permission, `<module>.<noun>.<verb>`.
type Right string

// Valid reports whether r has three dotted lower-case parts.
func (r Right) Valid() bool {
	parts := strings.Split(string(r), ".")
	if len(parts) != 3 {
		return false
	}
	for _, p := range parts {
		if p == "" || strings.Trim(p, "abcdefghijklmnopqrstuvwxyz_") != "" {
			return false
		}
	}
	return true
}

// Own is the right everybody signed in has over their own session and desk; no role needs to grant it.
const Own Right = "identity.self.use"

// Public marks a route that needs no session (login, health, first run).
const Public Right = ""

// Principal is who makes a request: a person with a session or a program with a token.
type Principal struct {
	User   id.User        `json:"user"`
	Name   string         `json:"name"`
	Site   id.Site        `json:"site"`   // the root of the subtree the rights hold in
	Rights map[Right]bool `json:"rights"` // the union over roles
	Locale string         `json:"locale"` // "zh" or "en"
	IP     string         `json:"ip"`
}
