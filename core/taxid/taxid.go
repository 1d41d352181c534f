// Package taxid knows the identifiers of Chinese taxpayers, their check digits and how they are shown.
//
// Sources: GB 32100-2015 (unified social credit code: 31 symbols without I, O, S, V, Z; weights 3^i mod 31),
// GB 11714-1997 (organisation code: weights 3 7 9 10 5 8 4 2, modulo 11), GB 11643-1999 (identity number:
// ISO 7064 MOD 11-2).
package taxid

import (
	"strings"
	"time"
)

// Kind says what an identifier is.
type Kind string

// The kinds.
const (
	USCC     Kind = "uscc18"   // unified social credit code of a firm or body, 18 characters
	Legacy   Kind = "legacy15" // before 2015: 6 digits of area and 9 characters of organisation code
	Person   Kind = "person18" // a person's identity number, 18 characters
	Person20 Kind = "person20" // an individual's tax registration: identity number and two more digits
	Bad      Kind = "bad"      // none of these, or a wrong check digit
)

const (
	alphabet31 = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	alphabet36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	checks11   = "10X98765432" // of identity numbers, by sum modulo 11
)

var (
	weights31 = [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}
	weightsOC = [8]int{3, 7, 9, 10, 5, 8, 4, 2}
	weightsID = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
)

// Clean brings an identifier into the form that is stored and compared: upper case, no spaces or hyphens,
// full-width characters as ASCII, and the * that people key on a telephone for X. At most 32 characters are kept.
func Clean(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= '！' && r <= '～' {
			r -= '！' - '!'
		}
		switch {
		case r == ' ' || r == '-' || r == '　' || r == '\t':
			continue
		case r == '*':
			r = 'X'
		case r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
		}
		if b.WriteRune(r); b.Len() >= 32 {
			break
		}
	}
	return b.String()
}

// KindOf tells what a cleaned identifier is, Bad when a check digit is wrong. A number that fits both a person
// and a firm is the person's.
func KindOf(s string) Kind {
	switch len(s) {
	case 18:
		if isPerson(s) {
			return Person
		}
		if isUSCC(s) {
			return USCC
		}
	case 15:
		if digits(s[:6]) && in(s[6:14], alphabet36) && orgCheck(s[6:14]) == s[14] {
			return Legacy
		}
	case 20:
		if isPerson(s[:18]) && digits(s[18:]) {
			return Person20
		}
	}
	return Bad
}

// Valid reports whether s, cleaned, is an identifier with right check digits.
func Valid(s string) bool { return KindOf(Clean(s)) != Bad }

// District gives the six digits of the administrative district an identifier was issued in, "" of a bad one.
func District(s string) string {
	switch KindOf(s) {
	case USCC:
		return s[2:8]
	case Legacy, Person, Person20:
		return s[:6]
	}
	return ""
}

// OrganisationCode gives the nine characters that a firm's old and new identifier share, "" when there are
// none: by it both are the same firm.
func OrganisationCode(s string) string {
	switch KindOf(s) {
	case USCC:
		return s[8:17]
	case Legacy:
		return s[6:15]
	}
	return ""
}

// Mask hides the middle of an identifier: three characters, stars, four characters. What is shorter than
// eight is all stars, so that nothing half-typed shows.
func Mask(s string) string {
	r := []rune(s)
	if len(r) < 8 {
		return strings.Repeat("*", len(r))
	}
	return string(r[:3]) + strings.Repeat("*", len(r)-7) + string(r[len(r)-4:])
}

// CheckUSCC gives the check character of the first 17 characters of a unified social credit code, false when
// they hold a character that is not of the alphabet.
func CheckUSCC(body string) (byte, bool) {
	if len(body) != 17 {
		return 0, false
	}
	sum := 0
	for i := range 17 {
		v := strings.IndexByte(alphabet31, body[i])
		if v < 0 {
			return 0, false
		}
		sum += v * weights31[i]
	}
	return alphabet31[(31-sum%31)%31], true
}

func isUSCC(s string) bool {
	c, ok := CheckUSCC(s[:17])
	return ok && c == s[17] && digits(s[2:8])
}

func orgCheck(body string) byte {
	sum := 0
	for i := range 8 {
		sum += strings.IndexByte(alphabet36, body[i]) * weightsOC[i]
	}
	switch v := 11 - sum%11; v {
	case 10:
		return 'X'
	case 11:
		return '0'
	default:
		return byte('0' + v)
	}
}

// isPerson asks for the check digit and for a date of birth that exists.
func isPerson(s string) bool {
	if !digits(s[:17]) {
		return false
	}
	sum := 0
	for i := range 17 {
		sum += int(s[i]-'0') * weightsID[i]
	}
	born, err := time.Parse("20060102", s[6:14])
	return err == nil && born.Year() >= 1850 && born.Year() < 2150 && checks11[sum%11] == s[17]
}

func digits(s string) bool { return in(s, "0123456789") }

func in(s, alphabet string) bool { return strings.Trim(s, alphabet) == "" }
