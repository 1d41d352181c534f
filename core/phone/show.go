package phone

// Show gives the number as people write it: a mobile number without the 0, a fixed one with a hyphen after
// the area code, a foreign one with +. Withheld is "".
func (n Number) Show() string {
	switch {
	case n.Kind == Mobile:
		return n.National[1:]
	case n.Kind == Fixed && n.Area != "":
		return n.Area + "-" + n.National[len(n.Area):]
	case n.Kind == Foreign:
		return "+" + n.National[2:]
	}
	return n.National
}

// Dial gives the number as a trunk in the area home dials it: a local number without its area code, all else
// in national form, mobiles without the 0 where that is not wanted by the carrier is the trunk's business.
func (n Number) Dial(home string) string {
	if n.Kind == Fixed && n.Area == home {
		return n.National[len(n.Area):]
	}
	if n.Kind == Mobile {
		return n.National[1:]
	}
	return n.National
}

// Mask hides the middle of the number, for everybody without the right to see it: 139****0137,
// 020-****0000, +852****4567. Short numbers are services and stay; at least four digits are always hidden
// of any other.
func (n Number) Mask() string {
	const stars = "****"
	s := n.Show()
	switch n.Kind {
	case Withheld, Short, TollFree:
		return s
	case Mobile:
		return s[:3] + stars + s[7:]
	case Fixed:
		return n.Area + "-" + stars + s[max(len(s)-4, len(n.Area)+5):]
	case Foreign:
		if len(s) >= 12 {
			return s[:4] + stars + s[len(s)-4:]
		}
	}
	if len(s) <= 6 {
		return stars
	}
	return s[:2] + stars + s[max(len(s)-2, 6):]
}

// Mask hides the middle of a number in whatever form it comes; see Number.Mask.
func Mask(raw string) string { return Parse(raw, "").Mask() }
