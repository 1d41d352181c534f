package flow

import (
	"strings"

	"github.com/kapok-hotline/kapok/core/phone"
)

// holds tells whether gathered digits are what the node asks for.
func (k Check) holds(digits string) bool {
	n := phone.Parse(digits, "")
	switch k {
	case AreaCode:
		return phone.IsArea("0" + strings.TrimPrefix(digits, "0"))
	case Mobile:
		return n.Kind == phone.Mobile
	case Phone:
		return n.Kind == phone.Mobile || n.Kind == phone.Fixed
	}
	return true
}
