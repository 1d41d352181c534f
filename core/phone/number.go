// Package phone reads telephone numbers as Chinese carriers, trunks and people write them and brings them
// into one form, so that the same caller is the same caller whichever way the number arrived. Shapes follow
// the national numbering plan (YD/T 1122-2001 and the area codes in use): mobile numbers have 11 digits from
// 13 to 19, area codes are 010, 02x and 0[3-9]xx, subscriber numbers 7 or 8 digits not beginning with 0, 1, 9.
package phone

import "strings"

// Kind says what a number is.
type Kind string

// The kinds.
const (
	Mobile   Kind = "mobile"   // 11 digits from 13 to 19
	Fixed    Kind = "fixed"    // area code and subscriber number
	TollFree Kind = "tollfree" // 400 or 800 and seven digits
	Short    Kind = "short"    // 110, 12366, 95588, 10086 … with or without an area code
	Foreign  Kind = "foreign"  // another country or territory: Hong Kong, Macao and Taiwan dial as such
	Withheld Kind = "withheld" // the caller gave none
	Other    Kind = "other"    // digits that fit nothing: an extension, a broken display
)

// Number is a number brought into one form.
type Number struct {
	Kind Kind
	// National is the key the house stores and compares: "013900000137" for a mobile number, "02083330000"
	// for a fixed one, "4001234567", "12366", "0085221234567" for a foreign one, "" when withheld.
	National string
	// Area is the area code with its 0 ("020"), of fixed numbers and of short ones dialled with it.
	Area string
}

// MaxDigits bounds what is kept of a number: E.164 has 15 digits, prefixes and extensions add some.
const MaxDigits = 32

// ipPrefixes are the carriers' call-through prefixes which some displays show before the number.
var ipPrefixes = [...]string{"12593", "17909", "17911", "17951", "10193", "11808"}

// Parse reads a number. Home is the area code ("020") that a subscriber number without one belongs to; empty
// when that is not known. It takes anything: what fits nothing is Other with the digits it had.
func Parse(raw, home string) Number {
	s := clean(raw)
	if s == "" {
		return Number{Kind: Withheld}
	}
	foreign := false
	switch {
	case strings.HasPrefix(s, "+86"):
		s = s[3:]
	case strings.HasPrefix(s, "0086"):
		s = s[4:]
	case strings.HasPrefix(s, "+"):
		s, foreign = s[1:], true
	case strings.HasPrefix(s, "00"):
		s, foreign = s[2:], true
	}
	s = strings.ReplaceAll(s, "+", "")
	switch {
	case s == "":
		return Number{Kind: Other}
	case foreign && s[0] != '0' && len(s) >= 5 && len(s) <= 15: // E.164 has at most 15 digits, none begins with 0
		return Number{Kind: Foreign, National: "00" + s}
	case foreign:
		return Number{Kind: Other, National: s}
	}
	if n, ok := national(s, home); ok {
		return n
	}
	if rest, ok := strings.CutPrefix(s, "86"); ok && len(rest) >= 10 {
		if n, ok := national(rest, ""); ok {
			return n
		}
	}
	for _, p := range ipPrefixes {
		if rest, ok := strings.CutPrefix(s, p); ok && len(rest) >= 10 {
			if n, ok := national(rest, home); ok {
				return n
			}
		}
	}
	return Number{Kind: Other, National: s}
}

// national reads digits without a country code.
func national(s, home string) (Number, bool) {
	bare := strings.TrimPrefix(s, "0")
	switch {
	case isMobile(bare):
		return Number{Kind: Mobile, National: "0" + bare}, true
	case len(s) == 10 && (strings.HasPrefix(s, "400") || strings.HasPrefix(s, "800")):
		return Number{Kind: TollFree, National: s}, true
	case isShort(s):
		return Number{Kind: Short, National: s}, true
	case isSubscriber(s) && IsArea(home):
		return Number{Kind: Fixed, National: home + s, Area: home}, true
	}
	area := AreaOf("0" + bare)
	if area == "" {
		return Number{}, false
	}
	rest := bare[len(area)-1:]
	switch {
	case isSubscriber(rest):
		return Number{Kind: Fixed, National: area + rest, Area: area}, true
	case s[0] == '0' && isShort(rest):
		return Number{Kind: Short, National: area + rest, Area: area}, true
	}
	return Number{}, false
}

// clean keeps the digits of s and a leading plus; words that mean "withheld" become nothing.
func clean(s string) string {
	var b strings.Builder
	for _, r := range s {
		if b.Len() >= MaxDigits {
			break
		}
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r >= '０' && r <= '９':
			b.WriteRune(r - '０' + '0')
		case (r == '+' || r == '＋') && b.Len() == 0:
			b.WriteByte('+')
		case r == '@' || r == ';': // of a URI: what follows is the host or a parameter
			return b.String()
		}
	}
	return b.String()
}

func isMobile(s string) bool {
	return len(s) == 11 && s[0] == '1' && s[1] >= '3' && s[1] <= '9'
}

func isShort(s string) bool {
	if len(s) < 3 || len(s) > 6 {
		return false
	}
	return s[0] == '1' && len(s) <= 5 || strings.HasPrefix(s, "95") && len(s) >= 5 || strings.HasPrefix(s, "96") && len(s) >= 5 ||
		strings.HasPrefix(s, "12") || strings.HasPrefix(s, "106")
}

func isSubscriber(s string) bool {
	return (len(s) == 7 || len(s) == 8) && s[0] >= '2' && s[0] <= '8'
}
