package customer

import (
	"strings"

	"github.com/kapok-hotline/kapok/core/contact"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/core/taxid"
)

// Kinds of identifier. Accounts of the text channels have the channel's name.
const (
	number       = "number"
	tax          = "tax"
	organisation = "org" // the part a firm's old and new tax ID share: finds the same firm by either
)

// key is one identifier in the form it is stored and compared.
type key struct{ kind, value string }

// from makes the key of where a contact came from; the zero key when it is withheld.
func from(medium contact.Medium, raw string) key {
	if medium == contact.Phone || medium == contact.SMS || medium == "" {
		if n := phone.Parse(raw, ""); n.National != "" {
			return key{number, n.National}
		}
		return key{}
	}
	if raw = strings.TrimSpace(raw); raw != "" && len(raw) <= 128 {
		return key{string(medium), raw}
	}
	return key{}
}

// mask hides the middle of an identifier.
func (k key) mask() string {
	switch {
	case k.value == "":
		return ""
	case k.kind == number:
		return phone.Mask(k.value)
	}
	return taxid.Mask(k.value)
}

// show gives the identifier in full, as people write it.
func (k key) show() string {
	if k.kind == number {
		return phone.Parse(k.value, "").Show()
	}
	return k.value
}

// city names where a number is at home, in Guangdong; of other fixed numbers the area code. Mobile numbers say
// nothing about it.
func (k key) city(english bool) string {
	if k.kind != number {
		return ""
	}
	area := phone.Parse(k.value, "").Area
	c, ok := phone.CityOf(area)
	switch {
	case !ok:
		return area
	case english:
		return c.NameEn
	}
	return c.Name
}

// firm and person are the types of people; "" is not known.
const (
	firm   = "firm"
	person = "person"
)

func typeOf(k taxid.Kind) string {
	switch k {
	case taxid.USCC, taxid.Legacy:
		return firm
	case taxid.Person, taxid.Person20:
		return person
	}
	return ""
}

// grams are the pairs of letters a name is searched by, each once, at most 64.
func grams(name string) []string {
	r := []rune(plain(name))
	var out []string
	seen := map[string]bool{}
	for i := 0; i+1 < len(r) && len(out) < 64; i++ {
		if g := string(r[i : i+2]); !seen[g] {
			seen[g] = true
			out = append(out, g)
		}
	}
	return out
}

// plain is a name in the form it is searched: lower case, without spaces.
func plain(name string) string {
	return strings.ToLower(strings.Join(strings.Fields(name), ""))
}

// clip shortens what people wrote to n characters.
func clip(s string, n int) string {
	r := []rune(strings.TrimSpace(s))
	if len(r) > n {
		r = r[:n]
	}
	return string(r)
}
