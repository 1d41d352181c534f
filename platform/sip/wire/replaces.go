package wire

import (
	"fmt"
	"strings"
)

// Replaces names the dialog an INVITE takes over (RFC 3891). ToTag is the tag of the side it is sent to.
type Replaces struct {
	CallID         string
	ToTag, FromTag string
	EarlyOnly      bool
}

// ParseReplaces reads a Replaces header value.
func ParseReplaces(v string) (Replaces, error) {
	id, params, _ := strings.Cut(v, ";")
	r := Replaces{CallID: strings.TrimSpace(id)}
	r.ToTag, _ = Param(params, "to-tag")
	r.FromTag, _ = Param(params, "from-tag")
	_, r.EarlyOnly = Param(params, "early-only")
	if r.CallID == "" || r.ToTag == "" || r.FromTag == "" {
		return r, fmt.Errorf("sip: Replaces %.80q lacks Call-ID or tags", v)
	}
	return r, nil
}
