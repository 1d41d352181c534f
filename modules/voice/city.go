package voice

import (
	"context"
	"strings"
	"time"

	"github.com/kapok-hotline/kapok/core/id"
	"github.com/kapok-hotline/kapok/core/phone"
	"github.com/kapok-hotline/kapok/platform/section"
	"github.com/kapok-hotline/kapok/platform/store"
)

// City is one city of the province: how its callers are known, where they are brought, and how it calls out.
type City struct {
	Code     string            `json:"code" minLength:"2" maxLength:"24" doc:"short name: guangzhou; the variable city of flows"`
	Name     string            `json:"name" minLength:"1" maxLength:"64"`
	NameEn   string            `json:"name_en,omitempty" maxLength:"64"`
	Area     string            `json:"area" minLength:"3" maxLength:"4" doc:"area code with its 0: 020, 0751"`
	Away     bool              `json:"away,omitempty" doc:"has a hotline of its own: its callers hear the greeting, which says where to call, and are not served here"`
	Site     id.Site           `json:"site,omitempty" ref:"sites" doc:"where its calls count; whoever holds rights there sees them"`
	Greeting id.Prompt         `json:"greeting,omitempty" ref:"prompts" doc:"said when a caller is brought to the city; of a city with its own hotline: where to call instead"`
	Calendar string            `json:"calendar,omitempty" ref:"calendars" doc:"asked where a flow asks for no calendar by name; empty: the number's"`
	Queues   map[string]string `json:"queues,omitempty" doc:"the city's own queue in place of one of the province's, as province: city; without one the province's own takes the call"`
	Trunk    id.Trunk          `json:"trunk,omitempty" ref:"trunks" doc:"calls out leave by it; empty: by a trunk of the agent's site or the nearest above"`
	CallerID string            `json:"caller_id,omitempty" maxLength:"20" doc:"number shown on its calls out; empty: the trunk's"`
}

// Segment says which city a mobile number was sold in: the table is the carriers' and is imported.
type Segment struct {
	Code string `json:"code" minLength:"3" maxLength:"9" doc:"how the numbers begin, without the 0: 1380013; the longest that fits holds"`
	City string `json:"city" ref:"cities"`
}

// Area is what is done with callers who are of no city here.
type Area struct {
	Elsewhere    id.Prompt `json:"elsewhere,omitempty" ref:"prompts" doc:"said to callers of other provinces: where to call"`
	RememberDays int       `json:"remember_days" minimum:"0" maximum:"3650" doc:"how long the city a caller keyed in holds for later calls; 0: it is not asked for"`
}

// defaultArea holds until somebody sets it: a keyed city holds for a year.
func defaultArea() Area { return Area{RememberDays: 365} }

// CityMemory knows which city a caller chose by key in an earlier call; the customer module fills it.
type CityMemory interface {
	// CityOf gives the city the caller (national form) last keyed in at or after since; "" when none.
	CityOf(ctx context.Context, caller string, since time.Time) (string, error)
}

// Sites tells how sites lie; identity fills it.
type Sites interface {
	// Up gives the site and those above it, nearest first.
	Up(site id.Site) []id.Site
}

var (
	cityTable    = store.Docs[City]{Table: "voice_city"}
	segmentTable = store.Docs[Segment]{Table: "voice_segment"}
	areaTable    = store.Docs[Area]{Table: "voice_area"}
)

// atlas is the cities as calls ask for them. A snapshot holds one; the nil atlas knows no city.
type atlas struct {
	cities   map[string]City
	areas    map[string]string // area code → city
	segments map[string]string // beginning of a mobile number → city
	longest  int               // length of the longest segment
	area     Area
}

func loadAtlas(ctx context.Context, q store.Querier) (*atlas, error) {
	a := &atlas{cities: map[string]City{}, areas: map[string]string{}, segments: map[string]string{}, area: defaultArea()}
	cities, err := cityTable.Load(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, c := range cities {
		a.cities[c.Code] = c
		a.areas[c.Area] = c.Code
	}
	segments, err := segmentTable.Load(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, s := range segments {
		a.segments[s.Code] = s.City
		a.longest = max(a.longest, len(s.Code))
	}
	area, err := areaTable.Load(ctx, q)
	if len(area) > 0 {
		a.area = area[0]
	}
	return a, err
}

// city gives a city; false when it is none of ours.
func (a *atlas) city(code string) (City, bool) {
	if a == nil {
		return City{}, false
	}
	c, ok := a.cities[code]
	return c, ok
}

// bySegment gives the city a mobile number (11 digits) was sold in, by the longest beginning in the table.
func (a *atlas) bySegment(mobile string) (string, bool) {
	if a == nil {
		return "", false
	}
	for n := min(a.longest, len(mobile)); n >= 3; n-- {
		if city, ok := a.segments[mobile[:n]]; ok {
			return city, true
		}
	}
	return "", false
}

// of gives the city a site belongs to: that of the site itself or of the nearest above.
func (a *atlas) of(up []id.Site) (City, bool) {
	if a == nil {
		return City{}, false
	}
	for _, site := range up {
		for _, c := range a.cities {
			if c.Site == site && !c.Away {
				return c, true
			}
		}
	}
	return City{}, false
}

func citySection() section.Spec[City] {
	return section.Spec[City]{
		Key: "cities", Order: 53, Right: ManageNumbers,
		ID:    func(c City) string { return c.Code },
		Site:  func(c City) id.Site { return c.Site },
		Load:  func(ctx context.Context, tx *store.Tx) ([]City, error) { return cityTable.Load(ctx, tx) },
		Put:   func(ctx context.Context, tx *store.Tx, c City) error { return cityTable.Put(ctx, tx, c.Code, c) },
		Drop:  func(ctx context.Context, tx *store.Tx, code string) error { return cityTable.Drop(ctx, tx, code) },
		Check: checkCity,
	}
}

func checkCity(all section.Lookup, c City) []section.Problem {
	var out []section.Problem
	if !phone.IsArea(c.Area) {
		out = append(out, section.Complaint("area", "voice.city.area", "area", c.Area))
	}
	if !c.Away && c.Site == "" {
		out = append(out, section.Complaint("site", "voice.city.site"))
	}
	if c.Away && c.Greeting == "" {
		out = append(out, section.Complaint("greeting", "voice.city.away"))
	}
	if c.CallerID != "" && !dialable(c.CallerID) {
		out = append(out, section.Complaint("caller_id", "voice.city.caller_id", "number", c.CallerID))
	}
	for _, other := range all.Codes("cities") {
		o, ok := all.Item("cities", other)
		if x, is := o.(City); ok && is && x.Code != c.Code && x.Area == c.Area {
			out = append(out, section.Complaint("area", "voice.city.double", "area", c.Area, "city", x.Code))
		}
		if x, is := o.(City); ok && is && x.Code != c.Code && c.Site != "" && x.Site == c.Site && !c.Away && !x.Away {
			out = append(out, section.Complaint("site", "voice.city.shared", "site", string(c.Site), "city", x.Code))
		}
	}
	for _, from := range sortedKeys(c.Queues) {
		out = append(out, all.Need("queues["+from+"]", "queues", from)...)
		out = append(out, all.Need("queues["+from+"]", "queues", c.Queues[from])...)
	}
	return out
}

func segmentSection() section.Spec[Segment] {
	return section.Spec[Segment]{
		Key: "segments", Order: 54, Right: ManageNumbers,
		ID:   func(s Segment) string { return s.Code },
		Load: func(ctx context.Context, tx *store.Tx) ([]Segment, error) { return segmentTable.Load(ctx, tx) },
		Put:  func(ctx context.Context, tx *store.Tx, s Segment) error { return segmentTable.Put(ctx, tx, s.Code, s) },
		Drop: func(ctx context.Context, tx *store.Tx, code string) error { return segmentTable.Drop(ctx, tx, code) },
		Check: func(_ section.Lookup, s Segment) []section.Problem {
			if strings.Trim(s.Code, "0123456789") != "" || len(s.Code) < 3 || s.Code[0] != '1' || s.Code[1] < '3' {
				return []section.Problem{section.Complaint("code", "voice.segment.form", "segment", s.Code)}
			}
			return nil
		},
	}
}

func areaSection() section.Spec[Area] {
	return section.Spec[Area]{
		Key: "area", Order: 55, Right: ManageNumbers, Single: true,
		Load: func(ctx context.Context, tx *store.Tx) ([]Area, error) {
			list, err := areaTable.Load(ctx, tx)
			if err == nil && len(list) == 0 {
				list = []Area{defaultArea()}
			}
			return list, err
		},
		Put: func(ctx context.Context, tx *store.Tx, a Area) error { return areaTable.Put(ctx, tx, "area", a) },
	}
}
