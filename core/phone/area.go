package phone

import (
	_ "embed"
	"encoding/csv"
	"slices"
	"strings"
	"sync"
)

// City is a prefecture city of Guangdong.
type City struct {
	GB         string // administrative code, "440100"
	Name       string // "广州"
	NameEn     string // "Guangzhou"
	Area       string // "020"
	Provincial bool   // on the province's 12366 platform; Shenzhen has its own
}

//go:embed cities.csv
var citiesCSV string

// Cities gives the 21 prefecture cities of Guangdong in the order of their codes.
func Cities() []City { return slices.Clone(cities()) }

// cities reads the table once; it never changes.
var cities = sync.OnceValue(func() []City {
	rows, err := csv.NewReader(strings.NewReader(citiesCSV)).ReadAll()
	if err != nil {
		panic("phone: cities.csv is part of the program and broken: " + err.Error())
	}
	out := make([]City, 0, len(rows)-1)
	for _, r := range rows[1:] {
		out = append(out, City{GB: r[0], Name: r[1], NameEn: r[2], Area: r[3], Provincial: r[4] == "yes"})
	}
	return out
})

// CityOf gives the Guangdong city of an area code; false for one outside the province. A mobile number has no
// area: its segment says where it was sold, which ports and moves have made unreliable.
func CityOf(area string) (City, bool) {
	if area == "" {
		return City{}, false
	}
	for _, c := range cities() {
		if c.Area == area {
			return c, true
		}
	}
	return City{}, false
}

// IsArea reports whether s has the shape of an area code: 010, 02x or 0[3-9]xx.
func IsArea(s string) bool { return s != "" && AreaOf(s) == s }

// AreaOf gives the area code a number dialled with 0 begins with, "" when there is none.
func AreaOf(s string) string {
	switch {
	case len(s) < 3 || s[0] != '0' || strings.Trim(s, "0123456789") != "":
		return ""
	case s[1] == '1' && s[2] == '0', s[1] == '2' && s[2] != '6':
		return s[:3]
	case s[1] >= '3' && len(s) >= 4:
		return s[:4]
	}
	return ""
}
