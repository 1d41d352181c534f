package phone

import "strings"

// Class says what a call to a number costs, as seen from a home area: what the rules for calls out are made of.
type Class string

// The classes, by the national numbering plan (YD/T 1122-2001 and the carriers' tariffs).
const (
	Emergency Class = "emergency" // 110, 119, 120, 122: never refused
	Service   Class = "service"   // 12366, 95588, 10086, 96110 and the like, and 400 and 800 numbers
	Local     Class = "local"     // a fixed number of the home area
	Cellular  Class = "mobile"    // a mainland mobile number
	LongWay   Class = "domestic"  // a fixed number of another area
	Abroad    Class = "abroad"    // another country or territory, Hong Kong, Macao and Taiwan among them
	Premium   Class = "premium"   // satellite telephones (1349, 174) and voice services (160, 168): dear by the minute
	Inside    Class = "inside"    // what fits nothing: an extension
)

// Classes gives all classes.
func Classes() []Class {
	return []Class{Emergency, Service, Local, Cellular, LongWay, Abroad, Premium, Inside}
}

// Class gives the class of the number for somebody in the area home ("020", may be empty).
func (n Number) Class(home string) Class {
	switch n.Kind {
	case Short:
		return short(strings.TrimPrefix(n.National, n.Area))
	case TollFree:
		return Service
	case Fixed:
		rest := n.National[len(n.Area):]
		switch {
		case strings.HasPrefix(rest, "160") || strings.HasPrefix(rest, "168"): // not a subscriber's: Parse has them as Other
			return Premium
		case n.Area == home:
			return Local
		}
		return LongWay
	case Mobile:
		if strings.HasPrefix(n.National[1:], "1349") || strings.HasPrefix(n.National[1:], "174") {
			return Premium
		}
		return Cellular
	case Foreign:
		return Abroad
	case Other:
		return odd(n.National)
	}
	return Inside
}

func short(s string) Class {
	switch s {
	case "110", "119", "120", "122":
		return Emergency
	}
	if strings.HasPrefix(s, "160") || strings.HasPrefix(s, "168") {
		return Premium
	}
	return Service
}

// odd classes what Parse cannot place: 168 and 160 numbers are longer than service numbers; whatever begins with 00 or
// is as long as a number of another country is dear until the contrary is known.
func odd(s string) Class {
	bare := strings.TrimPrefix(s, "0")
	if area := AreaOf("0" + bare); area != "" && strings.HasPrefix(s, "0") {
		bare = bare[len(area)-1:]
	}
	switch {
	case strings.HasPrefix(bare, "160"), strings.HasPrefix(bare, "168"):
		return Premium
	case len(s) > 6:
		return Abroad
	}
	return Inside
}
